"""The outbox in the tables: notifications that wait, and those that were sent or given up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from procession.notifications.notification import (
    LONGEST_WAIT_SECONDS,
    Delivery,
    Notification,
    NotifiedState,
    decode_transition,
    encode_transition,
    group_key,
)
from procession.storage.accounts.tables import AccountTables

DUE_OF_A_CHANNEL = 20
"""At once, so that a channel that takes none does not keep all others waiting."""

_MAX_BYTES = 96 * 1024
"""Of the rows of a statement, as they are sent: a server takes no more than 128 KiB for a parameter."""
_MAX_IDS = 1_000

_COLUMNS = "org, id, created_at, channel, transition, is_digest, delivery, attempts, next_at, changed_at, error"
_TYPES = {
    "org": "UInt32",
    "id": "String",
    "created_at": "UInt32",
    "channel": "String",
    "transition": "String",
    "is_digest": "Bool",
    "delivery": "String",
    "attempts": "UInt16",
    "next_at": "UInt32",
    "changed_at": "UInt32",
    "error": "String",
}
_STATE_TYPES = {
    "org": "UInt32",
    "monitor_id": "Int64",
    "group_key": "String",
    "at": "UInt32",
    "transition": "String",
    "muted_by": "String",
}


class _Row(NamedTuple):
    org: int
    id: str
    created_at: int
    channel: str
    transition: str
    is_digest: bool
    delivery: str
    attempts: int
    next_at: int
    changed_at: int
    error: str

    @classmethod
    def of(cls, one: Notification) -> _Row:
        return cls(
            one.org_id,
            one.id,
            one.created_at,
            one.channel,
            encode_transition(one.transition),
            one.is_digest,
            one.delivery.value,
            one.attempts,
            one.next_at,
            one.changed_at,
            one.error,
        )

    def notification(self) -> Notification:
        return Notification(
            id=self.id,
            org_id=self.org,
            channel=self.channel,
            created_at=self.created_at,
            transition=decode_transition(self.transition),
            is_digest=self.is_digest,
            delivery=Delivery(self.delivery),
            attempts=self.attempts,
            next_at=self.next_at,
            changed_at=self.changed_at,
            error=self.error,
        )


class ClickHouseOutbox:
    """An OutboxStore."""

    def __init__(self, tables: AccountTables) -> None:
        self._tables = tables

    def put_notifications(self, notifications: Sequence[Notification]) -> None:
        self._insert("notifications", "id IN {id:Array(String)}", _TYPES, list(map(_Row.of, notifications)))

    def known_notifications(self, org_id: int, ids: Sequence[str], since: int) -> frozenset[str]:
        known = set[str]()
        for first in range(0, len(ids), _MAX_IDS):
            rows = self._tables.rows(
                "SELECT DISTINCT id FROM notifications"
                " WHERE org = {org:UInt32} AND created_at >= {since:Int64} AND id IN {ids:Array(String)}",
                {"org": org_id, "ids": list(ids[first : first + _MAX_IDS]), "since": since},
            )
            known.update(str(found) for (found,) in rows)
        return frozenset(known)

    def due_notifications(self, now: int, limit: int) -> tuple[Notification, ...]:
        return self._found(
            "created_at >= {since:Int64} AND delivery = 'waiting' AND next_at <= {now:Int64}"
            f" ORDER BY next_at, created_at, id LIMIT {DUE_OF_A_CHANNEL} BY org, channel LIMIT {{limit:UInt32}}",
            {"since": now - LONGEST_WAIT_SECONDS, "now": now, "limit": limit},
        )

    def next_due(self, now: int) -> int | None:
        rows = self._tables.rows(
            "SELECT next_at FROM notifications FINAL WHERE created_at >= {since:Int64} AND delivery = 'waiting'"
            " ORDER BY next_at LIMIT 1",
            {"since": now - LONGEST_WAIT_SECONDS},
        )
        return min((int(at) for (at,) in rows), default=None)  # one from each shard that was asked

    def notifications(self, org_id: int, since: int, limit: int) -> tuple[Notification, ...]:
        return self._found(
            "org = {org:UInt32} AND created_at >= {since:Int64} ORDER BY created_at DESC, id LIMIT {limit:UInt32}",
            {"org": org_id, "since": since, "limit": limit},
        )

    def count_notifications(self, org_id: int, since: int) -> int:
        rows = self._tables.rows(
            "SELECT uniqExact(id) FROM notifications FINAL WHERE org = {org:UInt32} AND created_at >= {since:Int64}"
            " AND NOT is_digest AND delivery IN ('waiting', 'sent', 'failed')",
            {"org": org_id, "since": since},
        )
        return sum(int(count) for (count,) in rows)  # one from each shard that was asked

    def group_states(self, org_id: int) -> tuple[NotifiedState, ...]:
        rows = self._tables.rows(
            "SELECT transition, muted_by FROM notified_states FINAL WHERE org = {org:UInt32}", {"org": org_id}
        )
        return tuple(NotifiedState(decode_transition(transition), muted_by) for transition, muted_by in rows)

    def put_group_states(self, states: Sequence[NotifiedState]) -> None:
        rows = [
            (
                one.transition.org_id,
                one.transition.monitor_id,
                group_key(one.transition),
                one.transition.at,
                encode_transition(one.transition),
                one.muted_by,
            )
            for one in states
        ]
        self._insert("notified_states", "monitor_id IN {monitor_id:Array(Int64)}", _STATE_TYPES, rows)

    def hold_sending(self, owner: str, now: int, seconds: int) -> bool:
        text = "SELECT owner, until FROM notification_leases FINAL WHERE name = 'sender'"
        held = max(self._tables.rows(text), key=lambda row: int(row[1]), default=("", 0))
        if held[0] != owner and held[1] > now:
            return False
        self._tables.change(
            "notification_leases WHERE name = 'sender'",
            "INSERT INTO notification_leases SELECT 'sender', {owner:String}, {until:UInt32}, {change:UInt64}",
            {"owner": owner, "until": now + seconds},
        )
        # Of two that ask at once, the one whose row came last has it; the other sees that now, or at its next turn.
        return any(row[0] == owner for row in self._tables.rows(text))

    def _found(self, condition: str, parameters: dict[str, Any]) -> tuple[Notification, ...]:
        rows = self._tables.rows(f"SELECT {_COLUMNS} FROM notifications FINAL WHERE {condition}", parameters)
        return tuple(_Row._make(row).notification() for row in rows)

    def _insert(self, table: str, same: str, types: dict[str, str], rows: Sequence[Sequence[Any]]) -> None:
        """As few statements as may be; a row that is there already gives way to the new one."""
        arrays = ", ".join(f"{{{name}:Array({kind})}} AS {name}_array" for name, kind in types.items())
        joined = ", ".join(f"{name}_array AS {name}_value" for name in types)
        values = ", ".join(f"{name}_value" for name in types)
        for some in _cut(rows):
            columns = {name: [row[index] for row in some] for index, name in enumerate(types)}
            self._tables.change(
                f"{table} WHERE {same}",
                f"INSERT INTO {table} ({', '.join(types)}, change)"
                f" SELECT {values}, {{change:UInt64}} FROM (SELECT {arrays}) ARRAY JOIN {joined}",
                columns,
            )


def _cut(rows: Sequence[Sequence[Any]]) -> Iterator[list[Sequence[Any]]]:
    """Into pieces that a statement may have; a row that is too large for one is a piece by itself."""
    piece, length = list[Sequence[Any]](), 0
    for row in rows:
        # As in an address: a server counts what it is sent.
        texts = (str(value).replace("\\", "\\\\").replace("'", "\\'") for value in row)
        more = sum(len(quote(text, errors="replace")) + 10 for text in texts)
        if piece and length + more > _MAX_BYTES:
            yield piece
            piece, length = [], 0
        piece.append(row)
        length += more
    if piece:
        yield piece
