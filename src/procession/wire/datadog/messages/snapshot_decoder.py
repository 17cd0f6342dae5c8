"""Snapshots on the wire: CollectorProc -> PackedSnapshot. `encoder` is the way back.

What is absent there is -1, an unset message, or 0 where 0 cannot be; here it is None. Texts may be any bytes there;
here they are text without NUL. A number outside what a process can have becomes the nearest one that it can, or None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from procession.errors import PayloadTooLarge
from procession.packed import STATE_NUMBERS, Listing, PackedSnapshot
from procession.text.characters import text
from procession.text.tags import normal_tags
from procession.wire.datadog import process_pb2 as pb
from procession.wire.datadog.cache_budget import CacheBudget
from procession.wire.datadog.frame import Frame, FrameError, MessageType
from procession.wire.datadog.messages.commands import Scrub
from procession.wire.datadog.messages.container_tags import tags_of
from procession.wire.datadog.messages.descriptions import ContainerContext, DescriptionDecoder
from procession.wire.datadog.messages.numbers import decode_row
from procession.wire.datadog.messages.process_cache import CachedProcess, HostProcesses, ProcessCache
from procession.wire.datadog.parsing import parse, protobuf_of, unparsed_parts
from procession.wire.datadog.request_ids import MAX_CHUNKS
from procession.wire.datadog.scalars import MAX_NAME_LENGTH, clamped_uint32, host_of

_PROCESSES = pb.ReadCollectorProc.PROCESSES_FIELD_NUMBER
_CONTAINERS = pb.ReadCollectorProc.CONTAINERS_FIELD_NUMBER
_ZOMBIE = STATE_NUMBERS["Z"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one message may hold. Agents can be set to 10,000 processes and 4 MB a message; theirs is 100 and 1 MB."""

    processes: int = 10_000
    containers: int = 10_000
    process_bytes: int = 4 * 2**20
    tags: int = 1000


DEFAULT_LIMITS = Limits()

_FARGATE_TAGS = {pb.fargateECS: ("fargate:ecs",), pb.fargateEKS: ("fargate:eks",)}


def no_tags(_: str) -> Iterable[str]:
    return ()


def cpus_in(info: pb.SystemInfo | pb.ReadSystemInfo) -> int:
    """How many a host has; 0 where its message does not say. On Linux each is listed alone, on Windows a socket with
    all of its cores."""
    return sum(max(cpu.cores, 1) for cpu in info.cpus)


class SnapshotDecoder:
    """Turns frames into snapshots, faster where it has seen a process before. For many threads."""

    def __init__(
        self, limits: Limits = DEFAULT_LIMITS, *, scrub: Scrub | None = None, cache_bytes: int = 512 * 2**20
    ) -> None:
        """`scrub` hides the secrets that agents have left in the arguments of a process. `cache_bytes` bounds what is
        remembered, about; a process takes one to two thousand bytes."""
        self._limits = limits
        budget = CacheBudget(cache_bytes, self._forget)
        self._descriptions = DescriptionDecoder(budget, limits.tags, scrub)
        self._process_cache = ProcessCache(budget)

    def _forget(self) -> None:
        self._descriptions.forget()
        self._process_cache.forget()

    def decode(
        self,
        frame: Frame,
        *,
        taken_at: int,
        request_id: int = 0,
        host_tags: Callable[[str], Iterable[str]] = no_tags,
        org_id: int = 0,
    ) -> PackedSnapshot:
        """Raises FrameError for what is damaged or no CollectorProc, PayloadTooLarge beyond the limits. What is
        remembered of a host is of one org.

        `host_tags` gives those of a host by its name, which only the message tells.
        """
        if frame.type is not MessageType.PROCESSES:
            raise FrameError(f"The message has type {frame.type}, not {MessageType.PROCESSES}")
        message, processes = unparsed_parts(
            pb.ReadCollectorProc,
            protobuf_of(pb.CollectorProc, frame),
            _PROCESSES,
            {_PROCESSES: self._limits.processes, _CONTAINERS: self._limits.containers},
            self._limits.process_bytes,
        )
        host = host_of(message.hostName)
        contexts = self._contexts(message, host_tags(host))
        of_host = self._process_cache.of_host((org_id, host), (taken_at, message.groupId))
        found, is_held = self._found(of_host, processes, contexts)
        listing, numbers = _listed(of_host, found, is_held=is_held)
        return PackedSnapshot(
            host=host,
            taken_at=taken_at,
            listing=listing,
            numbers=numbers,
            request_id=request_id,
            split_id=message.groupId,
            chunk_count=min(max(message.groupSize, 0), MAX_CHUNKS),
            cpus=cpus_in(message.info),
        )

    def _found(
        self, of_host: HostProcesses, processes: Iterable[bytes], contexts: _Contexts
    ) -> tuple[list[CachedProcess], bool]:
        """What each of them means, and whether all of them are remembered."""
        before, now = of_host.before, of_host.now
        found: list[CachedProcess] = []
        is_held = True
        good = contexts[""]
        for process in processes:
            bytes_hash = hash(process)
            one = before.get(bytes_hash) or now.get(bytes_hash)
            if one is not None and one.context is not good:
                if contexts[one.context.container_id] is one.context:
                    good = one.context
                else:
                    one = None
            if one is None:
                one = self._decode(process, contexts, of_host)
                is_held &= self._process_cache.put(of_host, bytes_hash, one)
            else:
                now[bytes_hash] = one
            found.append(one)
        return found, is_held

    def _contexts(self, message: pb.ReadCollectorProc, host_tags: Iterable[str]) -> _Contexts:
        tags_of_host = normal_tags((*host_tags, *_FARGATE_TAGS.get(message.containerHostType, ())))
        is_windows = message.info.os.name == "windows"
        contexts = _Contexts(lambda container_id: context_of(tags_of_host, container_id, is_windows=is_windows))
        context_of = self._descriptions.context_of
        for container in message.containers:
            if len(container.tags) > self._limits.tags:
                raise PayloadTooLarge(f"A container has more than {self._limits.tags} tags")
            tags = normal_tags((*tags_of_host, *tags_of(container)))
            container_id = text(container.id)[:MAX_NAME_LENGTH]
            if not container_id:
                continue  # what is outside of all of them must not get its tags
            contexts[container_id] = context_of(tags, container_id, is_windows=is_windows)
        return contexts

    def _decode(self, data: bytes, contexts: _Contexts, of_host: HostProcesses) -> CachedProcess:
        process = parse(pb.ReadProcess, data)
        container_id = process.containerId
        context = contexts[text(container_id)[:MAX_NAME_LENGTH] if container_id else ""]
        row = decode_row(process, process.state)
        description = self._descriptions.decode(process, context, row[-1] == _ZOMBIE)
        pid, started_at = clamped_uint32(process.pid), clamped_uint32(process.createTime // 1000)
        return CachedProcess(of_host.process(pid, started_at, description), row, context)


def _listed(of_host: HostProcesses, found: list[CachedProcess], *, is_held: bool) -> tuple[Listing, bytes]:
    """The processes and their numbers. The last one counts where a pid and start come twice."""
    if not found:
        return Listing(()), b""
    listing = of_host.listing(tuple([one.process for one in found]))
    if listing is None:
        by_key = {one.process.pid << 32 | one.process.started_at: one for one in found}
        if len(by_key) < len(found):
            found = list(by_key.values())
        listing = Listing(tuple([one.process for one in found]))
        if is_held:
            of_host.put_listing(listing)
    return listing, b"".join([one.numbers for one in found])


class _Contexts(dict[str, ContainerContext]):
    """Container id (empty: outside of any) -> context. One that the message does not tell has the host's tags alone."""

    def __init__(self, not_told: Callable[[str], ContainerContext]) -> None:
        super().__init__()
        self._not_told = not_told

    def __missing__(self, container_id: str) -> ContainerContext:
        found = self[container_id] = self._not_told(container_id)
        return found
