"""Other runs of a program on its host."""

from __future__ import annotations

import numpy as np

from procession.analysis import Run, program_of
from procession.analysis.relations import run_like
from procession.process import MAX_UINT32, ProcessDescription, ProcessKey, ProcessSummary
from procession.storage.live.candidates import Candidates, in_window
from procession.storage.live.columns import NO_NUMBER
from procession.storage.live.dictionaries import Text, words_of
from procession.storage.live.endings import find_details, find_endings
from procession.storage.live.hosts import Host
from procession.storage.live.org_table import OrgTable
from procession.window import Window

NEXT_SNAPSHOT_SECONDS = 600
"""So long after its newest sighting it is looked for how a run ended."""


def find_runs(
    table: OrgTable, like: ProcessSummary, window: Window, limit: int, *, without_arguments: bool = False
) -> tuple[Run, ...] | None:
    """Of a window that the table covers. None where it does not know what one of them used: the process was seen after
    the window, or it is too long ago."""
    host = table.host_named(like.identity.host)
    if host is None:
        return ()
    chosen = _newest_starts(_same_program(table, host, like, window, without_arguments), limit)
    if (table.rows.last[chosen.rows] != chosen.seen).any():
        return None
    runs = [_run(table, like, summary, without_arguments) for summary in chosen.summaries()]
    known = tuple(run for run in runs if run is not None)
    return known if len(known) == len(runs) else None


def count_runs(table: OrgTable, like: ProcessSummary, window: Window, *, without_arguments: bool = False) -> int:
    """How many there are in a window that the table covers."""
    host = table.host_named(like.identity.host)
    return 0 if host is None else len(_same_program(table, host, like, window, without_arguments))


def _same_program(
    table: OrgTable, host: Host, like: ProcessSummary, window: Window, without_arguments: bool
) -> Candidates:
    """In no order."""
    own = table.row_of(ProcessKey.of(like.identity))
    rows = np.unique(host.rows)
    rows = rows[rows != (NO_NUMBER if own is None else own)]
    found = in_window(table, rows, Window(max(window.from_at, 1), min(window.to_at, MAX_UINT32)))
    commands = table.descriptions.commands
    numbers = commands.of[found.column("text")]
    same = [one for one in np.unique(numbers).tolist() if commands.values[one] == like.description.command]
    found = found.select(np.isin(numbers, same))
    if without_arguments:
        return found
    texts, program = table.descriptions.texts, program_of(like.description)
    runs = [text for text in np.unique(found.column("text")).tolist() if _program_of(texts[text]) == program]
    return found.select(np.isin(found.column("text"), runs))


def _program_of(text: Text) -> tuple[str, str]:
    words = words_of(text)
    return program_of(ProcessDescription(cmdline=text.cmdline, argument_words=words, command=text.command))


def _newest_starts(found: Candidates, limit: int) -> Candidates:
    return found.select(np.argsort(found.column("key"))[::-1][:limit])


def _run(table: OrgTable, like: ProcessSummary, summary: ProcessSummary, without_arguments: bool) -> Run | None:
    until = summary.seen_at + NEXT_SNAPSHOT_SECONDS
    details = find_details(table, Window(summary.seen_at, until), [summary])
    # Live numbers do not tell how it ended.
    endings = find_endings(table, until, [(ProcessKey.of(summary.identity), summary.seen_at)])
    if details is None or endings is None:
        return None
    (detail,), (ending,) = details, endings
    return run_like(like, summary, detail.with_ending(ending), without_arguments=without_arguments)
