"""A monitor at one moment: all its groups, also those of which nothing is seen."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from procession.monitors.evaluation import Rules, Seen, evaluate_group, level_of, resumed_state, skipped_state
from procession.monitors.group_state import Group, GroupState
from procession.monitors.observing.grouping import TooMuch, most_groups, too_many_groups
from procession.monitors.observing.host_facts import Hearing
from procession.monitors.observing.observer import LastSeen, Observer
from procession.monitors.query import Function
from procession.monitors.transition import State, Transition

PROCESS_GONE = "process gone"
AGENT_SILENT = "agent silent"
HOST_GONE = "host gone"
NOT_COUNTED = "not counted"
"""Ends the reason of what silent hosts might refute."""

MAX_LOOKUPS = 200
"""How many groups that vanish in one evaluation are looked up. Of others by host it is known where they ran, and not
what; those by something else follow in the next."""
MAX_BOOTS = 1000
"""Of how many hosts it is asked in one evaluation when they booted."""
MAX_NAMED_GROUPS = 50
"""Of how many groups the processes behind a transition are looked up in one evaluation."""
FIRST_SEEN_KEPT_SECONDS = 90 * 86400
REFRESHED_SECONDS = 600
"""The value of a group that goes on as it was is stored anew no more often."""
MAX_REMEMBERED = 25_000
"""Groups of which it is known that they are not new."""
_REACH_BACK_SECONDS = 900
"""A group that is kept was seen no earlier than so long before the moment that the store knows."""


@dataclass(frozen=True, slots=True)
class Outcome:
    states: dict[Group, GroupState]
    """Of all groups. Of one that goes on as it was it is the very state of before."""
    changed: tuple[GroupState, ...]
    """All others of them."""
    dropped: tuple[Group, ...] = ()
    """Groups that are expected no longer."""


class Evaluation:
    """One monitor at one moment."""

    def __init__(
        self,
        rules: Rules,
        states: Mapping[Group, GroupState],
        observer: Observer,
        *,
        evaluated_at: int | None = None,
        is_all_told: bool = True,
        most_refreshed: int = 0,
        names_processes: bool = True,
    ) -> None:
        """`evaluated_at`: when it was evaluated last, and the groups that are present were seen last. `is_all_told`:
        agents had the time to tell of this moment. Else a group that nobody tells of stays as it was.
        `most_refreshed`: of how many groups that go on as they were the value is to be stored anew. `names_processes`:
        the processes behind what changes are looked up."""
        self._rules = rules
        self._states = states
        self._observer = observer
        self._evaluated_at = evaluated_at or 0
        self._is_all_told = is_all_told
        self._refreshes_left = most_refreshed
        self._lookups_left = MAX_LOOKUPS
        self._boots_left = MAX_BOOTS
        self._names_processes = names_processes
        self._names_left = MAX_NAMED_GROUPS if names_processes else 0

    def run(self) -> Outcome:
        """Raises Unavailable."""
        rules, at = self._rules, self._observer.moment.at
        try:
            values = self._observer.values(rules.query)
            groups, dropped = self._groups(values)
        except TooMuch as why:
            skipped = skipped_state(rules, self._states.get(()), str(why), at)
            kept = {group: state for group, state in self._states.items() if group}
            return Outcome({**kept, (): skipped}, (skipped,))
        is_full = self._is_full()
        states: dict[Group, GroupState] = {}
        changed = []
        for group, before in groups.items():
            if before is not None and group in values and self._goes_on(before, values[group]):
                if not self._refreshes_left or at < (before.last_seen_at or 0) + REFRESHED_SECONDS:
                    states[group] = before
                    continue
                self._refreshes_left -= 1
            state = self._evaluated(group, self._dated(before), values, is_full=is_full)
            states[group] = state
            if state is not before:
                changed.append(state)
        return Outcome(states, tuple(changed), dropped)

    def _goes_on(self, before: GroupState, value: float) -> bool:
        """Whether nothing is to be said of a group that is well: most are, most of the time."""
        if not before.is_present or before.state is not State.OK or before.reason or before.unsent or before.quiet:
            return False
        query, options = self._rules.query, self._rules.options
        if query.function is Function.FIRST_SEEN:
            value = value if self._is_new(before) else 0.0
        elif value <= 0 and not before.group:
            return False  # nothing of a simple alert is there
        return not query.holds(value, options.critical) and (
            options.warning is None or not query.holds(value, options.warning)
        )

    def _dated(self, before: GroupState | None) -> GroupState | None:
        """With when it was seen last."""
        if before is None or not before.is_present or (before.last_seen_at or 0) >= self._evaluated_at:
            return before
        return msgspec.structs.replace(before, last_seen_at=self._evaluated_at)

    def _evaluated(
        self, group: Group, before: GroupState | None, values: Mapping[Group, float], *, is_full: bool
    ) -> GroupState:
        seen = self._seen(group, before, values, is_full=is_full)
        seen = None if seen is None else self._sure(group, before, seen)
        if before is not None and (seen is None or (seen.value is None and not self._is_all_told)):
            is_present = before.is_present and seen is not None and seen.is_present
            return before if before.is_present == is_present else msgspec.structs.replace(before, is_present=is_present)
        seen = seen or Seen(None)
        state = evaluate_group(self._rules, group, before, seen, self._observer.moment.at)
        return self._with_processes(state, seen)

    def _groups(self, values: Mapping[Group, float]) -> tuple[dict[Group, GroupState | None], tuple[Group, ...]]:
        """With what was known of each, and those that are expected no longer. Raises TooMuch."""
        query = self._rules.query
        if not query.by:
            before = self._states.get(())
            return {(): None if before is None else resumed_state(before)}, ()
        groups: dict[Group, GroupState | None] = {}
        oldest = self._observer.moment.at - self._expected_seconds()
        expected = self._expected_groups(oldest)
        dropped = []
        for group, state in self._states.items():
            is_expected = group in expected or (group and self._last_seen(state) >= oldest)
            if group in values or is_expected or state.unsent or state.quiet:
                groups[group] = state
            else:
                dropped.append(group)
        for group, fresh in expected.items():
            groups.setdefault(group, fresh)
        for group in values:
            if group not in groups:
                groups[group] = None if self._states or query.function is not Function.FIRST_SEEN else _old(group)
        most = MAX_REMEMBERED if query.function is Function.FIRST_SEEN else most_groups(query)
        if len(groups) > most:
            dropped += self._forgotten(groups, values, most)
        return groups, tuple(dropped)

    def _expected_groups(self, oldest: int) -> dict[Group, GroupState | None]:
        """Whatever is seen of them."""
        query, options, at = self._rules.query, self._rules.options, self._observer.moment.at
        expected: dict[Group, GroupState | None] = {}
        if not query.is_about_absence:
            return expected
        if not self._states:
            for group in self._observer.groups_seen(query, options.expected_seconds):
                expected[group] = GroupState(group=group, since=at, first_seen_at=oldest)
        if options.expects_tagged_hosts:
            for host in self._observer.tagged_hosts(query, options.expected_seconds):
                expected.setdefault((("host", host),), None)
        return expected

    def _last_seen(self, state: GroupState) -> int:
        if state.is_present:
            return max(self._evaluated_at, state.last_seen_at or 0)
        return state.last_seen_at or state.first_seen_at

    def _forgotten(
        self, groups: dict[Group, GroupState | None], values: Mapping[Group, float], most: int
    ) -> list[Group]:
        """Groups that are well without a process, the longest gone first, taken out until there are so many. Raises
        TooMuch where that does not help: nobody would look at the others."""
        query, total = self._rules.query, len(groups)
        count = total - most
        if query.is_about_absence or query.function is Function.FIRST_SEEN:
            gone = []
        else:
            well = (one for one in groups.values() if one is not None and one.state is State.OK and not one.unsent)
            gone = sorted((one for one in well if one.group not in values), key=self._last_seen)[:count]
        if len(gone) < count:
            ended = total - len(values)
            more = f", {ended} of them without a process; options.group_retention_duration says how long they are kept"
            raise TooMuch(too_many_groups(query, total, most) + (more if ended else ""))
        for one in gone:
            del groups[one.group]
        return [one.group for one in gone]

    def _expected_seconds(self) -> int:
        kept = self._rules.options.expected_seconds
        return FIRST_SEEN_KEPT_SECONDS if self._rules.query.function is Function.FIRST_SEEN else kept

    def _is_new(self, before: GroupState | None) -> bool:
        at, seconds = self._observer.moment.at, self._rules.query.window_seconds
        return before is None or before.first_seen_at > at - seconds

    def _is_full(self) -> bool:
        if not self._rules.options.require_full_window or not self._rules.query.function.has_window:
            return True
        return self._observer.is_full(self._rules.query)

    def _seen(
        self, group: Group, before: GroupState | None, values: Mapping[Group, float], *, is_full: bool
    ) -> Seen | None:
        """None where it is too early to say, or to be looked up in the next evaluation."""
        value = values.get(group, 0.0)
        if self._rules.query.function is Function.FIRST_SEEN:
            # A group that has just gone was new all the same.
            return Seen((value or 1.0) if self._is_new(before) else 0.0, is_present=group in values, is_full=is_full)
        if value > 0 or (group in values and group):
            return Seen(value, is_present=True, is_full=is_full)
        absent = self._absent(group, before)
        return None if absent is None else dataclasses.replace(absent, is_full=is_full)

    def _sure(self, group: Group, before: GroupState | None, seen: Seen) -> Seen | None:
        """As it is seen, unless hosts that do not tell could make a difference: where it ran there, its value is not
        known, and else the reason says that they are not counted. None: see `_seen`."""
        query, now = self._rules.query, State.OK if before is None else before.state
        if seen.value is None or "host" in query.by or query.function is Function.FIRST_SEEN:
            return seen
        target = level_of(query, self._rules.options, seen.value, now)
        if target is not now and not self._is_certain(seen.value, now):
            if self._observer.ran_unheard(query, group, is_late=True) is not False:
                return dataclasses.replace(seen, value=None, reason=AGENT_SILENT)
            if self._observer.ran_unheard(query, group, is_late=False) is not False:
                return None  # their next snapshots are not late
        elif before is None or not before.reason.endswith(NOT_COUNTED) or self._is_certain(seen.value, now):
            return seen
        count = self._observer.count_silent(query)
        return dataclasses.replace(seen, reason=_not_counted(seen.reason, count)) if count else seen

    def _is_certain(self, value: float, now: State) -> bool:
        """Whether the state that follows is the same, however many processes there are besides. These can only add to
        the value."""
        query, options = self._rules.query, self._rules.options
        if query.comparison in ("==", "!="):
            return value > options.critical
        return level_of(query, options, math.inf, now) is level_of(query, options, value, now)

    def _absent(self, group: Group, before: GroupState | None) -> Seen | None:
        """Nothing is seen of it: because nothing runs, or because nobody tells. None: see `_seen`."""
        query, at = self._rules.query, self._observer.moment.at
        found, seen_at = LastSeen(), None if before is None else before.last_seen_at
        hosts = () if before is None else before.hosts
        of_group = tuple(value for key, value in group if key == "host")
        if not hosts and group and self._is_well_without(of_group, before):
            if not of_group:
                return Seen(0.0, reason=PROCESS_GONE, last_seen_at=seen_at)
            hosts = of_group
        if not hosts and (group or seen_at is not None):
            if not self._lookups_left and not of_group:
                return None
            if self._lookups_left and (self._names_processes or not of_group):
                self._lookups_left -= 1
                since = at - self._rules.options.expected_seconds if seen_at is None else seen_at
                found = self._observer.last_seen(query, group, since - query.window_seconds - _REACH_BACK_SECONDS)
            seen_at = found.seen_at or seen_at
            hosts = found.hosts
        hosts = hosts or of_group
        if not hosts:
            # It ran nowhere yet, or it is not known where.
            is_known = bool(self._observer.telling(query)) and not group
            return Seen(0.0 if is_known else None, reason="" if is_known else AGENT_SILENT)
        value, reason = self._why(hosts, seen_at, "" if before is None else before.reason)
        if reason is None:
            return None
        return Seen(value, reason=reason, last_seen_at=seen_at, hosts=hosts, processes=found.processes)

    def _is_well_without(self, hosts: tuple[str, ...], before: GroupState | None) -> bool:
        """Whether a group goes on well without a process, as most do that lose their last one, since its host tells, or
        all hosts do and are up if it is of any: nobody is told of it, and it need not be looked up what ran there."""
        query, options = self._rules.query, self._rules.options
        if before is None or before.last_seen_at is None or before.state is not State.OK:
            return False
        if level_of(query, options, 0.0, State.OK) is not State.OK:
            return False
        if not hosts:
            return self._observer.is_all_up(query, before.last_seen_at)
        telling = self._observer.telling(query)
        return self._observer.hosts(query).hearing(telling, hosts, before.last_seen_at) is Hearing.TOLD

    def _why(self, hosts: tuple[str, ...], seen_at: int | None, before: str) -> tuple[float | None, str | None]:
        """The value of a group that ran there and is not seen, and why it is not. No reason: it is too early to say.
        `before`: the reason that it had."""
        query = self._rules.query
        match self._observer.hosts(query).hearing(self._observer.telling(query), hosts, seen_at):
            case Hearing.TOLD:
                return 0.0, HOST_GONE if self._any_rebooted(hosts, seen_at, before) else PROCESS_GONE
            case Hearing.SHUT_DOWN:
                return 0.0, HOST_GONE
            case Hearing.WAITING:
                return None, None
            case Hearing.SILENT:
                return None, AGENT_SILENT

    def _any_rebooted(self, hosts: tuple[str, ...], seen_at: int | None, before: str) -> bool:
        """Whether one of them came back with a new boot since. Where that would be too many questions, it is as it
        was."""
        if self._boots_left < len(hosts):
            return before == HOST_GONE
        self._boots_left -= len(hosts)
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


def _not_counted(reason: str, count: int) -> str:
    said = f"{count} silent host{'s are' if count > 1 else ' is'} {NOT_COUNTED}"
    return f"{reason}; {said}" if reason else said


def _old(group: Group) -> GroupState:
    """What was there when the monitor began is not new."""
    return GroupState(group=group, first_seen_at=0)
