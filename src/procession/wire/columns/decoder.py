"""Messages of columns -> whole snapshots, out of the frame before where a message has only what has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import compress

import msgspec
import numpy as np

from procession.errors import PayloadTooLarge
from procession.packed import STATE_NUMBERS, Listing, PackedProcess, PackedSnapshot
from procession.process import ProcessDescription
from procession.text.characters import text
from procession.text.tags import normal_tags
from procession.wire.columns import layout
from procession.wire.columns.host_states import HostState, HostStates, StateKey, size_of
from procession.wire.columns.layout import Body, BodyLimits, Fate, Head
from procession.wire.columns.received_rows import are_possible, received
from procession.wire.columns.rows import ROW_BYTES, checksum_of
from procession.wire.datadog import FrameError, Limits, host_of
from procession.wire.datadog import process_pb2 as pb
from procession.wire.datadog.messages.commands import CommandReader, Scrub
from procession.wire.datadog.messages.container_tags import tags_of
from procession.wire.datadog.messages.descriptions import decode_description, own_tags_of
from procession.wire.datadog.parsing import parse
from procession.wire.datadog.scalars import MAX_NAME_LENGTH

_ZOMBIE = STATE_NUMBERS["Z"]


class FrameBeforeUnknown(Exception):
    """The message says what has changed since a frame that is not here: its agent has to send the whole."""


class ColumnsDecoder:
    """Each message gives a snapshot that needs nothing else. A process that has not changed is the very same object as
    in the one before. For many threads."""

    def __init__(self, limits: Limits, *, scrub: Scrub | None = None, state_bytes: int = 512 * 2**20) -> None:
        """`state_bytes` bounds what is remembered of all hosts, about; a process takes one to two thousand bytes.
        `scrub` hides the secrets that agents have left in the arguments of a process."""
        self._body_limits = BodyLimits(limits.processes, limits.containers, limits.process_bytes)
        self._limits = limits
        self._commands = CommandReader(scrub)
        self.states = HostStates(state_bytes)

    def decode(
        self,
        head: Head,
        body: bytes,
        *,
        taken_at: int,
        request_id: int = 0,
        host_tags: Callable[[str], Iterable[str]] = lambda _: (),
        org_id: int = 0,
    ) -> PackedSnapshot:
        """Raises FrameBeforeUnknown; FrameError for what is damaged; PayloadTooLarge beyond the limits.

        `host_tags` gives those of a host by its name, which only the message tells.
        """
        parsed = layout.parse_body(body, self._body_limits)
        host = host_of(parsed.host)
        key = StateKey(org_id, host, head.run)
        before = self.states.get(key) if head.follows else None
        tags = normal_tags(host_tags(host))
        if head.follows and before is None:
            raise FrameBeforeUnknown
        if before is not None and (before.number, before.checksum) == (head.number, head.checksum):
            state = before  # it was sent again
        elif before is not None and before.number != head.follows:
            raise FrameBeforeUnknown
        else:
            state = self._state_after(before, head, parsed, tags)
        if state.host_tags != tags:
            state = _tagged_anew(state, tags, state.container_tags)
        if state is not before:
            self.states.put(key, state)
        return PackedSnapshot(
            host=host,
            taken_at=taken_at,
            listing=state.listing,
            numbers=state.numbers,
            request_id=request_id,
            split_id=head.split_id,
            chunk_count=1,
        )

    def remembers(self, org_id: int, host: str, run: int) -> bool:
        """Whether changes since the newest frame of this host can be read, as far as it is known now."""
        return self.states.get(StateKey(org_id, host, run)) is not None

    def _state_after(self, before: HostState | None, head: Head, body: Body, host_tags: tuple[str, ...]) -> HostState:
        fates = body.fates
        if before is None:
            if fates:
                raise FrameError("A whole frame follows none")
            before = HostState(
                number=0,
                checksum=0,
                listing=Listing(()),
                numbers=b"",
                own_tags=(),
                host_tags=host_tags,
                container_tags={},
                size=0,
            )
        if len(fates) != len(before.listing):
            raise FrameBeforeUnknown
        if before.host_tags != host_tags or body.containers:
            container_tags = {**before.container_tags, **self._container_tags(body.containers)}
            before = _tagged_anew(before, host_tags, container_tags)
        step = _Step(before)
        came = step.move(body)
        descriptions = _Descriptions(self._commands, self._limits.tags, before)
        described = list(compress(range(len(fates)), body.described))
        for place, data in zip(described, body.descriptions, strict=False):
            step.describe(place, *descriptions.decode(data, step.row(place)))
        if Fate.ENDED in fates:
            step.keep([fate != Fate.ENDED for fate in fates])
        first_new = len(came) - ROW_BYTES * len(body.pids)
        for at, pid, started_at, data in zip(
            range(first_new, len(came), ROW_BYTES),
            body.pids,
            body.starts,
            body.descriptions[len(described) :],
            strict=True,
        ):
            row = came[at : at + ROW_BYTES]
            step.add(pid, started_at, row, *descriptions.decode(data, row))
        if body.pids and step.has_doubles():
            raise FrameError("The message has a process twice")
        if checksum_of((bytes(step.rows),)) != head.checksum:
            # Two runs of an agent share a number, as after a machine was copied.
            raise FrameBeforeUnknown if head.follows else FrameError("The message has another checksum")
        if not are_possible(came):
            raise FrameError("The message has numbers that no process can have")
        return _state_of(before, head, step, body)

    def _container_tags(self, containers: Iterable[bytes]) -> dict[str, tuple[str, ...]]:
        found = {}
        for data in containers:
            container = parse(pb.ReadContainer, data)
            if len(container.tags) > self._limits.tags:
                raise PayloadTooLarge(f"A container has more than {self._limits.tags} tags")
            if container_id := text(container.id)[:MAX_NAME_LENGTH]:
                found[container_id] = normal_tags(tags_of(container))
        return found


class _Step:
    """From one state of a host to the next."""

    def __init__(self, before: HostState) -> None:
        self._listing = before.listing
        self._own_tags = before.own_tags
        self._processes: list[PackedProcess] | None = None
        """None while they are those of before."""
        self._tags = list[tuple[str, ...]]()
        self.rows = bytearray(before.numbers)

    def row(self, place: int) -> bytes:
        return bytes(self.rows[place * ROW_BYTES : (place + 1) * ROW_BYTES])

    def move(self, body: Body) -> bytes:
        """Give those that moved their new rows. Gives these and, behind them, those of the new ones."""
        rows = np.frombuffer(self.rows, np.uint8).reshape(-1, ROW_BYTES)
        moved = np.flatnonzero(np.frombuffer(body.moved, np.uint8))
        before = rows[moved]
        came = received(body.rows, before.tobytes())
        after = np.frombuffer(came, np.uint8).reshape(-1, ROW_BYTES)[: len(moved)]
        is_zombie = after[:, -1] == _ZOMBIE
        for index in np.flatnonzero(is_zombie != (before[:, -1] == _ZOMBIE)).tolist():
            self._turn(int(moved[index]), is_zombie=bool(is_zombie[index]))
        rows[moved] = after
        return came

    def _turn(self, place: int, *, is_zombie: bool) -> None:
        processes = self._changing()
        before = processes[place]
        description = msgspec.structs.replace(before.description, is_zombie=is_zombie)
        processes[place] = msgspec.structs.replace(before, description=description)

    def describe(self, place: int, description: ProcessDescription, own_tags: tuple[str, ...]) -> None:
        processes = self._changing()
        before = processes[place]
        processes[place] = PackedProcess.of(before.pid, before.started_at, description)
        self._tags[place] = own_tags

    def keep(self, stays: list[bool]) -> None:
        self._processes = list(compress(self._changing(), stays))
        self._tags = list(compress(self._tags, stays))
        places = compress(range(0, len(self.rows), ROW_BYTES), stays)
        self.rows = bytearray(b"".join([self.rows[at : at + ROW_BYTES] for at in places]))

    def add(
        self, pid: int, started_at: int, row: bytes, description: ProcessDescription, own_tags: tuple[str, ...]
    ) -> None:
        self._changing().append(PackedProcess.of(pid, started_at, description))
        self._tags.append(own_tags)
        self.rows += row

    def _changing(self) -> list[PackedProcess]:
        if self._processes is None:
            self._processes, self._tags = list(self._listing.processes), list(self._own_tags)
        return self._processes

    def has_doubles(self) -> bool:
        processes = self._changing()
        return len({one.pid << 32 | one.started_at for one in processes}) != len(processes)

    @property
    def listing(self) -> Listing:
        """The same as before, if nothing but numbers has changed."""
        return self._listing if self._processes is None else Listing(tuple(self._processes))

    @property
    def own_tags(self) -> tuple[tuple[str, ...], ...]:
        return self._own_tags if self._processes is None else tuple(self._tags)


class _Descriptions:
    """Decodes those of one frame."""

    def __init__(self, commands: CommandReader, max_tags: int, state: HostState) -> None:
        self._commands = commands
        self._max_tags = max_tags
        self._tags = _TagsOfContainers(state.host_tags, state.container_tags)

    def decode(self, data: bytes, row: bytes) -> tuple[ProcessDescription, tuple[str, ...]]:
        """With the tags that are its own."""
        process = parse(pb.ReadProcess, data)
        own = normal_tags(own_tags_of(process, self._max_tags))
        container_id = text(process.containerId)[:MAX_NAME_LENGTH]
        around = self._tags[container_id]
        description = decode_description(
            process,
            self._commands,
            is_windows=False,
            container_id=container_id,
            is_zombie=row[-1] == _ZOMBIE,
            tags=normal_tags((*around, *own)) if own else around,
        )
        return description, own


class _TagsOfContainers(dict[str, tuple[str, ...]]):
    """Container id (empty: outside of any) -> tags of all its processes. One that nobody told has the host's alone."""

    def __init__(self, host_tags: tuple[str, ...], container_tags: Mapping[str, tuple[str, ...]]) -> None:
        super().__init__()
        self._host_tags = host_tags
        self._container_tags = container_tags

    def __missing__(self, container_id: str) -> tuple[str, ...]:
        more = self._container_tags.get(container_id, ())
        found = self[container_id] = normal_tags((*self._host_tags, *more)) if more else self._host_tags
        return found


def _tagged_anew(
    state: HostState, host_tags: tuple[str, ...], container_tags: Mapping[str, tuple[str, ...]]
) -> HostState:
    """Where the tags of a host or container have changed, its processes are described anew."""
    around = _TagsOfContainers(host_tags, container_tags)
    processes = []
    for one, own in zip(state.listing.processes, state.own_tags, strict=True):
        tags = around[one.description.container_id]
        tags = normal_tags((*tags, *own)) if own else tags
        if tags != one.description.tags:
            description = msgspec.structs.replace(one.description, tags=tags)
            one = PackedProcess.of(one.pid, one.started_at, description)
        processes.append(one)
    listing = Listing(tuple(processes))
    return msgspec.structs.replace(
        state,
        listing=listing,
        host_tags=host_tags,
        container_tags=container_tags,
        size=size_of(listing, container_tags),
    )


def _state_of(before: HostState, head: Head, step: _Step, body: Body) -> HostState:
    container_tags, size = before.container_tags, before.size
    listing = step.listing
    if body.descriptions or body.containers or len(listing) != len(before.listing):
        used = {one.description.container_id for one in listing.processes} if container_tags else set()
        container_tags = {one: container_tags[one] for one in container_tags if one in used}
        size = size_of(listing, container_tags)
    return HostState(
        number=head.number,
        checksum=head.checksum,
        listing=listing,
        numbers=bytes(step.rows),
        own_tags=step.own_tags,
        host_tags=before.host_tags,
        container_tags=container_tags,
        size=size,
    )
