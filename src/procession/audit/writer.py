"""The one thread that writes an audit trail, and the queue in front of it."""

from __future__ import annotations

import contextlib
import json
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from procession.audit.asked import scrubbed_change
from procession.audit.entry import AuditEntry
from procession.audit.folder import AuditFolder, replace_file
from procession.audit.repeats import Repeats, record_of
from procession.audit.syslog import SyslogAddress, SyslogCopy
from procession.audit.trail import Trail
from procession.errors import Unavailable

MOST_WAITING = 10_000
"""Entries, and as many records, that wait in memory; of questions beyond that only the number is recorded."""
GATHER_SECONDS = 0.5
"""How long what was asked may wait for more, to be written together. A change waits for nothing."""
RETRY_SECONDS = 1.0
CLOSE_SECONDS = 1.0
EXPIRY_SECONDS = 3600.0
"""How often it is looked for files whose time is over."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Queued:
    entry: AuditEntry | Mapping[str, Any]
    """Or the record itself, of what the server did."""
    written: Future[int] | None = None


@dataclass
class _Gap:
    since: float
    reason: str
    lost: int = 0


class AuditWriter:
    """Takes what is to be recorded from any thread. While nothing can be written, what comes is kept as far as there is
    room; the gap is recorded as soon as something can."""

    def __init__(
        self,
        folder: AuditFolder,
        *,
        retention_days: int,
        syslog: SyslogAddress | None = None,
        clock: Callable[[], float] = time.time,
        gather_seconds: float = GATHER_SECONDS,
        retry_seconds: float = RETRY_SECONDS,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self.folder = folder
        self._retention_days = retention_days
        self._copy = None if syslog is None else SyslogCopy(syslog, self._copies_lost, retry_seconds=retry_seconds)
        self._clock = clock
        self._gather_seconds = gather_seconds
        self._retry_seconds = retry_seconds
        self._most_waiting = most_waiting
        self._changed = threading.Condition(threading.Lock())
        self._queue = deque[_Queued]()
        self._is_urgent = self._is_closing = False
        self._repeats = Repeats()
        self._trail: Trail | None = None
        self._expires_at = 0.0
        self._unwritten = deque[dict[str, Any]]()
        """Records that could not be written yet."""
        self._gap: _Gap | None = None
        self._thread = threading.Thread(target=self._run, name="audit", daemon=True)
        self._thread.start()

    @property
    def failure(self) -> str:
        """Why nothing can be written now; empty where it can."""
        gap = self._gap
        return "" if gap is None else gap.reason

    def require_writable(self) -> None:
        """Raises Unavailable while nothing can be recorded."""
        if reason := self.failure:
            raise _unavailable(reason)

    def note(self, entry: AuditEntry) -> None:
        """To be written soon. Never waits."""
        with self._changed:
            if len(self._queue) >= self._most_waiting:
                self._lose(1, "more was asked than could be written")
                return
            self._queue.append(_Queued(entry))
            if len(self._queue) == 1:
                self._changed.notify()

    def write(self, entry: AuditEntry | Mapping[str, Any]) -> Future[int]:
        """The number of the record, once it is safe on disk; Unavailable where it cannot be."""
        written = Future[int]()
        with self._changed:
            if self._is_closing or len(self._queue) >= self._most_waiting:
                raise _unavailable("the server is stopping" if self._is_closing else "too much waits to be written")
            self._queue.append(_Queued(entry, written))
            self._is_urgent = True
            self._changed.notify()
        return written

    def started(self, version: str, settings: Mapping[str, Any], changes: Sequence[Mapping[str, Any]] = ()) -> None:
        """Record the start of a server, with its settings (without secrets), what of them has changed, and what else it
        changed."""
        before = self._last_settings()
        changed = [
            *changes,
            *(
                {"kind": "setting", "subject": name, "before": before.get(name), "after": settings.get(name)}
                for name in sorted({*before, *settings})
                if before.get(name) != settings.get(name)
            ),
        ]
        fields = {"kind": "started", "version": version, "settings": scrubbed_change(settings)}
        self._tell(fields | ({"changes": scrubbed_change(changed)} if changed else {}))
        with contextlib.suppress(OSError):  # then the next start finds more changed than was
            self.folder.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_file(self.folder.settings_file, json.dumps(settings).encode("ascii"))

    def close(self) -> None:
        """Write what waits, and end."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        self._thread.join(CLOSE_SECONDS)
        if self._copy is not None:
            self._copy.close()

    def _tell(self, fields: Mapping[str, Any]) -> None:
        with self._changed:
            self._queue.append(_Queued({"at": round(self._clock(), 3), **fields}))
            self._changed.notify()

    def _last_settings(self) -> dict[str, Any]:
        try:
            found = json.loads(self.folder.settings_file.read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _lose(self, count: int, reason: str) -> None:
        if self._gap is None:
            self._gap = _Gap(self._clock(), reason)
        self._gap.lost += count

    # What the thread does

    def _run(self) -> None:
        while True:
            batch, is_closing = self._take()
            try:
                self._write_batch(batch, is_closing=is_closing)
            except Exception:  # a bug must not end the thread, and nobody may wait for ever
                _log.exception("a bug kept the audit trail from being written", {"event": "audit-failed"})
                _fail(batch, _unavailable("an error of the server, which its log has"))
                with self._changed:
                    self._lose(len(batch), "an error of the server")
            if is_closing:
                break
        if self._trail is not None:
            self._trail.close()

    def _take(self) -> tuple[list[_Queued], bool]:
        """All that waits, once it has waited long enough."""
        with self._changed:
            wait = self._retry_seconds if self._gap else self._gather_seconds
            if not self._queue and not self._is_closing:
                # What is repeated falls due without anything new.
                self._changed.wait(self._retry_seconds if self._gap else 10 * self._gather_seconds)
            until = time.monotonic() + wait
            while not (self._is_urgent or self._is_closing) and (left := until - time.monotonic()) > 0:
                self._changed.wait(left)
            batch = list(self._queue)
            self._queue.clear()
            self._is_urgent = False
            return batch, self._is_closing

    def _write_batch(self, batch: list[_Queued], *, is_closing: bool) -> None:
        records, awaited = self._records(batch, is_closing=is_closing)
        if not records and not self._unwritten and self._gap is None:
            return
        gap = self._gap
        now = self._clock()
        before = [_gap_record(gap, now)] if gap is not None else []
        kept = list(self._unwritten)
        try:
            if self._trail is None:
                self._trail = self._opened(now)
                self._expires_at = 0.0
            if now >= self._expires_at:
                self._trail.expire(now)
                self._expires_at = now + EXPIRY_SECONDS
            numbers = self._trail.append([*before, *kept, *records], now=now)
        except OSError as error:
            self._could_not(error, records, awaited)
            return
        self._unwritten.clear()
        with self._changed:
            if gap is not None and self._gap is gap:
                lost_meanwhile = gap.lost - before[0]["missed"]
                self._gap = _Gap(now, gap.reason, lost_meanwhile) if lost_meanwhile else None
        if gap is not None:
            fields = {"event": "audit-back", "seconds": round(now - gap.since), "missed": before[0]["missed"]}
            _log.warning("the audit trail is written again, after %(seconds)d s; %(missed)d records were lost", fields)
        first = len(before) + len(kept)
        for place, written in awaited:
            if not written.cancelled():
                written.set_result(numbers[first + place])

    def _opened(self, now: float) -> Trail:
        copy = (lambda _lines: None) if self._copy is None else self._copy.send
        return Trail(self.folder, retention_days=self._retention_days, now=now, copy=copy)

    def _copies_lost(self, count: int) -> None:
        self._tell({"kind": "copy-gap", "missed": count})

    def _records(
        self, batch: list[_Queued], *, is_closing: bool
    ) -> tuple[list[dict[str, Any]], list[tuple[int, Future[int]]]]:
        """And for those who wait, which of them is theirs."""
        records, awaited = list[dict[str, Any]](), list[tuple[int, Future[int]]]()
        for waiting in batch:
            if waiting.written is not None:
                awaited.append((len(records), waiting.written))
            if not isinstance(waiting.entry, AuditEntry):
                records.append(dict(waiting.entry))
            elif waiting.written is not None:
                records.append(record_of(waiting.entry))
            else:
                records += self._repeats.records(waiting.entry)
        now = self._clock()
        if is_closing:
            records += [*self._repeats.rest(), {"at": round(now, 3), "kind": "stopped"}]
        else:
            records += self._repeats.due(now)
        return records, awaited

    def _could_not(self, error: OSError, records: list[dict[str, Any]], awaited: list[tuple[int, Future[int]]]) -> None:
        reason = (error.strerror or str(error)).lower()
        if self._trail is not None:
            self._trail.close()
            self._trail = None
        refused = {place for place, _ in awaited}
        kept = [record for place, record in enumerate(records) if place not in refused]
        with self._changed:
            is_new = self._gap is None
            room = max(0, self._most_waiting - len(self._unwritten))
            self._lose(len(kept[room:]), reason)
            assert self._gap is not None  # noqa: S101 (it is since the line before)
            self._gap.reason = reason
        self._unwritten.extend(kept[:room])
        if is_new:
            fields = {"event": "audit-unwritable", "reason": reason}
            _log.error("the audit trail cannot be written: %(reason)s; changes and exports are refused", fields)
        for _, written in awaited:
            if not written.cancelled():
                written.set_exception(_unavailable(reason))


def _gap_record(gap: _Gap, now: float) -> dict[str, Any]:
    return {"at": round(now, 3), "kind": "gap", "since": round(gap.since, 3), "missed": gap.lost, "reason": gap.reason}


def _fail(batch: list[_Queued], error: Exception) -> None:
    for waiting in batch:
        if waiting.written is not None and not waiting.written.done():
            waiting.written.set_exception(error)


def _unavailable(reason: str) -> Unavailable:
    return Unavailable(
        f"The audit trail cannot be written ({reason}): nothing is changed or exported until it can; questions are"
        " answered"
    )
