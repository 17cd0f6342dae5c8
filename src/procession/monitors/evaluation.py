"""One group of a monitor at one instant: what is seen and what was known make the next state, and nothing else does."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass

import msgspec

from procession.monitors.group_state import Group, GroupState
from procession.monitors.monitor import Monitor
from procession.monitors.muting import is_muted
from procession.monitors.options import OnMissingData, Options
from procession.monitors.query import MonitorQuery
from procession.monitors.transition import State, Transition, TransitionKind

TIMED_OUT = "timed out"


@dataclass(frozen=True, slots=True)
class Seen:
    """What is seen of a group at an instant."""

    value: float | None
    """None: nothing is known of it."""
    is_present: bool = False
    """Whether any process of it was seen."""
    is_full: bool = True
    """Whether something is known of the whole window."""
    reason: str = ""
    last_seen_at: int | None = None
    """When a process of it was seen last, as far as this was looked up."""
    hosts: tuple[str, ...] = ()
    processes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Moment:
    """When a monitor is evaluated."""

    at: int
    """A multiple of 60; windows end before it."""
    instant: int
    """At which it looks at the newest snapshots."""


@dataclass(frozen=True, slots=True)
class Rules:
    """A monitor with its parsed query and options: parsed once for all of its groups."""

    monitor: Monitor
    query: MonitorQuery
    options: Options

    @classmethod
    def of(cls, monitor: Monitor) -> Rules:
        return cls(monitor, monitor.query, monitor.rules)

    def moment(self, at: int, now: int) -> Moment:
        """Of the evaluation of this minute: whole minutes earlier, if evaluation is to be delayed."""
        delay = -(-self.options.evaluation_delay // 60) * 60
        return Moment(at - delay, at - delay if delay else now)


def level_of(query: MonitorQuery, options: Options, value: float, now: State) -> State:
    """What a value means for a group that is in this state: it recovers when it is past the recovery threshold."""
    if query.holds(value, options.critical):
        return State.ALERT
    if now is State.ALERT and options.critical_recovery is not None and query.holds(value, options.critical_recovery):
        return State.ALERT
    if options.warning is not None:
        if query.holds(value, options.warning):
            return State.WARN
        recovery = options.warning_recovery
        if now in (State.ALERT, State.WARN) and recovery is not None and query.holds(value, recovery):
            return State.WARN
    return State.OK


def evaluate_group(rules: Rules, group: Group, before: GroupState | None, seen: Seen, at: int) -> GroupState:
    """The next state. Its `unsent` has the transition that somebody is to be told of, its `quiet` one that is only
    kept."""
    known = before or GroupState(group=group, since=at, first_seen_at=at)
    state = msgspec.structs.replace(
        known,
        query_hash=rules.monitor.query_hash,
        value=seen.value,
        is_present=seen.is_present,
        last_seen_at=at if seen.is_present else seen.last_seen_at or known.last_seen_at,
        missing_since=(known.missing_since or at) if seen.value is None else None,
        hosts=() if seen.is_present else seen.hosts or known.hosts,
        processes=() if seen.is_present else seen.processes or known.processes,
    )
    options = rules.options
    if at < known.first_seen_at + options.new_group_delay or (options.require_full_window and not seen.is_full):
        return state
    target, reason = _target(rules, state, seen, at)
    state = msgspec.structs.replace(state, reason=reason)
    if target is not known.state:
        return _changed(rules, state, target, at)
    if state.told_from is not None and not _is_silent(rules, state.group, at):
        return _told_after_mute(rules, state, at)
    return _sent_again(rules, state, at)


def _target(rules: Rules, state: GroupState, seen: Seen, at: int) -> tuple[State, str]:
    if seen.value is not None:
        return level_of(rules.query, rules.options, seen.value, state.state), seen.reason
    options = rules.options
    since = state.missing_since if state.missing_since is not None else at
    if options.missing is OnMissingData.RESOLVE:
        return State.OK, seen.reason
    if options.timeout_seconds and state.state is not State.OK and at - since >= options.timeout_seconds:
        return State.OK, TIMED_OUT
    if state.reason == TIMED_OUT and state.state is State.OK:
        return State.OK, TIMED_OUT
    if state.state is State.ALERT or at - since < options.no_data_seconds:
        # Nobody knows that it is over.
        return state.state, seen.reason
    return State.NO_DATA, seen.reason


def _changed(rules: Rules, state: GroupState, target: State, at: int) -> GroupState:
    kind = {State.OK: TransitionKind.RECOVERED, State.NO_DATA: TransitionKind.NO_DATA}.get(
        target, TransitionKind.TRIGGERED
    )
    cycle_key = state.cycle_key or _new_cycle_key(rules.monitor, state.group, at)
    transition = _transition(rules, state, target, kind, cycle_key, at)
    is_wanted = _is_wanted(rules, state, kind)
    is_told = is_wanted and not _is_silent(rules, state.group, at, kind)
    is_over = target is State.OK
    is_held_back = is_wanted and not is_told and not is_over
    return msgspec.structs.replace(
        state,
        state=target,
        since=at,
        cycle_key="" if is_over else cycle_key,
        notified_at=at if is_told else state.notified_at,
        notified_count=0,
        is_notified=False if is_over else state.is_notified or is_told,
        told_from=(state.told_from or state.state) if is_held_back else None,
        last_triggered_at=at if kind is TransitionKind.TRIGGERED else state.last_triggered_at,
        last_no_data_at=at if kind is TransitionKind.NO_DATA else state.last_no_data_at,
        last_resolved_at=at if is_over else state.last_resolved_at,
        unsent=(*state.unsent, transition) if is_told else state.unsent,
        quiet=state.quiet if is_told else (*state.quiet, transition),
    )


def _told_after_mute(rules: Rules, state: GroupState, at: int) -> GroupState:
    """Of an alert that began while it was muted, and still holds."""
    known = state.told_from or State.OK
    state = msgspec.structs.replace(state, told_from=None)
    if known is state.state:
        return state
    kind = TransitionKind.NO_DATA if state.state is State.NO_DATA else TransitionKind.TRIGGERED
    transition = dataclasses.replace(_transition(rules, state, state.state, kind, state.cycle_key, at), previous=known)
    return msgspec.structs.replace(
        state, notified_at=at, notified_count=0, is_notified=True, unsent=(*state.unsent, transition)
    )


_RENOTIFY_NAMES = {State.ALERT: "alert", State.WARN: "warn", State.NO_DATA: "no data"}


def _sent_again(rules: Rules, state: GroupState, at: int) -> GroupState:
    options = rules.options
    is_due = (
        options.renotify_seconds
        and state.is_notified
        and _RENOTIFY_NAMES.get(state.state) in options.renotify_statuses
        and at - state.notified_at >= options.renotify_seconds
        and (options.renotify_occurrences is None or state.notified_count < options.renotify_occurrences)
    )
    if not is_due or _is_silent(rules, state.group, at):
        return state
    kind = TransitionKind.ESCALATED if options.escalation_message else TransitionKind.RENOTIFY
    transition = _transition(rules, state, state.state, kind, state.cycle_key, at)
    if options.escalation_message:
        transition = dataclasses.replace(transition, message=options.escalation_message)
    return msgspec.structs.replace(
        state, notified_at=at, notified_count=state.notified_count + 1, unsent=(*state.unsent, transition)
    )


def _is_wanted(rules: Rules, state: GroupState, kind: TransitionKind) -> bool:
    """Whether anybody is to be told, if it is not muted."""
    if kind is TransitionKind.RECOVERED:
        return state.is_notified
    return kind is not TransitionKind.NO_DATA or rules.options.missing is OnMissingData.SHOW_AND_NOTIFY


def _is_silent(rules: Rules, group: Group, at: int, kind: TransitionKind | None = None) -> bool:
    """A draft, or muted as a whole or for this group. Whoever heard of an alert hears that it is over."""
    if rules.monitor.is_draft:
        return True
    return kind is not TransitionKind.RECOVERED and is_muted(rules.options.silenced, group, at)


def _new_cycle_key(monitor: Monitor, group: Group, at: int) -> str:
    """The same wherever this alert of this group begins at this instant: whoever sends it twice sends the same."""
    text = f"{monitor.org_id} {monitor.id} {at} {msgspec.json.encode(group).decode()}"
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def _transition(
    rules: Rules, state: GroupState, target: State, kind: TransitionKind, cycle_key: str, at: int
) -> Transition:
    monitor = rules.monitor
    return Transition(
        org_id=monitor.org_id,
        monitor_id=monitor.id,
        monitor_name=monitor.name,
        message=monitor.message,
        tags=monitor.tags,
        priority=monitor.priority,
        query=monitor.query_text,
        group=state.group,
        previous=state.state,
        state=target,
        at=at,
        value=state.value,
        threshold=rules.options.critical,
        warn_threshold=rules.options.warning,
        reason=state.reason,
        processes=state.processes,
        cycle_key=cycle_key,
        kind=kind,
    )


def skipped_state(rules: Rules, before: GroupState | None, reason: str, at: int) -> GroupState:
    """Of a monitor that cannot be evaluated as a whole: kept, and nobody is told."""
    known = before or GroupState(group=(), since=at, first_seen_at=at)
    state = msgspec.structs.replace(known, query_hash=rules.monitor.query_hash, reason=reason)
    if state.state is State.SKIPPED:
        return state
    transition = _transition(rules, state, State.SKIPPED, TransitionKind.SKIPPED, "", at)
    return msgspec.structs.replace(
        state, state=State.SKIPPED, skipped_from=state.state, since=at, quiet=(*state.quiet, transition)
    )


def resumed_state(state: GroupState) -> GroupState | None:
    """What was known before it was skipped, so that an alert that goes on is the same one. None: nothing was."""
    if state.state is not State.SKIPPED:
        return state
    if state.skipped_from is None:
        return None
    return msgspec.structs.replace(state, state=state.skipped_from, skipped_from=None)
