"""What a backup brings back is what there was: asked, and read row by row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from procession.accounts.orgs import KeyKind
from procession.process import ProcessSummary
from procession.query import ProcessQuery
from procession.storage.history.tables.frozen import BACKED_UP, LEFT_OUT
from procession.window import Window
from tests.backup.building import (
    BEGIN,
    END,
    FIRST,
    MOMENTS,
    PASSPHRASE,
    POSTED,
    SECOND,
    Made,
    differing,
    opened,
    restored,
    rows_of,
)
from tests.support.stores.answers import answers
from tests.support.stores.folders import quick_folder


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    with quick_folder(tmp_path) as folder:
        yield folder


def test_a_restored_store_answers_as_the_one_that_was_backed_up_under_load(made: Made, place: Path) -> None:
    told = restored(made.backup, place / "data")

    with opened(place / "data") as store:
        found = {org_id: answers(store, org_id, MOMENTS) for org_id in (FIRST, SECOND)}
        rows = rows_of(store)
        monitors, groups = store.monitors.monitors(), store.monitors.groups_by_monitor()
        sessions, leases = store.sessions.sessions(END), store.hosts.leases(END)
        posted = page_of(store.find(ProcessQuery(POSTED, Window(BEGIN - 1, END), limit=10_000)).processes)
        views = [int(view.name) for view in store.views.views(POSTED) if view.name.isdecimal()]

    assert found == made.answers
    assert sum(len(pieces) for of_org in found.values() for pieces in of_org.values()) > 2000
    assert differing(rows, made.rows) == []
    assert [table for table in BACKED_UP if not rows[table]] == []
    # Nobody is signed in, and no host is watched.
    assert (sessions, leases) == ((), ())
    assert {table: rows[table] for table in LEFT_OUT if table != "migrations" and rows.get(table)} == {}
    # Without the one that had been revoked by then.
    assert told.keys_in_force == 3 * len(KeyKind)
    assert [one.options["silenced"] for one in monitors] == [{"*": None}] * 3
    assert [replace(one, options={**one.options, "silenced": {}}) for one in monitors] == made.monitors
    assert [state.unsent for states in groups.values() for state in states] == [()] * 3
    # One moment: a view was saved after the snapshot of its number was acknowledged, and before the next was posted.
    assert posted == list(range(1, len(posted) + 1))
    assert views == list(range(1, len(views) + 1))
    assert len(posted) - len(views) in (0, 1)
    assert len(posted) >= 20


def test_one_org_comes_back_alone(made: Made, place: Path) -> None:
    restored(made.sealed, place / "data", org="second", passphrase=PASSPHRASE)

    with opened(place / "data") as store:
        rows, of_others = rows_of(store, (SECOND,)), rows_of(store, (FIRST, POSTED))
        orgs = [org.name for org in store.keys.orgs()]

    assert differing(rows, made.rows_of_second) == []
    assert {table: of_others[table] for table in BACKED_UP if of_others[table]} == {}
    assert orgs == ["second"]


def test_what_builds_on_an_earlier_backup_comes_back_whole(made: Made, place: Path) -> None:
    assert made.later.stat().st_size < made.backup.stat().st_size / 2

    restored(made.later, place / "data")

    shadow = place / "data" / "clickhouse" / "shadow"
    with opened(place / "data") as store:
        rows = rows_of(store)
        store.freeze()
        assert len(list(shadow.glob("backup*"))) == 1
    # Whoever asked for that was killed: it takes no space for longer than up to the next start.
    with opened(place / "data"):
        assert list(shadow.glob("backup*")) == []
    assert differing(rows, made.rows) == []


def page_of(processes: tuple[ProcessSummary, ...]) -> list[int]:
    return sorted(process.identity.pid for process in processes)
