"""The files of an audit trail, as the one who writes has them."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from procession.audit.expiry import expired, first_fields
from procession.audit.folder import AuditFolder, Head, sync_folder, write_all
from procession.audit.recovery import Recovery

DEFAULT_RETENTION_DAYS = 365
FILE_BYTES = 16 * 2**20
FILE_SECONDS = 86400
"""A file that is larger or older is followed by another one: files expire as a whole."""


class Trail:
    """Opened by one process at a time. Every call may raise OSError; then nothing of it counts, and a trail that could
    not go back to what it was is of no use any more: it is opened anew."""

    def __init__(
        self,
        folder: AuditFolder,
        *,
        retention_days: int | None,
        now: float,
        file_bytes: int = FILE_BYTES,
        copy: Callable[[Sequence[bytes]], object] = lambda _lines: None,
    ) -> None:
        """`copy` gets each line once it is safe on disk. A retention of None is that of the newest file."""
        self._folder = folder
        self._copy = copy
        self._file_bytes = file_bytes
        self._file: int | None = None
        self._head_file: int | None = None
        folder.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock: int | None = _locked(folder.lock_file)
        try:
            self.key = folder.ensure_key()
            found = Recovery(folder, self.key)
            self.link, self._path, self._end = found.link, found.path, found.end
            self._head_file = os.open(folder.head_file, os.O_WRONLY | os.O_CLOEXEC)
            opened = None if self._path is None else _opened_of(self._path)
            self._opened_at = now if opened is None else opened[0]
            self._retention_of_file = None if opened is None else opened[1]
            self._retention_days = retention_days or self._retention_of_file or DEFAULT_RETENTION_DAYS
            if self._path is not None:
                self._file = os.open(self._path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            if found.records:
                self.append([{"at": round(now, 3), **record} for record in found.records], now=now)
        except BaseException:
            self.close()
            raise

    @property
    def path(self) -> Path | None:
        """Of the file that is written to."""
        return self._path

    def append(self, records: Sequence[Mapping[str, Any]], *, now: float) -> range:
        """Write them, each with its number; they are safe on disk when it returns. Gives their numbers."""
        if self._is_due(now):
            self._begin_file(now)
        first = self.link.number + 1
        self._write(records)
        return range(first, first + len(records))

    def expire(self, now: float) -> None:
        """Put anchors in the place of files whose time is over, and record that."""
        found = expired(self._folder, self.key, self._retention_days, now=now, newest=self._path)
        if found:
            self.append([{"at": round(now, 3), "kind": "expired", **one} for one in found], now=now)

    def close(self) -> None:
        for file in (self._file, self._head_file, self._lock):
            if file is not None:
                with contextlib.suppress(OSError):
                    os.close(file)
        self._file = self._head_file = self._lock = None

    def _is_due(self, now: float) -> bool:
        """Whether the next record begins a file."""
        if self._file is None or self._retention_of_file != self._retention_days:
            return True
        return self._end >= self._file_bytes or not 0 <= now - self._opened_at < FILE_SECONDS

    def _begin_file(self, now: float) -> None:
        before = self._retention_of_file
        if self._file is not None and before not in (None, self._retention_days):
            # In the file before, which is kept as long as it was said then.
            changed = {"days_before": before, "days": self._retention_days}
            self._write([{"at": round(now, 3), "kind": "retention", **changed}])
        path = self._folder.file_of(self.link.number + 1)
        if path.exists():  # of a trail that was damaged
            path.replace(path.with_suffix(f".damaged-{int(now)}"))
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        sync_folder(self._folder.path)
        was = self._file, self._path, self._end
        self._file, self._path, self._end = file, path, 0
        opened: dict[str, Any] = {"at": round(now, 3), "kind": "file", "retention_days": self._retention_days}
        try:
            self._write([opened])
        except OSError:
            self._file, self._path, self._end = was
            with contextlib.suppress(OSError):
                os.close(file)
                path.unlink()
            raise
        if was[0] is not None:
            os.close(was[0])
        self._opened_at, self._retention_of_file = now, self._retention_days

    def _write(self, records: Sequence[Mapping[str, Any]]) -> None:
        assert self._file is not None and self._path is not None and self._head_file is not None  # noqa: S101, PT018
        lines, link = list[bytes](), self.link
        for record in records:
            line, link = link.sealed(record)
            lines.append(line)
        data = b"".join(lines)
        try:
            write_all(self._file, data, self._end)
            os.fdatasync(self._file)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._end)
            raise
        self.link, self._end = link, self._end + len(data)
        self._copy(lines)
        # Not synced: after a loss of power it may say less than there is, and never more.
        write_all(self._head_file, Head(link, self._path.name, self._end).encode(self.key), 0)


def _locked(path: Path) -> int:
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        raise OSError(0, "another process writes this audit trail") from None
    except BaseException:
        os.close(file)
        raise
    return file


def _opened_of(path: Path) -> tuple[float, int] | None:
    """When a file was begun, and the retention of what is in it, as its first record says."""
    fields = first_fields(path)
    return None if fields is None else (float(fields["at"]), int(fields["retention_days"]))
