"""Erases an org from a log, a live table and a history."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

from procession.errors import Unavailable
from procession.process import MAX_UINT32
from procession.storage import ErasureStore, KeyStore
from procession.storage.embedded.checkpoints import Checkpoints
from procession.storage.embedded.flusher import Flusher
from procession.storage.wal import WriteAheadLog
from procession.window import Window

_ALWAYS = Window(0, MAX_UINT32)


class EmbeddedErasure:
    """An ErasureStore."""

    def __init__(
        self,
        history: ErasureStore,
        log: WriteAheadLog,
        flusher: Flusher,
        checkpoints: Checkpoints,
        *,
        release: Callable[[], None],
        on_erased: Callable[[int], None],
    ) -> None:
        """`release`: lets go of segments of the log that nobody needs. `on_erased`: told of the org, to forget what is
        remembered of it."""
        self._history = history
        self._wal = log
        self._flusher = flusher
        self._checkpoints = checkpoints
        self._release = release
        self._on_erased = on_erased
        self._lock = threading.Lock()
        self._begun: set[int] = set()

    def refuse(self, org_id: int) -> None:
        """Raises Unavailable for what comes of an org that goes: its agent tries again, and is told then."""
        if org_id in self._begun:
            raise Unavailable(f"Org {org_id} is removed")

    def has_begun(self, org_id: int) -> bool:
        return org_id in self._begun

    def standing_still(self) -> AbstractContextManager[object]:
        """No org is half erased in the block."""
        return self._lock

    def rows_of_org(self, org_id: int) -> Mapping[str, int]:
        self._flusher.flush_what_concerns(org_id, _ALWAYS)
        return self._history.rows_of_org(org_id)

    def erase_all(self, keys: KeyStore) -> None:
        """What any org has left that was removed. Raises Unavailable."""
        for org in keys.removed_orgs():
            if not org.is_erased:
                self.erase_org(org.id)

    def erase_org(self, org_id: int) -> None:
        with self._lock:
            self._begun.add(org_id)
            # What was on its way meanwhile is in the log after this, before the tombstone.
            self._flusher.flush()
            sequence = self._wal.remove_org(org_id)
            self._checkpoints.table.forget_org(org_id)
            self._flusher.flush_before(sequence)
            self._checkpoints.applied = max(self._checkpoints.applied, sequence)
            self._write_checkpoint()
            self._release()
            if self._wal.status().first_sequence <= sequence:
                raise Unavailable("A segment of the log cannot be removed")
            try:
                self._history.erase_org(org_id)
            finally:
                self._on_erased(org_id)

    def _write_checkpoint(self) -> None:
        try:
            self._checkpoints.write()
        except OSError as error:
            raise Unavailable(f"Cannot write the checkpoint: {error.strerror or error}") from error
