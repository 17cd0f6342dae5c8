from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from procession.lifecycle.events import ProcessExit, ProcessExits
from procession.process import ProcessDescription, Snapshot
from procession.storage.live.table import LiveTable
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.stores import strategies
from tests.support.stores.oracle import OracleStore
from tests.support.stores.strategies import HOUR

ORG = 1
STARTED = NOON - 9000


def whole(at: int, *pids: int) -> Snapshot:
    sightings = [a_sighting(pid, STARTED) for pid in pids]
    return a_snapshot(*sightings, taken_at=at, request_id=at, split_id=at, chunk_count=1)


def an_exit(pid: int = 7, at: int = NOON, executed_at: int | None = None) -> ProcessExit:
    return ProcessExit(pid=pid, at=at, executed_at=executed_at, exit_code=0, description=ProcessDescription())


def unknown(table: LiveTable, *exits: ProcessExit, host: str = "web-1") -> list[ProcessExit] | None:
    (found,) = table.unknown_exits([(ORG, ProcessExits(host, exits))])
    return None if found is None else list(found.exits)


# What the oracle says


def exits_around(fleet: Sequence[Snapshot]) -> st.SearchStrategy[ProcessExits]:
    """Of processes of a fleet and of others under their pids, about when they were seen and long before or after."""
    seen = [(chunk.host, chunk.taken_at, one.pid, one.started_at) for chunk in fleet for one in chunk.sightings]
    shifts = st.sampled_from((-3, -2, -1, 0, 0, 1, 2, 3, 5, 11))

    def exit_of(place: tuple[str, int, int, int], after: int, begin: str, shift: int) -> tuple[str, ProcessExit]:
        host, seen_at, pid, started_at = place
        executed_at = {"": None, "start": started_at + shift, "seen": seen_at + shift}[begin]
        return host, an_exit(pid, seen_at + after, executed_at)

    afters = st.sampled_from((-3, -1, 0, 1, 5, 9, 30, 70, HOUR, HOUR + 1, -HOUR, -HOUR - 1))
    places = st.sampled_from(seen or [("web-1", NOON, 7, STARTED)])
    exits = st.builds(exit_of, places, afters, st.sampled_from(("", "start", "seen", "seen")), shifts)

    def of_one_host(found: list[tuple[str, ProcessExit]]) -> ProcessExits:
        return ProcessExits(found[0][0], tuple(one for host, one in found if host == found[0][0]))

    return st.lists(exits, min_size=1, max_size=4).map(of_one_host)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_exits_are_unknown_that_are_so_to_the_oracle_or_left_to_history(data: st.DataObject) -> None:
    fleet = data.draw(strategies.fleets())
    table, oracle = LiveTable(0), OracleStore()
    for one in (table.apply, oracle.add):
        one([(ORG, snapshot) for snapshot in fleet])
    questions = st.lists(exits_around(fleet).map(lambda exits: (ORG, exits)), max_size=3)
    reported = data.draw(questions)
    for add in (table.add_exits, oracle.add_exits):
        add(reported)
    asked = data.draw(questions)
    assert table.unknown_exits(asked) == oracle.unknown_exits(asked)

    since = data.draw(st.sampled_from([snapshot.taken_at + shift for snapshot in fleet for shift in (0, 1)] or [0]))
    table.expire(since)
    asked += data.draw(questions)
    expected = oracle.unknown_exits(asked)
    assume(not strategies.is_any_seen_early(fleet))

    for (_, exits), answer, right in zip(asked, table.unknown_exits(asked), expected, strict=True):
        reaches = all(one.at - HOUR >= since for one in exits.exits)
        event(f"reaches back: {reaches}, answered: {answer is not None}, unknown: {len(right.exits) > 0}")
        assert answer in (right, None)
        assert answer is not None or not reaches


# How far back it has to reach


@pytest.mark.parametrize("executed_at", [None, STARTED, NOON - 3], ids=["exit", "exec", "later program"])
def test_the_exit_of_a_process_that_is_in_the_table_is_known_however_short_it_reaches_back(
    executed_at: int | None,
) -> None:
    table = LiveTable(NOON - 60)
    table.apply([(ORG, whole(NOON - 10, 7))])

    assert unknown(table, an_exit(executed_at=executed_at)) == []


def test_one_that_is_not_may_have_been_seen_before() -> None:
    table = LiveTable(NOON - 60)
    table.apply([(ORG, whole(NOON - 10, 7))])
    one = an_exit(8, NOON + HOUR - 60)

    assert unknown(table, an_exit(8, NOON - 1)) is None
    assert unknown(table, an_exit(7), an_exit(8, NOON - 1)) is None
    assert unknown(table, one) == [one]


def test_what_came_after_the_process_in_the_table_may_have_been_seen_before() -> None:
    table = LiveTable(NOON - 60)
    table.apply([(ORG, whole(NOON - 30, 7)), (ORG, whole(NOON - 20))])

    assert unknown(table, an_exit(executed_at=NOON - 5)) is None
    assert unknown(table, later := an_exit(at=NOON + 9, executed_at=NOON)) == [later]


def test_what_began_since_and_after_a_complete_snapshot_is_that_of_no_process_of_before() -> None:
    table = LiveTable(NOON - 100)
    one = an_exit(executed_at=NOON - 5)
    table.apply([(ORG, a_snapshot(a_sighting(8), taken_at=NOON - 50))])
    assert unknown(table, one) is None, "seven may have been there, before the table and until now"

    table.apply([(ORG, whole(NOON - 30, 8))])
    assert unknown(table, one) == [one]
    assert unknown(table, an_exit(executed_at=NOON - 30)) is None
    assert unknown(table, an_exit(executed_at=NOON - 50)) is None
    assert unknown(table, one, host="web-2") is None


def test_of_hosts_and_orgs_without_processes_only_a_table_that_reaches_back_knows_so() -> None:
    table = LiveTable(NOON - 60)
    early, late = an_exit(), an_exit(at=NOON + HOUR - 60)

    asked = [(org, ProcessExits("web-1", (one,))) for org in (ORG, 2) for one in (early, late)]
    asked.append((ORG, ProcessExits("web-2", ())))

    answers = [None if one is None else len(one.exits) for one in table.unknown_exits(asked)]
    assert answers == [None, 1, None, 1, 0]


def test_the_ends_of_the_ranges_are_no_trouble() -> None:
    table = LiveTable(0)
    table.apply([(ORG, a_snapshot(a_sighting(2**32 - 1, 2**32 - 1), taken_at=2**32 - 1))])
    table.apply([(ORG, a_snapshot(a_sighting(0, 0), taken_at=1))])

    known = [an_exit(2**32 - 1, 2**32 - 1), an_exit(0, 1)]
    others = [an_exit(2**32 - 1, 5), an_exit(2**32 - 1, 2**40), an_exit(0, 2**32 - 1)]
    assert unknown(table, *known, *others) == others
