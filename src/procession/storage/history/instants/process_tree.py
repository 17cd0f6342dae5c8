"""Parents and children on a host, and earlier runs of a program."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from procession.analysis import Family, HostTree, ProcessAtInstant, Run, Selection, program_of
from procession.analysis.family_tree import FamilyTree
from procession.analysis.relations import run_like
from procession.process import ProcessDetail, ProcessIdentity, ProcessKey, ProcessSummary, host_key
from procession.storage.history.instants.columns.instant import Instant
from procession.storage.history.instants.columns.row_order import first_rows
from procession.storage.history.instants.query_context import QueryContext
from procession.storage.history.read.process_details import find_details
from procession.storage.history.statements.minutes import rolled_up_runs
from procession.storage.history.statements.snapshots import RunRow, seen_runs
from procession.storage.history.tables.constants import HOUR_SECONDS
from procession.window import Window

MAX_BRANCHES = 10_000
NEXT_SNAPSHOT_SECONDS = 600
"""So long after its newest sighting it is looked for how a run ended."""

NOT_YET_ROLLED_SECONDS = 2 * HOUR_SECONDS
"""Before the end of the window: these are looked for in the snapshots, too."""

MOST_COMPARED = 5000
"""Of a command: so many of the newest are looked at for those of the same program."""
_AT_ONCE = 200

_COLUMNS = ("start", "pid", "version")
_Item = TypeVar("_Item")


def host_tree(context: QueryContext, host: str, at: int) -> HostTree:
    instant, members = _of_host(context, host_key(host), at)
    return HostTree(len(instant), FamilyTree(members).whole(), instant.is_known)


def family(context: QueryContext, key: ProcessKey, at: int) -> Family | None:
    return FamilyTree(_of_host(context, key.host_key, at)[1]).family(key)


def _of_host(context: QueryContext, host: int, at: int) -> tuple[Instant, tuple[ProcessAtInstant, ...]]:
    instant = context.instant(Selection(context.org_id), at, _COLUMNS, hosts=[host])
    rows = first_rows([instant.columns["start"], instant.columns["pid"]], MAX_BRANCHES)
    return instant, context.processes_at(instant, rows)


def runs(
    context: QueryContext, process: ProcessSummary, window: Window, limit: int, *, without_arguments: bool
) -> tuple[Run, ...]:
    """Other processes of the same program on its host that were seen in the window, the newest start first."""
    key = ProcessKey.of(process.identity)
    newest: dict[tuple[int, int], RunRow] = {}
    recent = max(window.from_at, window.to_at - NOT_YET_ROLLED_SECONDS)
    for statement in (
        rolled_up_runs(context.org_id, key.host_key, window),
        seen_runs(context.org_id, key.host_key, recent, window.to_at),
    ):
        for row in context.rows(statement):
            if (row.pid, row.start) != (key.pid, key.started_at):
                newest[row.pid, row.start] = max(newest.get((row.pid, row.start), row), row, key=_newness)
    numbers = sorted({row.label_set for row in newest.values()})
    commands = dict(zip(numbers, context.label_sets(numbers).texts("command"), strict=True))
    same = [row for row in newest.values() if commands[row.label_set] == process.description.command]
    same.sort(key=lambda row: (row.start, row.pid), reverse=True)
    if without_arguments:
        found = _summaries(context, process, same[:limit])
    else:
        found = _of_program(context, process, same[:MOST_COMPARED], limit)
    return tuple(_details(context, process, found, without_arguments=without_arguments))


def _newness(row: RunRow) -> tuple[int, int, int]:
    return row.last, row.version, row.label_set


def _of_program(
    context: QueryContext, like: ProcessSummary, rows: Sequence[RunRow], limit: int
) -> list[ProcessSummary]:
    """The first of these that run the same program: what an interpreter was given only their descriptions tell."""
    program = program_of(like.description)
    found: list[ProcessSummary] = []
    begin, end = 0, limit
    while begin < len(rows) and len(found) < limit:
        some = _summaries(context, like, rows[begin:end])
        found += [one for one in some if program_of(one.description) == program]
        begin, end = end, end + _AT_ONCE
    return found[:limit]


def _summaries(context: QueryContext, like: ProcessSummary, rows: Sequence[RunRow]) -> list[ProcessSummary]:
    host = ProcessKey.of(like.identity).host_key
    found: dict[RunRow, ProcessSummary] = {}
    for of_hour in _by_hour(rows, lambda row: row.last):
        window = Window(min(row.last for row in of_hour), max(row.last for row in of_hour))
        keys = [ProcessKey(row.start, host, row.pid) for row in of_hour]
        descriptions = context.descriptions(keys, [row.version for row in of_hour], window)
        for row, description in zip(of_hour, descriptions, strict=True):
            identity = ProcessIdentity(like.identity.host, row.pid, row.start)
            found[row] = ProcessSummary(identity, row.last, description)
    return [found[row] for row in rows]


def _details(
    context: QueryContext, like: ProcessSummary, found: Sequence[ProcessSummary], *, without_arguments: bool
) -> list[Run]:
    runs: dict[ProcessIdentity, Run] = {}
    for some in _by_hour(found, lambda one: one.seen_at):
        seen = [one.seen_at for one in some]
        after = Window(min(seen), max(seen) + NEXT_SNAPSHOT_SECONDS)
        details = find_details(context.submit, context.org_id, after, some, may_go_on=True)
        for one, detail in zip(some, details, strict=True):
            if detail.ended_at is not None and detail.ended_at > one.seen_at + NEXT_SNAPSHOT_SECONDS:
                detail = ProcessDetail(numbers=detail.numbers)
            runs[one.identity] = run_like(like, one, detail, without_arguments=without_arguments)
    return [runs[one.identity] for one in found]


def _by_hour(items: Iterable[_Item], moment_of: Callable[[_Item], int]) -> Iterable[list[_Item]]:
    """What was last seen in the same hour is looked up at once."""
    hours: dict[int, list[_Item]] = {}
    for item in items:
        hours.setdefault(moment_of(item) // HOUR_SECONDS, []).append(item)
    return hours.values()
