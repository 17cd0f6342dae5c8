"""A message for an incoming webhook of Slack."""

from __future__ import annotations

from procession.monitors.transition import Transition
from procession.notifications import message
from procession.notifications.channels import SlackChannel
from procession.notifications.escaping import clipped, slack
from procession.notifications.payloads.http_request import HttpRequest, json_request

MAX_PROCESSES_CHARACTERS = 2_000


def slack_request(channel: SlackChannel, transition: Transition, *, link: str) -> HttpRequest:
    lines = [f"*{slack(message.title(transition))}*", message.text(transition, slack)]
    if transition.reason:
        lines.append(f"Reason: {slack(transition.reason)}")
    if transition.processes:
        lines.append(clipped("Processes: " + slack("; ".join(transition.processes)), MAX_PROCESSES_CHARACTERS))
    if link:
        lines.append(f"<{link}|Show it>")
    return json_request(channel.url, {"text": "\n".join(lines), "link_names": False, "unfurl_links": False})
