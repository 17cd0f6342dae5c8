from __future__ import annotations

import pytest
from starlette.requests import Request

from procession.config import ServerSettings
from procession.errors import UsageError
from procession.server.access.sign_in_throttle import client_address
from procession.server.access.trusted_proxies import TrustedProxies
from tests.support.people import sign_in
from tests.support.served import Client, Served

PROXIES = TrustedProxies(("10.0.0.0/8", " 2001:db8:ffff::/48"))


def asked(client: str, *forwarded: str) -> Request:
    headers = [(b"x-forwarded-for", one.encode("latin-1")) for one in forwarded]
    return Request({"type": "http", "client": (client, 1), "headers": headers})


@pytest.mark.parametrize(
    ("client", "forwarded", "counted_as"),
    [
        ("192.0.2.7", (), "192.0.2.7"),
        ("10.0.0.1", (), "10.0.0.1"),
        ("10.0.0.1", ("192.0.2.7",), "192.0.2.7"),
        # Several proxies in a row, in one line of the header or in several.
        ("10.0.0.1", ("192.0.2.7, 10.2.0.1",), "192.0.2.7"),
        ("10.0.0.1", ("192.0.2.7", "10.2.0.1"), "192.0.2.7"),
        ("2001:db8:ffff::1", ("2001:db8:1:2:3::4",), "2001:db8:1:2::/64"),
        ("::ffff:10.0.0.1", ("::ffff:192.0.2.7",), "192.0.2.7"),
        ("10.0.0.1", ("192.0.2.7:4711",), "192.0.2.7"),
        ("10.0.0.1", ("[2001:db8:1:2::4]:4711",), "2001:db8:1:2::/64"),
        ("10.0.0.1", ("10.9.9.9",), "10.9.9.9"),
    ],
)
def test_the_client_is_the_last_address_before_the_trusted_ones(
    client: str, forwarded: tuple[str, ...], counted_as: str
) -> None:
    assert client_address(asked(client, *forwarded), PROXIES) == counted_as


@pytest.mark.parametrize(
    ("client", "forwarded", "counted_as"),
    [
        # Whoever is no proxy says what he likes.
        ("192.0.2.7", ("198.51.100.1",), "192.0.2.7"),
        ("192.0.2.7", ("10.0.0.1",), "192.0.2.7"),
        # What stands left of the client, he has sent.
        ("10.0.0.1", ("198.51.100.1, 192.0.2.7",), "192.0.2.7"),
        ("10.0.0.1", ("10.0.0.9, 192.0.2.7",), "192.0.2.7"),
        # What is no address is nobody.
        ("10.0.0.1", ("unknown",), "10.0.0.1"),
        ("10.0.0.1", ("192.0.2.7, ",), "10.0.0.1"),
        ("10.0.0.1", ("",), "10.0.0.1"),
        ("10.0.0.1", ("198.51.100.1, \xff", "10.0.0.2"), "10.0.0.2"),
        ("10.0.0.1", ("198.51.100.1," + "10.0.0.2," * 100_000 + "10.0.0.3",), "10.0.0.2"),
    ],
)
def test_nobody_is_believed_who_is_not_trusted(client: str, forwarded: tuple[str, ...], counted_as: str) -> None:
    assert client_address(asked(client, *forwarded), PROXIES) == counted_as


def test_without_the_setting_no_proxy_is_believed() -> None:
    assert client_address(asked("10.0.0.1", "192.0.2.7")) == "10.0.0.1"


@pytest.mark.parametrize("client", ["192.0.2.7", "2001:db8::7", "::ffff:192.0.2.7", "testclient", ""])
def test_the_name_of_a_client_is_its_address(client: str) -> None:
    for proxies in (TrustedProxies(), PROXIES):
        assert proxies.name_of_client(asked(client)) == str(proxies.client_of(asked(client)) or "?")


def test_the_name_of_a_client_behind_a_trusted_proxy_is_that_of_the_client() -> None:
    assert PROXIES.name_of_client(asked("10.0.0.1", "192.0.2.7")) == "192.0.2.7"
    assert TrustedProxies().name_of_client(Request({"type": "http", "client": None, "headers": []})) == "?"


@pytest.mark.parametrize("text", ["proxy", "10.0.0.1/8", "10.0.0.0/33", ""])
def test_what_is_no_network_is_said(text: str) -> None:
    with pytest.raises(UsageError, match="--trusted-proxies: "):
        TrustedProxies((text,))


def test_behind_a_trusted_proxy_one_client_uses_up_no_tries_of_another(served: Served) -> None:
    served.settings = ServerSettings(sign_in_limit=2, trusted_proxies=("127.0.0.0/8",))
    client = Client(served.app())

    def statuses(*addresses: str) -> list[int]:
        found = enumerate(addresses)
        return [sign_in(client, f"user{number}", **{"x-forwarded-for": one}).status_code for number, one in found]

    assert statuses(*["192.0.2.7"] * 3) == [403, 403, 429]
    assert statuses("192.0.2.8", "198.51.100.1, 192.0.2.7") == [403, 429]
    client.close()


def test_one_user_is_tried_no_more_often_through_many_addresses(served: Served) -> None:
    served.settings = ServerSettings(sign_in_limit=2, trusted_proxies=("127.0.0.0/8",))
    client = Client(served.app())

    tried = [sign_in(client, "anna", **{"x-forwarded-for": f"192.0.2.{number}"}).status_code for number in range(3)]

    assert tried == [403, 403, 429]
    client.close()
