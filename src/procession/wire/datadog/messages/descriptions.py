"""What a process is: Command, ProcessUser and tags <-> ProcessDescription."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from sys import intern
from typing import Any

from procession.command_line.arguments import arguments_of, line_of, words_of
from procession.command_line.program_name import command_name
from procession.errors import PayloadTooLarge
from procession.process import ProcessDescription
from procession.text.characters import encodable, text
from procession.text.tags import normal_tags
from procession.wire.datadog import process_pb2 as pb
from procession.wire.datadog.cache_budget import CacheBudget
from procession.wire.datadog.messages.numbers import decode_nice
from procession.wire.datadog.parsing import parse
from procession.wire.datadog.scalars import MAX_NAME_LENGTH, MAX_PATH_LENGTH, clamped_uint32, owner_id, signed_int32

Scrub = Callable[[Sequence[str]], Sequence[str]]
"""Arguments -> arguments without secrets."""

_Key = tuple[bytes, bytes, bool, int, int, tuple[str, ...], tuple[str, ...]]

_OVERHEAD_BYTES = 1000
"""About what the objects of a description take, without their texts."""


class ContainerContext(dict[_Key, ProcessDescription]):
    """What processes of one container have in common, or those of a host outside of any; and the descriptions that were
    decoded of them before."""

    def __init__(self, tags: tuple[str, ...], container_id: str, *, is_windows: bool) -> None:
        super().__init__()
        self.tags = tags
        self.container_id = container_id
        self.is_windows = is_windows


class DescriptionDecoder:
    """Remembers descriptions by their bytes: a process hardly changes from one snapshot to the next, and looking one up
    costs a tenth of decoding it.

    Threads may share it: at worst, two decode the same.
    """

    def __init__(self, budget: CacheBudget, max_tags: int, scrub: Scrub | None = None) -> None:
        self._max_tags = max_tags
        self._scrub = scrub
        self._contexts: dict[tuple[tuple[str, ...], str, bool], ContainerContext] = {}
        self._budget = budget

    def context_of(self, tags: tuple[str, ...], container_id: str, *, is_windows: bool) -> ContainerContext:
        key = (tags, container_id, is_windows)
        found = self._contexts.get(key)
        if found is None:
            found = ContainerContext(tags, container_id, is_windows=is_windows)
            if self._budget.admits(sum(map(len, tags)) + _OVERHEAD_BYTES):
                self._contexts[key] = found
        return found

    def decode(self, process: pb.ReadProcess, context: ContainerContext, is_zombie: bool) -> ProcessDescription:
        tags, process_context = process.tags, process.processContext
        key = (
            process.command,
            process.user,
            is_zombie,
            process.nsPid,
            process.cpu.nice,
            tuple(tags) if tags else (),
            tuple(process_context) if process_context else (),
        )
        found = context.get(key)
        if found is None:
            own_tags = own_tags_of(process, self._max_tags)
            found = decode_description(
                process,
                self._scrub,
                is_windows=context.is_windows,
                container_id=context.container_id,
                is_zombie=is_zombie,
                tags=normal_tags((*context.tags, *own_tags)) if own_tags else context.tags,
            )
            if self._budget.admits(_size(process, found)):
                context[key] = found
        return found

    def forget(self) -> None:
        self._contexts = {}


def _size(process: pb.ReadProcess, found: ProcessDescription) -> int:
    return 3 * len(process.command) + len(process.user) + sum(map(len, found.tags)) + _OVERHEAD_BYTES


def own_tags_of(process: pb.ReadProcess, max_tags: int) -> tuple[str | bytes, ...]:
    """The tags of the process itself, without those of host and container, as they arrived. Raises PayloadTooLarge."""
    tags = (*process.tags, *process.processContext)
    if len(tags) > max_tags:
        raise PayloadTooLarge(f"A process has more than {max_tags} tags")
    return tags


def decode_description(
    process: pb.ReadProcess,
    scrub: Scrub | None,
    *,
    is_windows: bool,
    container_id: str,
    is_zombie: bool,
    tags: tuple[str, ...],
) -> ProcessDescription:
    """`tags` are all that it has, those of its host and container included."""
    return describe(
        parse(pb.Command, process.command),
        parse(pb.ProcessUser, process.user) if process.HasField("user") else None,
        scrub,
        is_windows=is_windows,
        namespace_pid=process.nsPid if process.nsPid > 0 else None,
        nice=decode_nice(process.cpu.nice),
        container_id=container_id,
        is_zombie=is_zombie,
        tags=tags,
    )


def describe(
    command: pb.Command, owner: pb.ProcessUser | None, scrub: Scrub | None, *, is_windows: bool, **rest: Any
) -> ProcessDescription:
    """`rest` are the fields of a description that are found elsewhere."""
    args = [text(argument) for argument in command.args]
    shown = args if scrub is None else scrub(args)
    exe, comm = text(command.exe)[:MAX_PATH_LENGTH], text(command.comm)[:MAX_NAME_LENGTH]
    user, uid, gid, group = "", None, None, ""
    if owner is not None:
        user = text(owner.name)[:MAX_NAME_LENGTH]
        if not is_windows:
            uid, gid, group = owner_id(owner.uid), owner_id(owner.gid), text(owner.groupName)[:MAX_NAME_LENGTH]
    # All but the command line is the same on many hosts, and kept in memory once.
    return ProcessDescription(
        cmdline=line_of(shown) if command.argsAreWhole else " ".join(shown),
        argument_words=words_of(shown) if command.argsAreWhole else (),
        exe=intern(exe),
        cwd=intern(text(command.cwd)[:MAX_PATH_LENGTH]),
        root=intern(text(command.root)[:MAX_PATH_LENGTH]),
        comm=intern(comm),
        command=intern(command_name(args, exe, comm, is_windows=is_windows)[:MAX_NAME_LENGTH]),
        user=intern(user or ("" if uid is None else f"uid:{uid}")),
        uid=uid,
        gid=gid,
        group_name=intern(group),
        ppid=clamped_uint32(command.ppid),
        **rest,
    )


def encode_description(description: ProcessDescription, process: pb.Process) -> None:
    """All but the short name, which the intake finds again, the state, and what stands among the numbers: nice."""
    command = process.command
    line = encodable(description.cmdline)
    arguments = arguments_of(line, description.argument_words)
    if arguments is None:
        # The intake joins them by single blanks again.
        command.args.extend(line.split(" "))
    elif arguments:
        command.args.extend(arguments)
        command.argsAreWhole = True
    command.exe = encodable(description.exe)
    command.cwd = encodable(description.cwd)
    command.root = encodable(description.root)
    command.comm = encodable(description.comm)
    command.ppid = signed_int32(description.ppid)
    uid = -1 if description.uid is None else description.uid
    if description.user or description.uid is not None or description.gid is not None:
        process.user.name = "" if description.user == f"uid:{uid}" else encodable(description.user)
        process.user.uid = signed_int32(uid)
        process.user.gid = signed_int32(-1 if description.gid is None else description.gid)
        process.user.groupName = encodable(description.group_name)
    process.nsPid = description.namespace_pid or 0
    process.containerId = encodable(description.container_id)
    process.tags.extend(map(encodable, description.tags))
