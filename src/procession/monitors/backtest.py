"""What a monitor would have done over the last days, by the code that evaluates it."""

from __future__ import annotations

import heapq
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import isnan, nan

import msgspec

from procession.errors import InvalidRequest
from procession.monitors.evaluation import Moment, Rules
from procession.monitors.evaluator import Evaluation
from procession.monitors.group_state import Group, GroupState
from procession.monitors.late.silences import Silences
from procession.monitors.observing.observer import Observer, Unheard
from procession.monitors.transition import State, Transition
from procession.window import Window

MAX_STEPS = 288
"""Instants that are evaluated: over one day every five minutes."""
MAX_TRANSITIONS = 1000
MAX_NAMED = 100
"""Of so many transitions the processes behind them are looked up: each is a question of its own."""
MAX_CURVES = 20
MINUTE = 60


@dataclass(frozen=True, slots=True)
class Curve:
    group: Group
    values: tuple[float | None, ...]
    """At each of the instants; None where nothing is known."""


@dataclass(frozen=True, slots=True)
class Backtest:
    step_seconds: int
    """What begins and ends between two instants is not in it."""
    transitions: tuple[Transition, ...]
    """Of the first MAX_NAMED and those of the same instant it is said which processes were behind them."""
    times: tuple[int, ...]
    """The instants that were evaluated."""
    curves: tuple[Curve, ...]
    """At most MAX_CURVES: of groups that alerted, then of those that came nearest to it."""


class _Curves:
    """The values of all groups, as small as can be: there may be thousands of them."""

    def __init__(self, times: Sequence[int]) -> None:
        self._blank = array("d", [nan] * len(times))
        self._values: dict[Group, array[float]] = {}

    def note(self, index: int, states: Iterable[GroupState]) -> None:
        for state in states:
            if state.value is not None and state.state is not State.SKIPPED:
                self._values.setdefault(state.group, self._blank[:])[index] = state.value

    def shown(self, rules: Rules, transitions: Iterable[Transition]) -> tuple[Curve, ...]:
        alerted = {one.group for one in transitions if one.state in (State.ALERT, State.WARN)}

        def rank(group: Group) -> tuple[bool, float, Group]:
            known = [value for value in self._values[group] if not isnan(value)]
            return group not in alerted, min(known) if rules.query.is_about_absence else -max(known), group

        return tuple(
            Curve(group, tuple(None if isnan(value) else value for value in self._values[group]))
            for group in heapq.nsmallest(MAX_CURVES, self._values, key=rank)
        )


def run_backtest(
    rules: Rules,
    from_at: int,
    to_at: int,
    observer_at: Callable[[Moment, Unheard], Observer],
    is_late: Callable[[], bool] = lambda: False,
    *,
    is_known: Callable[[Window], bool],
) -> Backtest:
    """`is_late`: whether it has taken too long. `is_known`: whether any host told of its processes in a window; of the
    instants before that, only the last is evaluated. Raises Unavailable, and InvalidRequest where it is too much."""
    first, last = -(-from_at // MINUTE) * MINUTE, to_at // MINUTE * MINUTE
    step = max(1, -(-(last - first) // (MAX_STEPS * MINUTE))) * MINUTE
    times = range(first, last + 1, step)
    states: dict[Group, GroupState] = {}
    transitions: list[Transition] = []
    curves = _Curves(times)
    silences = Silences()
    begins_at = max(first - rules.options.expected_seconds, 0)
    # What is known at one instant is known at each later one.
    known = bisect_left(times, True, key=lambda at: is_known(Window(min(begins_at, at), at)))
    begin = max(known - 1, 0)
    for index, at in enumerate(times[begin:], begin):
        if is_late():
            raise InvalidRequest("The back-test takes too long: try a shorter time, or a narrower query")
        observer = observer_at(Moment(at, at), silences.unheard)
        names = len(transitions) < MAX_NAMED
        outcome = Evaluation(rules, states, observer, evaluated_at=at - step, names_processes=names).run()
        silences.note(observer.facts())
        transitions += (one for state in outcome.changed for one in (*state.unsent, *state.quiet))
        if len(transitions) > MAX_TRANSITIONS:
            raise InvalidRequest(
                f"The monitor would have changed more than {MAX_TRANSITIONS} times: try a shorter time, or a narrower"
                " query"
            )
        curves.note(index, outcome.states.values())
        told = (msgspec.structs.replace(one, unsent=(), quiet=()) for one in outcome.changed)
        states = outcome.states | {one.group: one for one in told}
    return Backtest(step, tuple(transitions), tuple(times), curves.shown(rules, transitions))
