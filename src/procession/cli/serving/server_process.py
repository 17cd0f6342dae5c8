"""A server in this process: its address, its store, its keys, and a clean end. What `serve` and `up` share."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from procession import __version__
from procession.accounts.orgs import KeyKind
from procession.cli.local.data_folder import LocalFiles, make_private_dir
from procession.cli.local.local_keys import NewKey, ensure_local_keys
from procession.cli.serving.listen_address import is_beyond_loopback, listen_on, url_of
from procession.cli.serving.logs import RecentLines, set_up_logging
from procession.cli.serving.open_store import open_store
from procession.config import ServerSettings
from procession.errors import Unavailable, UsageError
from procession.lifecycle.completeness import is_complete
from procession.packed import AnySnapshot
from procession.scrubbing.redaction import shown_settings

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from procession.audit import AuditWriter
    from procession.audit.syslog import SyslogAddress
    from procession.oidc import ProviderSettings
    from procession.server.http.tls import Certificates
    from procession.server.runtime.metrics import Metrics, Sink
    from procession.storage import ExitSink
    from procession.storage.embedded.store import EmbeddedStore
    from procession.storage.store import ClickHouseStore

_log = logging.getLogger(__name__)

MORE_SECONDS_TO_STOP = 1.5
"""How long after the time for requests is over the process ends, whatever still runs. What was acknowledged is on disk
already."""


@dataclass(frozen=True)
class Prepared:
    """Everything that can fail for the user's reasons has been done: only serving is left."""

    settings: ServerSettings
    local: LocalFiles
    listener: socket.socket
    url: str
    store: EmbeddedStore | ClickHouseStore
    new_keys: dict[KeyKind, NewKey]
    certificates: Certificates | None
    providers: tuple[ProviderSettings, ...]
    plain_listener: socket.socket | None
    local_url: str
    """Where programs of this machine reach it."""
    log: RecentLines


def certificates_of(settings: ServerSettings) -> Certificates | None:
    """Raises UsageError for files that are of no use."""
    if not settings.tls_cert:
        for name, value in (("--tls-key", settings.tls_key), ("--tls-client-ca", settings.tls_client_ca)):
            if value:
                raise UsageError(f"{name} needs a certificate as well: give one with --tls-cert")
        return None
    from procession.server.http.tls import Certificates

    return Certificates(settings.tls_cert, settings.tls_key, settings.tls_client_ca)


def warn_of_open_door(listener: socket.socket, settings: ServerSettings) -> None:
    """Loudly: on standard error, where a person or a service manager looks."""
    if settings.tls_cert or settings.behind_proxy or not is_beyond_loopback(listener):
        return
    text = (
        f"WARNING: the server listens on {settings.listen} in the clear: whoever is on the way can read the keys and "
        "command lines that come by. Give it a certificate with --tls-cert and --tls-key, or have a proxy speak TLS "
        "in front of it and say so with --behind-proxy."
    )
    bar = "*" * 100
    click.echo(f"{bar}\n{text}\n{bar}", err=True)


@contextlib.contextmanager
def prepared(settings: ServerSettings) -> Iterator[Prepared]:
    """Take the address, open the store and see to the local keys. Raises UsageError.

    On the way out all is given back.
    """
    log = set_up_logging(settings.log_format, settings.log_level or "info")
    local = LocalFiles.of(settings.data_dir)
    with contextlib.ExitStack() as cleanup:
        certificates = certificates_of(settings)
        _syslog_of(settings)
        providers = _providers_of(settings)
        listener = cleanup.enter_context(listen_on(settings.listen))
        plain_listener = None if certificates is None else cleanup.enter_context(listen_on("127.0.0.1:0"))
        make_private_dir(local.data_dir)
        store = open_store(settings, local.data_dir)
        cleanup.callback(store.close)
        try:
            new_keys = ensure_local_keys(store.keys, local, os.environ, now=int(time.time()), changes=store.changes)
        except Unavailable as error:
            raise UsageError(f"cannot see to the keys of {local.data_dir}: {error}") from None
        url = url_of(listener, "http" if certificates is None else "https")
        local_url = url if plain_listener is None else url_of(plain_listener)
        local.write_address(local_url)
        cleanup.callback(local.remove_address)
        warn_of_open_door(listener, settings)
        for kind, key in new_keys.items():
            fields = {"event": "key-created", "kind": kind.value, "name": "this machine", "variable": key.variable}
            if key.variable is None:
                _log.info("made the %(kind)s key of this machine", fields)
            else:
                _log.info("took the %(kind)s key of this machine from %(variable)s, without scopes", fields)
        yield Prepared(
            settings, local, listener, url, store, new_keys, certificates, providers, plain_listener, local_url, log
        )


@contextlib.asynccontextmanager
async def serving(prepared: Prepared) -> AsyncIterator[asyncio.Event]:
    """The server answers within the block; on leaving it, it finishes what is under way.

    Gives an event that is set once the first processes since the start are safe in the store.
    """
    from procession.cli.serving import interpreter, library_pages
    from procession.cli.serving.open_files import most_connections
    from procession.server.http.connection_limit import OpenConnections
    from procession.server.http.server import HttpServer
    from procession.server.runtime.metrics import Metrics

    metrics = Metrics()
    intake = _intake_of(prepared.store, metrics)
    sink = FirstArrival(intake.sink)
    await intake.start()
    connections = OpenConnections(
        most_connections(prepared.settings.max_connections),
        on_closed=lambda reason: metrics.closed_connections.add(1, reason),
    )
    metrics.connections.read = lambda: {(): connections.count}
    is_started = asyncio.Event()

    def on_started() -> None:
        interpreter.tune()
        library_pages.give_back()
        is_started.set()

    audit = _audit_of(prepared)
    server = HttpServer(
        _app_of(prepared, sink, intake.exits, metrics, audit),
        connections,
        prepared.certificates,
        prepared.plain_listener,
        prepared.settings.stop_seconds,
        on_started,
    )
    task = asyncio.create_task(server.serve([prepared.listener]))
    begun = time.monotonic()
    starting = asyncio.create_task(is_started.wait())
    try:
        await asyncio.wait((starting, task), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            await task  # raises why it did not start
        _say_started(prepared)
        yield sink.arrived
    finally:
        starting.cancel()
        server.stop()
        await task
        await intake.stop()
        if audit is not None:
            await asyncio.to_thread(audit.close)
        fields = {"event": "stopped", "seconds": round(time.monotonic() - begun)}
        _log.info("stopped, after %(seconds)d s", fields)


@dataclass(frozen=True)
class _StoreIntake:
    """Where the server puts what it takes, and how that begins and ends."""

    sink: Sink
    exits: ExitSink | None
    start: Callable[[], Coroutine[Any, Any, None]]
    stop: Callable[[], Coroutine[Any, Any, None]]


def _intake_of(store: EmbeddedStore | ClickHouseStore, metrics: Metrics) -> _StoreIntake:
    """A log takes each chunk by itself; ClickHouse servers take many at once."""
    from procession.server.runtime.timed_store import TimedFlush, TimedStore, WatchedSink
    from procession.storage.embedded.log_sink import LogSink
    from procession.storage.embedded.store import EmbeddedStore
    from procession.storage.history.write.batcher import Batcher

    if isinstance(store, EmbeddedStore):
        _show_in_metrics(store, metrics)
        store.flush_to(TimedFlush(store.history, store.history.containers, metrics))
        sink = LogSink(store)
        return _StoreIntake(WatchedSink(sink), sink, sink.start, sink.stop)
    batcher = Batcher(TimedStore(store, metrics))
    return _StoreIntake(batcher, None, batcher.start, batcher.stop)


def _show_in_metrics(store: EmbeddedStore, metrics: Metrics) -> None:
    metrics.log_bytes.read = lambda: {(): store.log_status().size_bytes}
    metrics.log_failures.read = lambda: {(): store.log_status().failures}
    metrics.unflushed_sightings.read = lambda: {(): store.unflushed_weight}
    metrics.flushes.read = lambda: {
        ("schedule",): store.flushes.count - store.flushes.forced_count,
        ("question",): store.flushes.forced_count,
    }
    metrics.live_table_bytes.read = lambda: {(): store.live_table.held_bytes()}
    metrics.live_table_seconds.read = lambda: {(): store.live_seconds}
    metrics.answers.read = lambda: {
        ("live table",): store.answers.from_live_table,
        ("history",): store.answers.from_history,
        ("joined",): store.answers.from_both,
    }


def _audit_of(prepared: Prepared) -> AuditWriter | None:
    """That has recorded this start."""
    if not prepared.settings.audit:
        return None
    from procession.audit import AuditFolder, AuditWriter

    writer = AuditWriter(
        AuditFolder.of(prepared.local.data_dir),
        retention_days=prepared.settings.audit_retention_days,
        syslog=_syslog_of(prepared.settings),
    )
    made = [
        {"kind": "key", "subject": f"the {kind.value} key of this machine", "action": "created"}
        for kind in prepared.new_keys
    ]
    writer.started(__version__, _changed_settings(prepared.settings), made)
    return writer


def _syslog_of(settings: ServerSettings) -> SyslogAddress | None:
    """Raises UsageError."""
    if not settings.audit_syslog:
        return None
    from procession.audit.syslog import SyslogAddress

    return SyslogAddress.parse(settings.audit_syslog)


def _providers_of(settings: ServerSettings) -> tuple[ProviderSettings, ...]:
    """Raises UsageError."""
    if not settings.oidc_file:
        return ()
    from procession.oidc import read_providers

    return read_providers(settings.oidc_file)


def _changed_settings(settings: ServerSettings) -> dict[str, Any]:
    """Those that are not as they are by default, without what is secret in them."""
    shown, usual = shown_settings(settings), shown_settings(ServerSettings())
    return {name: value for name, value in shown.items() if value != usual[name]}


def _app_of(
    prepared: Prepared, sink: FirstArrival, exits: ExitSink | None, metrics: Metrics, audit: AuditWriter | None
) -> Starlette:
    from procession.server.app import create_app
    from procession.server.stores import Stores
    from procession.storage.embedded.store import EmbeddedStore

    store = prepared.store
    return create_app(
        Stores(
            processes=store,
            analysis=store.analysis,
            keys=store.keys,
            hosts=store.hosts,
            accounts_at_hand=store.accounts_at_hand if isinstance(store, EmbeddedStore) else None,
            containers=store.containers,
            sessions=store.sessions,
            users=store.users,
            views=store.views,
            monitors=store.monitors,
            changes=store.changes,
            rollup=store.rollup,
            erasure=store.erasure,
            backup=store if isinstance(store, EmbeddedStore) else None,
            notification_settings=store.notification_settings,
            outbox=store.outbox,
        ),
        sink=sink,
        exits=exits,
        settings=prepared.settings,
        metrics=metrics,
        host_names=(socket.gethostname(),),
        log_lines=prepared.log.lines,
        audit=audit,
        providers=prepared.providers,
    )


def _say_started(prepared: Prepared) -> None:
    """With what is worth to be known of a start: where it listens, and what is not as it is by default."""
    changed = _changed_settings(prepared.settings)
    host, port = prepared.listener.getsockname()[:2]
    _log.info(
        "started Procession %(version)s on %(listens_at)s, as process %(pid)d with %(given)s",
        {
            "event": "started",
            "version": __version__,
            "pid": os.getpid(),
            "listens_at": f"{host}:{port}",
            "data_dir": str(prepared.local.data_dir),
            "given": ", ".join(changed) or "the settings as they are by default",
            "settings": changed,
        },
    )


class FirstArrival:
    """A sink that tells when the first processes have gone through it: all of a snapshot, in however many chunks."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._chunks: Counter[tuple[str, int, int]] = Counter()
        self.arrived = asyncio.Event()

    async def add(self, org_id: int, snapshot: AnySnapshot) -> None:
        await self._sink.add(org_id, snapshot)
        if not self.arrived.is_set():
            if len(self._chunks) > 1000:  # of agents that never send one whole
                self._chunks.clear()
            split = (snapshot.host, snapshot.taken_at, snapshot.split_id)
            self._chunks[split] += 1
            if is_complete(self._chunks[split], snapshot.chunk_count):
                self.arrived.set()


def run_until_stopped(main: Callable[[asyncio.Event], Coroutine[Any, Any, None]], stop_seconds: int) -> None:
    """Run `main`, which ends within `stop_seconds` after the event that it is given: the first SIGINT, SIGTERM or
    SIGHUP sets it.

    The second signal, or MORE_SECONDS_TO_STOP, end the process at once.
    """
    import uvloop

    async def run() -> None:
        stop = asyncio.Event()

        def on_signal(number: int) -> None:
            if stop.is_set():
                os._exit(128 + number)
            stop.set()
            _end_within(stop_seconds + MORE_SECONDS_TO_STOP)

        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number == signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
                continue  # under nohup
            loop.add_signal_handler(number, on_signal, number)
        await main(stop)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


def _end_within(seconds: float) -> None:
    """A query may hold a thread for half a minute, and Python waits for its threads."""

    def end() -> None:
        sys.stdout.flush()
        os._exit(0)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
