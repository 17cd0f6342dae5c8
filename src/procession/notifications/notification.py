"""One message to one channel: what the outbox keeps until it is sent, and a while after that."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from enum import StrEnum

import msgspec

from procession.monitors.transition import Transition


class Delivery(StrEnum):
    """How far a notification has come."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"
    """Given up."""
    MUTED = "muted"
    """Not sent: a downtime held."""
    DIGESTED = "digested"
    """Not sent by itself: a digest counts it."""


@dataclass(frozen=True, slots=True)
class Notification:
    """A row of the outbox. Rendered only when it is sent, so that no secret of a channel is in it."""

    id: str
    """The same for the same transition and channel: to take it twice changes nothing."""
    org_id: int
    channel: str
    """`webhook-oncall`, or an address of mail."""
    created_at: int
    transition: Transition
    is_digest: bool = False
    """Whether it stands for those of its channel and minute that are DIGESTED; its transition is the first of them."""
    delivery: Delivery = Delivery.WAITING
    attempts: int = 0
    next_at: int = 0
    """When it is tried next."""
    changed_at: int = 0
    error: str = ""
    """Of the newest attempt, in words."""


LONGEST_WAIT_SECONDS = 2 * 86400
"""What waits was made within so long: the outbox is looked through every few seconds."""


def as_of(notification: Notification, now: int) -> Notification:
    """What waited for longer than anything is looked for is given up: no server sent it in time."""
    if notification.delivery is not Delivery.WAITING or notification.created_at >= now - LONGEST_WAIT_SECONDS:
        return notification
    error = "given up: it was not sent within two days" + (f"; {notification.error}" if notification.error else "")
    return replace(notification, delivery=Delivery.FAILED, error=error)


def notification_id(transition: Transition, channel: str) -> str:
    t = transition
    parts = (t.org_id, t.monitor_id, t.group, t.cycle_key, str(t.kind), str(t.state), t.at, channel)
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def encode_transition(transition: Transition) -> str:
    return msgspec.json.encode(transition).decode()


def decode_transition(text: str) -> Transition:
    return msgspec.json.decode(text, type=Transition)


@dataclass(frozen=True, slots=True)
class NotifiedState:
    """The newest transition of a group of a monitor."""

    transition: Transition
    muted_by: str = ""
    """Id of the downtime that kept it from being sent."""


def group_key(transition: Transition) -> str:
    """Tells the groups of a monitor apart."""
    return json.dumps(transition.group)
