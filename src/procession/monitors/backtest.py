"""What a monitor would have done over the last days, by the code that evaluates it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from procession.errors import InvalidRequest
from procession.monitors.evaluation import Moment, Rules
from procession.monitors.evaluator import Evaluation
from procession.monitors.group_state import Group, GroupState
from procession.monitors.observer import Observer
from procession.monitors.transition import Transition

MAX_STEPS = 288
"""Instants that are evaluated: over one day every five minutes."""
MAX_TRANSITIONS = 1000
MINUTE = 60


@dataclass(frozen=True, slots=True)
class Backtest:
    step_seconds: int
    """What begins and ends between two instants is not in it."""
    transitions: tuple[Transition, ...]


def run_backtest(
    rules: Rules,
    from_at: int,
    to_at: int,
    observer_at: Callable[[Moment], Observer],
    is_late: Callable[[], bool] = lambda: False,
) -> Backtest:
    """`is_late`: whether it has taken too long. Raises Unavailable, and InvalidRequest where it is too much."""
    first, last = -(-from_at // MINUTE) * MINUTE, to_at // MINUTE * MINUTE
    step = max(1, -(-(last - first) // (MAX_STEPS * MINUTE))) * MINUTE
    states: dict[Group, GroupState] = {}
    transitions: list[Transition] = []
    for at in range(first, last + 1, step):
        if is_late():
            raise InvalidRequest("The back-test takes too long: try a shorter time, or a narrower query")
        outcome = Evaluation(rules, states, observer_at(Moment(at, at)), evaluated_at=at - step).run()
        transitions += (one for state in outcome.changed for one in (*state.unsent, *state.quiet))
        if len(transitions) > MAX_TRANSITIONS:
            raise InvalidRequest(
                f"The monitor would have changed more than {MAX_TRANSITIONS} times: try a shorter time, or a narrower"
                " query"
            )
        told = (msgspec.structs.replace(one, unsent=(), quiet=()) for one in outcome.changed)
        states = outcome.states | {one.group: one for one in told}
    return Backtest(step, tuple(transitions))
