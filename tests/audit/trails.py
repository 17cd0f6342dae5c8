"""Audit trails to try things on."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from procession.audit import AuditEntry, AuditFolder, AuditWriter, Who
from procession.audit.reading import AuditFilter, records
from procession.audit.trail import Trail

NOON = 1_790_000_000.0
WHO = Who("k1", "dashboard", "application", 1)


def an_entry(**fields: Any) -> AuditEntry:
    """A question about now by a known reader, unless it is said otherwise."""
    usual: dict[str, Any] = {
        "at": NOON,
        "who": WHO,
        "address": "192.0.2.7",
        "method": "GET",
        "route": "/api/v2/processes",
        "query": b"search=nginx",
        "status": 200,
        "rows": 3,
    }
    return AuditEntry(**usual | fields)


def a_change(**fields: Any) -> AuditEntry:
    usual: dict[str, Any] = {"method": "PUT", "route": "/views/{name}", "query": b"", "is_question": False}
    return an_entry(**usual | fields)


def a_writer(folder: AuditFolder, **options: Any) -> AuditWriter:
    """That waits for nothing."""
    usual: dict[str, Any] = {"retention_days": 30, "gather_seconds": 0.002, "retry_seconds": 0.01}
    return AuditWriter(folder, **usual | options)


def a_trail(folder: AuditFolder, *counts: int, retention_days: int = 30, now: float = NOON) -> list[bytes]:
    """With a file for each count, of so many records besides the first. Gives the lines."""
    for count in counts:
        # With any size a file is due to be followed by another one.
        trail = Trail(folder, retention_days=retention_days, now=now, file_bytes=1)
        trail.append([{"at": now, "kind": "request", "asked": {"search": f"q{n}"}} for n in range(count)], now=now)
        trail.close()
    return lines_in(folder)


def lines_in(folder: AuditFolder) -> list[bytes]:
    return [line for path in folder.files() for line in path.read_bytes().splitlines(keepends=True)]


def all_records(folder: AuditFolder, *kinds: str, **wanted: Any) -> list[dict[str, Any]]:
    """Of these kinds, or of all of them."""
    return [one for one in records(folder, AuditFilter(**wanted)) if not kinds or one["kind"] in kinds]


def folder_in(path: Path) -> AuditFolder:
    return AuditFolder.of(path)


def until(condition: Callable[[], object], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)
