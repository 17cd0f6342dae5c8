"""A data folder that an older Procession made, brought up to date."""

from __future__ import annotations

from pathlib import Path

import pytest

from procession.query import ProcessQuery
from procession.search.tag_filter import TagFilter
from procession.storage.history.read import dictionaries, process_statements
from procession.storage.history.tables import migrations
from procession.storage.history.write.insert_batch import Group
from procession.storage.store import ClickHouseStore, open_embedded
from procession.window import Window
from tests.support.builders import NOON, a_sighting, a_snapshot

ORG = 7
YEARS = 30 * 365 * 24
WINDOW = Window(NOON - 600, NOON + 600)


def opened(folder: Path) -> ClickHouseStore:
    return open_embedded(
        folder, retention_hours=YEARS, sighting_retention_hours=YEARS, live_retention_hours=YEARS, now=lambda: NOON
    )


def applied(store: ClickHouseStore) -> list[int]:
    return [number for (number,) in sorted(store._rows("SELECT number FROM migrations FINAL"))]


def as_of(release: int, patch: pytest.MonkeyPatch) -> None:
    """Make tables as they were, and neither write nor read columns that came later."""
    patch.setattr(migrations, "MIGRATIONS", migrations.MIGRATIONS[:release])
    if release < 3:
        descriptions_table, columns = (
            Group._descriptions_table,
            process_statements.ALL_TEXTS.replace("argument_words", "CAST([] AS Array(UInt32))"),
        )
        patch.setattr(
            Group, "_descriptions_table", lambda group: descriptions_table(group).drop_columns(["argument_words"])
        )
        patch.setattr(process_statements, "ALL_TEXTS", columns)
        patch.setattr(dictionaries, "ALL", dictionaries.ALL._replace(columns=columns))


@pytest.mark.parametrize("release", range(1, len(migrations.MIGRATIONS)))
def test_what_an_older_release_stored_is_found_and_more_is_added(
    release: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sightings = [a_sighting(pid, tags=("Env:prod", f"pod:p{pid}")) for pid in range(1, 40)]
    every = ProcessQuery(ORG, WINDOW)
    few = ProcessQuery(ORG, WINDOW, tags=TagFilter.parse("env:prod,pod:p7"))
    with monkeypatch.context() as older:
        as_of(release, older)
        store = opened(tmp_path)
        try:
            assert applied(store) == list(range(1, release + 1))
            store.add([(ORG, a_snapshot(*sightings))])
            before = store.find(every)
            assert len(before.processes) == len(sightings)
        finally:
            store.close()

    store = opened(tmp_path)
    try:
        assert applied(store) == [migration.number for migration in migrations.MIGRATIONS]
        assert store.find(every) == before
        assert [one.identity.pid for one in store.find(few).processes] == [7]
        store.add([(ORG, a_snapshot(a_sighting(50, tags=("env:prod", "pod:p7")), host="web-2"))])
        assert {one.identity.pid for one in store.find(few).processes} == {7, 50}
    finally:
        store.close()


@pytest.mark.parametrize("release", range(1, len(migrations.MIGRATIONS)))
def test_a_migration_that_was_cut_off_is_done_again(
    release: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as older:
        as_of(release, older)
        store = opened(tmp_path)
        try:
            store.add([(ORG, a_snapshot(a_sighting()))])
        finally:
            store.close()
    store = opened(tmp_path)
    try:
        # As if it had been killed after the last statement, before it could note that.
        store._rows(f"ALTER TABLE migrations DELETE WHERE number > {release} SETTINGS mutations_sync = 2")
    finally:
        store.close()
    store = opened(tmp_path)
    try:
        assert applied(store) == [migration.number for migration in migrations.MIGRATIONS]
        assert len(store.find(ProcessQuery(ORG, WINDOW)).processes) == 1
    finally:
        store.close()
