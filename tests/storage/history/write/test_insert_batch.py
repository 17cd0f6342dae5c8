"""What is written of a listing does not depend on what is remembered of the one before it."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from procession.packed import Listing, PackedSnapshot, pack
from procession.process import MAX_UINT32, ProcessDescription, ProcessNumbers, Sighting, Snapshot
from procession.storage.history.engine.arrow import keep_pandas_out
from procession.storage.history.write.dedup_cache import DedupCache, OrgHost
from procession.storage.history.write.insert_batch import InsertBatch

keep_pandas_out()

BEGIN = 1_800_000_000
HOUR = 3600

_sightings = st.builds(
    Sighting,
    st.integers(1, 6),
    st.sampled_from([BEGIN - 900, BEGIN - 60]),
    st.builds(ProcessDescription, cmdline=st.sampled_from(["a", "b"]), tags=st.sampled_from([(), ("env:prod",)])),
    st.just(ProcessNumbers(rss_bytes=1)),
)
_listings = st.lists(_sightings, max_size=6, unique_by=lambda one: one.pid)
_steps = st.lists(
    st.tuples(st.sampled_from([10, 20, HOUR]), st.booleans(), _listings, st.booleans()), min_size=1, max_size=8
)
"""Seconds since the one before, whether it is all of the host, its processes, and whether a batch ends behind it."""


def batches_of(steps: Sequence[tuple[int, bool, list[Sighting], bool]]) -> list[list[tuple[int, PackedSnapshot]]]:
    found: list[list[tuple[int, PackedSnapshot]]] = [[]]
    at = BEGIN
    for seconds, is_all, sightings, ends in steps:
        at += seconds
        whole = Snapshot(host="web-1", taken_at=at, sightings=tuple(sightings), chunk_count=1 if is_all else 0)
        found[-1].append((1, pack(whole)))
        if ends:
            found.append([])
    return [batch for batch in found if batch]


class OneByOne(InsertBatch):
    """Looks at each process of a listing."""

    def _same_as_before(
        self, _org_host: OrgHost, listing: Listing, _hour: int, _newest_hour: int, _is_all: bool
    ) -> tuple[Sequence[int], array[int], array[int], int, int]:
        nothing = array("Q", bytes(8 * len(listing)))
        return range(len(listing)), nothing, nothing[:], 0, MAX_UINT32


def written(
    cache: DedupCache, batch: Sequence[tuple[int, PackedSnapshot]], how: type[InsertBatch] = InsertBatch
) -> dict[str, Any]:
    found = how(batch, cache, {}, received_at=BEGIN)
    tables = {name: table.to_pydict() for name, table in found.tables()}
    found.remember()
    return tables


@given(_steps)
@settings(deadline=None)
def test_a_listing_is_written_as_if_each_process_was_looked_up(
    steps: list[tuple[int, bool, list[Sighting], bool]],
) -> None:
    cache, other = DedupCache(is_complete=True), DedupCache(is_complete=True)

    for batch in batches_of(steps):
        assert written(cache, batch) == written(other, batch, OneByOne)


def test_a_process_that_stays_is_written_once_and_one_that_begins_when_it_does() -> None:
    cache = DedupCache(is_complete=True)
    old, new = (
        Sighting(pid, BEGIN - 900, ProcessDescription(cmdline=f"run {pid}"), ProcessNumbers(rss_bytes=1))
        for pid in (7, 8)
    )
    snapshots = [
        pack(Snapshot(host="web-1", taken_at=BEGIN + 10 * number, sightings=sightings, chunk_count=1))
        for number, sightings in enumerate(((old,), (old, new), (new,)))
    ]

    first, second, third = (written(cache, [(1, one)]) for one in snapshots)

    assert [first["descriptions"]["pid"], second["descriptions"]["pid"]] == [[7], [8]]
    assert "descriptions" not in third
    assert third["snapshots"]["version"] == [second["snapshots"]["version"][0][1:]]
