"""Writes down who changes what, before it is changed: so that no change is without its record."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping
from typing import Any

import msgspec

from procession.accounts.change import Author, Change, ChangeKind, key_change, new_change, user_change
from procession.accounts.orgs import Key
from procession.accounts.users import User
from procession.notifications.channels import Channel, CustomVariable, handle_of
from procession.notifications.downtimes.downtime import Downtime
from procession.server.audit.note import note_change
from procession.storage import ChangeStore

Fields = Mapping[str, Any] | None
"""None: it is not there."""

_HIDDEN_OF_CHANNELS = ("url", "routing_key", "payload", "custom_headers")
"""An address may have a secret in it, as that of Slack's has."""
_HIDDEN_OF_VARIABLES = ("value",)
_OWN_OF_DOWNTIMES = ("modified_at", "ends_seen_at")
"""What nobody decided."""


class ChangeRecorder:
    """All of it blocks, and raises Unavailable: what cannot be recorded is not to be done. `by`: the key that asks for
    the change, which is one of its org."""

    def __init__(self, store: ChangeStore, now: Callable[[], int]) -> None:
        self._store = store
        self._now = now

    def record_monitor(self, by: Key, monitor_id: int, before: Fields, after: Fields) -> None:
        self._record(by, ChangeKind.MONITOR, str(monitor_id), before, after)

    def record_channel(self, by: Key, before: Channel | None, after: Channel | None) -> None:
        one = after or before
        if one is not None:
            fields = _fields(before), _fields(after)
            self._record(by, ChangeKind.CHANNEL, handle_of(one), *fields, hidden=_HIDDEN_OF_CHANNELS)

    def record_variable(self, by: Key, before: CustomVariable | None, after: CustomVariable | None) -> None:
        one = after or before
        if one is not None:
            fields = _fields(before), _fields(after)
            self._record(by, ChangeKind.VARIABLE, one.name, *fields, hidden=_HIDDEN_OF_VARIABLES)

    def record_downtime(self, by: Key, before: Downtime | None, after: Downtime) -> None:
        fields = _fields(before, _OWN_OF_DOWNTIMES), _fields(after, _OWN_OF_DOWNTIMES)
        self._record(by, ChangeKind.DOWNTIME, after.id, *fields)

    def record_key(self, by: Key, before: Key | None, after: Key) -> None:
        """Of the org of the key that is changed."""
        self._put(key_change(Author.of(by), self._now(), before, after))

    def record_user(self, by: Key, before: User | None, after: User) -> None:
        """Of the org of the user who is changed; of both where that is another than before."""
        author, now = Author.of(by), self._now()
        if before is not None and before.org_id != after.org_id:
            self._put(user_change(author, now, before, dataclasses.replace(before, removed_at=now)))
            before = None
        self._put(user_change(author, now, before, after))

    def _record(
        self, by: Key, kind: ChangeKind, subject: str, before: Fields, after: Fields, hidden: Collection[str] = ()
    ) -> None:
        self._put(new_change(by.org_id, self._now(), Author.of(by), kind, subject, before, after, hidden=hidden))

    def _put(self, change: Change | None) -> None:
        if change is not None:
            note_change(
                str(change.kind),
                change.subject,
                str(change.action),
                org_id=change.org_id,
                before=change.before,
                after=change.after,
            )
            self._store.put_change(change)


def _fields(value: msgspec.Struct | None, without: Collection[str] = ()) -> Fields:
    if value is None:
        return None
    fields: dict[str, Any] = msgspec.to_builtins(value)
    return {name: one for name, one in fields.items() if name not in without}
