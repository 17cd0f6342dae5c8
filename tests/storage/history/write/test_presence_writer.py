"""Presence that is written later than its snapshots: no answer depends on when, nor on who was killed meanwhile."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from procession.errors import Unavailable
from procession.query import ProcessQuery
from procession.storage.embedded_store import open_history
from procession.storage.history.engine.embedded import EmbeddedEngine
from procession.storage.history.write.presence_writer import MAX_SIGHTINGS, PresenceWriter
from procession.storage.store import ClickHouseStore
from procession.window import Window
from tests.storage.conftest import THIRTY_YEARS
from tests.storage.contract.test_oracle_comparison import bounded
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.stores import strategies
from tests.support.stores.folders import quick_folder
from tests.support.stores.oracle import OracleStore

HOUR = 3600
TURN = NOON // HOUR * HOUR
_org_ids = itertools.count(1)


class Fresh:
    """A history whose clock is that of the fleets, so that presence waits, and which can be killed and started anew."""

    def __init__(self, store: ClickHouseStore, folder: Path) -> None:
        self.store = store
        assert isinstance(store._engine, EmbeddedEngine)
        self._engine = store._engine
        self.note = folder / "presence.unwritten"
        self.now = NOON

    @property
    def writer(self) -> PresenceWriter:
        assert self.store._presence is not None
        return self.store._presence

    def restart(self) -> None:
        """As after a kill: all that was in memory is lost."""
        engine = self._engine
        writer = PresenceWriter(engine, self.note, writing=engine.gate.writing, now=lambda: self.now)
        self.store = ClickHouseStore(
            engine, now=lambda: self.now, is_only_writer=True, sighting_retention_hours=THIRTY_YEARS, presence=writer
        )

    def rows(self, org: int) -> list[tuple[int, ...]]:
        return [
            tuple(row)
            for row in self.store._rows(
                "SELECT hour, pid, first, last FROM presence WHERE org = {org:UInt32} ORDER BY hour, pid, first",
                {"org": org},
            )
        ]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fresh]:
    with quick_folder(tmp_path_factory.mktemp("store")) as folder:
        store = open_history(
            folder,
            retention_hours=THIRTY_YEARS,
            sighting_retention_hours=THIRTY_YEARS,
            live_retention_hours=THIRTY_YEARS,
            now=lambda: NOON,
        )
        yield Fresh(store, folder)
        store.close()


@pytest.fixture
def fresh(opened: Fresh) -> Fresh:
    opened.now = NOON
    opened.restart()
    opened.store.write_presence()
    return opened


@pytest.fixture
def org() -> int:
    return next(_org_ids)


def add(store: ClickHouseStore, org: int, *moments: int) -> None:
    for at in moments:
        store.add([(org, a_snapshot(a_sighting(pid=7, started_at=NOON - 9000), taken_at=at))])


def test_an_hour_is_one_row_for_each_process_once_it_is_over(fresh: Fresh, org: int) -> None:
    fresh.now = TURN + 3500
    add(fresh.store, org, *range(TURN + 3100, TURN + 3500, 100))
    fresh.store.write_presence_if_due()
    assert fresh.rows(org) == []

    fresh.now = TURN + HOUR + 200
    add(fresh.store, org, TURN + HOUR + 100)
    fresh.store.write_presence_if_due()
    assert fresh.rows(org) == []  # what is late may come yet

    fresh.now = TURN + HOUR + 300
    fresh.store.write_presence_if_due()
    assert fresh.rows(org) == [(TURN // HOUR, 7, TURN + 3100, TURN + 3400)]

    fresh.now += HOUR
    fresh.store.write_presence_if_due()
    assert fresh.rows(org)[1:] == [(TURN // HOUR + 1, 7, TURN + HOUR + 100, TURN + HOUR + 100)]
    assert not fresh.note.exists()


def test_a_question_that_reaches_no_further_leaves_the_rest_waiting(fresh: Fresh, org: int) -> None:
    add(fresh.store, org, NOON - 20, NOON - 10)

    found = fresh.store.find(ProcessQuery(org, Window(NOON - 30, NOON - 15)))

    assert [one.seen_at for one in found.processes] == [NOON - 20]
    assert [row[3] for row in fresh.rows(org)] == [NOON - 20]
    assert [one.seen_at for one in fresh.store.find(ProcessQuery(org, Window(NOON - 30, NOON))).processes] == [
        NOON - 10
    ]
    assert not fresh.note.exists()


def test_what_comes_an_hour_late_does_not_wait(fresh: Fresh, org: int) -> None:
    add(fresh.store, org, NOON - HOUR, NOON - HOUR + 1)

    assert [row[3] for row in fresh.rows(org)] == [NOON - HOUR]
    assert fresh.note.exists()


def test_who_was_killed_goes_on_where_the_note_says(fresh: Fresh, org: int) -> None:
    add(fresh.store, org, NOON - 20)
    fresh.restart()
    assert fresh.rows(org) == []

    fresh.store.write_presence_if_due()  # whatever the hour: nobody knows how much it is

    assert [row[3] for row in fresh.rows(org)] == [NOON - 20]
    assert not fresh.note.exists()


def test_a_note_that_cannot_be_read_stands_for_everything(fresh: Fresh, org: int) -> None:
    add(fresh.store, org, NOON - 20)
    fresh.note.write_bytes(b"\0")
    fresh.restart()

    assert len(fresh.store.find(ProcessQuery(org, Window(NOON - 30, NOON))).processes) == 1


def test_nothing_is_stored_whose_presence_could_be_forgotten(fresh: Fresh, org: int) -> None:
    fresh.note.with_name("presence.unwritten.new").mkdir()
    try:
        with pytest.raises(Unavailable):
            add(fresh.store, org, NOON)
    finally:
        fresh.note.with_name("presence.unwritten.new").rmdir()

    found = fresh.store._rows("SELECT count() FROM snapshots WHERE org = {org:UInt32}", {"org": org})
    assert [tuple(row) for row in found] == [(0,)]
    add(fresh.store, org, NOON)
    assert len(fresh.store.find(ProcessQuery(org, Window(NOON, NOON))).processes) == 1


def test_so_much_does_not_wait_for_the_hour(fresh: Fresh, org: int) -> None:
    add(fresh.store, org, NOON)
    assert fresh.writer._waiting is not None
    fresh.writer._waiting = msgspec.structs.replace(fresh.writer._waiting, sightings=MAX_SIGHTINGS)

    fresh.store.write_presence_if_due()

    assert len(fresh.rows(org)) == 1


@bounded(25)
@given(st.data())
def test_no_answer_depends_on_when_presence_was_written(opened: Fresh, data: st.DataObject) -> None:
    org, oracle, fresh = next(_org_ids) + 1_000_000, OracleStore(), opened
    fleet = data.draw(strategies.fleets())
    # Around an hour after the first of it: some of it waits, and some is late.
    fresh.now = min((one.taken_at for one in fleet), default=NOON) + data.draw(st.sampled_from((0, 1800, 3590, 3610)))
    fresh.restart()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(fleet)), min_size=3, max_size=3)))
    for start, end in itertools.pairwise((0, *cuts, len(fleet))):
        chunks = [(org, snapshot) for snapshot in fleet[start:end]]
        oracle.add(chunks)
        fresh.store.add(chunks)
        step = data.draw(st.sampled_from(("write", "when due", "restart", "ask", "nothing")))
        if step == "write":
            fresh.store.write_presence()
        elif step == "when due":
            fresh.now += HOUR
            fresh.store.write_presence_if_due()
        elif step == "restart":
            fresh.restart()
        elif step == "ask":
            query = data.draw(strategies.queries_over(fleet, org))
            assert fresh.store.find(query).processes == oracle.find(query).processes
    event(f"something waits: {fresh.note.exists()}")

    for query in data.draw(st.lists(strategies.queries_over(fleet, org), min_size=4, max_size=4)):
        assert fresh.store.find(query).processes == oracle.find(query).processes
