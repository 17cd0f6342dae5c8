"""An alert for Prometheus' Alertmanager, `POST /api/v2/alerts`."""

from __future__ import annotations

import re

from procession.monitors.transition import State, Transition, TransitionKind
from procession.notifications import message
from procession.notifications.channels import AlertmanagerChannel
from procession.notifications.escaping import plain
from procession.notifications.payloads.http_request import HttpRequest, json_request

FIRING_SECONDS = 7 * 86400
"""So long an alert stays without a recovery. Alertmanager itself would end it after five minutes, since Prometheus
says each minute that it still fires."""
TRIAL_SECONDS = 300
DIGEST_SECONDS = 3600
"""So long a digest stays, which nothing recovers; and a test that much shorter."""

_NO_LABEL = re.compile(r"[^a-zA-Z0-9_]")


def alertmanager_request(
    channel: AlertmanagerChannel, transition: Transition, *, link: str, firing_seconds: int = FIRING_SECONDS
) -> HttpRequest:
    """An alert is known by its labels: they are the same from trigger to recovery."""
    is_over, is_trial = transition.state is State.OK, transition.kind is TransitionKind.TEST
    if is_trial:
        firing_seconds = TRIAL_SECONDS
    labels = {_label_name(key): plain(value) for key, value in transition.group}
    labels |= {
        "alertname": plain(transition.monitor_name) or "monitor",
        "monitor_id": str(transition.monitor_id),
        "org_id": str(transition.org_id),
        # Else it would be, and would end, the alert that there is.
        "test": "true" if is_trial else "",
    }
    annotations = {
        "summary": message.title(transition),
        "description": message.text(transition),
        "state": str(transition.state),
        "value": message.number_text(transition.value),
        "threshold": message.number_text(transition.threshold),
        "reason": plain(transition.reason),
        "processes": plain("; ".join(transition.processes)),
        "cycle_key": transition.cycle_key,
    }
    alert = {
        "labels": {key: value for key, value in labels.items() if value},
        "annotations": annotations,
        "startsAt": message.moment_text(transition.at),
        "endsAt": message.moment_text(transition.at + (0 if is_over else firing_seconds)),
    }
    return json_request(f"{channel.url.rstrip('/')}/api/v2/alerts", [alert | ({"generatorURL": link} if link else {})])


def _label_name(key: str) -> str:
    name = _NO_LABEL.sub("_", key) or "_"
    return f"_{name}" if name[0].isdigit() else name
