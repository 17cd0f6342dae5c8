"""Pages of a fleet that is large enough for each way to find them: in order, and by a pass over all rows."""

from __future__ import annotations

from functools import cache

import msgspec
import pytest

from procession.process import ProcessIdentity, ProcessKey, ProcessSummary, Snapshot
from procession.query import ProcessQuery
from procession.search.evaluation import accepts
from procession.search.parser import parse_search
from procession.search.tag_filter import TagFilter
from procession.simulate.fleet import Fleet
from procession.simulate.shape import FleetShape
from procession.storage.live.table import LiveTable
from procession.window import Window
from tests.support.builders import NOON

ORG = 1
NEWEST, PINNED = Window(NOON, NOON + 60), Window(NOON, NOON + 13)


@cache
def simulated() -> tuple[LiveTable, tuple[Snapshot, ...]]:
    steps = Fleet(FleetShape(hosts=10, processes=300, begin_at=NOON, churn=8)).steps(NOON + 30)
    snapshots = tuple(
        msgspec.structs.replace(step.snapshot, request_id=1, split_id=step.snapshot.taken_at, chunk_count=1)
        for step in steps
    )
    table = LiveTable(NOON)
    table.apply([(ORG, snapshot) for snapshot in snapshots])
    return table, snapshots


@cache
def in_window(window: Window) -> list[ProcessSummary]:
    """In order: what was seen last of each process, one snapshot after the other."""
    newest: dict[ProcessKey, ProcessSummary] = {}
    for snapshot in sorted(simulated()[1], key=lambda one: one.taken_at):
        if window.from_at <= snapshot.taken_at <= window.to_at:
            for one in snapshot.sightings:
                identity = ProcessIdentity(snapshot.host, one.pid, one.started_at)
                newest[ProcessKey.of(identity)] = ProcessSummary(identity, snapshot.taken_at, one.description)
    return [newest[key] for key in sorted(newest)]


SEARCHES = (
    "",
    "a",
    "java",
    "/usr",
    "no-such-word",
    "vim OR gdb OR strace OR psql",
    "user:root",
    "host:*-prod-*",
    "java !elasticsearch (gc OR xmx) NOT env:dev",
    "NOT java",
    "command:nginx role:*",
    "state_zombie:true",
    "env:prod kub*conf*",
)
TAGS = ("", "env:prod", "env:prod,region:eu-west-1", "!env:prod,role:*", "host:*0001", "no:such")


@pytest.mark.parametrize("window", [NEWEST, PINNED], ids=["now", "pinned"])
@pytest.mark.parametrize("tags", TAGS)
@pytest.mark.parametrize("search", SEARCHES)
def test_pages_hold_what_fits_and_no_more(search: str, tags: str, window: Window) -> None:
    table, _ = simulated()
    node, tag_filter = parse_search(search), TagFilter.parse(tags)
    expected = [one for one in in_window(window) if accepts(node, one) and tag_filter.accepts(one.tags)]

    for limit in (1, 100, 10_000):
        for after in (None, *(ProcessKey.of(one.identity) for one in expected[len(expected) // 2 :][:1])):
            query = ProcessQuery(ORG, window, node, tag_filter, after, limit)
            rest = expected if after is None else expected[len(expected) // 2 + 1 :]
            page = table.find(query)
            assert page is not None
            assert list(page.processes) == rest[:limit]
