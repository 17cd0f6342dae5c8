"""What processes are: the table `descriptions`, a row for each version of a process and hour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from procession.process import ProcessDescription, ProcessKey
from procession.search.tag_filter import TagFilter
from procession.search.tree import SearchNode
from procession.storage.history.engine.statement import Select, Statement
from procession.storage.history.statements.conditions import Where, hours_of
from procession.storage.history.statements.search_conditions import Filters, filters_of
from procession.storage.history.tables.columns import discovery_in
from procession.storage.history.tables.constants import NO_NICE
from procession.window import Window

LONG_BYTES = 8192
"""A command line that has more is long."""

MANY_WORDS = 200
"""Numbers of `argument_words` that count as a long command line: made up, or a list of files with blanks in their
names."""

LONG_MARK = "\0\0\0"
"""Before the size, which stands for a command line that is long. No command line begins so: none holds NUL."""

_IN_ORDER_ONCE = "start, host, pid, version"


class VersionKey(NamedTuple):
    """A version of a process."""

    start: int
    host: int
    pid: int
    version: int

    @property
    def key(self) -> ProcessKey:
        return ProcessKey(self.start, self.host, self.pid)


class BriefDescription(NamedTuple):
    """What a list shows of a process."""

    start: int
    host: int
    pid: int
    version: int
    cmdline: str
    command: str
    user: str
    ppid: int
    is_zombie: bool
    tag_set: int

    @property
    def version_key(self) -> VersionKey:
        return VersionKey(self.start, self.host, self.pid, self.version)

    def description(self, tags: tuple[str, ...]) -> ProcessDescription:
        return ProcessDescription(
            cmdline=self.cmdline,
            command=self.command,
            user=self.user,
            ppid=self.ppid,
            is_zombie=self.is_zombie,
            tags=tags,
        )


class WholeDescription(NamedTuple):
    """All that is known of what a process is."""

    start: int
    host: int
    pid: int
    version: int
    cmdline: str
    exe: str
    cwd: str
    comm: str
    command: str
    user: str
    uid: int
    gid: int
    ppid: int
    namespace_pid: int
    container_id: str
    is_zombie: bool
    tag_set: int
    root: str
    group_name: str
    nice: int
    argument_words: Sequence[int]
    discovery: str

    @property
    def version_key(self) -> VersionKey:
        return VersionKey(self.start, self.host, self.pid, self.version)

    def description(self, tags: tuple[str, ...]) -> ProcessDescription:
        return ProcessDescription(
            cmdline=self.cmdline,
            argument_words=tuple(self.argument_words),
            exe=self.exe,
            cwd=self.cwd,
            root=self.root,
            comm=self.comm,
            command=self.command,
            user=self.user,
            uid=None if self.uid < 0 else self.uid,
            gid=None if self.gid < 0 else self.gid,
            group_name=self.group_name,
            ppid=self.ppid,
            namespace_pid=None if self.namespace_pid < 0 else self.namespace_pid,
            nice=None if self.nice == NO_NICE else self.nice,
            container_id=self.container_id,
            is_zombie=self.is_zombie,
            tags=tags,
            discovery=discovery_in(self.discovery),
        )


DescriptionT = TypeVar("DescriptionT", BriefDescription, WholeDescription)


def descriptions_of(
    org_id: int,
    window: Window,
    keys: Sequence[ProcessKey],
    row: type[DescriptionT],
    *,
    is_shortened: bool = True,
    versions: Sequence[int] | None = None,
) -> Select[DescriptionT]:
    """Of these processes in the hours of a window; `versions`: only of these. `is_shortened`: with the size in place of
    a long command line."""
    where = Where(org_id).in_hours(hours_of(window)).among(keys)
    if versions is not None:
        where.matches(f"version IN {where.bind('Array(UInt64)', list(versions))}")
    return _select(where, row, is_shortened=is_shortened, limit_by=_IN_ORDER_ONCE)


def descriptions_in_key_range(
    org_id: int, window: Window, after: ProcessKey | None, upto: ProcessKey | None, row: type[DescriptionT]
) -> Select[DescriptionT]:
    """The same for all processes after one key, up to another. What was written twice may be there twice."""
    where = Where(org_id).in_hours(hours_of(window)).in_key_range(after, upto)
    return _select(where, row, is_shortened=True)


def matching_in_key_range(
    filters: Filters, window: Window, after: ProcessKey | None, upto: ProcessKey | None, row: type[DescriptionT]
) -> Select[DescriptionT]:
    """Versions that fit the filters, of processes after one key, up to another, in no order.

    Whether they were seen in the window, and were the newest there, is for `presence` to say.
    """
    where = Where(filters.org_id, filters.parameters).in_hours(hours_of(window)).in_key_range(after, upto)
    return _select(where.matches(str(filters.condition)), row, is_shortened=True, limit_by=_IN_ORDER_ONCE)


def matching_of_keys(
    filters: Filters, window: Window, keys: Sequence[ProcessKey], row: type[DescriptionT]
) -> Select[DescriptionT]:
    """The same for these processes."""
    where = Where(filters.org_id, filters.parameters).in_hours(hours_of(window))
    where.on_hosts({key.host_key for key in keys}).among(keys)  # hosts have an index of their own
    return _select(where.matches(str(filters.condition)), row, is_shortened=True, limit_by=_IN_ORDER_ONCE)


def _select(
    where: Where, row: type[DescriptionT], *, is_shortened: bool, limit_by: str | None = None
) -> Select[DescriptionT]:
    columns = ", ".join(_shortened(row._fields) if is_shortened else row._fields)
    return Select(
        f"SELECT {columns} FROM descriptions WHERE {where}", where.parameters, limit_by=limit_by, row=row._make
    )


def _shortened(columns: Sequence[str]) -> list[str]:
    """With its size in place of a command line that is long, or has many words counted."""
    is_long, size = f"length(cmdline) > {LONG_BYTES}", "length(cmdline)"
    if "argument_words" in columns:
        is_long = f"({is_long} OR length(argument_words) > {MANY_WORDS})"
        size += " + 8 * length(argument_words)"
    shortened = {
        "cmdline": f"if({is_long}, concat('\\0\\0\\0', toString({size})), cmdline)",
        "argument_words": f"if({is_long}, [], argument_words)",
    }
    return [shortened.get(name, name) for name in columns]


def matching_versions(
    org_id: int, hours: Sequence[int], search: SearchNode | None, tags: TagFilter, *, with_host: bool
) -> Statement:
    """Versions that fit the filters: `version`, and `host` if these ask for it."""
    filters = filters_of(org_id, search, tags)
    where = Where(org_id, filters.parameters)
    where.matches(f"hour IN {where.bind('Array(UInt32)', list(hours))}").matches(str(filters.condition))
    columns = "host, version" if with_host else "version"
    return Statement(f"SELECT DISTINCT {columns} FROM descriptions WHERE {where}", where.parameters)


class VersionValue(NamedTuple):
    version: int
    value: str | int | None


def column_of_versions(org_id: int, hours: Sequence[int], column: str, versions: Sequence[int]) -> Select[VersionValue]:
    """One column of what these versions are."""
    where = Where(org_id)
    where.matches(f"hour IN {where.bind('Array(UInt32)', list(hours))}")
    where.matches(f"version IN {where.bind('Array(UInt64)', list(versions))}")
    return Select(
        f"SELECT version, any({column}) AS value FROM descriptions WHERE {where} GROUP BY version",
        where.parameters,
        row=VersionValue._make,
    )
