"""What a server of this machine needs, with the settings that it would have."""

from __future__ import annotations

import contextlib
import resource
from collections.abc import Iterator
from pathlib import Path

from procession.accounts.orgs import KeyKind
from procession.cli.access import Access
from procession.cli.client import Server, Unreachable
from procession.cli.doctor import machine
from procession.cli.doctor.finding import Finding, Level, bad, good, warning
from procession.cli.local.data_folder import LocalFiles
from procession.cli.serving.listen_address import listen_on
from procession.cli.serving.open_files import OTHER_FILES
from procession.cli.serving.open_store import folder_of
from procession.cli.serving.server_extra import require_engine, require_server
from procession.config import ClientSettings, ServerSettings
from procession.errors import ProcessionError, UsageError


def server_findings(settings: ServerSettings) -> Iterator[Finding]:
    local = LocalFiles.of(settings.data_dir)
    yield machine.versions()
    has_engine = engine(settings)
    yield has_engine
    yield machine.clock()
    yield from machine.folder_rights("data folder", local.data_dir, "`procession serve` makes it")
    yield machine.disk(local.data_dir, "make room, or keep less (--retention-hours, --sighting-retention-hours)")
    is_here = "://" not in settings.store and has_engine.level is Level.GOOD
    if is_here:
        yield store(folder_of(settings))
    yield open_files(settings.max_connections)
    yield from secrets(settings, local)
    running = _running(local, folder_of(settings) if is_here else None)
    if isinstance(running, Server):
        yield machine.reached("server", running)
        yield keys(local)
    else:
        yield running or port(settings.listen)


def engine(settings: ServerSettings) -> Finding:
    is_on_servers = "://" in settings.store
    try:
        if is_on_servers:
            require_server()
        else:
            require_engine()
    except UsageError as error:
        return bad("engine", str(error), "then ask again")
    return good(
        "engine", "on ClickHouse servers; `procession store check` asks them" if is_on_servers else "it is here"
    )


def store(folder: Path) -> Finding:
    """Whether this version opens it, as far as can be told without that."""
    from procession.storage.folder_version import newer_in, read_version
    from procession.storage.history.engine.embedded import ENGINE_FILES, UNFINISHED_RESTORE
    from procession.storage.history.tables.damage import lost_parts, told

    try:
        if (folder / UNFINISHED_RESTORE).exists():
            return bad("store", f"a restore into {folder} was broken off", "do it again with `procession restore`")
        if not (folder / ENGINE_FILES).exists():
            return good("store", f"there is none in {folder} yet")
        if newer := newer_in(folder):
            return bad("store", f"a newer Procession wrote it ({newer})", "start that version; see docs/upgrading.md")
        if lost := told(lost_parts(folder)):
            return bad(
                "store", f"parts of tables cannot be read ({lost})", "bring a backup back; see docs/operating.md"
            )
    except OSError as error:
        return bad("store", f"{folder} cannot be read: {error.strerror}".lower(), "run this as the user of the service")
    version = read_version(folder)
    return good("store", f"written by Procession {version.procession}" if version else "of an earlier build")


def open_files(most_connections: int) -> Finding:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = most_connections + OTHER_FILES
    if most != resource.RLIM_INFINITY and most < needed:
        return warning(
            "open files",
            f"at most {most:,}, and {most_connections:,} connections with the store take {needed:,}",
            f"raise the limit (LimitNOFILE={needed}), or lower --max-connections",
        )
    return good("open files", "as many as all connections and the store take")


def secrets(settings: ServerSettings, local: LocalFiles) -> Iterator[Finding]:
    """The files that hold one, as far as they are there or named."""
    named = [settings.store_password_file, settings.tls_key]
    paths = [Path(name).expanduser() for name in named if name]
    paths += [path for kind in KeyKind if (path := local.key_file(kind)).exists()]
    yield from (machine.private_file("secrets", path) for path in paths)


def port(address: str) -> Finding:
    """That of a server which does not run."""
    try:
        listen_on(address).close()
    except UsageError as error:
        return bad("port", str(error), "or stop what uses it")
    return good("port", f"{address} is free; no server runs on this folder")


def keys(local: LocalFiles) -> Finding:
    """Whether those of the folder open its server."""
    try:
        Access.of(ClientSettings(data_dir=str(local.data_dir))).read("/api/procession/v1/store", {})
    except ProcessionError as error:
        return bad("keys", str(error), "make others with `procession keys create`")
    return good("keys", "the server takes those of the folder")


def _running(local: LocalFiles, store_folder: Path | None) -> Server | Finding | None:
    """The server on this folder, if one runs; or what is wrong where it does not answer."""
    address = local.address()
    if address is None:
        return None
    server = Server(address)
    try:
        server.send("GET", "/healthz", headers={}, is_text=True)
    except Unreachable as error:
        if store_folder is not None and _is_in_use(store_folder):
            return bad("server", f"one runs on this folder, and {error}", "look at its log, and start it anew")
        return None
    except ProcessionError:
        return server
    return server


def _is_in_use(folder: Path) -> bool:
    from procession.storage.history.engine.embedded import is_in_use

    with contextlib.suppress(OSError):
        return is_in_use(folder)
    return False
