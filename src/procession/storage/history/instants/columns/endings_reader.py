"""Reads what was reported of endings, for instants.

It is read at the same time as which chunks of snapshots there are. It does not matter which comes first: what was
reported before a snapshot says nothing of who is in it, and what is reported after it is true of them, whatever else is
there by then.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from concurrent.futures import Future
from typing import NamedTuple

import pyarrow as pa

from procession.analysis import REACH_SECONDS
from procession.lifecycle.events import ProcessExits
from procession.packed import DEAD
from procession.process import LiveSnapshot
from procession.storage.history.engine.statement import SubmitTable
from procession.storage.history.instants.columns.reported_endings import ReportedEndings
from procession.storage.history.instants.columns.table_cache import TableCache
from procession.storage.history.statements.exits import exits_on_hosts
from procession.storage.history.statements.live_numbers import live_numbers_with_dead

_MINUTE = 60
"""Instants of one minute share what is read."""


class EndingsReader:
    """Exits and live numbers are remembered apart: exits come all the time, the dead among live numbers hardly ever.
    Whoever stores either of them has to note it here."""

    def __init__(self, *, is_only_writer: bool) -> None:
        self._exits = TableCache(exits_on_hosts, is_only_writer=is_only_writer)
        self._live_numbers = TableCache(live_numbers_with_dead, is_only_writer=is_only_writer)

    def submit(
        self, submit: SubmitTable, org_id: int, moments: Sequence[int], hosts: Collection[int] | None
    ) -> SubmittedEndings:
        """For instants at these moments, ascending, on these hosts. What may concern several of them is read once: else
        it would count for some of them only."""
        found = []
        for since, until in _periods(moments):
            exits, live_numbers = (
                cache.submit(submit, org_id, since, until, hosts) for cache in (self._exits, self._live_numbers)
            )
            found.append(_Submitted(until, exits, live_numbers))
        return SubmittedEndings(found)

    def note_exits(self, exits: Sequence[tuple[int, ProcessExits]]) -> None:
        """These were stored, or may have been."""
        for org_id, of_host in exits:
            self._exits.note(org_id, [one.at for one in of_host.exits])

    def note_live(self, live: Sequence[tuple[int, LiveSnapshot]]) -> None:
        for org_id, snapshot in live:
            if any(one.numbers.state == DEAD for one in snapshot.processes):
                self._live_numbers.note(org_id, [snapshot.taken_at])


class _Submitted(NamedTuple):
    until: int
    exits: Future[pa.Table]
    live_numbers: Future[pa.Table]


class SubmittedEndings:
    def __init__(self, submitted: Sequence[_Submitted]) -> None:
        self._submitted = submitted

    def of(self, since: int, at: int) -> ReportedEndings:
        """For an instant at one of the moments, whose oldest snapshot was taken at another one."""
        found = next(one for one in self._submitted if at <= one.until)
        return ReportedEndings.between(since, at, found.exits.result(), found.live_numbers.result())


def _periods(moments: Sequence[int]) -> list[tuple[int, int]]:
    """First and last second of the whole minutes that the snapshots of these instants may be of, apart from each
    other."""
    found: list[tuple[int, int]] = []
    for at in moments:
        since = (at - REACH_SECONDS) // _MINUTE * _MINUTE
        until = at // _MINUTE * _MINUTE + _MINUTE - 1
        if found and since <= found[-1][1]:
            since, _ = found.pop()
        found.append((since, until))
    return found
