from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import msgspec
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from procession.lifecycle.events import ProcessExit, ProcessExits
from procession.process import (
    Ending,
    LiveNumbers,
    LiveSnapshot,
    ProcessDescription,
    ProcessDetail,
    ProcessKey,
    ProcessNumbers,
    ProcessSummary,
    Snapshot,
)
from procession.query import ProcessQuery
from procession.storage.live.table import LiveTable
from procession.window import Window
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.stores import strategies
from tests.support.stores.oracle import OracleStore
from tests.support.stores.strategies import HOUR

ORG = 1
STARTED = NOON - 9000


def whole(at: int, *pids: int, host: str = "web-1", state: str = "S") -> Snapshot:
    sightings = [a_sighting(pid, STARTED, ProcessNumbers(rss_bytes=at, state=state)) for pid in pids]
    return a_snapshot(*sightings, host=host, taken_at=at, request_id=at, split_id=at, chunk_count=1)


def live(at: int, *pids: int, host: str = "web-1") -> LiveSnapshot:
    processes = tuple(LiveNumbers(pid, STARTED, ProcessNumbers(rss_bytes=at, state="S")) for pid in pids)
    return LiveSnapshot(host=host, taken_at=at, processes=processes, request_id=at)


def found(table: LiveTable, window: Window) -> Sequence[ProcessSummary]:
    page = table.find(ProcessQuery(ORG, window))
    assert page is not None
    return page.processes


def memory_of(details: Sequence[ProcessDetail] | None) -> list[int | None] | None:
    return None if details is None else [one.numbers.rss_bytes for one in details]


# What the oracle says


def with_states(fleet: Sequence[Snapshot], states: Sequence[str]) -> list[Snapshot]:
    """The same at the same moment of a process, however often its chunk came."""

    def changed(snapshot: Snapshot) -> Snapshot:
        sightings = tuple(
            msgspec.structs.replace(
                one,
                numbers=ProcessNumbers(
                    rss_bytes=snapshot.taken_at, state=states[(one.pid + snapshot.taken_at) % len(states)]
                ),
            )
            for one in snapshot.sightings
        )
        return msgspec.structs.replace(snapshot, sightings=sightings)

    return [changed(snapshot) for snapshot in fleet]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_details_and_endings_are_what_the_oracle_says_or_left_to_history(data: st.DataObject) -> None:
    states = data.draw(st.lists(st.sampled_from(("S", "S", "", "X")), min_size=1, max_size=5))
    fleet = with_states(data.draw(strategies.fleets()), states)
    exits = [(ORG, one) for one in data.draw(strategies.exits_over(fleet))]
    numbers = [(ORG, one) for one in data.draw(st.lists(strategies.live_over(fleet), max_size=4, unique_by=_number))]
    table, oracle = LiveTable(0), OracleStore()
    cut = data.draw(st.integers(0, len(fleet)))
    table.apply([(ORG, one) for one in fleet[:cut]])
    oracle.add([(ORG, one) for one in fleet[:cut]])
    windows = data.draw(st.lists(strategies.windows_over(fleet), min_size=4, max_size=4))
    before = {window: oracle.find(ProcessQuery(ORG, window)).processes for window in windows}
    for one in (table, oracle):
        one.add_exits(exits)
        one.add_live(numbers)
    table.apply([(ORG, one) for one in fleet[cut:]])
    oracle.add([(ORG, one) for one in fleet[cut:]])
    table.expire(data.draw(st.sampled_from([0, *(one.taken_at for one in fleet)])))

    for window in windows:
        newest = {one.identity: one for one in oracle.find(ProcessQuery(ORG, window)).processes}
        for process in (*before[window], *newest.values()):
            answer = table.details(ORG, window, [process])
            event(
                f"details: {answer is not None}, page of before: {process.seen_at < newest[process.identity].seen_at}"
            )
            assert answer in (None, oracle.details(ORG, window, [newest[process.identity]]))
            seen = [(ProcessKey.of(process.identity), process.seen_at)]
            ending = table.endings(ORG, window.to_at, seen)
            event(f"ending: {ending is not None}")
            assert ending in (None, oracle.endings(ORG, window.to_at, seen))


def _number(live: LiveSnapshot) -> tuple[str, int, int]:
    return live.host, live.taken_at, live.request_id


# What it knows


def test_a_page_of_now_is_known_though_its_processes_were_seen_again_meanwhile() -> None:
    table, window = LiveTable(NOON - 900), Window(NOON - 900, NOON)
    table.apply([(ORG, whole(NOON - 10, 7, 8))])
    page = found(table, window)

    table.apply([(ORG, whole(NOON, 7, 8))])
    assert memory_of(table.details(ORG, window, page)) == [NOON, NOON]

    table.apply([(ORG, whole(NOON + 10, 7, 8))])
    assert memory_of(table.details(ORG, window, page)) == [NOON, NOON]

    for at in range(NOON + 20, NOON + 3600, 10):
        table.apply([(ORG, whole(at, 7, 8))])
    assert table.details(ORG, window, page) is None, "what they used then is forgotten"


def test_a_page_that_is_seen_again_in_its_window_and_after_it_is_as_of_the_end_of_the_window() -> None:
    table, window = LiveTable(NOON - 900), Window(NOON - 900, NOON)
    table.apply([(ORG, whole(NOON - 10, 7))])
    page = found(table, window)
    table.apply([(ORG, whole(NOON - 1, 7)), (ORG, whole(NOON + 10, 7))])

    assert memory_of(table.details(ORG, window, page)) == [NOON - 1]


def test_live_numbers_are_known_whatever_other_hosts_told_since() -> None:
    table, window = LiveTable(NOON - 900), Window(NOON - 900, NOON)
    table.apply([(ORG, whole(NOON - 10, 7))])
    table.add_live([(ORG, live(NOON - 2, 7)), (ORG, live(NOON + 2, 7))])
    table.apply([(ORG, whole(NOON + 5000, 7, host="web-2"))])

    assert memory_of(table.details(ORG, window, found(table, window))) == [NOON - 2]


def test_live_numbers_that_may_be_forgotten_are_left_to_history() -> None:
    table, window = LiveTable(NOON - 900), Window(NOON - 900, NOON)
    table.apply([(ORG, whole(NOON - 10, 7))])
    for at in range(NOON - 8, NOON + 3000, 2):
        table.add_live([(ORG, live(at, 7))])
    page = found(table, window)

    assert table.details(ORG, window, page) is None
    assert memory_of(table.details(ORG, Window(NOON - 900, NOON + 3000), page)) == [NOON + 2998]


def test_a_process_that_lives_is_known_to_though_its_sighting_is_older_than_the_table() -> None:
    table = LiveTable(NOON - 900)
    table.apply([(ORG, whole(NOON, 7)), (ORG, whole(NOON + 10))])
    key = ProcessKey.of(found(table, Window(NOON, NOON + 10))[0].identity)

    assert table.endings(ORG, NOON + 5, [(key, NOON - 5000)]) == (Ending(),)
    assert table.endings(ORG, NOON + 10, [(key, NOON - 5000)]) == (Ending(NOON + 10),)
    assert table.endings(ORG, NOON - 1, [(key, NOON - 5000)]) is None


def test_an_exit_of_before_the_table_may_be_that_of_a_process_whose_state_nobody_knows() -> None:
    table, window = LiveTable(NOON - 900), Window(NOON - 900, NOON)
    table.apply([(ORG, whole(NOON - 10, 7, state=""))])
    page = found(table, window)
    assert table.details(ORG, window, page) is None

    table.apply([(ORG, whole(NOON, 7))])
    (detail,) = table.details(ORG, window, page) or ()
    assert detail.ended_at is None
    ended = ProcessExit(pid=7, at=NOON, exit_code=3, description=ProcessDescription())
    table.add_exits([(ORG, ProcessExits("web-1", (ended,)))])
    (detail,) = table.details(ORG, window, page) or ()
    assert (detail.ended_at, detail.exit_code) == (NOON, 3)


def test_nobody_is_known_whole_even_by_a_table_of_nothing() -> None:
    table = LiveTable(NOON)

    assert table.details(ORG, Window(NOON - 900, NOON), ()) == ()
    assert table.endings(ORG, NOON, ()) == ()


def test_the_only_process_that_is_asked_for_is_known_however_short_the_table_reaches_back() -> None:
    table = LiveTable(NOON - 60)
    table.apply([(ORG, whole(NOON - 50, 7)), (ORG, whole(NOON - 10, 8))])
    seven, eight = (ProcessKey.of(one.identity) for one in found(table, Window(NOON - 60, NOON)))
    query = ProcessQuery(ORG, Window(NOON - HOUR, NOON))

    for key, window, pids in (
        (seven, Window(NOON - HOUR, NOON), [7]),
        (eight, Window(NOON - HOUR, NOON), [8]),
        (eight, Window(NOON - HOUR, NOON - 20), None),
        (msgspec.structs.replace(eight, pid=9), Window(NOON - HOUR, NOON), None),
    ):
        page = table.find(replace(query, window=window, only=key))
        assert (None if page is None else [one.identity.pid for one in page.processes]) == pids
    assert table.find(query) is None
