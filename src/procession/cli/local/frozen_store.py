"""What a backup copies: of the server of this machine that uses the data folder, or of a store that nobody uses."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from procession.cli.access import Access
from procession.cli.client import Unreachable
from procession.cli.serving.open_store import address_of
from procession.config import ClientSettings, ServerSettings
from procession.errors import Unavailable, UsageError
from procession.inventory import FrozenStore

_PATH = "/api/procession/v1/admin/frozen"
_LOCK = "backup.lock"


@contextlib.contextmanager
def frozen_store(settings: ServerSettings) -> Iterator[FrozenStore]:
    """Stands still until the end of the block. Raises UsageError."""
    from procession.storage.history.engine.embedded import ENGINE_FILES

    access = Access.of(ClientSettings(data_dir=settings.data_dir))
    data_dir = access.local.data_dir
    folder = data_dir if (address := address_of(settings)) is None else address
    if not isinstance(folder, Path):
        raise UsageError(
            f"the store is on ClickHouse servers at {address}, which make backups of their own: see BACKUP DATABASE"
            " in docs/backup.md"
        )
    if not (folder / ENGINE_FILES).is_dir():
        raise UsageError(f"there is no store in {folder}; name its folder with --data-dir")
    with _alone(folder):
        if access.local.address() is not None:
            # Where a server was killed its address is still there, and nobody answers.
            with contextlib.suppress(Unreachable):
                answer = access.administer("POST", _PATH)["frozen"]
                frozen = FrozenStore(**answer)
                try:
                    yield frozen
                finally:
                    with contextlib.suppress(UsageError):
                        access.administer("DELETE", f"{_PATH}/{frozen.name}")
                return
        with _frozen_without_server(folder) as frozen:
            yield frozen


@contextlib.contextmanager
def _frozen_without_server(folder: Path) -> Iterator[FrozenStore]:
    from procession.storage.embedded_store import open_embedded

    with contextlib.closing(open_embedded(folder, sets_retention=False)) as store:
        try:
            frozen = store.freeze()
        except Unavailable as error:
            raise UsageError(f"cannot back up {folder}: {error}") from None
        try:
            yield frozen
        finally:
            store.release(frozen.name)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Another backup would take away what this one copies."""
    try:
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise UsageError(f"cannot write to the data folder {folder}: {(error.strerror or '').lower()}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise UsageError(f"another backup of {folder} is being made; wait until it is done") from None
    finally:
        os.close(lock)
