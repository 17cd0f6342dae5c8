"""A monitor at one moment: all its groups, also those of which nothing is seen."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from procession.monitors.evaluation import Rules, Seen, evaluate_group, resumed_state, skipped_state
from procession.monitors.group_state import Group, GroupState
from procession.monitors.observer import LastSeen, Observer, TooMuch
from procession.monitors.query import Function
from procession.monitors.transition import State, Transition

PROCESS_GONE = "process gone"
AGENT_SILENT = "agent silent"
HOST_GONE = "host gone"

MAX_LOOKUPS = 200
"""How many groups that vanish in one evaluation are looked up; the others follow in the next."""
MAX_NAMED_GROUPS = 50
"""Of how many groups the processes behind a transition are looked up in one evaluation."""
FIRST_SEEN_KEPT_SECONDS = 90 * 86400
_REACH_BACK_SECONDS = 900
"""A group that is kept was seen no earlier than so long before the moment that the store knows."""


@dataclass(frozen=True, slots=True)
class Outcome:
    states: tuple[GroupState, ...]
    """Of all groups."""
    dropped: tuple[Group, ...] = ()
    """Groups that are expected no longer."""


class Evaluation:
    """One monitor at one moment."""

    def __init__(
        self, rules: Rules, states: Mapping[Group, GroupState], observer: Observer, *, is_all_told: bool = True
    ) -> None:
        """`is_all_told`: agents had the time to tell of this moment. Else a group that nobody tells of stays as it
        was."""
        self._rules = rules
        self._states = states
        self._observer = observer
        self._is_all_told = is_all_told
        self._lookups_left = MAX_LOOKUPS
        self._names_left = MAX_NAMED_GROUPS

    def run(self) -> Outcome:
        """Raises Unavailable."""
        rules, at = self._rules, self._observer.moment.at
        try:
            values = self._observer.values(rules.query)
            groups, dropped = self._groups(values)
        except TooMuch as why:
            kept = tuple(state for group, state in self._states.items() if group)
            return Outcome((*kept, skipped_state(rules, self._states.get(()), str(why), at)))
        is_full = self._is_full()
        found = []
        for group, before in groups.items():
            seen = self._seen(group, before, values, is_full=is_full)
            is_kept = seen is None or (seen.value is None and not self._is_all_told)
            if before is not None and is_kept:
                found.append(before)
                continue
            seen = seen or Seen(None)
            found.append(self._with_processes(evaluate_group(rules, group, before, seen, at), seen))
        return Outcome(tuple(found), dropped)

    def _groups(self, values: Mapping[Group, float]) -> tuple[dict[Group, GroupState | None], tuple[Group, ...]]:
        """With what was known of each, and those that are expected no longer."""
        query, at = self._rules.query, self._observer.moment.at
        if not query.by:
            before = self._states.get(())
            return {(): None if before is None else resumed_state(before)}, ()
        groups: dict[Group, GroupState | None] = {}
        oldest = at - self._expected_seconds()
        dropped = []
        for group, state in self._states.items():
            is_kept = group and (state.last_seen_at or state.first_seen_at) >= oldest
            if is_kept or group in values:
                groups[group] = state
            else:
                dropped.append(group)
        if not self._states and query.is_about_absence:
            for group in self._observer.groups_seen(query, self._rules.options.expected_seconds):
                groups[group] = GroupState(group=group, since=at, first_seen_at=oldest)
        for group in values:
            groups.setdefault(group, None if self._states or query.function is not Function.FIRST_SEEN else _old(group))
        return groups, tuple(dropped)

    def _expected_seconds(self) -> int:
        kept = self._rules.options.expected_seconds
        return FIRST_SEEN_KEPT_SECONDS if self._rules.query.function is Function.FIRST_SEEN else kept

    def _is_full(self) -> bool:
        if not self._rules.options.require_full_window or not self._rules.query.function.has_window:
            return True
        return self._observer.is_full(self._rules.query)

    def _seen(
        self, group: Group, before: GroupState | None, values: Mapping[Group, float], *, is_full: bool
    ) -> Seen | None:
        """None where it is to be looked up in the next evaluation."""
        query, at = self._rules.query, self._observer.moment.at
        value = values.get(group, 0.0)
        if query.function is Function.FIRST_SEEN:
            is_new = before is None or before.first_seen_at > at - query.window_seconds
            # A group that has just gone was new all the same.
            return Seen((value or 1.0) if is_new else 0.0, is_present=group in values, is_full=is_full)
        if value > 0 or (group in values and group):
            return Seen(value, is_present=True, is_full=is_full)
        absent = self._absent(group, before)
        return None if absent is None else dataclasses.replace(absent, is_full=is_full)

    def _absent(self, group: Group, before: GroupState | None) -> Seen | None:
        """Nothing is seen of it: because nothing runs, or because nobody tells. None: see `_seen`."""
        query, at = self._rules.query, self._observer.moment.at
        telling = self._observer.telling(query)
        found, seen_at = LastSeen(), None if before is None else before.last_seen_at
        hosts = () if before is None else before.hosts
        if not hosts and (group or seen_at is not None):
            if not self._lookups_left:
                return None
            self._lookups_left -= 1
            since = at - self._rules.options.expected_seconds if seen_at is None else seen_at
            found = self._observer.last_seen(query, group, since - query.window_seconds - _REACH_BACK_SECONDS)
            seen_at = found.seen_at or seen_at
            hosts = found.hosts
        hosts = hosts or tuple(value for key, value in group if key == "host")
        if not hosts:
            # It ran nowhere yet, or it is not known where.
            is_known = bool(telling) and not group
            return Seen(0.0 if is_known else None, reason="" if is_known else AGENT_SILENT)
        value: float | None = None
        reason = AGENT_SILENT
        if telling.issuperset(hosts):
            value, reason = 0.0, HOST_GONE if self._any_rebooted(hosts, seen_at) else PROCESS_GONE
        return Seen(value, reason=reason, last_seen_at=seen_at, hosts=hosts, processes=found.processes)

    def _any_rebooted(self, hosts: tuple[str, ...], seen_at: int | None) -> bool:
        """Whether one of them came back with a new boot since."""
        boots = [self._observer.booted_at(host) for host in hosts]
        return seen_at is not None and any(boot is not None and boot > seen_at for boot in boots)

    def _with_processes(self, state: GroupState, seen: Seen) -> GroupState:
        """What is new of it, with the processes that are behind it."""
        if not seen.is_present or not self._names_left:
            return state
        if all(one.state is State.OK or one.processes for one in (*state.unsent, *state.quiet)):
            return state
        self._names_left -= 1
        processes = self._observer.behind(self._rules.query, state.group)

        def named(transitions: tuple[Transition, ...]) -> tuple[Transition, ...]:
            return tuple(dataclasses.replace(one, processes=one.processes or processes) for one in transitions)

        return msgspec.structs.replace(state, unsent=named(state.unsent), quiet=named(state.quiet))


def _old(group: Group) -> GroupState:
    """What was there when the monitor began is not new."""
    return GroupState(group=group, first_seen_at=0)
