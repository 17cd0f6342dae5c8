"""A store with log and live table, opened again and again over one history: a process opens one data folder only."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from procession.containers.container import ContainerSnapshot
from procession.errors import Unavailable
from procession.inventory import FrozenStore
from procession.packed import AnySnapshot
from procession.storage.embedded.checkpoints import Checkpoints
from procession.storage.embedded.progress import FlushProgress
from procession.storage.embedded.store import EmbeddedStore
from procession.storage.store import ClickHouseStore
from procession.storage.wal import WriteAheadLog

LATER = 1_800_000_000
"""After all that the fleets of the tests tell of: who has lost what was before knows nothing of it."""


class KeptOpen:
    """The history, which outlives the stores over it."""

    def __init__(self, history: ClickHouseStore) -> None:
        self._history = history

    def __getattr__(self, name: str) -> Any:
        return getattr(self._history, name)

    def close(self) -> None:
        pass


class Failing(KeptOpen):
    """A history that takes nothing."""

    def add(self, _: Sequence[tuple[int, AnySnapshot]]) -> None:
        raise Unavailable("The store cannot do this now")

    def add_containers(self, _: Sequence[tuple[int, ContainerSnapshot]]) -> None:
        raise Unavailable("The store cannot do this now")


class NeverFrozen:
    """Tables of which nobody makes a backup."""

    def shut(self) -> AbstractContextManager[None]:
        raise NotImplementedError

    def freeze(self) -> FrozenStore:
        raise NotImplementedError

    def release(self, name: str) -> None:
        raise NotImplementedError


class Reopened:
    """A store in a folder, which is opened anew."""

    def __init__(self, history: ClickHouseStore, folder: Path, *, live_bytes: int = 2**30, now: int = LATER) -> None:
        self._history = history
        self._live_bytes = live_bytes
        self._now = now
        self._folder = folder
        self.store = self._opened(is_empty=True)

    def restart(self, *, loses_the_checkpoint: bool = False, flushes: bool = True) -> None:
        if not flushes:
            self.store.flush_to(Failing(self._history))
        self.store.close()
        if loses_the_checkpoint:
            (self._folder / "live.checkpoint").unlink()
        self.store = self._opened(is_empty=False)

    def _opened(self, *, is_empty: bool) -> EmbeddedStore:
        progress = FlushProgress(self._folder / "flush.position")
        log = WriteAheadLog(self._folder / "log", taken=progress.flushed)
        checkpoints = Checkpoints.open(
            self._folder / "live.checkpoint",
            first_sequence=log.status().first_sequence,
            last_sequence=log.last_sequence,
            live_bytes=self._live_bytes,
            is_empty=is_empty,
            now=self._now,
        )
        history: Any = KeptOpen(self._history)
        return EmbeddedStore(
            history, log, checkpoints, progress, tables=NeverFrozen(), now=lambda: self._now, forced_seconds=0
        )
