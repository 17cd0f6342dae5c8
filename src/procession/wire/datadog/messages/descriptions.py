"""What a process is: Command, ProcessUser and tags <-> ProcessDescription."""

from __future__ import annotations

from functools import lru_cache
from sys import intern
from typing import Any, NamedTuple

from procession.command_line.arguments import arguments_of
from procession.discovery import characters_of_discovery
from procession.errors import PayloadTooLarge
from procession.process import ProcessDescription
from procession.text.characters import encodable, text
from procession.text.tags import normal_tags
from procession.wire.datadog import process_pb2 as pb
from procession.wire.datadog.cache_budget import CacheBudget
from procession.wire.datadog.messages.commands import CommandReader, Scrub
from procession.wire.datadog.messages.discovery import Told, decode_discovery, encode_discovery, told_of
from procession.wire.datadog.messages.numbers import decode_nice
from procession.wire.datadog.parsing import parse
from procession.wire.datadog.scalars import MAX_NAME_LENGTH, clamped_uint32, owner_id, signed_int32

_Key = tuple[bytes, bytes, bool, int, int, tuple[str, ...], tuple[str, ...], Told]

_OVERHEAD_BYTES = 1000
"""About what the objects of a description take, without their texts."""

_REMEMBERED_OWNERS = 1024
_LONG_OWNER = 200
"""Bytes. What is longer is not remembered."""


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
        self._commands = CommandReader(scrub)
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
            told_of(process),
        )
        found = context.get(key)
        if found is None:
            own_tags = own_tags_of(process, self._max_tags)
            found = decode_description(
                process,
                self._commands,
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
    told = 4 * len(process.portInfo) + 2 * len(process.serviceDiscovery) + characters_of_discovery(found.discovery)
    return 3 * len(process.command) + len(process.user) + sum(map(len, found.tags)) + told + _OVERHEAD_BYTES


def own_tags_of(process: pb.ReadProcess, max_tags: int) -> tuple[str | bytes, ...]:
    """The tags of the process itself, without those of host and container, as they arrived. Raises PayloadTooLarge."""
    tags, context = tuple(process.tags), process.processContext
    if context:
        tags += tuple(context)
    if len(tags) > max_tags:
        raise PayloadTooLarge(f"A process has more than {max_tags} tags")
    return tags


def decode_description(
    process: pb.ReadProcess,
    commands: CommandReader,
    *,
    is_windows: bool,
    container_id: str,
    is_zombie: bool,
    tags: tuple[str, ...],
) -> ProcessDescription:
    """`tags` are all that it has, those of its host and container included."""
    return describe(
        parse(pb.Command, process.command),
        _owner_in(process.user, is_windows) if process.HasField("user") else NOBODY,
        commands,
        is_windows=is_windows,
        namespace_pid=process.nsPid if process.nsPid > 0 else None,
        nice=decode_nice(process.cpu.nice),
        container_id=container_id,
        is_zombie=is_zombie,
        tags=tags,
        discovery=decode_discovery(told_of(process)),
    )


class Owner(NamedTuple):
    """As in `ProcessDescription`."""

    user: str
    uid: int | None
    gid: int | None
    group_name: str


NOBODY = Owner("", None, None, "")


def owner_of(owner: pb.ProcessUser, *, is_windows: bool) -> Owner:
    user = text(owner.name)[:MAX_NAME_LENGTH]
    if is_windows:
        return Owner(intern(user), None, None, "")
    uid, gid = owner_id(owner.uid), owner_id(owner.gid)
    shown = user or ("" if uid is None else f"uid:{uid}")
    return Owner(intern(shown), uid, gid, intern(text(owner.groupName)[:MAX_NAME_LENGTH]))


def _owner_in(data: bytes, is_windows: bool) -> Owner:
    read = _read_owner_again if len(data) <= _LONG_OWNER else _read_owner
    return read(data, is_windows)


def _read_owner(data: bytes, is_windows: bool) -> Owner:
    return owner_of(parse(pb.ProcessUser, data), is_windows=is_windows)


_read_owner_again = lru_cache(_REMEMBERED_OWNERS)(_read_owner)


def describe(
    command: pb.Command, owner: Owner, commands: CommandReader, *, is_windows: bool, **rest: Any
) -> ProcessDescription:
    """`rest` are the fields of a description that are found elsewhere."""
    shown = commands.read(command, is_windows=is_windows)
    return ProcessDescription(
        cmdline=shown.cmdline,
        argument_words=shown.argument_words,
        exe=shown.exe,
        cwd=shown.cwd,
        root=shown.root,
        comm=shown.comm,
        command=shown.command,
        user=owner.user,
        uid=owner.uid,
        gid=owner.gid,
        group_name=owner.group_name,
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
    encode_discovery(description.discovery, process)
