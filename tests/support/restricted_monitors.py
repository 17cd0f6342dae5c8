"""Monitors of a fleet of which a reader may see some rows, or no arguments; and a question or more for each door that
tells of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence

from procession.accounts.orgs import Key, KeyKind, hash_secret
from procession.accounts.restriction import UNRESTRICTED, Restriction
from procession.accounts.scopes import Scope
from procession.monitors.monitor import Creator, Monitor, new_monitor
from procession.monitors.transition import Transition
from procession.process import Sighting
from procession.server.app import create_app
from procession.server.runtime.monitor_task import MonitorTask
from procession.server.runtime.thread_pools import ThreadPool
from procession.server.stores import Stores
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.restricted import ARGUMENT, OWN, RESTRICTED_KEY, Change, Question, as_it_is
from tests.support.served import ORG, Client, Clock, Served, StoreSink, a_store
from tests.support.stores.stores import oracle_stores

MINUTE = NOON // 60 * 60
WHOLE_KEY = "6" * 40
"""Reads monitors, and sees all."""

OF_ROWS = {
    1: "processes('').over('env:a').by('host').rollup('count_now') < 1",
    2: "processes('command:nginx').over('team:web','ENV:A').by('host').rollup('count_now') < 1",
    3: "processes('').over('env:a').rollup('count').last('5m') > 2",
    4: f"processes('{ARGUMENT}').over('env:a').by('command').rollup('count_now') < 1",
}
"""By id. They count no process without the tag `env:a`."""
OF_OTHERS = {
    11: "processes('').by('host').rollup('count_now') < 1",
    12: "processes('').over('env:*').by('host').rollup('count_now') < 1",
    13: "processes('').over('!env:b').by('host').rollup('count_now') < 1",
    14: "processes('env:a').by('host').rollup('count_now') < 1",
    15: "processes('').over('env:b').by('env','vault').rollup('count_now') < 1",
    17: "processes('').over('env:a').by('host').rollup('count_now') < 1",
}
WITHOUT_ARGUMENTS = {
    1: OF_ROWS[1],
    2: OF_ROWS[2],
    3: OF_ROWS[3],
    11: OF_OTHERS[11],
    12: OF_OTHERS[12],
    13: OF_OTHERS[13],
    15: OF_OTHERS[15],
    17: OF_OTHERS[17],
}
OF_ARGUMENTS = {
    21: f"processes('{ARGUMENT}').by('host').rollup('count_now') < 1",
    22: "processes('').by('cmdline').rollup('count_now') < 1",
    23: f"processes('env:{ARGUMENT}').rollup('count').last('5m') > 0",
    24: f"processes('').over('service:{ARGUMENT}*').rollup('count').last('5m') > 0",
    25: "processes('nginx').language('procession').rollup('count').last('5m') > 0",
    26: f"processes('!{ARGUMENT} command:nginx').rollup('count').last('5m') > 0",
    27: "processes('').by('host','service').rollup('count_now') < 1",
}
"""What they tell depends on arguments, as that of 4 and 14 does."""
ALL = OF_ROWS | OF_OTHERS | OF_ARGUMENTS


class Untold:
    """Nobody is told."""

    def put(self, transitions: Sequence[Transition]) -> None:
        pass


def a_monitor(monitor_id: int, query: str) -> Monitor:
    body = {
        "type": "process alert",
        "name": f"monitor {monitor_id}",
        "query": query,
        "message": "gone @all",
        "tags": [f"of:{monitor_id % 2}"],
        "options": {"new_group_delay": 0, "expected_groups": "tagged_hosts" if monitor_id == 17 else "had_processes"},
    }
    creator = Creator(7, "anna", "anna", "")
    return new_monitor(ORG, monitor_id, body, creator=creator, changed_by="k", now_us=(MINUTE - 60) * 1_000_000)


def _process(pid: int, name: str, *tags: str) -> Sighting:
    line = f"/usr/bin/{name} --password {ARGUMENT} -n {pid}"
    return a_sighting(pid, MINUTE - 900 + pid, cmdline=line, command=name, comm=name, exe=name, tags=tags)


_SEEN, _HIDDEN = ("env:a", "team:web"), ("env:b", "team:db", "vault:seal")


def _fleet(minute: int) -> dict[str, list[Sighting]]:
    """Of two of each kind one goes away in the third minute."""
    fleet = {
        "web-1": [_process(1, "init", *_SEEN), _process(7, "nginx", *_SEEN), _process(8, "cron", *_SEEN)],
        "web-2": [_process(1, "init", *_SEEN), _process(7, "nginx", *_SEEN), _process(9, "vaultd", *_HIDDEN)],
        "mixed-1": [_process(20, "java", *_SEEN), _process(21, "vaultd", *_HIDDEN), _process(22, "init", *_HIDDEN)],
        "db-1": [_process(1, "init"), _process(30, "postgres", *_HIDDEN)],
    }
    gone = {("web-1", 7), ("web-2", 7), ("mixed-1", 21), ("db-1", 30)} if minute >= 2 else set()
    return {host: [one for one in those if (host, one.pid) not in gone] for host, those in fleet.items()}


class Watched:
    """A fleet as it is changed, with some monitors that were evaluated for minutes."""

    def __init__(
        self, monitors: Collection[int], change: Change = as_it_is, restriction: Restriction = UNRESTRICTED
    ) -> None:
        store, clock = a_store(), Clock(MINUTE)
        self.stores: Stores = oracle_stores(store)
        self.served = Served(store, clock)
        app = create_app(
            self.stores,
            sink=StoreSink(store),
            settings=self.served.settings,
            host_names=("procession.test",),
            now=clock,
        )
        self.client = Client(app)
        for secret, own in ((RESTRICTED_KEY, restriction), (WHOLE_KEY, UNRESTRICTED)):
            key = Key(secret[:4], ORG, KeyKind.APPLICATION, secret[:4], hash_secret(secret), NOON, restriction=own)
            store.put_key(_with_scope(key))
        task = MonitorTask(
            self.stores.monitors,
            store,
            self.stores.analysis,
            self.stores.hosts,
            Untold(),
            ThreadPool(1, "m"),
            clock,
            is_only_server=True,
        )
        for number in monitors:
            self.stores.monitors.put_monitor(a_monitor(number, ALL[number]))
        for minute in range(5):
            for taken_at in range(clock.now, clock.now + 60, 10):
                for host, those in _fleet(minute).items():
                    there = [one for some in those if (one := change(host, some)) is not None]
                    # A host tells also where it has no such process.
                    store.add([(ORG, a_snapshot(*there, host=host, taken_at=taken_at, chunk_count=1, split_id=1))])
            clock.now += 60
            task.evaluate()


def _with_scope(key: Key) -> Key:
    return dataclasses.replace(key, scopes=frozenset({Scope.MONITORS_READ}))


_PUBLIC = "/api/v1/monitor"
_WORDS = ("", "status:alert", "status:ok", "group:web", "group:db-1", "muted:false", "tag:of:1", "monitor", "id:11")


def _gets(path: str, *queries: str) -> list[Question]:
    return [("GET", f"{path}?{query}", None) for query in queries]


MONITOR_QUESTIONS: dict[tuple[str, str], list[Question]] = {
    ("GET", _PUBLIC): _gets(
        _PUBLIC,
        "",
        "group_states=all",
        "name=monitor",
        "tags=env:a",
        "tags=env:b",
        "monitor_tags=of:1",
        "page=1&page_size=1",
        "page=0&page_size=2",
        "id_offset=2",
    ),
    ("GET", f"{_PUBLIC}/{{monitor_id}}"): [
        question for number in (*ALL, 99) for question in _gets(f"{_PUBLIC}/{number}", "", "group_states=all")
    ],
    ("GET", f"{_PUBLIC}/search"): _gets(
        f"{_PUBLIC}/search", *(f"query={word}" for word in _WORDS), "per_page=1&page=1", "sort=status,desc"
    ),
    ("GET", f"{_PUBLIC}/groups/search"): _gets(
        f"{_PUBLIC}/groups/search", *(f"query={word}" for word in _WORDS), "per_page=1&page=1"
    ),
    ("GET", f"{_PUBLIC}/can_delete"): _gets(
        f"{_PUBLIC}/can_delete", *(f"monitor_ids={number}" for number in (*ALL, 99)), "monitor_ids=1,11"
    ),
    ("GET", f"{OWN}/monitors/groups"): _gets(
        f"{OWN}/monitors/groups", *(f"monitor_id={number}" for number in (*ALL, 99))
    ),
    ("GET", f"{OWN}/monitors/transitions"): _gets(
        f"{OWN}/monitors/transitions", "", "limit=1", "limit=3", *(f"monitor_id={number}" for number in (*ALL, 99))
    ),
    ("GET", f"{OWN}/monitors/query"): _gets(f"{OWN}/monitors/query", f"query={OF_ROWS[1]}", "query=x"),
    ("GET", f"{OWN}/monitors/starters"): _gets(f"{OWN}/monitors/starters", ""),
}
"""By method and path of the table of doors."""
