"""The contract of monitors in plain Python."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from procession.monitors.group_state import Group, GroupState
from procession.monitors.late.silences import Silence
from procession.monitors.lease import EvaluationLease
from procession.monitors.monitor import Monitor
from procession.monitors.transition import Late, Transition
from procession.window import Window


class OracleMonitors:
    """A MonitorStore in memory."""

    def __init__(self) -> None:
        self._monitors: dict[tuple[int, int], Monitor] = {}
        self._groups: dict[tuple[int, int], dict[Group, GroupState]] = {}
        self._transitions: dict[tuple[object, ...], Transition] = {}
        self._silences: dict[tuple[int, str, int], Silence] = {}
        self._leases: dict[str, EvaluationLease] = {}

    def monitors(self, org_id: int | None = None) -> tuple[Monitor, ...]:
        return tuple(one for (org, _), one in sorted(self._monitors.items()) if org_id in (None, org))

    def put_monitor(self, monitor: Monitor) -> None:
        self._monitors[monitor.org_id, monitor.id] = monitor

    def delete_monitor(self, org_id: int, monitor_id: int) -> None:
        self._monitors.pop((org_id, monitor_id), None)
        self._groups.pop((org_id, monitor_id), None)

    def groups_by_monitor(
        self, org_id: int | None = None, monitor_id: int | None = None
    ) -> dict[tuple[int, int], tuple[GroupState, ...]]:
        return {
            (org, monitor): tuple(states.values())
            for (org, monitor), states in self._groups.items()
            if org_id in (None, org) and monitor_id in (None, monitor) and states
        }

    def put_groups(self, org_id: int, monitor_id: int, states: Sequence[GroupState]) -> None:
        self._groups.setdefault((org_id, monitor_id), {}).update((one.group, one) for one in states)

    def drop_groups(self, org_id: int, monitor_id: int, groups: Sequence[Group]) -> None:
        for group in groups:
            self._groups.get((org_id, monitor_id), {}).pop(group, None)

    def put_transitions(self, transitions: Sequence[Transition]) -> None:
        for one in transitions:
            is_added = one.late is Late.ADDED
            self._transitions[one.org_id, one.at, one.monitor_id, one.group, one.kind, is_added] = one

    def transitions(
        self,
        org_id: int,
        window: Window,
        limit: int,
        monitor_id: int | None = None,
        *,
        among: Collection[int] | None = None,
    ) -> tuple[Transition, ...]:
        found = [
            one
            for one in self._transitions.values()
            if one.org_id == org_id
            and window.from_at <= one.at <= window.to_at
            and monitor_id in (None, one.monitor_id)
            and (among is None or one.monitor_id in among)
        ]
        return tuple(sorted(found, key=lambda one: -one.at)[:limit])

    def silences(self) -> tuple[Silence, ...]:
        return tuple(one for _, one in sorted(self._silences.items()))

    def put_silences(self, silences: Sequence[Silence]) -> None:
        self._silences.update(((one.org_id, one.host, one.since), one) for one in silences)

    def drop_silences(self, silences: Sequence[Silence]) -> None:
        for one in silences:
            self._silences.pop((one.org_id, one.host, one.since), None)

    def leases(self) -> tuple[EvaluationLease, ...]:
        return tuple(self._leases.values())

    def put_lease(self, lease: EvaluationLease) -> None:
        self._leases[lease.owner] = lease
