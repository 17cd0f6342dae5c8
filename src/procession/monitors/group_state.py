"""What is known of one group of a monitor between two evaluations."""

from __future__ import annotations

import msgspec

from procession.monitors.transition import State, Transition

Group = tuple[tuple[str, str], ...]
"""(("host", "web-1"),); empty for a simple alert."""

MAX_HOSTS = 20


class GroupState(msgspec.Struct, frozen=True, kw_only=True):
    """Moments are Unix seconds of evaluated instants."""

    group: Group
    state: State = State.OK
    since: int = 0
    """When the state began."""
    skipped_from: State | None = None
    """The state that it goes on with, where it is skipped."""
    query_hash: str = ""
    """Of the query that it is a group of, as of when it was evaluated last. Empty where nobody noted that."""
    first_seen_at: int = 0
    last_seen_at: int | None = None
    """When a process of it was seen last; None where none ever was. Of a group that is present, no later than that:
    nothing is stored anew of it while nothing changes."""
    is_present: bool = False
    """Whether a process of it was seen when it was evaluated last."""
    missing_since: int | None = None
    """Since when nothing is known of it."""
    value: float | None = None
    reason: str = ""
    hosts: tuple[str, ...] = ()
    """Where it ran last, once nothing is seen of it."""
    processes: tuple[str, ...] = ()
    """What ran there, in short texts."""
    cycle_key: str = ""
    """Of the alert that is not over; else empty."""
    notified_at: int = 0
    notified_count: int = 0
    """How often the alert was sent again."""
    is_notified: bool = False
    """Whether anybody was told of this alert."""
    told_from: State | None = None
    """The state that people know, where nobody was told of the newest since it was muted."""
    last_triggered_at: int | None = None
    last_no_data_at: int | None = None
    last_resolved_at: int | None = None
    unsent: tuple[Transition, ...] = ()
    """Of which nobody was told yet, though somebody is to be."""
    quiet: tuple[Transition, ...] = ()
    """Of which nobody is to be told: they are to be listed."""


def group_name(group: Group) -> str:
    """As Datadog names groups: `host:web-1,command:nginx`, and `*` for a simple alert. Commas within one of several
    values are escaped, so that no process can name itself like another group."""
    if len(group) == 1:
        ((key, value),) = group
        return f"{key}:{value}"
    return ",".join(f"{key}:{_escaped(value)}" for key, value in group) or "*"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace(",", "\\,")


SEVERITY = (State.SKIPPED, State.ALERT, State.WARN, State.NO_DATA, State.OK)
"""Of groups in several states, the first of these is the state of the monitor: nobody looked at one that is skipped."""


def overall_state(states: tuple[GroupState, ...]) -> State:
    """No Data where nothing was evaluated yet, as at Datadog."""
    found = {one.state for one in states}
    return next((state for state in SEVERITY if state in found), State.NO_DATA)
