"""An event for PagerDuty, Events API v2."""

from __future__ import annotations

from procession.monitors.transition import State, Transition
from procession.notifications import message
from procession.notifications.channels import PagerDutyChannel
from procession.notifications.escaping import clipped, plain
from procession.notifications.payloads.http_request import HttpRequest, json_request

MAX_SUMMARY_CHARACTERS = 1_024
"""PagerDuty's."""
_SEVERITY = {State.ALERT: "critical", State.WARN: "warning", State.NO_DATA: "error"}


def pagerduty_request(channel: PagerDutyChannel, transition: Transition, *, link: str) -> HttpRequest:
    """A recovery resolves what the trigger of the same cycle opened."""
    return json_request(
        channel.url,
        {
            "routing_key": channel.routing_key,
            "event_action": "resolve" if transition.state is State.OK else "trigger",
            "dedup_key": transition.cycle_key,
            "payload": {
                "summary": clipped(message.title(transition), MAX_SUMMARY_CHARACTERS),
                "source": plain(message.host_of(transition)) or message.group_text(transition),
                "severity": _SEVERITY.get(transition.state, "info"),
                "timestamp": message.moment_text(transition.at),
                "group": message.group_text(transition),
                "custom_details": {
                    "message": message.text(transition),
                    "query": plain(transition.query),
                    "value": message.number_text(transition.value),
                    "threshold": message.number_text(transition.threshold),
                    "reason": plain(transition.reason),
                    "processes": [plain(process) for process in transition.processes],
                },
            },
            "links": [{"href": link, "text": "Show it"}] if link else [],
        },
    )
