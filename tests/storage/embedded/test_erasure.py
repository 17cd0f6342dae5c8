"""An org that is removed leaves log, live table, checkpoint and history, and nothing of others changes."""

from __future__ import annotations

import itertools
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from procession.accounts.administration import create_org, remove_org
from procession.errors import Unavailable, UsageError
from procession.lifecycle.events import ProcessExit, ProcessExits
from procession.query import ProcessQuery
from procession.server.runtime.orgs.removal_task import RemovalTask
from procession.server.runtime.thread_pools import ThreadPool
from procession.storage.embedded.store import EmbeddedStore
from procession.storage.history.tables.frozen import BACKED_UP
from procession.storage.wal import ORG_REMOVED
from procession.window import Window
from tests.backup.building import (
    BEGIN,
    END,
    FIRST,
    SECOND,
    back_up,
    fill,
    fill_the_rest,
    opened,
    restored,
    rows_of,
)
from tests.support.builders import a_description, a_sighting, a_snapshot
from tests.support.stores.answers import Asked
from tests.support.stores.folders import quick_folder


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with quick_folder(tmp_path_factory.mktemp("filled")) as folder:
        with opened(folder / "data") as store:
            fill(store)
            fill_the_rest(store)
        yield folder / "data"


@pytest.fixture
def data_dir(filled: Path, tmp_path: Path) -> Iterator[Path]:
    with quick_folder(tmp_path) as folder:
        yield Path(shutil.copytree(filled, folder / "data", symlinks=True))


MARK = "a-word-that-the-other-org-has-not"


def post_more(store: EmbeddedStore, org_id: int, mark: str = "") -> None:
    snapshot = a_snapshot(a_sighting(7, END - 5, cmdline=f"nginx {mark}"), host="web-9", taken_at=END)
    store.add([(org_id, snapshot)])
    ended = ProcessExit(pid=7, at=END, exit_code=0, description=a_description())
    store.add_exits([(org_id, ProcessExits("web-9", (ended,)))])


def post_to_both(store: EmbeddedStore) -> None:
    """That of the first is in the log and the checkpoint alone."""
    post_more(store, SECOND)
    store.flush()
    post_more(store, FIRST, MARK)
    store._checkpoints.write()


def told_of_second(store: EmbeddedStore) -> dict[str, list[Any]]:
    asked = Asked(store, SECOND, Window(BEGIN, END))
    return {name: list(ask()) for name, ask in (*asked.lists(), *asked.instants((END,)))}


def marked(data_dir: Path) -> list[str]:
    """Files of log and live table with a word of the first org."""
    files = (path for path in (*data_dir.glob("wal/*"), *data_dir.iterdir()) if path.is_file())
    return [path.name for path in files if MARK.encode() in path.read_bytes()]


def records_of(store: EmbeddedStore, org_id: int) -> list[int]:
    return [one.sequence for one in store._wal.read() if one.org_id == org_id and one.kind != ORG_REMOVED]


def task_of(store: EmbeddedStore, thread: ThreadPool) -> RemovalTask:
    return RemovalTask(store.keys, store.erasure, thread, lambda: END)


@pytest.fixture
def thread() -> Iterator[ThreadPool]:
    pool = ThreadPool(1, "removals")
    yield pool
    pool.close()


def test_a_removed_org_leaves_everything_and_the_answers_of_another_stay_the_same(
    data_dir: Path, thread: ThreadPool
) -> None:
    with opened(data_dir) as store:
        post_to_both(store)
        store.history.write_presence()  # as a stop does
        told, rows = told_of_second(store), rows_of(store, (SECOND,))
        assert marked(data_dir) == ["live.checkpoint"]  # records of the log are compressed
        assert len(records_of(store, FIRST)) == 2
        assert set(BACKED_UP) <= set(store.erasure.rows_of_org(FIRST)) | {"live_numbers"}

        remove_org(store.keys, FIRST, END)
        task_of(store, thread).erase_all()

        assert dict(store.erasure.rows_of_org(FIRST)) == {}
        assert (records_of(store, FIRST), marked(data_dir)) == ([], [])
        assert FIRST not in store.live_table.org_ids()
        assert store.log_status().first_sequence == store.log_status().last_sequence + 1
        assert store.monitors.monitors(FIRST) == ()
        assert told_of_second(store) == told
        with pytest.raises(Unavailable):
            post_more(store, FIRST)
        post_more(store, SECOND)  # again: it changes nothing
        assert [org.is_erased for org in store.keys.removed_orgs()] == [True]
        assert create_org(store.keys, "main").id > max(FIRST, SECOND)

    with opened(data_dir) as store:
        window = Window(BEGIN - 1, END)
        assert store.find(ProcessQuery(FIRST, window)).processes == ()
        assert dict(store.erasure.rows_of_org(FIRST)) == {}
        assert marked(data_dir) == []
        assert told_of_second(store) == told
        found = rows_of(store, (SECOND,))
        assert [table for table in BACKED_UP if found[table] != rows[table]] == []


def test_what_is_on_its_way_while_an_org_is_erased_leaves_nothing(data_dir: Path) -> None:
    """Agents post to both orgs all the while; to the one that goes until they are refused."""
    with opened(data_dir) as store:
        refused = threading.Event()
        acknowledged: list[int] = []

        def post(org_id: int) -> None:
            for number in itertools.count(1000):
                chunk = a_snapshot(a_sighting(number), host="web-8", taken_at=END - 50, request_id=number)
                try:
                    store.add([(org_id, chunk)])
                except Unavailable:
                    refused.set()
                if org_id == SECOND:
                    acknowledged.append(number)
                if refused.is_set():
                    return

        threads = [threading.Thread(target=post, args=(org_id,)) for org_id in (FIRST, SECOND)]
        for thread in threads:
            thread.start()
        remove_org(store.keys, FIRST, END)
        store.erasure.erase_org(FIRST)
        for thread in threads:
            thread.join()

        store.flush()
        page = store.find(ProcessQuery(SECOND, Window(END - 50, END - 50), limit=10_000))
        assert {one.identity.pid for one in page.processes} >= set(acknowledged)
        assert dict(store.erasure.rows_of_org(FIRST)) == {}
        assert (records_of(store, FIRST), FIRST in store.live_table.org_ids()) == ([], False)
    with opened(data_dir) as store:
        assert FIRST not in store.live_table.org_ids()
        assert dict(store.erasure.rows_of_org(FIRST)) == {}


def test_no_backup_brings_back_an_org_that_is_half_removed(data_dir: Path) -> None:
    place = data_dir.parent
    with opened(data_dir) as store:
        back_up(store.freeze(), place / "before")
        remove_org(store.keys, FIRST, END)
        back_up(store.freeze(), place / "after")
        assert dict(store.erasure.rows_of_org(FIRST)) == {}
        told = told_of_second(store)

    restored(place / "after", place / "restored")
    with pytest.raises(UsageError, match="has no org 'main'"):
        restored(place / "after", place / "first", org="main")
    restored(place / "before", place / "first", org="main")

    with opened(place / "restored") as store:
        assert FIRST not in {org.id for org in store.keys.orgs()}
        assert dict(store.erasure.rows_of_org(FIRST)) == {}
        assert told_of_second(store) == told
    with opened(place / "first") as store:
        assert [org.id for org in store.keys.orgs()] == [FIRST]
        assert {"snapshots", "keys", "monitors"} <= set(store.erasure.rows_of_org(FIRST))


@pytest.mark.parametrize("step", ["mark", "log", "history"])
def test_a_removal_that_was_broken_off_is_finished_by_the_next_start(
    data_dir: Path, thread: ThreadPool, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(data_dir) as store:
        post_to_both(store)
        told = told_of_second(store)
        remove_org(store.keys, FIRST, END)

        def fail(*_: object) -> None:
            raise Unavailable("killed")

        if step != "mark":
            place = store.history.erasure if step == "history" else store._checkpoints
            name = "erase_org" if step == "history" else "write"
            monkeypatch.setattr(place, name, fail)
            with pytest.raises(Unavailable, match="killed"):
                task_of(store, thread).erase_all()
        monkeypatch.undo()

    with opened(data_dir) as store:
        # Nobody gets in, whatever is left.
        assert FIRST not in {key.org_id for key in store.keys.keys()}  # noqa: SIM118
        assert [org.is_erased for org in store.keys.removed_orgs()] == [False]

        task_of(store, thread).erase_all()

        assert dict(store.erasure.rows_of_org(FIRST)) == {}
        assert (records_of(store, FIRST), FIRST in store.live_table.org_ids()) == ([], False)
        assert told_of_second(store) == told
