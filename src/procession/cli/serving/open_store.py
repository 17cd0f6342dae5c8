"""The store that the settings name, opened: a folder of this machine, or ClickHouse servers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from procession.cli.local.data_folder import LocalFiles
from procession.cli.serving.server_extra import require_engine, require_server
from procession.config import ServerSettings

if TYPE_CHECKING:
    from procession.storage.embedded.store import EmbeddedStore
    from procession.storage.history.engine.address import ServerAddress
    from procession.storage.store import ClickHouseStore

STORE_SETTINGS = ("store", "store_password", "store_password_file", "store_ca_file")


def address_of(settings: ServerSettings) -> Path | ServerAddress | None:
    """None: the data folder. Raises UsageError."""
    if not settings.store:
        return None
    require_server()
    from procession.storage.history.engine.address import parse_address

    return parse_address(
        settings.store,
        password=settings.store_password,
        password_file=settings.store_password_file,
        ca_file=settings.store_ca_file,
    )


def folder_of(settings: ServerSettings) -> Path:
    """Where the store is, unless it is on servers. Raises UsageError."""
    address = address_of(settings)
    return address if isinstance(address, Path) else LocalFiles.of(settings.data_dir).data_dir


def open_store(settings: ServerSettings, data_dir: Path) -> EmbeddedStore | ClickHouseStore:
    """Raises UsageError."""
    address = address_of(settings)
    if address is None or isinstance(address, Path):
        require_engine()
        from procession.storage.embedded_store import open_embedded

        return open_embedded(
            data_dir if address is None else address,
            retention_hours=settings.retention_hours,
            sighting_retention_hours=settings.sighting_retention_hours,
            live_retention_hours=settings.live_retention_hours,
            live_bytes=settings.max_live_bytes,
        )
    return _open_servers(settings, address)


def open_whole(settings: ServerSettings, data_dir: Path) -> EmbeddedStore | ClickHouseStore:
    """With what agents have posted, also what is only in the log. The retention of the store stays as it is. Raises
    UsageError."""
    address = address_of(settings)
    if address is None or isinstance(address, Path):
        require_engine()
        from procession.storage.embedded_store import open_embedded

        return open_embedded(data_dir if address is None else address, sets_retention=False)
    return _open_servers(settings, address)


def open_accounts(settings: ServerSettings, data_dir: Path) -> ClickHouseStore:
    """For orgs and keys alone: what agents have posted may not all be in it yet. The retention of the store stays as
    it is. Raises UsageError."""
    address = address_of(settings)
    if address is None or isinstance(address, Path):
        require_engine()
        from procession.storage.embedded_store import open_history

        return open_history(data_dir if address is None else address, sets_retention=False)
    return _open_servers(settings, address)


def _open_servers(settings: ServerSettings, address: ServerAddress) -> ClickHouseStore:
    from procession.storage.setup import open_servers

    return open_servers(address, sighting_retention_hours=settings.sighting_retention_hours)
