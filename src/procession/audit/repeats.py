"""The same question again and again, as a page asks it that somebody watches live: a record a minute, with a count."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from procession.audit.asked import asked_of, is_about_now, scrubbed_change, without_moments
from procession.audit.entry import AuditEntry

PERIOD_SECONDS = 60.0
MOST_REPEATED = 10_000
"""Questions that may be repeated at a time; of more, the one that was asked first is written early."""
MOST_STRANGERS = 200
"""Addresses without a key that are told apart in a period; the rest count as one."""
OTHERS = "others"


@dataclass
class _Repeated:
    entry: AuditEntry
    """The first that is not written yet, or that was."""
    since: float
    until: float
    count: int = 0
    rows: int | None = None


class Repeats:
    """Used by one thread."""

    def __init__(self) -> None:
        self._repeated: OrderedDict[Hashable, _Repeated] = OrderedDict()
        """By when their period began."""
        self._strangers: set[str] = set()
        self._strangers_since = 0.0

    def records(self, entry: AuditEntry) -> Iterator[dict[str, Any]]:
        """What is to be written now that this was asked; nothing where it was written within the last minute."""
        yield from self.due(entry.at)
        if not entry.is_question:
            yield record_of(entry)
            return
        entry = self._known(entry)
        key = _key_of(entry)
        repeated = self._repeated.get(key)
        if repeated is None:
            self._repeated[key] = _Repeated(entry, entry.at, entry.at)
            yield record_of(entry)
            while len(self._repeated) > MOST_REPEATED:
                yield from _counted(self._repeated.popitem(last=False)[1])
            return
        if not repeated.count:
            repeated.entry = entry
        repeated.count += 1
        repeated.until = entry.at
        if entry.rows is not None:
            repeated.rows = (repeated.rows or 0) + entry.rows

    def due(self, now: float) -> Iterator[dict[str, Any]]:
        """Those whose minute is over."""
        while self._repeated:
            key, repeated = next(iter(self._repeated.items()))
            if 0 <= now - repeated.since < PERIOD_SECONDS:
                return
            del self._repeated[key]
            if repeated.count:
                yield from _counted(repeated)
                self._repeated[key] = _Repeated(repeated.entry, now, now)

    def rest(self) -> Iterator[dict[str, Any]]:
        """All that was not written yet."""
        for repeated in self._repeated.values():
            yield from _counted(repeated)
        self._repeated.clear()

    def _known(self, entry: AuditEntry) -> AuditEntry:
        """Of who has no key nothing is kept but where he came from: he may say what he likes, and as often."""
        if entry.who is not None:
            return entry
        if not 0 <= entry.at - self._strangers_since < PERIOD_SECONDS:
            self._strangers, self._strangers_since = set(), entry.at
        address = entry.address
        if address not in self._strangers and len(self._strangers) >= MOST_STRANGERS:
            address = OTHERS
        self._strangers.add(address)
        return replace(entry, address=address, path={}, query=b"", body=b"", rows=None)


def record_of(entry: AuditEntry) -> dict[str, Any]:
    """The record of one request; what is empty is not in it."""
    who = entry.who
    fields: dict[str, Any] = {
        "at": round(entry.at, 3),
        "kind": "intent" if entry.status is None else "request",
        "who": None if who is None else who.fields(),
        "org_id": None if who is None else who.org_id,
        "from": entry.address,
        "method": entry.method,
        "route": entry.route,
        "asked": asked_of(entry),
        "rows": entry.rows,
        "status": entry.status,
        "intent": entry.intent,
        "changes": scrubbed_change(entry.changes),
    }
    return {name: value for name, value in fields.items() if value not in (None, "", {}, [])}


def _counted(repeated: _Repeated) -> Iterator[dict[str, Any]]:
    if repeated.count:
        record = record_of(repeated.entry)
        if repeated.rows is not None:
            record["rows"] = repeated.rows
        yield {**record, "count": repeated.count, "until": round(repeated.until, 3)}


def _key_of(entry: AuditEntry) -> Hashable:
    """Two entries with the same are the same question of the same reader with the same success."""
    query = without_moments(entry.query) if is_about_now(entry) else (entry.query,)
    path = tuple(entry.path.items())
    return entry.who, entry.address, entry.method, entry.route, path, query, entry.body, entry.status
