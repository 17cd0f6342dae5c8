"""What readers ask, through HTTP as they ask it. The engine's query condition cache is off, as it always is."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from urllib.parse import quote

from bench.fleets import HOUR, SEED_OF_LOAD, Million
from bench.load import Load, load_process
from bench.rows import Measurement
from bench.served import API, Server, UnknownRoute
from procession.simulate import FleetShape

PUBLIC = "/api/v2/processes"
RARE = "xmrig"
COMMON = "java"
TAGS = "env:prod,role:node"
LISTENS = "listens:443"
IN_CONTAINER = "container_name:checkout"
FACETS = "env,region,service,user,command"
LOAD_SECONDS = 40
_SECONDS_TO_MAKE = 5e-5
"""Of a sighting of the load, at most; it begins to live when all of it is made."""
WINDOW_SECONDS = 900
"""Of the default call."""
MISSING = "there is no such call yet"


Parameters = dict[str, str | int]


class Asker:
    def __init__(self, server: Server, runs: int) -> None:
        self.server = server
        self.runs = runs
        self.found: dict[str, Measurement] = {}

    def row(self, key: str, path: str, parameters: Parameters, *, note: str = "", runs: int | None = None) -> None:
        before = self.server.answers_of_history()
        try:
            figures = self.server.time(path, parameters, runs=runs or self.runs)
        except (UnknownRoute, RuntimeError) as error:
            self.found[key] = Measurement(note=MISSING if isinstance(error, UnknownRoute) else str(error))
            return
        if left := self.server.answers_of_history() - before:
            note = "; ".join(filter(None, (note, f"the history was asked {left} times")))
        self.found[key] = Measurement(figures, note)


def limit(count: int) -> Parameters:
    return {"page[limit]": count}


def pages(server: Server, *, runs: int, few: int) -> dict[str, Measurement]:
    """The default call and its filters, over a window that ends now, and what is asked of now as an instant.

    `few` runs are for what takes long.
    """
    asker = Asker(server, runs)
    row = asker.row
    middle, end, count = _scan(server)
    row("page", PUBLIC, limit(1000), note=f"{count:,} processes in the window, which lies in {_hours_of_window()}")
    row("middle", PUBLIC, limit(1000) | {"page[cursor]": middle})
    row("end", PUBLIC, limit(1000) | {"page[cursor]": end})
    row("page_10000", PUBLIC, limit(10_000), runs=few)
    row("page_100", PUBLIC, limit(100))
    row("rare", PUBLIC, limit(1000) | {"search": RARE}, note=f"{_matches(server, {'search': RARE})} matches")
    both: Parameters = {"search": COMMON, "tags": TAGS}
    row("tags_100", PUBLIC, limit(100) | both, runs=few)
    row("tags_1000", PUBLIC, limit(1000) | both, runs=few)
    row("facets", f"{API}/facets", {"keys": FACETS, "limit": 20}, runs=few, note=FACETS)
    _now(asker, few)
    return asker.found


def _now(asker: Asker, few: int) -> None:
    for key, column in (("top_cpu", "cpu_total_percent"), ("top_memory", "rss_bytes")):
        asker.row(key, f"{API}/processes", limit(100) | {"sort": f"-{column}"}, runs=few)
    measures: Parameters = {"measures": "cpu_total_percent,rss_bytes"}
    asker.row("sums", f"{API}/groups", measures | {"by": "command"}, runs=few)
    asker.row("hosts", f"{API}/hosts", measures, runs=few)


def discovered(server: Server, at: int, *, runs: int) -> dict[str, Measurement]:
    """What agents have found out, in a window that ends now and at an instant; and tags of containers."""
    asker = Asker(server, runs)
    own: Parameters = {"language": "procession", "search": LISTENS}
    by_host = own | {"by": "host", "at": at}
    count = server.ask(f"{API}/groups", by_host)["meta"]["total"]
    asker.row("listens", f"{API}/processes", limit(1000) | own)
    asker.row("listens_at", f"{API}/processes", limit(1000) | own | {"at": at}, note=f"{count:,} matches")
    asker.row("listens_groups", f"{API}/groups", by_host)
    asker.row("in_container", PUBLIC, limit(1000) | {"search": IN_CONTAINER})
    return asker.found


def containers(server: Server, now: int, told: str, *, runs: int) -> dict[str, Measurement]:
    """What is asked of containers over a quarter of an hour. `told` says how many there are."""
    found: dict[str, Measurement] = {}
    for kind, options in (("scalar", {"aggregator": "avg"}), ("timeseries", {})):
        queries = [
            {"name": name, "data_source": "container", "metric": f"container.{metric}", **options}
            for name, metric in (("a", "cpu.total_pct"), ("b", "memory.usage"))
        ]
        attributes = {"from": (now - WINDOW_SECONDS) * 1000, "to": now * 1000, "queries": queries}
        body = {"data": {"type": f"{kind}_request", "attributes": attributes}}
        ask = partial(server.post, f"/api/v2/query/{kind}", body)
        found[f"container_{kind}"] = Measurement(server.time_of(ask, runs=runs), told)
    return found


def _hours_of_window() -> str:
    """What is listed is read from each hour."""
    now = int(time.time())
    return "one hour" if (now - WINDOW_SECONDS) // HOUR == now // HOUR else "two hours"


def wide(server: Server, now: int, *, runs: int) -> dict[str, Measurement]:
    """Over a window that begins a quarter of an hour before a moment, and has not ended yet."""
    asker = Asker(server, runs)
    window: Parameters = {"from": now - 900, "to": now + 86400}
    asker.row("page_10m", PUBLIC, limit(1000) | window)
    asker.row(
        "rare_10m",
        PUBLIC,
        limit(1000) | window | {"search": RARE},
        note=f"{_matches(server, window | {'search': RARE})} matches",
    )
    asker.row("facets_10m", f"{API}/facets", window | {"keys": FACETS, "limit": 20}, runs=max(5, runs // 5))
    return asker.found


def instants(server: Server, data: Million, *, runs: int, few: int) -> dict[str, Measurement]:
    """One instant, three days ago."""
    asker = Asker(server, runs)
    row, at = asker.row, data.instant
    row("instant", PUBLIC, limit(1000) | {"from": at - 10, "to": at})
    row("instant_numbers", f"{API}/processes", limit(1000) | {"at": at})
    sums: Parameters = {"by": "command", "measures": "cpu_total_percent,rss_bytes", "at": at - 1}
    begin = time.perf_counter()
    server.get(f"{API}/groups", sums)
    first = f"{(time.perf_counter() - begin) * 1000:.0f} ms the first time"
    row("instant_sums", f"{API}/groups", sums, runs=few, note=first)
    for key, column in (("instant_top_cpu", "cpu_total_percent"), ("instant_top_memory", "rss_bytes")):
        row(key, f"{API}/processes", limit(100) | {"at": at, "sort": f"-{column}"}, runs=few)
    return asker.found


def curves(server: Server, data: Million, *, runs: int) -> dict[str, Measurement]:
    """One process for a day."""
    asker = Asker(server, runs)
    window: Parameters = {"from": data.day.begin_at, "to": data.begun_at}
    # One that was there all day: those that started first come first.
    listed = server.ask(PUBLIC, window | limit(1) | {"tags": f"host:{data.host_of_day}"})["data"]
    history = f"{API}/processes/{quote(listed[0]['id'])}/history"
    for key, every in (("curve_minutes", "minute"), ("curve_sightings", "sighting")):
        asker.row(key, history, window | {"every": every})
    return asker.found


def _scan(server: Server) -> tuple[str, str, int]:
    """Cursors of the middle and of the end of a scan, and how much it finds."""
    cursors: list[str] = []
    count = 0
    more: Parameters = {}
    while True:
        page = server.ask(PUBLIC, limit(10_000) | more)
        count += len(page["data"])
        if len(page["data"]) < 10_000:
            # The last full page, less a thousand, is the end; where there is none, all of it is.
            return (cursors[len(cursors) // 2], cursors[-1], count) if cursors else ("", "", count)
        cursors.append(page["meta"]["page"]["after"])
        more = {"page[cursor]": cursors[-1]}


def _matches(server: Server, parameters: Parameters) -> int:
    return len(server.ask(PUBLIC, parameters | limit(10_000))["data"])


def while_intake_runs(
    server: Server, at_rest: dict[str, Measurement], *, rate: float, runs: int = 100
) -> dict[str, Measurement]:
    """The default call, while agents post this many sightings a second."""
    asker = Asker(server, runs)
    with loaded(server, rate):
        asker.row("page_intake", PUBLIC, limit(1000), note=f"{rate:,.0f} sightings a second")
    found = asker.found
    _note_slowdown(found, "slowdown", found["page_intake"], at_rest["page"])
    return found


def while_overloaded(
    server: Server, at_rest: dict[str, Measurement], *, rate: float, runs: int = 100
) -> dict[str, Measurement]:
    """The default call, while agents post five times this many sightings a second, which the server takes at most."""
    asker = Asker(server, runs)
    with loaded(server, 5 * rate, seconds=LOAD_SECONDS / 5):
        asker.row("overload", PUBLIC, limit(1000))
    found: dict[str, Measurement] = {}
    _note_slowdown(found, "overload", asker.found["overload"], at_rest["page"])
    return found


def _note_slowdown(found: dict[str, Measurement], key: str, now: Measurement, at_rest: Measurement) -> None:
    p99, rest = now.figures.get("p99"), at_rest.figures.get("p99")
    if p99 and rest:
        found[key] = Measurement({"value": p99 / rest}, f"p50 {now.figures['p50']:.3g} ms, p99 {p99:.3g} ms")


@contextmanager
def loaded(
    server: Server,
    rate: float,
    *,
    seconds: float = LOAD_SECONDS,
    interval_seconds: int = 2,
    processes: int = 300,
) -> Iterator[None]:
    """A fleet that posts so much for so long, in life's time."""
    hosts = max(1, round(rate * interval_seconds / processes))
    shape = FleetShape(
        hosts=hosts,
        processes=processes,
        begin_at=int(time.time() + rate * seconds * _SECONDS_TO_MAKE),
        seed=SEED_OF_LOAD,
        interval_seconds=interval_seconds,
    )
    with load_process(server, Load(shape, round(seconds), speed=1.0)) as process:
        time.sleep(max(0.0, shape.begin_at - time.time()))
        process.go()
        # The first snapshot of each host is dearer than all others.
        time.sleep(4 * interval_seconds)
        yield
