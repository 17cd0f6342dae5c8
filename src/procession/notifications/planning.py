"""Which notifications a transition makes: to whom, what mutes it, and how many an org may have before a digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from procession.monitors.transition import State, Transition, TransitionKind
from procession.notifications.channels import AlertmanagerChannel, Channel, EmailChannel, PagerDutyChannel, handle_of
from procession.notifications.downtimes.downtime import Downtime
from procession.notifications.message import mentions
from procession.notifications.notification import Delivery, Notification, NotifiedState, group_key, notification_id

RATE_SECONDS = 60
MAX_DIGEST_TITLES = 50


@dataclass(frozen=True, kw_only=True)
class OrgRules:
    """All that decides about the notifications of an org at a moment."""

    channels: Sequence[Channel]
    downtimes: Sequence[Downtime]
    states: Mapping[tuple[int, str], NotifiedState]
    """By monitor and group."""
    left: int
    """How many may still be sent in this minute."""


@dataclass(frozen=True)
class Plan:
    notifications: list[Notification] = field(default_factory=list)
    states: list[NotifiedState] = field(default_factory=list)


def channel_named(handle: str, channels: Sequence[Channel]) -> Channel | None:
    """By `webhook-oncall` or an address of mail that some channel has."""
    for channel in channels:
        if handle_of(channel) == handle:
            return channel
    for channel in channels:
        if isinstance(channel, EmailChannel) and handle in channel.addresses:
            return EmailChannel(channel.name, (handle,))
    return None


def plan(transitions: Sequence[Transition], rules: OrgRules, now: int) -> Plan:
    """Those of one org, in their order."""
    result = Plan()
    states = dict(rules.states)
    left = rules.left
    digests: dict[str, Notification] = {}
    for transition in transitions:
        if transition.kind is TransitionKind.SKIPPED:
            continue  # the page and the API say so: that nobody looked is no news of the processes
        before = states.get((transition.monitor_id, group_key(transition)))
        muted_by = muting(transition, before, rules, now)
        if transition.kind is not TransitionKind.TEST and (before is None or before.transition.at <= transition.at):
            state = NotifiedState(transition, muted_by)
            states[transition.monitor_id, group_key(transition)] = state
            result.states.append(state)
        for handle in mentions(transition):
            channel = channel_named(handle, rules.channels)
            if channel is None:
                continue
            one = Notification(
                id=notification_id(transition, handle),
                org_id=transition.org_id,
                channel=handle,
                created_at=now,
                transition=transition,
                next_at=now,
                changed_at=now,
            )
            if muted_by:
                one = replace(one, delivery=Delivery.MUTED, error=f"muted by the downtime {muted_by}")
            elif left <= 0 and not isinstance(channel, PagerDutyChannel | AlertmanagerChannel):
                # These two match a recovery to its alert, which would else stay for ever.
                one = replace(one, delivery=Delivery.DIGESTED)
                digests.setdefault(handle, one)
            else:
                left -= 1
            result.notifications.append(one)
    result.notifications.extend(_digest(first, now) for first in digests.values())
    return result


def muting(transition: Transition, before: NotifiedState | None, rules: OrgRules, now: int) -> str:
    """The id of the downtime that keeps it from being sent; empty: none does."""
    if transition.kind is TransitionKind.TEST:
        return ""
    for downtime in rules.downtimes:
        occurrence = downtime.holds_at(now)
        if occurrence is None or not downtime.concerns(transition):
            continue
        if not downtime.mute_first_recovery_notification and _is_first_recovery(transition, before):
            continue
        return downtime.id
    return ""


def end_transition(newest: Transition, ended_at: int) -> Transition:
    """What is sent when a downtime ends and a group still is in a state to be told of."""
    return replace(newest, at=ended_at, kind=TransitionKind.RENOTIFY)


def _is_first_recovery(transition: Transition, before: NotifiedState | None) -> bool:
    """Of an alert that was sent: those who heard of it hear that it is over, as Datadog has it."""
    return (
        transition.state is State.OK
        and before is not None
        and not before.muted_by
        and before.transition.state is not State.OK
    )


def digest_transition(digest: Notification, titles: Sequence[str], count: int) -> Transition:
    """What a digest says. The titles are values in it, as processes are."""
    return replace(
        digest.transition,
        monitor_name=f"{count} notifications in one",
        message="More came within a minute than are sent one by one. {{processes}}",
        query="",
        group=(),
        previous=State.OK,
        state=State.WARN,
        value=None,
        threshold=None,
        warn_threshold=None,
        reason="",
        processes=tuple(titles[:MAX_DIGEST_TITLES]),
        cycle_key=f"digest-{digest.id}",
        kind=TransitionKind.TRIGGERED,
    )


def _digest(first: Notification, now: int) -> Notification:
    """One for a channel and a minute, sent when the minute is over."""
    minute = now // RATE_SECONDS
    text = json.dumps(("digest", first.org_id, first.channel, minute))
    return replace(
        first,
        id=hashlib.sha256(text.encode()).hexdigest()[:32],
        delivery=Delivery.WAITING,
        is_digest=True,
        next_at=(minute + 1) * RATE_SECONDS,
    )
