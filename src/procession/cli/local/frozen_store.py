"""What a backup copies: of the server of this machine that uses the data folder, or of a store that nobody uses."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from procession.cli.access import Access
from procession.cli.client import Unreachable
from procession.cli.local.owner import refuse_root_in_folder_of_others
from procession.cli.serving.open_store import address_of
from procession.config import ClientSettings, ServerSettings
from procession.errors import Unavailable, UsageError
from procession.inventory import FrozenStore

_PATH = "/api/procession/v1/admin/frozen"
_NAME = re.compile(r"backup[0-9a-f]+")


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
                answer = access.administer("POST", _PATH)
                frozen = frozen_of(answer)
                try:
                    yield without_links(frozen, folder)
                finally:
                    with contextlib.suppress(UsageError):
                        access.administer("DELETE", f"{_PATH}/{frozen.name}")
                return
        with _frozen_without_server(folder) as frozen:
            yield frozen


def frozen_of(answer: Any) -> FrozenStore:
    """What a server says stands still. Raises UsageError."""
    import msgspec

    with contextlib.suppress(msgspec.ValidationError, KeyError):
        frozen = msgspec.convert(answer, dict[str, FrozenStore])["frozen"]
        if _NAME.fullmatch(frozen.name):
            return frozen
    raise UsageError("the server answers in a way that is not understood; is it of another version?")


def without_links(frozen: FrozenStore, data_dir: Path) -> FrozenStore:
    """Raises UsageError for what does not lie in the data folder: whoever broke into the server could name what only
    root may read."""
    from procession.storage.history.engine.embedded import ENGINE_FILES

    shadow = (data_dir / ENGINE_FILES).resolve() / "shadow" / frozen.name
    try:
        folders = {table: Path(path).resolve() for table, path in frozen.folders.items()}
    except (OSError, RuntimeError, ValueError):
        folders = {"": Path()}
    if not all(shadow in path.parents for path in folders.values()):
        raise UsageError(f"the server names files that are not below {shadow}; nothing is copied")
    return dataclasses.replace(frozen, folders={table: str(path) for table, path in folders.items()})


@contextlib.contextmanager
def _frozen_without_server(folder: Path) -> Iterator[FrozenStore]:
    from procession.storage.embedded_store import open_embedded

    refuse_root_in_folder_of_others(folder)
    with contextlib.closing(open_embedded(folder, sets_retention=False)) as store:
        try:
            frozen = store.freeze()
        except Unavailable as error:
            raise UsageError(f"cannot back up {folder}: {error}") from None
        try:
            yield without_links(frozen, folder)
        finally:
            store.release(frozen.name)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Another backup would take away what this one copies."""
    try:
        # The folder itself: a file of root's could not be opened by the next one.
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise UsageError(f"cannot read the data folder {folder}: {(error.strerror or '').lower()}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise UsageError(f"another backup of {folder} is being made; wait until it is done") from None
    finally:
        os.close(lock)
