"""What is remembered of what was written has a bound; what was forgotten is written again, which changes nothing."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from procession.lifecycle.events import ProcessExits
from procession.packed import PackedSnapshot, pack
from procession.process import ProcessDescription, ProcessNumbers, Sighting, Snapshot, host_key
from procession.storage.history.engine.arrow import keep_pandas_out
from procession.storage.history.engine.embedded import EmbeddedEngine
from procession.storage.history.write.dedup_cache import DedupCache
from procession.storage.history.write.insert_batch import InsertBatch
from procession.storage.history.write.presence_writer import PresenceWriter, nothing_waits
from procession.storage.history.write.start_times import StartTimes
from procession.storage.store import ClickHouseStore
from tests.storage.conftest import SOON, THIRTY_YEARS
from tests.storage.contract.test_oracle_comparison import bounded
from tests.support.stores import strategies
from tests.support.stores.oracle import OracleStore

keep_pandas_out()

BEGIN = 1_800_000_000
EVERY = 10
BOUNDS = (0, 1, 6, 12)
"""In processes, of which a fleet has more."""
TABLES = ("descriptions", "tag_sets", "label_sets", "hosts", "snapshots", "presence")

_org_ids = itertools.count(9_700_000)


def chunks_of(host: str, number: int, *chunks: Sequence[int]) -> list[PackedSnapshot]:
    """The snapshot of this number, with processes that began in the order of their pids."""
    at = BEGIN + EVERY * number
    return [
        pack(
            Snapshot(
                host=host,
                taken_at=at,
                sightings=tuple(
                    Sighting(pid, BEGIN - 20_000 + pid, ProcessDescription(tags=(f"job:{pid}",)), ProcessNumbers())
                    for pid in pids
                ),
                request_id=at * 100 + place,
                split_id=at,
                chunk_count=len(chunks),
            )
        )
        for place, pids in enumerate(chunks)
    ]


def described(cache: DedupCache, snapshots: Sequence[PackedSnapshot]) -> list[int]:
    """The pids of which a batch of them writes the description."""
    batch = InsertBatch([(1, one) for one in snapshots], cache, {}, received_at=BEGIN)
    tables = dict(batch.tables())
    batch.remember()
    return sorted(tables["descriptions"]["pid"].to_pylist()) if "descriptions" in tables else []


def remembered(cache: DedupCache) -> int:
    return sum(map(len, cache.versions.values()))


@pytest.mark.parametrize("is_chunked", [False, True], ids=["at once", "in chunks"])
def test_of_a_host_whose_processes_are_new_each_time_those_that_ended_are_forgotten(is_chunked: bool) -> None:
    cache, stay = DedupCache(is_complete=True), [*range(1, 51)]

    for number in range(60):
        new = [*range(1000 + 100 * number, 1100 + 100 * number)]
        chunks = [stay, new] if is_chunked else [stay + new]

        assert described(cache, chunks_of("web-1", number, *chunks)) == (new if number else stay + new)
        assert remembered(cache) <= 2 * 150 + 1000


def test_what_begins_after_all_that_was_forgotten_is_known_to_be_new_and_nothing_else_is() -> None:
    cache, asked = DedupCache(is_complete=True, max_processes=40), list[Any]()

    def rows(statement: Any) -> list[Any]:
        asked.append(statement)
        return []

    def is_looked_up(pid: int) -> bool:
        asked.clear()
        StartTimes(rows, cache, [(1, one) for one in chunks_of("web-1", 22, [7000, pid])], nothing_waits)
        return bool(asked)

    described(cache, chunks_of("web-1", 0, [7000]))
    described(cache, chunks_of("web-1", 20, [7000, *range(20_100, 20_120)]))
    assert [is_looked_up(pid) for pid in (7000, 20_119, 20_121)] == [False, False, False]

    described(cache, chunks_of("web-1", 21, [7000]))

    assert remembered(cache) == 1
    assert [is_looked_up(pid) for pid in (7000, 20_119, 20_121, 20_122)] == [False, True, True, False]


def test_hosts_that_are_new_each_time_push_out_none_that_stay() -> None:
    cache, stay = DedupCache(is_complete=True, max_processes=500), [*range(1, 101)]
    described(cache, chunks_of("stays", 0, stay))

    for number in range(1, 200):
        new = chunks_of(f"new-{number}", number, range(30))
        assert described(cache, new + chunks_of("stays", number, stay)) == [*range(30)]
        assert remembered(cache) + len(cache.versions) <= 500
        assert len(cache.moments) == len(cache.versions) == len(cache.since)
        assert max(len(cache.hosts), len(cache.tag_sets), len(cache.label_sets)) <= 500 // 4 + 1


def test_of_more_than_fits_the_same_part_is_remembered_all_the_time() -> None:
    cache = DedupCache(is_complete=True, max_processes=320)
    rounds = [
        [len(described(cache, chunks_of(f"web-{host}", number, range(100)))) for host in range(4)]
        for number in range(3)
    ]

    assert rounds == [[100] * 4, [0, 0, 0, 100], [0, 0, 0, 100]]


def test_what_is_forgotten_while_a_batch_is_stored_is_not_half_remembered() -> None:
    cache = DedupCache(is_complete=True, max_processes=20)
    described(cache, chunks_of("web-1", 0, range(10)))
    under_way = InsertBatch([(1, one) for one in chunks_of("web-1", 1, range(11))], cache, {}, received_at=BEGIN)

    described(cache, chunks_of("web-2", 200, range(15)))
    under_way.remember()

    assert cache.since.keys() == cache.moments.keys() == cache.versions.keys() == {(1, host_key("web-2"))}


class Forgetful:
    """A store, and the store that it is when it never forgets, each with an org of its own, over the same tables."""

    def __init__(self, clickhouse: ClickHouseStore, folder: Path, bound: int) -> None:
        engine = clickhouse._engine
        assert isinstance(engine, EmbeddedEngine)
        self._engine = engine
        self._presence = {
            note: PresenceWriter(engine, folder / note, writing=engine.gate.writing, now=lambda: SOON)
            for note in ("forgets", "remembers")
        }
        self.store, self._other = (
            ClickHouseStore(
                engine,
                now=lambda: SOON,
                is_only_writer=True,
                sighting_retention_hours=THIRTY_YEARS,
                presence=presence,
                max_known=max_known,
            )
            for presence, max_known in zip(self._presence.values(), (bound, 10**6), strict=True)
        )
        self.org, self._other_org = next(_org_ids), next(_org_ids)

    def add(self, snapshots: Sequence[Snapshot], exits: Sequence[ProcessExits]) -> None:
        for store, org in ((self.store, self.org), (self._other, self._other_org)):
            store.add([(org, one) for one in snapshots])
            store.add_exits([(org, one) for one in exits])

    def merged(self) -> dict[str, list[tuple[int, int]]]:
        """Table -> of both, the number and a hash of the rows that are left of it once the engine has merged it."""
        for one in self._presence.values():
            one.write()
        texts = [
            f"SELECT '{table}', count(), groupBitXor(cityHash64(* EXCEPT org)) FROM {table} FINAL"  # noqa: S608 (ours)
            f" WHERE org IN ({self.org}, {self._other_org}) GROUP BY org"
            for table in TABLES
        ]
        found: dict[str, list[tuple[int, int]]] = {}
        with self._engine.connection() as connection:
            for table, *rows in connection.query(" UNION ALL ".join(texts)).result_rows:
                found.setdefault(table, []).append(tuple(rows))
        return found


@bounded(8)
@given(st.data())
def test_a_store_that_forgets_answers_and_keeps_the_same_as_one_that_does_not(
    clickhouse: ClickHouseStore, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    fleet = data.draw(strategies.fleets())
    exits = data.draw(strategies.exits_over(fleet))
    both = Forgetful(clickhouse, tmp_path_factory.mktemp("notes"), data.draw(st.sampled_from(BOUNDS)))
    oracle = OracleStore()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(fleet)), min_size=2, max_size=2)))
    for start, end in itertools.pairwise((0, *cuts, len(fleet))):
        told = exits if start == cuts[1] else []
        both.add(fleet[start:end], told)
        oracle.add([(both.org, one) for one in fleet[start:end]])
        oracle.add_exits([(both.org, one) for one in told])

    for query in data.draw(st.lists(strategies.queries_over(fleet, both.org), min_size=4, max_size=4)):
        expected = oracle.find(query).processes
        event(f"found {min(len(expected), 3)}{'+' if len(expected) > 2 else ''}")
        assert both.store.find(query).processes == expected
    merged = both.merged()
    assert "snapshots" in merged or not fleet
    assert all(len(rows) == 2 and rows[0] == rows[1] for rows in merged.values()), merged
