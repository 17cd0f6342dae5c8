from __future__ import annotations

from collections.abc import Sequence

from procession.process import Snapshot
from procession.query import ProcessQuery
from procession.search.tag_filter import TagFilter
from procession.simulate import Fleet, FleetShape, write_history
from procession.simulate.history import CHUNK_PROCESSES, GROUP_SIGHTINGS
from procession.window import Window
from tests.support.builders import NOON
from tests.support.stores.oracle import OracleStore

SHAPE = FleetShape(hosts=20, processes=250, begin_at=NOON)


def test_history_is_written_in_groups_of_chunks_as_they_come_out_of_an_intake() -> None:
    groups: list[Sequence[tuple[int, Snapshot]]] = []

    written = write_history(groups.append, 7, Fleet(SHAPE), NOON + 600)

    sizes = [sum(len(snapshot.sightings) for _, snapshot in group) for group in groups]
    chunks = [snapshot for group in groups for _, snapshot in group]
    assert sum(sizes) == written
    assert len(groups) > 2
    assert all(GROUP_SIGHTINGS - CHUNK_PROCESSES < size <= GROUP_SIGHTINGS for size in sizes[:-1])
    assert all(len(chunk.sightings) <= CHUNK_PROCESSES for chunk in chunks)
    assert len({(chunk.host, chunk.taken_at, chunk.request_id) for chunk in chunks}) == len(chunks)
    assert {org for group in groups for org, _ in group} == {7}


def test_each_snapshot_is_complete() -> None:
    chunks: list[Snapshot] = []

    write_history(lambda group: chunks.extend(snapshot for _, snapshot in group), 1, Fleet(SHAPE), NOON + 60)

    by_snapshot: dict[tuple[str, int], list[Snapshot]] = {}
    for chunk in chunks:
        by_snapshot.setdefault((chunk.host, chunk.split_id), []).append(chunk)
    assert all({len(found)} == {chunk.chunk_count for chunk in found} for found in by_snapshot.values())


def test_it_says_how_far_it_is() -> None:
    reports: list[tuple[int, int]] = []

    written = write_history(
        lambda _: None, 1, Fleet(SHAPE), NOON + 600, report=lambda count, at: reports.append((count, at))
    )

    assert reports == sorted(reports)
    assert reports[-1] == (written, NOON + 600)


def test_what_was_written_is_found() -> None:
    store = OracleStore()
    shape = FleetShape(hosts=3, processes=40, begin_at=NOON, churn=0)

    write_history(store.add, 1, Fleet(shape), NOON + 30)

    page = store.find(ProcessQuery(1, Window(NOON, NOON + 30), None, TagFilter.parse(""), None, 1000))
    assert len(page.processes) == 120
