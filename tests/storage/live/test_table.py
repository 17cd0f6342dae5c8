from __future__ import annotations

import gc
import itertools
import threading
import tracemalloc
from collections.abc import Iterator

import msgspec
import pytest

from procession.packed import PackedSnapshot, pack
from procession.process import MAX_UINT32, Snapshot
from procession.query import ProcessQuery
from procession.storage.live.dictionaries import Text
from procession.storage.live.table import LiveTable
from procession.storage.live.text_index import TextIndex
from procession.window import Window
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.stores.fleet import Fleet
from tests.support.stores.live_store import LiveStore
from tests.support.stores.strategies import HOUR

ORG = 1


def a_fleet(table: LiveTable) -> Fleet:
    return Fleet(LiveStore(table), ORG)


def whole(at: int, *pids: int, host: str = "web-1", name: str = "nginx") -> Snapshot:
    """A complete snapshot."""
    sightings = [a_sighting(pid, NOON - HOUR, cmdline=f"{name} {pid}") for pid in pids]
    return a_snapshot(*sightings, host=host, taken_at=at, request_id=at, split_id=at, chunk_count=1)


def seen_at(table: LiveTable, from_at: int, to_at: int) -> dict[int, int]:
    return {one.identity.pid: one.seen_at for one in a_fleet(table).find(from_at, to_at)}


def test_a_window_that_ends_in_the_past_has_what_was_newest_then() -> None:
    table = LiveTable(NOON)
    for at in range(NOON, NOON + 60, 10):
        table.apply([(ORG, whole(at, 7, *([8] if at < NOON + 30 else [])))])

    assert seen_at(table, NOON, NOON + 59) == {7: NOON + 50, 8: NOON + 20}
    assert seen_at(table, NOON, NOON + 39) == {7: NOON + 30, 8: NOON + 20}
    assert seen_at(table, NOON + 5, NOON + 9) == {}
    assert seen_at(table, NOON + 25, NOON + 30) == {7: NOON + 30}


def test_a_process_that_stays_the_same_takes_no_more_memory_with_time() -> None:
    table = LiveTable(NOON)
    table.apply([(ORG, whole(NOON, *range(1, 200))), (ORG, whole(NOON + 10, *range(1, 200)))])
    before = table.held_bytes()
    for at in range(NOON + 20, NOON + 1000, 10):
        table.apply([(ORG, whole(at, *range(1, 200)))])

    assert table.held_bytes() < before + 20 * 100


def with_one_listing(moments: range, host: str = "web-1") -> Iterator[PackedSnapshot]:
    """Snapshots of a host with a hundred processes that stay the same, as a decoder hands them on."""
    first = pack(whole(moments.start, *range(1, 101), host=host))
    for at in moments:
        yield msgspec.structs.replace(first, taken_at=at, request_id=at, split_id=at)


def test_of_processes_that_are_listed_the_same_again_and_again_only_the_numbers_before_the_newest_are_kept() -> None:
    table = LiveTable(NOON)
    for snapshot in with_one_listing(range(NOON, NOON + 1000, 10)):
        table.apply([(ORG, snapshot)], now=snapshot.taken_at)

    with table.reading(ORG) as of_org:
        host = of_org.host_named("web-1")
        assert host is not None
        kept = [(at, len(rows)) for at, rows, _ in host.earlier.between(0, MAX_UINT32)]
    assert kept == [(NOON + 980, 100)]


def test_memory_is_bounded_when_all_that_grows_is_what_is_kept_of_hosts_whose_clocks_are_ahead() -> None:
    told: list[tuple[int, int]] = []
    table = LiveTable(NOON, memory_bytes=1_500_000, on_eviction=lambda org_id, since: told.append((org_id, since)))
    fleet = [list(with_one_listing(range(NOON, NOON + 40), host=f"web-{number}")) for number in range(30)]
    for of_fleet in zip(*fleet, strict=True):
        table.apply([(ORG, snapshot) for snapshot in of_fleet], now=NOON)

    assert len(told) > 0
    assert table.held_bytes() < 1_600_000


def test_what_it_was_told_of_is_covered_and_what_was_before_is_not() -> None:
    table = LiveTable(NOON)
    table.apply([(ORG, whole(NOON - 10, 7)), (ORG, whole(NOON + 10, 8))])

    assert table.covers(ORG, Window(NOON, NOON + 60))
    assert not table.covers(ORG, Window(NOON - 1, NOON + 60))
    assert table.find(ProcessQuery(ORG, Window(NOON - 1, NOON + 60))) is None
    assert seen_at(table, NOON, NOON + 60) == {8: NOON + 10}


def test_what_is_expired_is_forgotten_and_gives_its_memory_back() -> None:
    table = LiveTable(NOON)
    for at in range(NOON, NOON + 100, 10):
        table.apply([(ORG, whole(at, *range(at, at + 300), name=f"work-{at}"))])
    before = table.held_bytes()

    table.expire(NOON + 90)

    assert table.held_bytes() < before / 4
    assert set(seen_at(table, NOON + 90, NOON + 95)) == set(range(NOON + 90, NOON + 390))
    table.apply([(ORG, whole(NOON + 100, *range(300), name="other"))])
    assert len(a_fleet(table).pids(NOON + 100, NOON + 200, search="other")) == 300
    assert a_fleet(table).pids(NOON + 90, NOON + 200, search="work-1700000080") == []


def fleets_that_never_repeat() -> Iterator[Snapshot]:
    """Each snapshot has new processes, each of which has a command line of its own."""
    for number in range(120):
        at = NOON + 10 * number
        yield whole(at, *range(1000 * number + 1, 1000 * number + 400), name="x" * 500 + str(number))


def test_memory_is_bounded_when_every_process_is_new_each_time() -> None:
    told: list[tuple[int, int]] = []
    table = LiveTable(NOON, memory_bytes=8_000_000, on_eviction=lambda org_id, since: told.append((org_id, since)))
    most = 0
    for snapshot in fleets_that_never_repeat():
        table.apply([(ORG, snapshot)])
        most = max(most, table.held_bytes())

    assert most < 9_000_000
    assert len(told) > 3
    org_id, since = told[-1]
    assert org_id == ORG
    assert NOON < since <= NOON + 1200
    assert not table.covers(ORG, Window(since - 1, NOON + 1200))
    assert len(a_fleet(table).find(since, NOON + 1200)) == 399 * sum(at >= since for at in range(NOON, NOON + 1200, 10))


def test_one_org_that_takes_too_much_evicts_nothing_of_another() -> None:
    table = LiveTable(NOON, memory_bytes=8_000_000)
    table.apply([(2, whole(NOON + 5, 7))])
    for snapshot in fleets_that_never_repeat():
        table.apply([(ORG, snapshot)])

    assert table.covers(2, Window(NOON, NOON + 1200))
    assert len(Fleet(LiveStore(table), 2).find(NOON, NOON + 1200)) == 1


def test_an_org_that_is_forgotten_leaves_nothing() -> None:
    table = LiveTable(NOON)
    table.apply([(ORG, whole(NOON, 7)), (2, whole(NOON, 8))])

    table.forget_org(ORG)

    assert seen_at(table, NOON, NOON + 10) == {}
    assert len(Fleet(LiveStore(table), 2).find(NOON, NOON + 10)) == 1


def test_an_org_that_is_forgotten_gives_its_memory_back() -> None:
    table = LiveTable(NOON)
    table.apply([(2, whole(NOON, 8))])
    bytes_before = table.held_bytes()
    tracemalloc.start()
    for snapshot in itertools.islice(fleets_that_never_repeat(), 10):
        table.apply([(ORG, snapshot)])
    assert a_fleet(table).find(NOON, NOON + 100, search="xxx")
    most, _ = tracemalloc.get_traced_memory()

    table.forget_org(ORG)

    assert seen_at(table, NOON, NOON + 100) == {}
    gc.collect()
    left, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most > 2_000_000
    assert left < most / 10
    assert table.held_bytes() == bytes_before


def test_only_who_looks_for_a_word_waits_for_the_index_of_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[int] = []
    build = TextIndex._build

    def note_and_build(index: TextIndex, block: int, values: list[Text | None]) -> None:
        built.append(block)
        build(index, block, values)

    monkeypatch.setattr(TextIndex, "_build", note_and_build)
    table = LiveTable(NOON)
    table.apply([(org, whole(NOON, 7, 8)) for org in (ORG, ORG + 1)])

    assert seen_at(table, NOON, NOON + 9) == {7: NOON, 8: NOON}
    assert built == []

    found = a_fleet(table).find(NOON, NOON + 9, search='"nginx 7"')
    assert [one.identity.pid for one in found] == [7]
    assert built == [0]


def test_a_reader_sees_each_payload_whole_or_not_at_all() -> None:
    table = LiveTable(NOON)
    is_over = threading.Event()

    def take_in() -> None:
        for at in range(NOON, NOON + 3000, 10):
            table.apply([(ORG, whole(at, *range(1, 60)))])
        is_over.set()

    thread = threading.Thread(target=take_in)
    thread.start()
    moments = []
    while not is_over.is_set():
        moments.append({one.seen_at for one in a_fleet(table).find(NOON, NOON + 3000)})
    thread.join()

    assert [some for some in moments if len(some) > 1] == []


@pytest.mark.parametrize("broken", [{"pid": 2**40}, {"started_at": -1}])
def test_what_cannot_be_taken_in_is_not_half_there(broken: dict[str, int]) -> None:
    told: list[tuple[int, int]] = []
    table = LiveTable(NOON, on_eviction=lambda org_id, since: told.append((org_id, since)))
    table.apply([(ORG, whole(NOON, 7))])
    sighting = msgspec.structs.replace(a_sighting(8), **broken)
    table.apply([(ORG, a_snapshot(a_sighting(9), sighting, taken_at=NOON + 10))])

    assert told == [(ORG, NOON + 11)]
    assert not table.covers(ORG, Window(NOON, NOON + 20))
    table.apply([(ORG, whole(NOON + 20, 7))])
    assert seen_at(table, NOON + 11, NOON + 20) == {7: NOON + 20}


def test_the_greatest_pid_may_be_used_again() -> None:
    table = LiveTable(NOON)
    sightings = [a_sighting(2**32 - 1, start) for start in (NOON - 100, NOON)]
    table.apply([(ORG, a_snapshot(*sightings, taken_at=NOON + 10))])

    assert table.covers(ORG, Window(NOON, NOON + 20))
    assert len(a_fleet(table).find(NOON, NOON + 20)) == 2
