"""A small store with everything in it, a backup of it, and what it had answered."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from procession.accounts.hosts import HostTags, TagSource, WatchLease
from procession.accounts.orgs import Key, KeyKind, Org, hash_secret
from procession.accounts.saved_view import SavedView
from procession.accounts.sessions import Link, Session
from procession.accounts.users import Role, User
from procession.backup.archive import open_archive
from procession.backup.backing_up import plan, write_backup
from procession.backup.restoring import Restored, restore
from procession.inventory import FrozenStore
from procession.lifecycle.events import ProcessExit, ProcessExits
from procession.monitors.group_state import GroupState
from procession.monitors.lease import EvaluationLease
from procession.monitors.monitor import Creator, Monitor, new_monitor
from procession.monitors.transition import State, Transition, TransitionKind
from procession.process import LiveNumbers, LiveSnapshot, ProcessNumbers, Sighting
from procession.storage.embedded.store import EmbeddedStore
from procession.storage.embedded_store import open_embedded
from procession.storage.history.tables.frozen import BACKED_UP, org_column
from procession.storage.history.tables.migrations import TABLES
from procession.storage.store import ClickHouseStore
from tests.support.builders import a_description, a_sighting, a_snapshot
from tests.support.containers import a_container, containers_of
from tests.support.stores.answers import answers
from tests.support.stores.strategies import HOUR, TURN_OF_HOUR

FIRST, SECOND, POSTED = 1, 2, 3
"""Orgs. The last is posted to while the backup is made."""

BEGIN = TURN_OF_HOUR
END = BEGIN + 3 * HOUR
HOSTS = ("web-1", "web-2", "db-1")
MOMENTS = (BEGIN + HOUR, END)
YEARS = 30 * 365 * 24

Rows = dict[str, list[Any]]


@contextmanager
def opened(data_dir: Path) -> Iterator[EmbeddedStore]:
    store = open_embedded(
        data_dir,
        retention_hours=YEARS,
        sighting_retention_hours=YEARS,
        live_retention_hours=YEARS,
        now=lambda: END + 60,
    )
    with closing(store):
        yield store


def fill(store: EmbeddedStore) -> None:
    """Every table."""
    for org_id, name in ((FIRST, "main"), (SECOND, "second"), (POSTED, "posted")):
        store.keys.put_org(Org(org_id, name))
        for kind in KeyKind:
            secret = hash_secret(f"{name} {kind.value}")
            store.keys.put_key(Key(f"{org_id}{kind.value}", org_id, kind, f"{kind.value} of {name}", secret, BEGIN))
        store.users.put_user(User(f"anna.{name}", org_id, Role.VIEWER, "hash", BEGIN, "generation"))
        store.views.put_view(org_id, SavedView(f"view of {name}", "state", BEGIN))
        store.hosts.put_host_tags(HostTags(org_id, "web-1", TagSource.USER, (f"team:{name}",)))
        store.hosts.put_lease(WatchLease(org_id, "web-1", END * 2))
        store.sessions.put_session(Session(hash_secret(name), org_id, f"{org_id}application", BEGIN, END * 2))
        link = Link(hash_secret(f"link {name}"), org_id, f"{org_id}application", END * 2)
        store.sessions.put_link(link)
        store.sessions.take_link(link.token_hash, END)
        _add_monitor(store, org_id)
    store.keys.put_key(Key("gone", FIRST, KeyKind.API, "revoked", hash_secret("gone"), BEGIN, END))
    requests = itertools.count(1)
    for org_id in (FIRST, SECOND):
        for at in range(BEGIN, END + 1, 600):
            chunks = [
                (org_id, a_snapshot(*_living(org_id, host, at), host=host, taken_at=at, request_id=next(requests)))
                for host in HOSTS
            ]
            store.add(chunks)
        ended = ProcessExit(pid=100, at=BEGIN + 900, exit_code=3, description=a_description())
        store.add_exits([(org_id, ProcessExits(host, (ended,))) for host in HOSTS])
        store.containers.add([(org_id, containers_of(a_container("c1"), taken_at=END))])
        store.flush()
    store.rollup.roll_up((FIRST, SECOND))
    live = LiveNumbers(136, BEGIN - 10, ProcessNumbers(rss_bytes=7))
    store.add_live([(FIRST, LiveSnapshot(host="web-1", taken_at=END, processes=(live,)))])


def fill_the_rest(store: EmbeddedStore) -> None:
    """Tables that were added since have a row for each org, of which nothing is known but that it is kept."""
    history = store.history
    assert isinstance(history, ClickHouseStore)
    with history._engine.connection() as connection:
        for table in sorted(BACKED_UP):
            ((count,),) = connection.query(f"SELECT count() FROM {table}").result_rows  # noqa: S608
            columns = connection.query(
                "SELECT name, type FROM system.columns WHERE database = 'default' AND table = {table:String}",
                {"table": table},
            ).result_rows
            numbers = {
                name: END * 10**9 if kind == "UInt64" else END for name, kind in columns if kind.startswith("UInt")
            }
            for org_id in (FIRST, SECOND) if count == 0 else ():
                values = numbers | {org_column(table): org_id}
                names, texts = ", ".join(values), ", ".join(map(str, values.values()))
                connection.command(f"INSERT INTO {table} ({names}) SELECT {texts}")


def _add_monitor(store: EmbeddedStore, org_id: int) -> None:
    body = {
        "type": "process alert",
        "query": "processes('nginx').rollup('count').last('5m') < 1",
        "name": "n",
        "message": "m",
    }
    creator = Creator(1, "n", "h", "e")
    monitor = new_monitor(org_id, 1, body, creator=creator, changed_by="k", now_us=BEGIN * 1_000_000)
    transition = Transition(
        org_id=org_id,
        monitor_id=1,
        monitor_name="n",
        message="m",
        tags=(),
        priority=None,
        query=monitor.query_text,
        group=(),
        previous=State.OK,
        state=State.ALERT,
        at=BEGIN,
        value=0.0,
        threshold=1.0,
        warn_threshold=None,
        reason="",
        processes=("nginx",),
        cycle_key="c",
        kind=TransitionKind.TRIGGERED,
    )
    store.monitors.put_monitor(monitor)
    store.monitors.put_groups(org_id, 1, [GroupState(group=(), state=State.ALERT, unsent=(transition,))])
    store.monitors.put_transitions([transition])
    store.monitors.put_lease(EvaluationLease("server", 1, END * 2, BEGIN))


def _living(org_id: int, host: str, at: int) -> Iterator[Sighting]:
    """40 processes, of which one ends and one begins with each snapshot."""
    turn = (at - BEGIN) // 600
    for pid in range(100 + turn, 140 + turn):
        numbers = ProcessNumbers(
            rss_bytes=pid * org_id * 4096 + turn, cpu_total_percent=float(pid % 7), threads=turn + 1
        )
        about = {"user": "root" if pid % 3 else "www-data", "tags": ("env:prod",) if pid % 2 else ("env:test",)}
        cmdline = f"/usr/bin/nginx --org {org_id} --number {pid}" if pid % 5 else f"worker of {host}"
        yield a_sighting(
            pid,
            BEGIN - 10 if turn == 0 else at - 5 if pid == 139 + turn else BEGIN - 10,
            numbers,
            cmdline=cmdline,
            ppid=100 if pid != 100 else 1,
            **about,
        )


class Load:
    """Snapshots and views of one org, in turn, each after the one before was acknowledged."""

    def __init__(self, store: EmbeddedStore) -> None:
        self._store = store
        self._is_over = threading.Event()
        self._has_begun = threading.Event()
        self._thread = threading.Thread(target=self._go_on)

    def __enter__(self) -> Load:
        self._thread.start()
        assert self._has_begun.wait(60)
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _go_on(self) -> None:
        for number in itertools.count(1):
            host = ("load-1", "load-2")[number % 2]
            chunk = a_snapshot(a_sighting(number), host=host, taken_at=BEGIN + number // 2, request_id=number)
            self._store.add([(POSTED, chunk)])
            self._store.views.put_view(POSTED, SavedView(f"{number:08}", "state", BEGIN))
            if number == 20:
                self._has_begun.set()
            if self._is_over.is_set():
                return


@dataclass(frozen=True)
class Made:
    """What was backed up, and how it was then."""

    folder: Path
    backup: Path
    sealed: Path
    later: Path
    """Builds on `backup`."""
    foreign: Path
    """Has rows of an org that is not there."""
    answers: dict[int, dict[str, list[Any]]]
    rows: Rows
    """Of the first two orgs."""
    rows_of_second: Rows
    monitors: list[Monitor]

    @property
    def frozen(self) -> Path:
        """What stands still of the last one."""
        (folder,) = (self.folder / "data" / "clickhouse" / "shadow").glob("backup*")
        return folder

    def frozen_store(self) -> FrozenStore:
        return frozen_in(self.frozen)


def frozen_in(folder: Path) -> FrozenStore:
    """Under the names of the folders, whatever tables they are of."""
    tables = {f"t_{'abcdefghijklmnopqrstuvwxyz'[i]}": path for i, path in enumerate(sorted(folder.glob("store/*/*")))}
    return FrozenStore("backup1", 1, 1, "tables", {table: str(path) for table, path in tables.items()})


PASSPHRASE = "correct horse"  # noqa: S105


def silent(done: int, total: int) -> None:
    pass


def made_in(folder: Path) -> Made:
    paths = {name: folder / name for name in ("backup", "sealed", "later", "foreign")}
    with opened(folder / "data") as store:
        fill(store)
        fill_the_rest(store)
        with Load(store):
            frozen = store.freeze()
            back_up(frozen, paths["backup"])
            back_up(frozen, paths["sealed"], passphrase=PASSPHRASE)
            store.release(frozen.name)
        back_up(store.freeze(), paths["later"], since=paths["backup"])
        told = {org_id: answers(store, org_id, MOMENTS) for org_id in (FIRST, SECOND)}
        monitors = list(store.monitors.monitors())
        rows, of_second = rows_of(store), rows_of(store, (SECOND,))
        store.add_exits(
            [(9, ProcessExits("web-1", (ProcessExit(pid=1, at=BEGIN, exit_code=0, description=a_description()),)))]
        )
        back_up(store.freeze(), paths["foreign"])
    return Made(folder, **paths, answers=told, rows=rows, rows_of_second=of_second, monitors=monitors)


def back_up(frozen: FrozenStore, path: Path, *, since: Path | None = None, passphrase: str | None = None) -> None:
    if since is None:
        write_backup(plan(frozen, None), path, passphrase, silent)
        return
    with open_archive(since, passphrase) as earlier:
        write_backup(plan(frozen, earlier), path, passphrase, silent)


def restored(path: Path, data_dir: Path, *, org: str | None = None, passphrase: str | None = None) -> Restored:
    with open_archive(path, passphrase) as archive:
        return restore(archive, data_dir, org=org, progress=silent, now=lambda: END)


def differing(rows: Rows, expected: Rows) -> list[str]:
    """Monitors come back muted, and so otherwise."""
    return [table for table in BACKED_UP - {"monitors", "monitor_groups"} if rows[table] != expected[table]]


def rows_of(store: EmbeddedStore, orgs: tuple[int, ...] = (FIRST, SECOND)) -> Rows:
    """Of every table, as text, those of these orgs in those tables that a backup has."""
    history = store.history
    assert isinstance(history, ClickHouseStore)
    found: Rows = {}
    with history._engine.connection() as connection:
        for table in sorted(TABLES):
            column = "id" if table == "orgs" else "org"
            which = f" WHERE {column} IN ({', '.join(map(str, orgs))})" if table in BACKED_UP else ""
            text = f"SELECT toString(tuple(*)) AS row FROM {table} FINAL{which} ORDER BY row"  # noqa: S608
            found[table] = [row for (row,) in connection.query(text).result_rows]
    return found
