"""Where nothing is sent to, and what is allowed besides."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from ipaddress import ip_address, ip_network

import pytest

from procession.delivery.addresses import AllowedTargets, parse_networks
from procession.delivery.channel_sender import ChannelSender
from procession.delivery.http_post import HttpPoster
from procession.errors import UsageError
from procession.notifications.channels import (
    AlertmanagerChannel,
    Channel,
    PagerDutyChannel,
    SlackChannel,
    Webhook,
)
from procession.notifications.notification import Notification
from procession.notifications.payloads.http_request import HttpRequest
from procession.notifications.retries import NotSent
from tests.support.builders import NOON
from tests.support.notifying import LOOPBACK, a_transition, receiving

REFUSED = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",  # noqa: S104 (it is refused)
    "0.1.2.3",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "100.127.255.255",
    "168.63.129.16",
    "::ffff:168.63.129.16",
    "192.0.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fe80::1%1",
    "fc00::1",
    "fd12:3456::1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "2001:db8::1",
    "100::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:100.64.0.1",
    "::127.0.0.1",
    "::10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b::a00:1",
    "64:ff9b:1::a00:1",
    "64:ff9b:1::808:808",
    "2002:7f00:1::1",
    "2002:a00:1::",
    "2001:0:4136:e378:8000:63bf:f5ff:fffe",
]
PUBLIC = ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_not_public_is_refused(text: str) -> None:
    assert not AllowedTargets().is_allowed(ip_address(text))

    with pytest.raises(NotSent) as refused:
        AllowedTargets(resolve=lambda *_: ["8.8.8.8", text]).target("mixed.test", 443)
    assert refused.value.is_final


@pytest.mark.parametrize("text", PUBLIC)
def test_what_is_public_is_allowed(text: str) -> None:
    assert AllowedTargets().is_allowed(ip_address(text))


def test_a_setting_allows_a_network_in_every_form() -> None:
    targets = AllowedTargets(parse_networks(["10.1.0.0/16"]))

    allowed = ["10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::a01:203"]
    assert [targets.is_allowed(ip_address(text)) for text in [*allowed, "10.2.0.1", "127.0.0.1"]] == [True] * 3 + [
        False
    ] * 2
    with pytest.raises(UsageError):
        parse_networks(["10.1.0.1/16"])


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]"]
)
def test_no_spelling_of_this_machine_gets_a_request(host: str) -> None:
    with receiving() as receiver:
        port = receiver.url.rpartition(":")[2]
        with pytest.raises(NotSent):
            HttpPoster(AllowedTargets()).post(HttpRequest(f"http://{host}:{port}/", b"{}"))
        assert receiver.posted == []


CHANNELS: dict[str, Callable[[str], Channel]] = {
    "webhook": lambda place: Webhook("x", f"http://{place}/"),
    "webhook of a variable": lambda place: Webhook("x", f"http://$PLACE:{place.partition(':')[2]}/"),
    "webhook of a group": lambda place: Webhook("x", f"http://$HOSTNAME:{place.partition(':')[2]}/"),
    "slack": lambda place: SlackChannel("x", f"http://{place}/services"),
    "pagerduty": lambda place: PagerDutyChannel("x", "key", f"http://{place}/v2/enqueue"),
    "alertmanager": lambda place: AlertmanagerChannel("x", f"http://{place}"),
}
"""Of mail, `test_mail` has the same."""


@pytest.mark.parametrize("kind", CHANNELS)
def test_no_channel_reaches_this_machine_also_once_its_variables_are_filled_in(kind: str) -> None:
    transition = a_transition(group=(("host", "127.0.0.1"),))
    notification = Notification("a" * 32, 1, "x", NOON, transition)
    with receiving() as receiver:
        channel = CHANNELS[kind](receiver.url.partition("//")[2])
        with pytest.raises(NotSent, match="network that nothing is sent to") as refused:
            ChannelSender(poster=HttpPoster(AllowedTargets())).send(
                notification, channel, {"PLACE": "127.0.0.1"}, "main"
            )
        assert (refused.value.is_final, receiver.posted) == (True, [])

        allowed = ChannelSender(poster=HttpPoster(LOOPBACK))
        allowed.send(notification, channel, {"PLACE": "127.0.0.1"}, "main")
        assert len(receiver.posted) == 1


def test_a_name_is_resolved_once_and_its_address_connected_to() -> None:
    asked: list[str] = []

    def rebinding(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    targets = AllowedTargets([ip_network("127.0.0.0/8")], rebinding)
    with receiving() as receiver:
        port = receiver.url.rpartition(":")[2]
        HttpPoster(targets).post(HttpRequest(f"http://rebind.test:{port}/", b"{}"))

        assert asked == ["rebind.test"]
        assert receiver.posted[0].headers["host"] == f"rebind.test:{port}"


def test_no_redirect_is_followed() -> None:
    with receiving() as other, receiving(302, headers={"location": other.url}) as receiver:
        with pytest.raises(NotSent, match="answered 302"):
            HttpPoster(LOOPBACK).post(HttpRequest(receiver.url, b"{}"))

        assert other.posted == []


def test_an_answer_without_end_is_cut_off() -> None:
    with receiving(400, answer=b"x" * 10_000_000) as receiver, pytest.raises(NotSent) as refused:
        HttpPoster(LOOPBACK).post(HttpRequest(receiver.url, b"{}"))

    assert len(str(refused.value)) < 300


def test_a_receiver_that_wants_another_protocol_took_nothing() -> None:
    headers = {"connection": "upgrade", "upgrade": "websocket"}
    with receiving(101, headers=headers) as receiver, pytest.raises(NotSent, match="another protocol"):
        HttpPoster(LOOPBACK).post(HttpRequest(receiver.url, b"{}"))


@pytest.mark.parametrize("trickle", [b"", b"H"])
def test_a_receiver_that_never_finishes_is_given_up(trickle: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        if trickle:
            # As much as the deadline allows, and never an answer.

            def answer() -> None:
                connection, _ = listener.accept()
                with connection:
                    while True:
                        try:
                            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
                            connection.recv(1)
                        except OSError:
                            return

            threading.Thread(target=answer, daemon=True).start()
        with pytest.raises(NotSent) as refused:
            HttpPoster(LOOPBACK, seconds=0.5).post(HttpRequest(url, b"{}"))

    assert not refused.value.is_final


@pytest.mark.parametrize(
    "url", ["ftp://example.org/", "http:///x", "http://u:p@example.org/", "http://[::1/", "http://a:99999/", "x"]
)
def test_what_is_no_url_is_not_sent(url: str) -> None:
    with pytest.raises(NotSent) as refused:
        HttpPoster(LOOPBACK).post(HttpRequest(url, b"{}"))

    assert refused.value.is_final
