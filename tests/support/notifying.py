"""What notifications are tried with: transitions, hostile names, and a receiver of webhooks that is a real server."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from typing import Any

from procession.delivery.addresses import AllowedTargets
from procession.delivery.channel_sender import ChannelSender
from procession.delivery.dispatcher import Dispatcher
from procession.delivery.http_post import HttpPoster
from procession.delivery.notifier import Notifier
from procession.monitors.group_state import GroupState
from procession.monitors.monitor import Creator, new_monitor
from procession.monitors.transition import State, Transition, TransitionKind
from procession.notifications.notification import Delivery, Notification
from procession.storage import KeyStore, NotificationSettingsStore, OutboxStore
from tests.support.builders import NOON
from tests.support.served import Clock
from tests.support.stores.monitors_oracle import OracleMonitors

LOOPBACK = AllowedTargets([ip_network("127.0.0.0/8"), ip_network("::1/128")])

HOSTILE = (
    "{{#is_recovery}}",
    "{{/is_alert}}{{^is_alert}}",
    "{{value}}{{{host.name}}}",
    "{{=<% %>=}}",
    "@webhook-other",
    "@channel @here",
    "<!channel> <@U123> <https://evil.test|click>",
    "x\r\nBcc: evil@evil.test\r\n\r\nbody",
    "x\nX-Evil: 1",
    '"},"evil":"yes',
    "\\",
    '\\"',
    "$EVENT_TITLE $SECRET $TAGS[host]",
    "<script>alert(1)</script>",
    "\u202egnp.exe\u2066",
    "\0\x1b[31m",
    "\ud800 half",
    "%0d%0aX: 1 ../?#&",
    "'; DROP TABLE notifications; --",
    "host:web-2,service:other",
)
"""Names that processes gave themselves."""


def a_transition(**values: Any) -> Transition:
    return replace(
        Transition(
            org_id=1,
            monitor_id=7,
            monitor_name="nginx is gone",
            message="{{#is_alert}}gone on {{host.name}}{{/is_alert}} @webhook-oncall",
            tags=("team:web",),
            priority=2,
            query="processes('nginx').over('env:prod').by('host').rollup('count').last('5m') < 1",
            group=(("host", "web-1"),),
            previous=State.OK,
            state=State.ALERT,
            at=NOON,
            value=0,
            threshold=1,
            warn_threshold=None,
            reason="process gone",
            processes=("nginx (pid 12 on web-1, exit code 137)",),
            cycle_key="cycle-1",
            kind=TransitionKind.TRIGGERED,
        ),
        **values,
    )


def a_recovery(**values: Any) -> Transition:
    given = {"previous": State.ALERT, "state": State.OK, "kind": TransitionKind.RECOVERED, "at": NOON + 60, "value": 1}
    return a_transition(**(given | values))


@dataclass
class Posted:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """Answers with each status in turn, and then with the last."""

    url: str = ""
    statuses: list[int] = field(default_factory=lambda: [200])
    headers: dict[str, str] = field(default_factory=dict)
    answer: bytes = b"ok"
    posted: list[Posted] = field(default_factory=list)
    arrived: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def wait(self, count: int = 1) -> list[Posted]:
        for _ in range(count):
            assert self.arrived.acquire(timeout=30)
        return self.posted


@contextlib.contextmanager
def receiving(*statuses: int, **values: Any) -> Iterator[Receiver]:
    receiver = Receiver(statuses=list(statuses or (200,)), **values)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.posted.append(Posted(self.path, headers, body))
            status = receiver.statuses.pop(0) if len(receiver.statuses) > 1 else receiver.statuses[0]
            self.send_response(status)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(receiver.answer)
            receiver.arrived.release()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield receiver
    server.shutdown()
    server.server_close()
    thread.join(10)


class Posting:
    """All that sends, over a store, with a clock of its own. `send` returns once what was due was tried."""

    def __init__(
        self,
        settings: NotificationSettingsStore,
        outbox: OutboxStore,
        orgs: KeyStore,
        *,
        sender: ChannelSender | None = None,
        most_in_a_minute: int = 0,
    ) -> None:
        self.clock = Clock()
        self.settings = settings
        self.outbox = outbox
        sender = sender or ChannelSender(poster=HttpPoster(LOOPBACK, seconds=5))
        self.dispatcher = Dispatcher(outbox, settings, orgs, sender, now=self.clock)
        self.monitors = OracleMonitors()
        self.notifier = Notifier(settings, outbox, self.monitors, most_in_a_minute=most_in_a_minute, now=self.clock)

    def put(self, *transitions: Transition) -> None:
        """After they were stored with their monitors."""
        for one in transitions:
            body = {"type": "process alert", "query": one.query}
            creator = Creator(1, "", "", "")
            self.monitors.put_monitor(
                new_monitor(one.org_id, one.monitor_id, body, creator=creator, changed_by="", now_us=0)
            )
            state = GroupState(group=one.group, state=one.state, since=one.at)
            self.monitors.put_groups(one.org_id, one.monitor_id, [state])
        self.notifier.put(transitions)

    def send(self) -> None:
        self.dispatcher.send_due()
        self.dispatcher.wait_until_idle()

    def kept(self, org_id: int = 1) -> list[Notification]:
        """The oldest first."""
        return sorted(self.outbox.notifications(org_id, 0, 10_000), key=lambda one: (one.created_at, one.transition.at))

    def deliveries(self, org_id: int = 1) -> list[Delivery]:
        return [one.delivery for one in self.kept(org_id)]
