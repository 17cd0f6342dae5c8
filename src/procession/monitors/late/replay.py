"""The minutes in which a host was silent, evaluated again once its spool has come."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from procession.monitors.evaluation import Rules
from procession.monitors.evaluator import Evaluation
from procession.monitors.group_state import Group, GroupState
from procession.monitors.observing.observer import Observer
from procession.monitors.query import Function
from procession.monitors.transition import Late, State, Transition, TransitionKind

_CHANGES = (TransitionKind.TRIGGERED, TransitionKind.RECOVERED, TransitionKind.NO_DATA)


@dataclass(frozen=True, slots=True)
class Replayed:
    transitions: tuple[Transition, ...]
    """To be kept, and told to nobody: what was not seen in time, and what was, and was not so."""
    newcomers: tuple[GroupState, ...]
    """Groups that were there only in these minutes, as the next evaluation is to know them."""


def replay(
    rules: Rules,
    states: Mapping[Group, GroupState],
    happened: Sequence[Transition],
    minutes: Sequence[int],
    hosts: frozenset[str],
    observer_at: Callable[[int], Observer],
    goes_on: Callable[[], bool] = lambda: True,
) -> Replayed:
    """`states`: as they are now. `happened`: what was said in these minutes and since. `hosts`: those that were silent;
    groups of other hosts are left as they are. `goes_on`: asked before each minute; if not, nothing comes of it. Raises
    Unavailable."""
    changes = [one for one in happened if one.kind in _CHANGES and _is_of(one.group, hosts)]
    if any(state.state is State.SKIPPED for state in states.values()):
        return Replayed((), ())  # nobody looked
    replayed = {
        group: _rewound(state, changes, minutes[0]) if _is_of(group, hosts) else state
        for group, state in states.items()
    }
    said = {(one.group, one.at): one for one in changes if one.at <= minutes[-1] and one.late is None}
    found: list[Transition] = []
    for at in minutes:
        if not goes_on():
            return Replayed((), ())
        outcome = Evaluation(rules, replayed, observer_at(at), evaluated_at=at - 60).run()
        replayed = outcome.states
        for state in outcome.changed:
            replayed[state.group] = msgspec.structs.replace(state, unsent=(), quiet=())
            if _is_of(state.group, hosts):
                found += (one for one in (*state.unsent, *state.quiet) if one.kind in _CHANGES)
        for (group, moment), one in said.items():
            if moment == at and (group not in replayed or replayed[group].state is not one.state):
                found.append(replace(one, late=Late.REFUTED))
    known = {(one.group, one.at, one.state) for one in changes}
    refuted = [one for one in found if one.late]
    added = [replace(one, late=Late.ADDED) for one in found if not one.late and _key(one) not in known]
    fresh = [state for group, state in replayed.items() if group not in states and _is_of(group, hosts)]
    return Replayed((*refuted, *added), tuple(map(_newcomer, fresh)) if _is_remembered(rules) and states else ())


def _key(one: Transition) -> tuple[Group, int, State]:
    return one.group, one.at, one.state


def _is_of(group: Group, hosts: frozenset[str]) -> bool:
    host = dict(group).get("host")
    return host is None or host in hosts


def _is_remembered(rules: Rules) -> bool:
    return rules.query.is_about_absence or rules.query.function is Function.FIRST_SEEN


def _rewound(state: GroupState, changes: Sequence[Transition], at: int) -> GroupState:
    """As it was before these minutes."""
    first = min((one for one in changes if one.group == state.group), key=lambda one: one.at, default=None)
    before = state.state if first is None else first.previous
    seen_at = state.last_seen_at
    return GroupState(
        group=state.group,
        state=before,
        since=min(state.since, at),
        first_seen_at=state.first_seen_at,
        last_seen_at=None if seen_at is None else min(seen_at, at),
        is_present=before is State.OK and seen_at is not None,
        cycle_key="" if before is State.OK else (state.cycle_key if first is None else first.cycle_key),
    )


def _newcomer(state: GroupState) -> GroupState:
    """What still holds of it is told by the next evaluation, and what is over is not."""
    return GroupState(
        group=state.group,
        since=state.since,
        query_hash=state.query_hash,
        first_seen_at=state.first_seen_at,
        last_seen_at=state.last_seen_at,
        is_present=state.is_present,
        hosts=state.hosts,
        processes=state.processes,
    )
