"""What notifications need of a store, in plain Python."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from procession.notifications.channels import Channel, CustomVariable, handle_of
from procession.notifications.downtimes.downtime import Downtime
from procession.notifications.notification import LONGEST_WAIT_SECONDS, Delivery, Notification, NotifiedState, group_key
from procession.storage.notifications.outbox import DUE_OF_A_CHANNEL


class OracleNotifications:
    """A NotificationSettingsStore and an OutboxStore."""

    def __init__(self) -> None:
        self._channels: dict[tuple[int, str], Channel] = {}
        self._variables: dict[tuple[int, str], CustomVariable] = {}
        self._downtimes: dict[tuple[int, str], Downtime] = {}
        self._notifications: dict[str, Notification] = {}
        self._states: dict[tuple[int, int, str], NotifiedState] = {}
        self._holder = ("", 0)

    def channels(self, org_id: int) -> tuple[Channel, ...]:
        return tuple(self._channels[key] for key in sorted(self._channels) if key[0] == org_id)

    def put_channel(self, org_id: int, channel: Channel) -> None:
        self._channels[org_id, handle_of(channel)] = channel

    def delete_channel(self, org_id: int, handle: str) -> None:
        self._channels.pop((org_id, handle), None)

    def variables(self, org_id: int) -> tuple[CustomVariable, ...]:
        return tuple(self._variables[key] for key in sorted(self._variables) if key[0] == org_id)

    def put_variable(self, org_id: int, variable: CustomVariable) -> None:
        self._variables[org_id, variable.name] = variable

    def delete_variable(self, org_id: int, name: str) -> None:
        self._variables.pop((org_id, name), None)

    def downtimes(self, org_id: int) -> tuple[Downtime, ...]:
        return tuple(self._downtimes[key] for key in sorted(self._downtimes) if key[0] == org_id)

    def put_downtime(self, org_id: int, downtime: Downtime) -> None:
        self._downtimes[org_id, downtime.id] = downtime

    def put_notifications(self, notifications: Sequence[Notification]) -> None:
        self._notifications |= {one.id: one for one in notifications}

    def known_notifications(self, org_id: int, ids: Sequence[str], since: int) -> frozenset[str]:
        return frozenset(one.id for one in self._of(org_id, since) if one.id in ids)

    def due_notifications(self, now: int, limit: int) -> tuple[Notification, ...]:
        due = [one for one in self._notifications.values() if one.delivery is Delivery.WAITING and one.next_at <= now]
        due.sort(key=lambda one: (one.next_at, one.created_at, one.id))
        of_channels = Counter[tuple[int, str]]()
        some = []
        for one in due:
            of_channels[one.org_id, one.channel] += 1
            if of_channels[one.org_id, one.channel] <= DUE_OF_A_CHANNEL:
                some.append(one)
        return tuple(some[:limit])

    def next_due(self, now: int) -> int | None:
        since = now - LONGEST_WAIT_SECONDS
        those = [one for one in self._notifications.values() if one.created_at >= since]
        return min((one.next_at for one in those if one.delivery is Delivery.WAITING), default=None)

    def notifications(self, org_id: int, since: int, limit: int) -> tuple[Notification, ...]:
        return tuple(sorted(self._of(org_id, since), key=lambda one: (-one.created_at, one.id))[:limit])

    def count_notifications(self, org_id: int, since: int) -> int:
        counted = (Delivery.WAITING, Delivery.SENT, Delivery.FAILED)
        return sum(one.delivery in counted and not one.is_digest for one in self._of(org_id, since))

    def group_states(self, org_id: int) -> tuple[NotifiedState, ...]:
        return tuple(state for (org, *_), state in sorted(self._states.items()) if org == org_id)

    def put_group_states(self, states: Sequence[NotifiedState]) -> None:
        for one in states:
            self._states[one.transition.org_id, one.transition.monitor_id, group_key(one.transition)] = one

    def hold_sending(self, owner: str, now: int, seconds: int) -> bool:
        holder, until = self._holder
        if holder not in ("", owner) and until > now:
            return False
        self._holder = (owner, now + seconds)
        return True

    def _of(self, org_id: int, since: int) -> list[Notification]:
        return [one for one in self._notifications.values() if one.org_id == org_id and one.created_at >= since]
