"""What the server counts about itself, in the text format of Prometheus."""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Protocol

from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from procession import __version__
from procession.packed import AnySnapshot, size_of
from procession.server.runtime.throttled_log import ThrottledLog

_log = logging.getLogger(__name__)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SIZES = (1, 10, 100, 1000, 10_000, 100_000)
STARTED_AT = "procession.started_at"
"""The key of a request's scope that says since when it is being answered."""

_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


class Counter:
    """A number for each combination of label values, that only grows."""

    def __init__(self, name: str, help_text: str, labels: Sequence[str] = ()) -> None:
        self._name = name
        self._help = help_text
        self._labels = labels
        self._lock = threading.Lock()
        # Without labels there is one number, which is there from the start.
        self._values: dict[tuple[str, ...], float] = {} if labels else {(): 0}

    def add(self, amount: float = 1, *values: str) -> None:
        with self._lock:
            self._values[values] = self._values.get(values, 0) + amount

    def lines(self) -> Iterator[str]:
        yield f"# HELP {self._name} {self._help}"
        yield f"# TYPE {self._name} counter"
        with self._lock:
            values = dict(self._values)
        for labels, value in sorted(values.items()):
            yield f"{self._name}{_labels(self._labels, labels)} {value}"


class Gauge:
    """A number, or one for each combination of label values, that is asked for when it is shown."""

    def __init__(self, name: str, help_text: str, labels: Sequence[str] = (), *, kind: str = "gauge") -> None:
        """`kind`: "counter" for what only grows, as whoever counts it says."""
        self._kind = kind
        self._name = name
        self._help = help_text
        self._labels = labels
        self.read: Callable[[], Mapping[tuple[str, ...], float]] = dict

    def lines(self) -> Iterator[str]:
        yield f"# HELP {self._name} {self._help}"
        yield f"# TYPE {self._name} {self._kind}"
        for labels, value in sorted(self.read().items()):
            yield f"{self._name}{_labels(self._labels, labels)} {value}"


class Histogram:
    """How often something took how many seconds, or was how large, for each combination of label values."""

    def __init__(
        self, name: str, help_text: str, labels: Sequence[str] = (), *, bounds: Sequence[float] = _BOUNDS
    ) -> None:
        self._bounds = bounds
        self._name = name
        self._help = help_text
        self._labels = labels
        self._lock = threading.Lock()
        self._counts: defaultdict[tuple[str, ...], list[int]] = defaultdict(lambda: [0] * (len(bounds) + 1))
        self._sums: defaultdict[tuple[str, ...], float] = defaultdict(float)

    def observe(self, seconds: float, *values: str) -> None:
        bucket = next((i for i, bound in enumerate(self._bounds) if seconds <= bound), len(self._bounds))
        with self._lock:
            self._counts[values][bucket] += 1
            self._sums[values] += seconds

    def lines(self) -> Iterator[str]:
        yield f"# HELP {self._name} {self._help}"
        yield f"# TYPE {self._name} histogram"
        with self._lock:
            series = [(labels, list(counts), self._sums[labels]) for labels, counts in sorted(self._counts.items())]
        for labels, counts, total in series:
            names = (*self._labels, "le")
            for bound, count in zip((*map(str, self._bounds), "+Inf"), accumulate(counts), strict=True):
                yield f"{self._name}_bucket{_labels(names, (*labels, bound))} {count}"
            yield f"{self._name}_sum{_labels(self._labels, labels)} {total}"
            yield f"{self._name}_count{_labels(self._labels, labels)} {sum(counts)}"


class Sink(Protocol):
    """Where the intake puts what it took: the batcher of the store."""

    async def add(self, org_id: int, snapshot: AnySnapshot) -> None:
        """Returns once the snapshot is safe on disk."""


class CountingSink:
    """A sink that counts what went into it and is safe, and what is not safe yet."""

    def __init__(self, sink: Sink, counter: Counter) -> None:
        self._sink = sink
        self._counter = counter
        self.waiting = 0

    async def add(self, org_id: int, snapshot: AnySnapshot) -> None:
        size = size_of(snapshot)
        self.waiting += size
        try:
            await self._sink.add(org_id, snapshot)
        finally:
            self.waiting -= size
        self._counter.add(size)


class DroppedCounter(Counter):
    """A counter by reason, which also says in the log, once a minute, that there is something to count."""

    def __init__(self, name: str, help_text: str) -> None:
        super().__init__(name, help_text, ("reason",))
        self._throttled_log = ThrottledLog(_log, 1)

    def add(self, amount: float = 1, *values: str) -> None:
        super().add(amount, *values)
        (reason,) = values
        self._throttled_log.log(
            logging.WARNING,
            "sightings-dropped",
            "%(sightings)d sightings were not kept: %(reason)s; no more of this for a minute",
            {"sightings": amount, "reason": reason},
            subject=reason,
        )


class Metrics:
    """All that this server counts."""

    # Long because each metric is a statement of its own.
    def __init__(self) -> None:
        self.requests = Counter("procession_http_requests_total", "Requests answered.", ("method", "route", "status"))
        self.request_seconds = Histogram(
            "procession_http_request_seconds", "Time until a request was answered.", ("method", "route")
        )
        self.sightings = Counter("procession_sightings_total", "Sightings that agents posted and the store holds.")
        self.dropped_sightings = DroppedCounter(
            "procession_dropped_sightings_total", "Sightings that agents posted and that are not kept."
        )

        self.waiting_sightings = Gauge(
            "procession_waiting_sightings", "Sightings that agents posted and that are not safe in the store yet."
        )
        self.batch_sightings = Histogram(
            "procession_store_batch_sightings", "Sightings in one insert of the store.", bounds=_SIZES
        )
        self.store_seconds = Histogram("procession_store_seconds", "Time that one insert of the store took.")
        self.agents = Gauge("procession_agents", "Hosts that posted in the last two minutes.", ("version",))
        self.blind_agents = Gauge(
            "procession_blind_agents",
            "Hosts whose agents posted in the last two minutes that they can read no process.",
        )
        self.watch_leases = Gauge("procession_watch_leases", "Hosts, or orgs as a whole, that somebody watches live.")
        self.connections = Gauge("procession_connections", "Connections that are open.")
        self.closed_connections = Counter(
            "procession_closed_connections_total", "Connections that were closed before their client did.", ("reason",)
        )
        self.store_bytes = Gauge(
            "procession_store_bytes", "Bytes on the disks of the store, copies included.", ("table",)
        )
        self.store_rows = Gauge("procession_store_rows", "Rows in the store, copies included.", ("table",))
        self.store_parts = Gauge("procession_store_parts", "Files that the rows of the store are in.", ("table",))
        self.store_free_bytes = Gauge("procession_store_free_bytes", "Bytes that are free on the disks of the store.")
        self.log_bytes = Gauge("procession_log_bytes", "Bytes of the write-ahead log on disk.")
        self.log_failures = Gauge(
            "procession_log_failures_total", "Writes and syncs of the write-ahead log that failed.", kind="counter"
        )
        self.unflushed_sightings = Gauge(
            "procession_unflushed_sightings",
            "Sightings, about, that are in the write-ahead log and not in the history.",
        )
        self.flushes = Gauge(
            "procession_flushes_total",
            "Flushes into the history: on a schedule, or because a question needed one, at most one in ten seconds.",
            ("reason",),
            kind="counter",
        )
        self.live_table_bytes = Gauge("procession_live_table_bytes", "Memory, about, that the live table takes.")
        self.live_table_seconds = Gauge(
            "procession_live_table_seconds", "How far back the live table of all orgs reaches at least."
        )
        self.answers = Gauge(
            "procession_answers_total", "Answers by what gave them, one or both joined.", ("source",), kind="counter"
        )
        self.oldest_sighting_seconds = Gauge(
            "procession_store_oldest_sighting_seconds", "Age of the oldest sighting whose numbers are kept."
        )
        self.oldest_seen_seconds = Gauge(
            "procession_store_oldest_seen_seconds", "Age of the oldest moment of which it is known what ran."
        )

        self.notifications = Gauge(
            "procession_notifications_total",
            "Notifications by kind of channel and what became of them: sent, given up, or an attempt that failed.",
            ("channel", "result"),
            kind="counter",
        )
        self.failing_channels = Gauge(
            "procession_failing_channels", "Channels whose newest notification did not get through."
        )

    def render(self) -> str:
        lines = [
            "# HELP procession_build_info The version, as a label.",
            "# TYPE procession_build_info gauge",
            f"procession_build_info{_labels(('version',), (__version__,))} 1",
        ]
        for metric in (
            self.requests,
            self.request_seconds,
            self.sightings,
            self.dropped_sightings,
            self.waiting_sightings,
            self.batch_sightings,
            self.store_seconds,
            self.agents,
            self.blind_agents,
            self.watch_leases,
            self.connections,
            self.closed_connections,
            self.store_bytes,
            self.store_rows,
            self.store_parts,
            self.store_free_bytes,
            self.log_bytes,
            self.log_failures,
            self.unflushed_sightings,
            self.flushes,
            self.live_table_bytes,
            self.live_table_seconds,
            self.answers,
            self.oldest_sighting_seconds,
            self.oldest_seen_seconds,
            self.notifications,
            self.failing_channels,
        ):
            lines.extend(metric.lines())
        return "\n".join(lines) + "\n"


class MeasureRequests:
    """Counts and times every request, under the path of its route: what clients make up adds no series."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started_at = scope.setdefault(STARTED_AT, time.perf_counter())
        status = "none"

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        finally:
            route = scope.get("route")
            path = route.path if isinstance(route, Route) else "none"
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self._metrics.requests.add(1, method, path, status)
            self._metrics.request_seconds.observe(time.perf_counter() - started_at, method, path)


def _labels(names: Sequence[str], values: Sequence[str]) -> str:
    if not names:
        return ""
    return "{" + ",".join(f'{name}="{_escape(value)}"' for name, value in zip(names, values, strict=True)) + "}"


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
