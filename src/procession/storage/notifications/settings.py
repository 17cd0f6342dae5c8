"""Channels, variables and downtimes of orgs in the tables, as JSON by kind and name."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from procession.notifications.channels import Channel, CustomVariable, handle_of
from procession.notifications.downtimes.downtime import Downtime
from procession.storage.accounts.tables import AccountTables

_CHANNEL, _VARIABLE, _DOWNTIME = "channel", "variable", "downtime"

S = TypeVar("S", bound=msgspec.Struct)


class ClickHouseNotificationSettings:
    """A NotificationSettingsStore."""

    def __init__(self, tables: AccountTables) -> None:
        self._tables = tables

    def channels(self, org_id: int) -> tuple[Channel, ...]:
        return tuple(msgspec.json.decode(body, type=Channel) for body in self._bodies(org_id, _CHANNEL))

    def put_channel(self, org_id: int, channel: Channel) -> None:
        self._put(org_id, _CHANNEL, handle_of(channel), channel)

    def delete_channel(self, org_id: int, handle: str) -> None:
        self._put(org_id, _CHANNEL, handle, None)

    def variables(self, org_id: int) -> tuple[CustomVariable, ...]:
        return self._all(org_id, _VARIABLE, CustomVariable)

    def put_variable(self, org_id: int, variable: CustomVariable) -> None:
        self._put(org_id, _VARIABLE, variable.name, variable)

    def delete_variable(self, org_id: int, name: str) -> None:
        self._put(org_id, _VARIABLE, name, None)

    def downtimes(self, org_id: int) -> tuple[Downtime, ...]:
        return self._all(org_id, _DOWNTIME, Downtime)

    def put_downtime(self, org_id: int, downtime: Downtime) -> None:
        self._put(org_id, _DOWNTIME, downtime.id, downtime)

    def _all(self, org_id: int, kind: str, shape: type[S]) -> tuple[S, ...]:
        return tuple(msgspec.json.decode(body, type=shape) for body in self._bodies(org_id, kind))

    def _bodies(self, org_id: int, kind: str) -> list[str]:
        """By name."""
        rows = self._tables.rows(
            "SELECT name, body FROM notification_settings FINAL"
            " WHERE org = {org:UInt32} AND kind = {kind:String} AND NOT is_deleted ORDER BY name",
            {"org": org_id, "kind": kind},
        )
        return [str(body) for _, body in sorted(rows)]

    def _put(self, org_id: int, kind: str, name: str, value: msgspec.Struct | None) -> None:
        self._tables.change(
            "notification_settings WHERE org = {org:UInt32} AND kind = {kind:String} AND name = {name:String}",
            "INSERT INTO notification_settings SELECT {org:UInt32}, {kind:String}, {name:String}, {body:String},"
            " {deleted:Bool}, {change:UInt64}",
            {
                "org": org_id,
                "kind": kind,
                "name": name,
                "body": "" if value is None else msgspec.json.encode(value).decode(),
                "deleted": value is None,
            },
        )
