"""Parents and children on a host, and earlier runs of a command."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from procession.analysis import Family, HostTree, ProcessAtInstant, Run, Selection
from procession.analysis.family_tree import FamilyTree
from procession.process import ProcessIdentity, ProcessKey, ProcessSummary, host_key
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

_COLUMNS = ("start", "pid", "version")


def host_tree(context: QueryContext, host: str, at: int) -> HostTree:
    instant, members = _of_host(context, host_key(host), at)
    return HostTree(len(instant), FamilyTree(members).whole(), instant.is_known)


def family(context: QueryContext, key: ProcessKey, at: int) -> Family | None:
    return FamilyTree(_of_host(context, key.host_key, at)[1]).family(key)


def _of_host(context: QueryContext, host: int, at: int) -> tuple[Instant, tuple[ProcessAtInstant, ...]]:
    instant = context.instant(Selection(context.org_id), at, _COLUMNS, hosts=[host])
    rows = first_rows([instant.columns["start"], instant.columns["pid"]], MAX_BRANCHES)
    return instant, context.processes_at(instant, rows)


def runs(context: QueryContext, process: ProcessSummary, window: Window, limit: int) -> tuple[Run, ...]:
    """Other processes of the same command on its host that were seen in the window, the newest start first."""
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
    return tuple(_runs(context, process, same[:limit]))


def _newness(row: RunRow) -> tuple[int, int, int]:
    return row.last, row.version, row.label_set


def _runs(context: QueryContext, like: ProcessSummary, found: Sequence[RunRow]) -> list[Run]:
    """What was last seen in the same hour is looked up at once."""
    hours: dict[int, list[RunRow]] = {}
    for row in found:
        hours.setdefault(row.last // HOUR_SECONDS, []).append(row)
    host = ProcessKey.of(like.identity).host_key
    runs: dict[RunRow, Run] = {}
    for rows in hours.values():
        window = Window(min(row.last for row in rows), max(row.last for row in rows))
        keys = [ProcessKey(row.start, host, row.pid) for row in rows]
        descriptions = context.descriptions(keys, [row.version for row in rows], window)
        summaries = [
            ProcessSummary(ProcessIdentity(like.identity.host, row.pid, row.start), row.last, description)
            for row, description in zip(rows, descriptions, strict=True)
        ]
        after = Window(window.from_at, window.to_at + NEXT_SNAPSHOT_SECONDS)
        details = find_details(context.submit, context.org_id, after, summaries, may_go_on=True)
        for row, summary, detail in zip(rows, summaries, details, strict=True):
            if detail.ended_at is not None and detail.ended_at > summary.seen_at + NEXT_SNAPSHOT_SECONDS:
                detail = msgspec.structs.replace(detail, ended_at=None, exit_code=None)
            runs[row] = Run(summary, detail, summary.description.cmdline == like.description.cmdline)
    return [runs[row] for row in found]
