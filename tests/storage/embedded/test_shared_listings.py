"""What lists the same processes again and again is stored as if each chunk were new."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest

from procession.process import ProcessDescription, ProcessNumbers, Sighting, Snapshot
from procession.query import ProcessQuery
from procession.storage.embedded.store import EmbeddedStore
from procession.window import Window
from tests.support.builders import NOON
from tests.support.stores.oracle import OracleStore
from tests.support.stores.shared_listings import SharedListings

_org_ids = itertools.count(7_000)

A, B, C = (ProcessDescription(cmdline=f"run {name}", command="run", tags=("env:prod",)) for name in "abc")
NEXT_HOUR = 3600 - NOON % 3600
"""After noon, in seconds."""

Step = tuple[int, Sequence[tuple[int, int, ProcessDescription]]]
"""Seconds after noon, and (pid, start before noon, description) of each process."""

STAYS = [(1, 100, A), (2, 90, B)]
SCRIPTS: dict[str, list[Step]] = {
    "nothing changes": [(at, STAYS) for at in range(0, 60, 10)],
    "becomes another program and back": [(0, STAYS), (10, STAYS), (20, [(1, 100, C), (2, 90, B)]), (30, STAYS)],
    "starts shift and come back": [(0, STAYS), (10, STAYS), (20, [(1, 99, A), (2, 89, B)]), (30, STAYS), (40, STAYS)],
    "a pid goes to another process": [(0, STAYS), (10, STAYS), (20, [(1, -15, A), (2, 90, B)]), (30, STAYS[1:])],
    "one goes and comes": [(0, STAYS), (10, STAYS[:1]), (20, STAYS), (30, STAYS[:1]), (40, STAYS)],
    "an hour begins": [(at, STAYS) for at in range(NEXT_HOUR - 30, NEXT_HOUR + 30, 10)],
    "the past comes late": [(7200, STAYS), (7210, STAYS), (0, STAYS), (10, STAYS), (7220, STAYS)],
}


def a_snapshot(number: int, step: Step) -> Snapshot:
    seconds, processes = step
    sightings = tuple(
        Sighting(pid, NOON - before, description, ProcessNumbers(rss_bytes=1000 * number + pid, state="S"))
        for pid, before, description in processes
    )
    return Snapshot(host="web-1", taken_at=NOON + seconds, sightings=sightings, request_id=number, chunk_count=1)


@pytest.mark.parametrize("flushed_each", [1, 100])
@pytest.mark.parametrize("script", SCRIPTS)
def test_history_and_live_table_have_what_the_oracle_has(
    embedded: EmbeddedStore, script: str, flushed_each: int
) -> None:
    org, oracle, shared = next(_org_ids), OracleStore(), SharedListings()
    snapshots = [a_snapshot(number, step) for number, step in enumerate(SCRIPTS[script], start=1)]

    for number, snapshot in enumerate(snapshots, start=1):
        oracle.add([(org, snapshot)])
        embedded.add(shared.of([(org, snapshot)]))
        if number % flushed_each == 0:
            embedded.flush()
    embedded.flush()

    moments = sorted({snapshot.taken_at for snapshot in snapshots})
    for since, until in [*zip(moments, moments, strict=True), (moments[0], moments[-1])]:
        query = ProcessQuery(org, Window(since, until))
        expected = oracle.find(query).processes
        details = oracle.details(org, query.window, expected)
        # Of one that is kept under another start than its host reports, the oracle knows no numbers.
        known = [*itertools.compress(expected, [one.numbers.state != "" for one in details])]
        for store in (embedded, embedded.history):
            assert store.find(query).processes == expected
            assert store.details(org, query.window, known) == oracle.details(org, query.window, known)
