"""A fleet of which a reader may see some rows, or no arguments; the same of only those, or without arguments; and a
question or more for each door of readers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from procession.accounts.hosts import HostTags, TagSource
from procession.accounts.orgs import Key, KeyKind, hash_secret
from procession.accounts.restriction import Restriction
from procession.command_line.without_arguments import described_without_arguments
from procession.config import ServerSettings
from procession.discovery import Discovery, Service
from procession.lifecycle.events import ProcessExit, ProcessExits
from procession.process import ProcessIdentity, ProcessNumbers, Sighting, id_text
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.containers import a_container, containers_of
from tests.support.served import ORG, Served, a_store

Change = Callable[[str, Sighting], Sighting | None]

ROWS = Restriction("env:a")
RESTRICTED_KEY = "7" * 40
ARGUMENT = "hunter2"
BEGIN = NOON - 240

_SEEN, _HIDDEN = ("env:a", "team:web"), ("env:b", "team:db", "vault:seal")


def _started(pid: int) -> int:
    return NOON - 5000 + pid


def _process(pid: int, ppid: int, name: str, tags: tuple[str, ...], **fields: Any) -> Sighting:
    numbers = ProcessNumbers(
        cpu_total_percent=float(pid), rss_bytes=pid * 2**20, read_bytes_per_second=2.0 * pid, threads=pid, state="S"
    )
    described = {
        "cmdline": f"/usr/bin/{name} --password {ARGUMENT} -n {pid}",
        "exe": f"/usr/bin/{name}",
        "comm": name,
        "command": name,
        "cwd": f"/srv/{ARGUMENT}/{pid % 2}",
        "user": "root" if pid % 2 else "www-data",
        "ppid": ppid,
        "tags": tags,
        "container_id": f"c{pid % 3}",
        "discovery": Discovery(
            language="go", services=(Service(f"{ARGUMENT}-{name}", "dd_service"),), tcp_ports=(pid,)
        ),
    }
    return a_sighting(pid, _started(pid), numbers, **(described | fields))


FLEET: dict[str, tuple[Sighting, ...]] = {
    "web-1": (
        _process(1, 0, "init", _SEEN),
        _process(7, 1, "nginx", _SEEN),
        _process(8, 7, "nginx", _SEEN),
        _process(9, 7, "worker", _SEEN),
    ),
    "mixed-1": (
        _process(1, 0, "init", _HIDDEN),
        _process(20, 1, "java", _SEEN),
        _process(21, 20, "vaultd", _HIDDEN),
        _process(22, 21, "java", _SEEN),
        _process(23, 22, "java", _HIDDEN),
    ),
    "db-1": (_process(1, 0, "init", _HIDDEN), _process(30, 1, "postgres", _HIDDEN, user="postgres")),
}
_CHANGING: dict[tuple[str, int], dict[str, Any]] = {
    ("web-1", 8): {"cmdline": f"/usr/bin/nginx --reload {ARGUMENT}", "cwd": f"/srv/{ARGUMENT}"},
    ("mixed-1", 22): {"cmdline": f"/usr/bin/java -jar {ARGUMENT}.jar", "nice": 5},
}
"""What these are in the last minute."""
_ENDING = {("web-1", 9), ("mixed-1", 23)}
"""These end before the last snapshot."""


def only_seen(_host: str, one: Sighting) -> Sighting | None:
    return one if "env:a" in one.description.tags else None


def as_it_is(_host: str, one: Sighting) -> Sighting | None:
    return one


def without_arguments(_host: str, one: Sighting) -> Sighting | None:
    return msgspec.structs.replace(one, description=described_without_arguments(one.description))


def other_arguments(_host: str, one: Sighting) -> Sighting | None:
    described = msgspec.structs.replace(
        one.description,
        cmdline=one.description.cmdline.replace(ARGUMENT, "letmein") + " --more",
        cwd="/elsewhere",
        discovery=Discovery(language="go", services=(Service("another"),), tcp_ports=(one.pid,)),
    )
    return msgspec.structs.replace(one, description=described)


def _fleet_at(at: int, change: Change) -> dict[str, list[Sighting]]:
    """Hosts that have processes."""
    fleet: dict[str, list[Sighting]] = {}
    for host, those in FLEET.items():
        for one in those:
            changed = _CHANGING.get((host, one.pid), {}) if at > NOON - 60 else {}
            description = msgspec.structs.replace(one.description, **changed)
            seen = change(host, msgspec.structs.replace(one, description=description))
            if seen is not None:
                fleet.setdefault(host, []).append(seen)
    return fleet


def served_with(change: Change = as_it_is, restriction: Restriction = ROWS) -> Served:
    """The fleet as it is changed. RESTRICTED_KEY is restricted so."""
    store = a_store()
    fleets = {at: _fleet_at(at, change) for at in range(BEGIN, NOON + 1, 10)}
    for at, of_hosts in fleets.items():
        for host, those in of_hosts.items():
            there = [one for one in those if (host, one.pid) not in _ENDING or at < NOON - 100]
            store.add([(ORG, a_snapshot(*there, host=host, taken_at=at, chunk_count=1, split_id=1))])
    fleet = fleets[BEGIN]
    for host, those in fleet.items():
        exits = [
            ProcessExit(pid=one.pid, at=NOON - 98, executed_at=None, exit_code=137, description=one.description)
            for one in those
            if (host, one.pid) in _ENDING
        ]
        store.add_exits([(ORG, ProcessExits(host, tuple(exits)))])
        tags = tuple(sorted({tag for one in those for tag in one.description.tags}))
        store.put_host_tags(HostTags(ORG, host, TagSource.USER, tags if host != "mixed-1" else ("rack:7",)))
    is_whole = "db-1" in fleet
    for at in range(BEGIN, NOON + 1, 20):
        web = a_container("c1", "web-1", ("env:a",), cpu_total_percent=12.0, memory_rss_bytes=5.0)
        db = a_container("c9", "db-1", ("env:b",), cpu_total_percent=99.0, memory_rss_bytes=7.0, image_name="vault")
        store.containers.add([(ORG, containers_of(web, host="web-1", taken_at=at))])
        if is_whole:
            store.containers.add([(ORG, containers_of(db, host="db-1", taken_at=at))])
    key = Key(
        "7777", ORG, KeyKind.APPLICATION, "restricted", hash_secret(RESTRICTED_KEY), NOON, restriction=restriction
    )
    store.put_key(key)
    return Served(store, settings=ServerSettings(rate_limit=0, own_rate_limit=0))


def id_of(host: str, pid: int) -> str:
    return id_text(ORG, ProcessIdentity(host, pid, _started(pid)))


Question = tuple[str, str, Any]
"""Method, address and body."""

OWN = "/api/procession/v1"
_WINDOW = f"from={BEGIN}&to={NOON}"
_SELECTIONS = (
    "",
    "search=java",
    "search=host:db-1",
    "search=vaultd",
    f"search={ARGUMENT}",
    "tags=env:b",
    "tags=!env:b",
    "tags=vault:*",
    "search=!user:root&tags=team:web",
    "language=procession&search=nginx OR cpu>10",
    f"language=procession&search={ARGUMENT} OR service:{ARGUMENT}*",
    f"language=procession&tags=service:{ARGUMENT}*",
    "search=nothing-is-called-so",
    f"search=x:*{ARGUMENT}",
)
_PROCESSES = [id_of(host, one.pid) for host, those in FLEET.items() for one in those]


def _selected(path: str, *queries: str) -> Iterator[Question]:
    for query in queries:
        for selection in _SELECTIONS:
            yield "GET", f"{path}?{query}&{selection}", None


def _numbers_asked(path: str, kind: str) -> Iterator[Question]:
    for source, metric in (
        ("process", "process.stat.cpu.total_pct"),
        ("container", "process.stat.container.cpu.total_pct"),
    ):
        for text, tags in (("", []), ("java", []), (ARGUMENT, []), ("", ["env:b"]), ("", ["team:web"])):
            query = {"data_source": source, "metric": metric, "name": "a", "text_filter": text, "tag_filters": tags}
            attributes = {"from": BEGIN * 1000, "to": NOON * 1000, "queries": [query]}
            yield "POST", path, {"data": {"type": f"{kind}_request", "attributes": attributes}}


def _of_processes(path: str, *queries: str) -> Iterator[Question]:
    for process_id in _PROCESSES:
        for query in queries:
            yield "GET", f"{path.format(process_id=process_id)}?{query}", None


def _at_instant_and_in_window(path: str, *queries: str) -> Iterator[Question]:
    for query in queries:
        yield from _selected(path, f"{query}&at={NOON}", f"{query}&at={NOON - 120}", f"{query}&{_WINDOW}")


QUESTIONS: dict[tuple[str, str], Sequence[Question]] = {
    ("GET", "/api/v2/processes"): [
        ("GET", f"/api/v2/processes?{query}&{selection}", None)
        for query in (_WINDOW, f"from={BEGIN}&to={NOON - 150}")
        for selection in _SELECTIONS
        if "language" not in selection
    ],
    ("GET", "/api/v2/containers"): [
        ("GET", f"/api/v2/containers?{query}", None)
        for query in ("", "filter[tags]=env:b", "group_by=image_name", "group_by=host", "sort=-name")
    ],
    ("POST", "/api/v2/query/timeseries"): list(_numbers_asked("/api/v2/query/timeseries", "timeseries")),
    ("POST", "/api/v2/query/scalar"): list(_numbers_asked("/api/v2/query/scalar", "scalar")),
    ("GET", "/api/v1/hosts"): [
        ("GET", f"/api/v1/hosts?{query}", None) for query in ("", "filter=env:b", "sort_field=cpu", "count=1")
    ],
    ("GET", "/api/v1/hosts/totals"): [("GET", "/api/v1/hosts/totals", None)],
    ("GET", f"{OWN}/processes"): [
        *_at_instant_and_in_window(f"{OWN}/processes", "", "sort=-cpu_total_percent", "sort=tag:team", "sort=user"),
        *_selected(f"{OWN}/processes", f"{_WINDOW}&ended=true", f"{_WINDOW}&sort=-ended"),
    ],
    ("GET", f"{OWN}/processes/{{process_id}}"): list(
        _of_processes(f"{OWN}/processes/{{process_id}}", "", f"at={NOON}", f"at={NOON - 150}", _WINDOW)
    ),
    ("GET", f"{OWN}/processes/{{process_id}}/history"): list(
        _of_processes(f"{OWN}/processes/{{process_id}}/history", _WINDOW, f"{_WINDOW}&every=snapshot")
    ),
    ("GET", f"{OWN}/processes/{{process_id}}/runs"): list(
        _of_processes(f"{OWN}/processes/{{process_id}}/runs", "", "limit=1", _WINDOW)
    ),
    ("GET", f"{OWN}/processes/{{process_id}}/tree"): list(
        _of_processes(f"{OWN}/processes/{{process_id}}/tree", "", f"at={NOON - 150}")
    ),
    ("GET", f"{OWN}/tree"): [
        ("GET", f"{OWN}/tree?host={host}&at={at}", None)
        for host in (*FLEET, "none-1")
        for at in (NOON, NOON - 150, NOON - 4000)
    ],
    ("GET", f"{OWN}/facets"): list(
        _at_instant_and_in_window(
            f"{OWN}/facets", "", "keys=env,team,vault,user", "keys=env&prefix=b", "keys=language,listens", "keys=ended"
        )
    ),
    ("GET", f"{OWN}/tags"): [
        ("GET", f"{OWN}/tags?{_WINDOW}&prefix={prefix}{more}", None)
        for prefix in ("", "v", "env:", "env:b", "vault:", "comm", "s", f"service:{ARGUMENT}", "seal", "java", "ended")
        for more in ("", "&limit=1", "&matches=true")
    ],
    ("GET", f"{OWN}/groups"): list(
        _selected(
            f"{OWN}/groups",
            *(f"at={NOON}&by={by}" for by in ("env", "user", "team,user", "ppid", "host")),
            f"at={NOON - 150}&by=command&statistics=sum,max,p95&sort=-sum:rss_bytes",
        )
    ),
    ("GET", f"{OWN}/search"): [("GET", f"{OWN}/search?search=java", None)],
    ("GET", f"{OWN}/points"): list(_selected(f"{OWN}/points", f"at={NOON}", f"at={NOON}&by=env")),
    ("GET", f"{OWN}/timeseries"): list(
        _selected(f"{OWN}/timeseries", f"{_WINDOW}&points=4", f"{_WINDOW}&points=4&by=team", f"{_WINDOW}&by=user")
    ),
    ("GET", f"{OWN}/trends"): list(
        _selected(f"{OWN}/trends", f"{_WINDOW}&points=4&by=team", f"{_WINDOW}&points=60", f"{_WINDOW}&points=3")
    ),
    ("GET", f"{OWN}/turnover"): list(
        _selected(f"{OWN}/turnover", f"{_WINDOW}&points=4", f"from={NOON - 7200}&to={NOON}&points=60")
    ),
    ("GET", f"{OWN}/hosts"): list(
        _selected(f"{OWN}/hosts", f"at={NOON}", f"at={NOON - 150}&sort=-sum:rss_bytes&silent_hours=1", "page[offset]=1")
    ),
    ("GET", f"{OWN}/containers"): [
        ("GET", f"{OWN}/containers?{query}", None)
        for query in ("", "processes=true", "search=vault", "tags=env:b", "sort=-cpu_total_percent", f"at={NOON - 90}")
    ],
    ("GET", f"{OWN}/containers/history"): [
        ("GET", f"{OWN}/containers/history?host={host}&container_id={container}&{_WINDOW}", None)
        for host, container in (("web-1", "c1"), ("db-1", "c9"))
    ],
    ("GET", f"{OWN}/compare"): [
        ("GET", f"{OWN}/compare?{query}&{selection}", None)
        for query in (
            f"at={NOON - 150}&other_at={NOON}",
            f"at={NOON}&host=web-1&other_host=mixed-1",
            f"at={NOON}&host=mixed-1&other_host=db-1",
            f"at={NOON - 150}&other_at={NOON}&match=cmdline",
        )
        for selection in _SELECTIONS
    ],
    ("GET", f"{OWN}/views"): [("GET", f"{OWN}/views", None)],
    ("POST", f"{OWN}/watch"): [("POST", f"{OWN}/watch", {"host": "web-1"})],
    ("GET", f"{OWN}/session"): [("GET", f"{OWN}/session", None)],
    ("GET", f"{OWN}/sessions"): [("GET", f"{OWN}/sessions", None)],
    ("DELETE", f"{OWN}/sessions/{{session_id}}"): [("DELETE", f"{OWN}/sessions/abc", None)],
    ("GET", "/api/v2/validate_keys"): [("GET", "/api/v2/validate_keys", None)],
}
"""By method and path of the table of doors, what a restricted reader is answered. All else is refused."""
