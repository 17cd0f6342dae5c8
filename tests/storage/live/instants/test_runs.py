from __future__ import annotations

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from procession.analysis import Run
from procession.process import ProcessDetail, ProcessIdentity, ProcessNumbers, ProcessSummary, Snapshot
from procession.query import ProcessQuery
from procession.storage.live.instants.analysis import LiveAnalysis
from procession.storage.live.table import LiveTable
from procession.window import Window
from tests.support.builders import NOON, a_description, a_sighting, a_snapshot
from tests.support.stores import strategies
from tests.support.stores.analysis_oracle import OracleAnalysis
from tests.support.stores.oracle import OracleStore

ORG = 1
STARTED = NOON - 9000


def whole(at: int, *pids: int, command: str = "make") -> Snapshot:
    numbers = ProcessNumbers(rss_bytes=at, state="S")
    sightings = [
        a_sighting(pid, STARTED + pid, numbers, command=command, cmdline=f"{command} {pid % 2}") for pid in pids
    ]
    return a_snapshot(*sightings, taken_at=at, request_id=at, split_id=at, chunk_count=1)


MADE = ProcessSummary(ProcessIdentity("web-1", 1, STARTED + 1), NOON, a_description(command="make", cmdline="make 1"))


def runs(table: LiveTable, window: Window, limit: int = 10) -> tuple[Run, ...] | None:
    return LiveAnalysis(table).runs(ORG, MADE, window, limit)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_runs_are_those_that_the_oracle_finds_or_left_to_history(data: st.DataObject) -> None:
    fleet = data.draw(strategies.fleets())
    exits = [(ORG, one) for one in data.draw(strategies.exits_over(fleet))]
    numbers = data.draw(st.lists(strategies.live_over(fleet), max_size=2, unique_by=lambda one: one.request_id))
    table, oracle = LiveTable(0), OracleStore()
    table.apply([(ORG, one) for one in fleet])
    oracle.add([(ORG, one) for one in fleet])
    for one in (table, oracle):
        one.add_exits(exits)
        one.add_live([(ORG, live) for live in numbers])
    since = data.draw(st.sampled_from([0, 0, *(one.taken_at for one in fleet)]))
    table.expire(since)

    for window in data.draw(st.lists(strategies.windows_over(fleet), min_size=3, max_size=3)):
        for process in oracle.find(ProcessQuery(ORG, window)).processes[:3]:
            without_arguments = data.draw(st.booleans())
            expected = OracleAnalysis(oracle).runs(ORG, process, window, 2, without_arguments=without_arguments)
            found = LiveAnalysis(table).runs(ORG, process, window, 2, without_arguments=without_arguments)
            event(f"answered: {found is not None}, runs: {len(expected)}")
            assert found in (None, expected)
            assert found is None or window.from_at >= since


def test_runs_of_an_interpreter_are_those_of_what_it_was_given() -> None:
    lines = ["java -jar shop.jar --port 1", "java -Xmx1g -jar shop.jar", "java -jar bank.jar", "java Main"]
    table = LiveTable(NOON)
    numbers = ProcessNumbers(rss_bytes=1, state="S")
    sightings = [
        a_sighting(pid, STARTED + pid, numbers, command="java", cmdline=line) for pid, line in enumerate(lines, 1)
    ]
    table.apply([(ORG, a_snapshot(*sightings, taken_at=NOON, request_id=1, split_id=1, chunk_count=1))])
    like = ProcessSummary(
        ProcessIdentity("web-1", 1, STARTED + 1), NOON, a_description(command="java", cmdline=lines[0])
    )

    found = LiveAnalysis(table).runs(ORG, like, Window(NOON, NOON), 10)

    assert found is not None
    assert [(one.process.identity.pid, one.has_same_cmdline) for one in found] == [(2, False)]
    of_command = LiveAnalysis(table).runs(ORG, like, Window(NOON, NOON), 10, without_arguments=True)
    assert of_command is not None
    assert [(one.process.identity.pid, one.has_same_cmdline) for one in of_command] == [(4, True), (3, True), (2, True)]


def test_the_newest_starts_come_first_and_the_process_itself_is_not_among_them() -> None:
    table = LiveTable(NOON)
    table.apply([(ORG, whole(NOON, 1, 2, 3, 4)), (ORG, whole(NOON + 10, 1, 3))])
    others = a_snapshot(a_sighting(5, command="make", cmdline="make 1"), host="web-2", taken_at=NOON)
    table.apply([(ORG, whole(NOON + 20, 1, 6, command="sh")), (ORG, others)])

    found = runs(table, Window(NOON, NOON + 20))

    assert found is not None
    seen = [(one.process.identity.pid, one.process.seen_at, one.detail.ended_at, one.has_same_cmdline) for one in found]
    assert seen == [
        (4, NOON, NOON + 10, False),
        (3, NOON + 10, NOON + 20, True),
        (2, NOON, NOON + 10, False),
    ]
    assert found[1].detail == ProcessDetail(
        numbers=ProcessNumbers(rss_bytes=NOON + 10, state="S"), ended_at=NOON + 20, exit_code=None
    )
    assert runs(table, Window(NOON, NOON + 20), limit=1) == found[:1]


def test_what_is_not_covered_and_what_a_run_used_before_its_newest_sighting_is_left_to_history() -> None:
    table = LiveTable(NOON)
    table.apply([(ORG, whole(at, 1, 2)) for at in (NOON, NOON + 10)])

    assert runs(table, Window(NOON - 1, NOON + 10)) is None
    assert runs(table, Window(NOON, NOON + 9)) is None
    assert len(runs(table, Window(NOON, NOON + 10)) or ()) == 1
    assert LiveAnalysis(table).runs(2, MADE, Window(NOON, NOON + 10), 10) == ()
