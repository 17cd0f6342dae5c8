"""Questions about many processes at once: the store against the oracle, over a fleet with all that is odd."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from procession.analysis import MEASURES, Every, Match, Order, Selection, Side
from procession.errors import InvalidRequest
from procession.lifecycle.events import ProcessExit, ProcessExits
from procession.process import ProcessKey, ProcessNumbers, Sighting, Snapshot, host_key
from procession.query import ProcessQuery
from procession.search.parser import parse_search
from procession.search.tag_filter import TagFilter
from procession.storage import AnalysisStore
from procession.storage.history.instants import compare
from procession.storage.store import ClickHouseStore
from procession.window import Window
from tests.cluster.nodes.stores import FULL
from tests.storage.conftest import SERVERS
from tests.support.builders import a_description, a_sighting, a_snapshot
from tests.support.stores.analysis_oracle import OracleAnalysis
from tests.support.stores.oracle import OracleStore
from tests.support.stores.strategies import HOUR, TURN_OF_HOUR

ORG = 7_000_001
OTHER_ORG = 7_000_002
T = TURN_OF_HOUR + 5  # the reach of this instant goes over the turn of an hour
LONG_AGO = T - 30 * HOUR

COMMANDS = ("nginx", "java", "sh", "Postgres")
TAGS = (("env:prod", "pci", "team:größe"), ("env:staging",), (), ("env:prod", "env:test", "host:alias"))


def numbers(seed: int, state: str = "S") -> ProcessNumbers:
    seed = abs(seed)
    return ProcessNumbers(
        cpu_total_percent=None if seed % 5 == 0 else seed % 7 * 12.5,
        rss_bytes=seed * 4096 % 99991,
        threads=seed % 3 + 1,
        read_bytes_per_second=seed % 4 * 0.5,
        write_bytes_per_second=None,
        voluntary_switches=seed * 3,
        state=state,
    )


def sighting(host: int, pid: int, *, step: int = 0, state: str = "S", **fields: Any) -> Sighting:
    command = COMMANDS[pid % 4]
    about = {
        "command": command,
        "cmdline": f"/opt/{command} --id {pid % 6}",
        "exe": f"/opt/{command}",
        "cwd": "/" if pid % 2 else "",
        "user": ("root", "www-data", "")[pid % 3],
        "ppid": 1 if pid % 3 else pid - 1,
        "container_id": "c0ffee" if pid % 4 == 1 else "",
        "tags": TAGS[(host + pid) % 4],
    }
    return a_sighting(pid, LONG_AGO + pid // 3, numbers(pid + 13 * host + 7 * step, state), **(about | fields))


def snapshots_of(host: int) -> Iterator[Snapshot]:
    """Every ten seconds for some minutes, in two chunks, with what may go wrong."""
    for step in range(-24, 3):
        at = T - 3 + 10 * step + host % 3
        if host == 4 and step > -4:  # has been silent for more than the reach
            break
        pids = [pid for pid in range(1, 13) if not (pid == 5 and step < -6) and not (pid == 6 and step > -6)]
        changes = {7: {"cmdline": "exec'd", "ppid": 2}} if step >= -2 else {}
        processes = [
            sighting(
                host, pid, step=step, state="X" if pid == 9 and step == 0 else "SItP"[pid % 4], **changes.get(pid, {})
            )
            for pid in pids
        ]
        halves = (processes[:6], processes[6:])
        for number, half in enumerate(halves):
            if host == 2 and step >= -1 and number == 1:  # its newest snapshots are not complete
                continue
            chunk = a_snapshot(
                *half,
                host=f"Host-{host}",
                taken_at=at,
                request_id=step * 2 + number + 100,
                split_id=step,
                chunk_count=2,
            )
            yield chunk
            if host == 3 and number == 0:  # sends all again
                yield chunk
        if host == 5:  # tells of new processes in between
            new = [sighting(host, 40 + step % 3, step=step), sighting(host, 2, step=step + 50)]
            yield a_snapshot(*new, host="Host-5", taken_at=at + 2, request_id=step * 2 + 500)
    if host == 6:  # whole snapshots are never said to be
        for step in range(3):
            some = [sighting(host, pid, step=step) for pid in range(20, 24 + step)]
            yield a_snapshot(*some, host="Host-7", taken_at=T - 30 + 10 * step, request_id=step + 900)


@dataclass
class Both:
    store: ClickHouseStore
    oracle: OracleStore
    mine: AnalysisStore
    theirs: AnalysisStore

    def same(self, question: str, *arguments: Any, **named: Any) -> Any:
        expected = getattr(self.theirs, question)(*arguments, **named)
        assert close(getattr(self.mine, question)(*arguments, **named)) == close(expected)
        return expected


def close(value: Any) -> Any:
    """With sums rounded: they depend on the order of their parts."""
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, tuple):
        return tuple(map(close, value))
    if isinstance(value, dict):
        return {name: close(item) for name, item in value.items()}
    if hasattr(value, "__struct_fields__"):
        return type(value), {name: close(getattr(value, name)) for name in value.__struct_fields__}
    return value


# On servers it takes minutes; a few examples of the comparison run there each time (tests/cluster).
@pytest.fixture(scope="module", params=["clickhouse", *(name for name in SERVERS if FULL or name == "named_store")])
def both(request: pytest.FixtureRequest) -> Both:
    clickhouse: ClickHouseStore = request.getfixturevalue(request.param)
    oracle = OracleStore()
    chunks = [(ORG, chunk) for host in range(1, 7) for chunk in snapshots_of(host)]
    chunks += [(OTHER_ORG, a_snapshot(sighting(1, 3), host="Host-1", taken_at=T, split_id=1, chunk_count=1))]
    for store in (clickhouse, oracle):
        store.add(chunks)
        ended = ProcessExit(pid=6, at=T - 62, exit_code=137, description=a_description())
        store.add_exits([(ORG, ProcessExits("Host-1", (ended,)))])
    return Both(clickhouse, oracle, clickhouse.analysis, OracleAnalysis(oracle))


def selection(search: str = "", tags: str = "") -> Selection:
    return Selection(ORG, parse_search(search), TagFilter.parse(tags, has_or=True))


SELECTIONS = [
    selection(),
    selection("java"),
    selection("NOT java"),
    selection("env:prod"),
    selection("host:host-1 OR env:staging"),
    selection("exec'd"),
    selection(tags="env:prod"),
    selection(tags="!env:prod,user:*"),
    selection(tags="host:host-1"),
    selection(tags="host:*-3,command:ja*"),
    selection(tags="!host:host-1"),
    selection(tags="host:alias"),
    selection("nginx", "env:*"),
    selection(tags="nothing"),
    selection(tags="host:host-1 OR host:host-3"),
    selection(tags="host:host-1 OR env:staging,user:root OR command:java"),
    selection(tags="env:test OR host:alias OR host:host-4"),
    selection("nothing", "host:host-4"),  # which has been silent
    selection("host:host-4 OR host:nobody"),
    selection("nothing (host:host-1 OR nginx)", "host:*"),
    selection("NOT host:nobody host:*-9"),
]
INSTANTS = [T, T + 3, T - 4, T - 40, T - 100, T + 59, T + 200, LONG_AGO]


@pytest.mark.parametrize("chosen", SELECTIONS, ids=range(len(SELECTIONS)))
def test_the_processes_at_an_instant_are_those_of_the_newest_complete_snapshots(both: Both, chosen: Selection) -> None:
    for at in INSTANTS:
        both.same("instant_page", chosen, at, Order(), 0, 1000)


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize(
    "column", ["start", "pid", "ppid", "host", "user", "command", "cmdline", "container_id", "state", *MEASURES]
)
def test_an_instant_is_ordered_by_any_column(both: Both, column: str, descending: bool) -> None:
    order = Order(column, descending)
    whole = both.same("instant_page", selection(), T, order, 0, 1000).processes

    assert len(whole) > 50
    for offset, limit in ((0, 1), (0, 7), (20, 10), (60, 100), (1000, 5)):
        page = both.same("instant_page", selection(), T, order, offset, limit)
        assert page.processes == whole[offset : offset + limit]
    after = ProcessKey.of(whole[9].process.identity)
    assert both.same("instant_page", selection(), T, order, 0, 5, after).processes == whole[10:15]


def test_a_page_after_what_was_never_there_is_refused(both: Both) -> None:
    for store in (both.mine, both.theirs):
        with pytest.raises(InvalidRequest):
            store.instant_page(selection(), T, Order("pid"), 0, 5, ProcessKey(1, 2, 3))


@pytest.mark.parametrize("chosen", SELECTIONS, ids=range(len(SELECTIONS)))
def test_facets_are_exact_at_an_instant_and_in_a_window(both: Both, chosen: Selection) -> None:
    keys = ["host", "user", "command", "env", "TEAM", "state_zombie", "nope"]
    for when in (T, T - 40, Window(T - 300, T + 100), Window(T - 45, T - 36), Window(T - 75, T - 6)):
        both.same("facets", chosen, when, keys, 3)
    both.same("facets", chosen, Window(T - 300, T), ["host"], 100, "host-")


def test_tag_keys_and_values_are_completed(both: Both) -> None:
    window = Window(T - 300, T)
    assert both.same("complete_tag", ORG, window, "", 100).keys
    assert both.same("complete_tag", ORG, window, "EN", 100).keys
    assert both.same("complete_tag", ORG, window, "env:", 100).values
    assert both.same("complete_tag", ORG, window, "host:HOST", 2).values
    assert both.same("complete_tag", ORG, window, "command:p", 100).values
    assert not both.same("complete_tag", ORG, window, "zzz:p", 100).values


ORDERS = [
    Order("count", True),
    Order("value"),
    Order("value", True),
    Order("sum:rss_bytes", True),
    Order("max:cpu_total_percent"),
]


@pytest.mark.parametrize("by", ["command", "env", "host", "user", "container_id", "state", "exe", "cwd", "ppid"])
def test_processes_are_counted_and_summed_by(both: Both, by: str) -> None:
    measures = ("cpu_total_percent", "rss_bytes", "write_bytes_per_second")
    for chosen in (selection(), selection("java"), selection(tags="nothing")):
        for order in ORDERS:
            both.same("groups", chosen, T, by, measures, order, 3)


@pytest.mark.parametrize(
    "keys", [("command", "host"), ("env", "state"), ("env", "team"), ("exe", "env"), ("ppid", "cwd")]
)
def test_processes_are_put_together_by_two_keys_with_exact_percentiles(both: Both, keys: tuple[str, str]) -> None:
    measures = ("cpu_total_percent", "rss_bytes", "write_bytes_per_second")
    columns = ("value", "second", "count", "avg:rss_bytes", "p50:cpu_total_percent", "p95:rss_bytes")
    for chosen in (selection(), selection("java"), selection(tags="nothing")):
        for order in (Order(column, is_descending) for column in columns for is_descending in (False, True)):
            for limit in (3, 1000):
                asked = (chosen, T, keys[0], measures, order, limit)
                both.same("groups", *asked, second=keys[1], has_percentiles=True)
    both.same("groups", selection(), T, keys[0], measures, Order("p95:rss_bytes", True), 5, has_percentiles=True)


def test_hosts_have_their_processes_and_sums(both: Both) -> None:
    for order in (Order("host"), Order("host", True), Order("processes", True), Order("sum:rss_bytes")):
        both.same("hosts", selection(), T, ("cpu_total_percent", "rss_bytes"), order, 0, 100)
    both.same("hosts", selection("java"), T, ("rss_bytes",), Order("host"), 1, 2)


def test_points_are_the_greatest_first(both: Both) -> None:
    for by, limit in ((None, 1000), ("command", 10), ("env", 1000)):
        found = both.same("points", selection(), T, "cpu_total_percent", "rss_bytes", by, limit)
        assert found.total > 20


@pytest.mark.parametrize("by", [None, "command", "env", "host"])
def test_series_are_of_instants(both: Both, by: str | None) -> None:
    measures = ("cpu_total_percent", "rss_bytes")
    for rank in ("count", "cpu_total_percent", "threads"):
        found = both.same("timeseries", selection(), Window(T - 240, T), by, measures, rank, 2, 12)
        assert len(found.times) == 13
    both.same("timeseries", selection("java"), Window(T - 2000, T), by, measures, "count", 2, 30)


@pytest.mark.parametrize("by", [None, "command", "host", "exe"])
def test_cpu_in_series_is_of_all_cpus_of_the_hosts_of_which_these_are_known(both: Both, by: str | None) -> None:
    measures, cpus = ("cpu_total_percent", "rss_bytes"), {"Host-1": 4, "Host-3": 7, "Host-99": 2}
    for rank in ("count", "cpu_total_percent"):
        both.same("timeseries", selection(), Window(T - 240, T), by, measures, rank, 3, 12, cpus)
    both.same("timeseries", selection(), Window(T - 240, T), by, measures, "cpu_total_percent", 3, 12, {})


def key(host: int, pid: int) -> ProcessKey:
    return ProcessKey(LONG_AGO + pid // 3, host_key(f"Host-{host}"), pid)


@pytest.mark.parametrize("every", list(Every))
def test_a_process_has_its_history(both: Both, every: Every) -> None:
    for host, pid in ((1, 1), (1, 5), (1, 10), (3, 6), (5, 2), (9, 9)):
        for window in (Window(T - 200, T), Window(T - 95, T - 30)):
            found = both.same("history", ORG, key(host, pid), window, every)
            assert (len(found.times) > 0) == (host != 9 and (pid != 5 or window.to_at >= T - 60))


def test_relatives_are_found(both: Both) -> None:
    for host in ("Host-1", "Host-5", "Host-7", "nowhere"):
        both.same("host_tree", ORG, host, T)
    for pid in (1, 2, 3, 10, 6):
        both.same("family", ORG, key(1, pid), T)


def test_a_circle_of_parents_is_shown_once(both: Both) -> None:
    circle = [sighting(8, 1, ppid=2), sighting(8, 2, ppid=3), sighting(8, 3, ppid=1), sighting(8, 4, ppid=4)]
    at = T + 5000
    for store in (both.store, both.oracle):
        store.add([(ORG, a_snapshot(*circle, host="Host-8", taken_at=at, split_id=1, chunk_count=1))])

    assert len(both.same("host_tree", ORG, "Host-8", at).branches) == 4
    assert len(both.same("family", ORG, key(8, 2), at).ancestors) == 2


def test_earlier_runs_of_a_command_are_found(both: Both) -> None:
    window = Window(T - 300, T + 30)
    processes = both.oracle.find(ProcessQuery(ORG, window)).processes
    for process in processes[::9]:
        both.same("runs", ORG, process, window, 3)
        both.same("runs", ORG, process, window, 3, without_arguments=True)


@pytest.mark.parametrize("match", list(Match))
def test_sides_are_compared(both: Both, match: Match) -> None:
    pairs = [
        (Side(selection(), T - 100), Side(selection(), T)),
        (Side(selection(), T), Side(selection(), T - 30)),
        (Side(selection(tags="host:host-1"), T), Side(selection(tags="host:host-5"), T)),
        (Side(selection("java"), T - 20), Side(selection("NOT java"), T)),
        (Side(selection(), T), Side(selection(), LONG_AGO)),
    ]
    for left, right in pairs:
        for limit in (1000, 3):
            both.same("compare", left, right, match, limit)
            both.same("compare", left, right, match, limit, without_arguments=True)


def test_without_arguments_descriptions_are_read_in_parts(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compare, "_AT_ONCE", 2)

    sides = Side(selection(), T - 100), Side(selection(), T)
    assert both.same("compare", *sides, Match.PROCESS, 1000, without_arguments=True).changed_total > 2


def test_too_many_processes_are_not_compared_without_arguments_however_few_have_changed(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    side = Side(selection(), T)
    monkeypatch.setattr(compare, "MAX_DESCRIPTIONS", 3)

    with pytest.raises(InvalidRequest, match="processes are too many"):
        both.mine.compare(side, side, Match.PROCESS, 1, without_arguments=True)
    assert both.same("compare", side, side, Match.PROCESS, 1).changed_total == 0


def test_one_org_never_sees_what_is_anothers(both: Both) -> None:
    other = Selection(OTHER_ORG)
    assert both.same("instant_page", other, T, Order("pid"), 0, 1000).total == 1
    assert both.same("facets", other, Window(T - 300, T), ["host"], 10).total == 1
    assert both.same("groups", other, T, "command", (), Order("count"), 10).total == 1


# The roll-up: last, since what was asked before is asked again


def test_what_is_rolled_up_says_the_same_and_late_news_are_rolled_up_too(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = Window(T - 300, T + 300)
    keys = [key(host, pid) for host, pid in itertools.product((1, 3, 5), (1, 2, 5, 6, 12))]
    before = [both.same("history", ORG, one, window, Every.MINUTE) for one in keys]
    clock = T + 2 * HOUR
    for asked in (both.store.analysis, both.store.rollup):
        monkeypatch.setattr(asked, "_now", lambda: clock)

    assert both.store.rollup.roll_up([ORG, OTHER_ORG]) > 7
    assert both.store.rollup.roll_up([ORG, OTHER_ORG]) == 0
    after = [both.same("history", ORG, one, window, Every.MINUTE) for one in keys]
    assert after == before
    assert both.mine.last_seen(ORG, keys[0]) == both.theirs.last_seen(ORG, keys[0])

    late = a_snapshot(sighting(1, 1, step=900), host="Host-1", taken_at=T - 17, request_id=4242)
    for store in (both.store, both.oracle):
        store.add([(ORG, late)])
    assert both.store.rollup.roll_up([ORG]) == 1
    assert both.same("history", ORG, key(1, 1), window, Every.MINUTE) != before[0]
    test_earlier_runs_of_a_command_are_found(both)


def test_an_instant_that_is_too_much_is_refused_and_a_host_of_it_is_not(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("procession.storage.history.instants.columns.newest_snapshots.MAX_INSTANT", 20)

    with pytest.raises(InvalidRequest, match="too many"):
        both.mine.instant_page(selection(), T, Order(), 0, 10)
    with pytest.raises(InvalidRequest, match="too many"):
        both.mine.timeseries(selection(), Window(T - 60, T), None, (), "count", 1, 3)
    assert both.mine.instant_page(selection(tags="host:host-1"), T, Order(), 0, 10).total > 0
    monkeypatch.setattr("procession.storage.history.instants.instant_page.MAX_DESCRIPTIONS", 5)
    with pytest.raises(InvalidRequest, match="cmdline"):
        both.mine.instant_page(selection(tags="host:host-1"), T, Order("cmdline"), 0, 10)
