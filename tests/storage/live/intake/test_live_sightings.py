from __future__ import annotations

import msgspec
import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from procession.process import LiveNumbers, LiveSnapshot, ProcessNumbers, Snapshot
from procession.storage.live import dictionaries
from procession.storage.live.table import LiveTable
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.stores import strategies
from tests.support.stores.oracle import OracleStore
from tests.support.stores.strategies import HOUR

ORG = 1
STARTED = NOON - 9000


def whole(at: int, *pids: int, name: str = "nginx") -> Snapshot:
    sightings = [a_sighting(pid, STARTED, cmdline=f"{name} {pid}") for pid in pids]
    return a_snapshot(*sightings, taken_at=at, request_id=at, split_id=at, chunk_count=1)


def live(at: int, *pids: int, start: int = STARTED, state: str = "S") -> LiveSnapshot:
    processes = tuple(LiveNumbers(pid, start, ProcessNumbers(rss_bytes=at, state=state)) for pid in pids)
    return LiveSnapshot(host="web-1", taken_at=at, processes=processes, request_id=at, split_id=at, chunk_count=1)


def sightings_of(table: LiveTable, chunk: LiveSnapshot) -> Snapshot | None:
    (found,) = table.sightings_of([(ORG, chunk)])
    return found


def names(table: LiveTable, chunk: LiveSnapshot) -> list[str] | None:
    found = sightings_of(table, chunk)
    return None if found is None else [one.description.cmdline for one in found.sightings]


# What the oracle says


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_chunk_is_what_the_oracle_says_or_left_to_history(data: st.DataObject) -> None:
    fleet = data.draw(strategies.fleets())
    table, oracle = LiveTable(0), OracleStore()
    cut = data.draw(st.integers(0, len(fleet)))
    for part in (fleet[:cut], fleet[cut:]):
        table.apply([(ORG, snapshot) for snapshot in part])
        oracle.add([(ORG, snapshot) for snapshot in part])
        asked = data.draw(st.lists(strategies.live_over(part or fleet), min_size=3, max_size=3))
        answers = table.sightings_of([(ORG, chunk) for chunk in asked])
        assert answers == oracle.sightings_of([(ORG, chunk) for chunk in asked])

    since = data.draw(st.sampled_from([snapshot.taken_at + shift for snapshot in fleet for shift in (0, 1)] or [0]))
    table.expire(since)
    asked = data.draw(st.lists(strategies.live_over(fleet), min_size=6, max_size=6))
    answers = table.sightings_of([(ORG, chunk) for chunk in asked])
    expected = oracle.sightings_of([(ORG, chunk) for chunk in asked])
    assume(not strategies.is_any_seen_early(fleet))

    for chunk, answer, right in zip(asked, answers, expected, strict=True):
        event(f"answered: {answer is not None}, with {min(len(right.sightings), 1)} sightings or more")
        assert answer in (right, None)
        assert answer is not None or chunk.taken_at - HOUR < since


# How far back it has to reach


def test_a_process_that_is_in_the_table_is_known_however_short_it_reaches_back() -> None:
    table = LiveTable(NOON - 60)
    table.apply([(ORG, whole(NOON - 10, 1, 2))])

    assert names(table, live(NOON, 1, 2)) == ["nginx 1", "nginx 2"]


def test_one_that_is_not_may_have_been_seen_before() -> None:
    table = LiveTable(NOON - 60)
    table.apply([(ORG, whole(NOON - 10, 1))])

    assert names(table, live(NOON, 1, 2)) is None
    assert names(table, live(NOON, 1, start=STARTED + 1)) is None
    assert names(table, live(NOON + HOUR - 60, 1, 2)) == ["nginx 1"]
    assert names(table, live(NOON + HOUR - 60, 1, start=STARTED + 1)) == ["nginx 1"]


def test_one_that_started_since_was_not_seen_before() -> None:
    table = LiveTable(NOON - 100)
    new = a_sighting(2, NOON - 20, cmdline="new")
    table.apply([(ORG, whole(NOON - 30, 1)), (ORG, a_snapshot(new, taken_at=NOON - 10))])
    numbers = ProcessNumbers(state="S")

    def asked(*processes: tuple[int, int]) -> LiveSnapshot:
        chunk = tuple(LiveNumbers(pid, start, numbers) for pid, start in processes)
        return msgspec.structs.replace(live(NOON), processes=chunk)

    assert names(table, asked((1, STARTED), (2, NOON - 20), (3, NOON - 5))) == ["nginx 1", "new"]
    assert names(table, asked((1, STARTED), (2, NOON - 21))) == ["nginx 1", "new"]
    assert names(table, asked((1, STARTED + 1), (2, NOON - 20))) is None
    assert names(table, asked((1, STARTED), (3, NOON - 50))) is None


def test_of_two_that_are_as_near_and_were_seen_last_at_once_one_is_taken_and_always_the_same() -> None:
    found = set()
    for order in ((0, 1), (1, 0)):
        table = LiveTable(0)
        sightings = [a_sighting(1, STARTED, cmdline="a"), a_sighting(1, STARTED + 3, cmdline="b")]
        table.apply([(ORG, a_snapshot(*(sightings[place] for place in order), taken_at=NOON))])
        found |= {(names(table, live(NOON, 1, start=STARTED + 1)) or [""])[0]}
        found |= {(names(table, live(NOON, 1, start=STARTED + 2)) or [""])[0]}

    assert found == {"b"}


def test_of_hosts_and_orgs_without_processes_only_a_table_that_reaches_back_knows_so() -> None:
    table = LiveTable(NOON - 60)

    assert table.sightings_of([(ORG, live(NOON, 1)), (2, live(NOON + HOUR, 1)), (2, live(NOON))]) == (
        None,
        a_snapshot(taken_at=NOON + HOUR, request_id=NOON + HOUR, split_id=NOON + HOUR, chunk_count=0),
        a_snapshot(taken_at=NOON, request_id=NOON, split_id=NOON, chunk_count=1),
    )


def test_the_process_with_the_very_start_counts_more_than_one_that_was_seen_later() -> None:
    table = LiveTable(0)
    table.apply([(ORG, whole(NOON, 1, name="first")), (ORG, whole(NOON + 10))])
    later = a_sighting(1, STARTED + 1, cmdline="second")
    table.apply([(ORG, a_snapshot(later, taken_at=NOON + 20))])

    assert names(table, live(NOON + 22, 1)) == ["first 1"]
    assert names(table, live(NOON + 22, 1, start=STARTED + 1)) == ["second"]
    assert names(table, live(NOON + 22, 1, start=STARTED + 2)) == ["second"]
    assert names(table, live(NOON + 18, 1, start=STARTED + 2)) == ["first 1"]


# What is remembered


def test_a_description_whose_number_goes_to_another_is_not_mistaken_for_it() -> None:
    table = LiveTable(0)
    for at, name in ((NOON, "first"), (NOON + 100, "second")):
        table.apply([(ORG, whole(at, 1, name=name))])
        assert names(table, live(at + 1, 1)) == [f"{name} 1"]
        table.expire(at + 50)
        # It takes the number of what was forgotten.
        table.apply([(ORG, whole(at + 60, 1, name=f"{name} again"))])

        assert names(table, live(at + 61, 1)) == [f"{name} again 1"]


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dictionaries, "_MAX_REMEMBERED_BYTES", 10_000)
    table = LiveTable(0)
    table.apply([(ORG, whole(NOON, *range(1, 301)))])
    before = table.held_bytes()

    found = names(table, live(NOON + 1, *range(1, 301)))

    assert found == [f"nginx {pid}" for pid in range(1, 301)]
    assert before < table.held_bytes() < before + 11_000


@pytest.mark.parametrize(("pid", "start", "at"), [(2**32 - 1, 2**32 - 1, 2**32 - 1), (0, 0, 0), (7, 1, 5)])
def test_the_ends_of_the_ranges_are_no_trouble(pid: int, start: int, at: int) -> None:
    table = LiveTable(0)
    table.apply([(ORG, a_snapshot(a_sighting(pid, start), taken_at=max(at, 1)))])

    found = sightings_of(table, live(max(at, 1), pid, start=start))

    assert found is not None
    assert [one.pid for one in found.sightings] == [pid]
    empty = sightings_of(table, live(2**40, pid, start=start))
    assert empty is not None
    assert empty.sightings == ()
