"""What is sent to see that it arrives: as an alert of a group that does not exist, and marked as a test."""

from __future__ import annotations

from procession.monitors.monitor import Monitor
from procession.monitors.transition import State, Transition, TransitionKind
from procession.notifications.channels import Channel, handle_of

EXAMPLE = "example"


def trial_of_channel(org_id: int, channel: Channel, cycle_key: str, now: int) -> Transition:
    """Of no monitor."""
    return Transition(
        org_id=org_id,
        monitor_id=0,
        monitor_name="A test of this channel",
        message=f"If you can read this, notifications arrive here. @{handle_of(channel)}",
        tags=(),
        priority=None,
        query="",
        group=(),
        previous=State.OK,
        state=State.ALERT,
        at=now,
        value=None,
        threshold=None,
        warn_threshold=None,
        reason="",
        processes=(),
        cycle_key=cycle_key,
        kind=TransitionKind.TEST,
    )


def trial_of_monitor(monitor: Monitor, state: State, cycle_key: str, now: int) -> Transition:
    """What the monitor would send on its way to a state."""
    rules = monitor.rules
    value = {State.WARN: rules.warning, State.NO_DATA: None}.get(state, rules.critical)
    return Transition(
        org_id=monitor.org_id,
        monitor_id=monitor.id,
        monitor_name=monitor.name,
        message=monitor.message,
        tags=monitor.tags,
        priority=monitor.priority,
        query=monitor.query_text,
        group=tuple((key, EXAMPLE) for key in monitor.query.by),
        previous=State.ALERT if state is State.OK else State.OK,
        state=state,
        at=now,
        value=value,
        threshold=rules.critical,
        warn_threshold=rules.warning,
        reason="",
        processes=(f"{EXAMPLE} (pid 1 on {EXAMPLE})",),
        cycle_key=cycle_key,
        kind=TransitionKind.TEST,
    )
