"""What somebody looks for in an audit trail."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from procession.audit.folder import AuditFolder, first_number_of
from procession.audit.recovery import lines_of

MOST_LOOKED_AT = 100_000
"""For one page."""

OF_THE_TRAIL = frozenset(("gap", "copy-gap", "torn", "damaged", "expired", "retention", "file", "anchor"))
"""Kinds of records about the trail itself, which are of no org."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    since: float | None = None
    until: float | None = None
    who: str = ""
    """Part of the id or the name of a key, or of a session."""
    route: str = ""
    """Part of method and route."""
    text: str = ""
    """Part of what was asked, or of what was changed."""
    org_id: int | None = None
    """Only what somebody of this org did, or what was done to it; and what befell the trail."""

    def matches(self, record: dict[str, Any]) -> bool:
        at = record.get("at", record.get("expired_at", 0))
        if (self.since is not None and at < self.since) or (self.until is not None and at > self.until):
            return False
        if self.org_id is not None and not self._is_of_org(record):
            return False
        if self.who and not _has(record.get("who"), self.who):
            return False
        if self.route and self.route.casefold() not in route_of(record).casefold():
            return False
        return not self.text or _has([record.get("asked"), record.get("changes")], self.text)

    def _is_of_org(self, record: dict[str, Any]) -> bool:
        if record.get("kind") in OF_THE_TRAIL:
            return True
        changed = {change.get("org_id") for change in record.get("changes", ())}
        return self.org_id == record.get("org_id") or self.org_id in changed


def route_of(record: dict[str, Any]) -> str:
    return f"{record.get('method', '')} {record.get('route', '')}"


def records(folder: AuditFolder, wanted: AuditFilter) -> Iterator[dict[str, Any]]:
    """The oldest first. Raises OSError where the trail cannot be read."""
    for path in folder.files():
        for line in _lines(path):
            record = _record_in(line)
            if record is not None and wanted.matches(record):
                yield record


@dataclass(frozen=True, slots=True)
class AuditPage:
    records: list[dict[str, Any]]
    after: int | None
    """The number of the record before which the next page begins; None: there is none."""


def newest_records(folder: AuditFolder, wanted: AuditFilter, before: int | None, limit: int) -> AuditPage:
    """Those before a record, the newest first. A page may have fewer than `limit` and yet not be the last: no more than
    MOST_LOOKED_AT records are looked at for it. Raises OSError where the trail cannot be read."""
    found = list[dict[str, Any]]()
    looked_at, last = 0, before
    for path in reversed(folder.files()):
        if before is not None and first_number_of(path) >= before:
            continue
        for line in reversed(list(_lines(path))):
            record = _record_in(line)
            number = None if record is None else record.get("number", record.get("last"))
            if record is None or not isinstance(number, int) or (before is not None and number >= before):
                continue
            if len(found) >= limit or looked_at >= MOST_LOOKED_AT:
                return AuditPage(found, last)
            looked_at, last = looked_at + 1, number
            if wanted.matches(record):
                found.append(record)
    return AuditPage(found, None)


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            yield from lines_of(file)
    except FileNotFoundError:
        return  # it has expired meanwhile


def _record_in(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except ValueError:
        return None  # `verify` says what is wrong
    return record if isinstance(record, dict) else None


def _has(value: Any, part: str) -> bool:
    """Whether any text in it has this part, whatever their case."""
    if isinstance(value, dict):
        return any(_has(one, part) for one in value.values())
    if isinstance(value, list):
        return any(_has(one, part) for one in value)
    return part.casefold() in str(value).casefold() if value is not None else False
