"""Which cookies of the page count, under https and else, and behind proxies that say nothing of it."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from procession.config import ServerSettings
from procession.errors import Forbidden
from procession.server.access.session_cookies import SessionCookies

NAME = "procession_session"
BOTH = f"{NAME}=planted; __Host-{NAME}=own"
HTTPS = {"origin": "https://procession.test"}

PLAIN = ServerSettings()
UNDER_HTTPS = (
    ServerSettings(page_url="https://procession.test/"),
    ServerSettings(page_url="HTTPS://procession.test"),
    ServerSettings(behind_proxy=True),
)


def a_request(scheme: str = "http", host: str = "procession.test", **headers: str) -> Request:
    raw = [(name.encode(), text.encode()) for name, text in {"host": host, **headers}.items()]
    server = (host, 443 if scheme == "https" else 80)
    return Request({"type": "http", "method": "GET", "path": "/", "scheme": scheme, "server": server, "headers": raw})


@pytest.mark.parametrize(
    ("settings", "scheme", "headers"),
    [
        *((settings, "http", {}) for settings in UNDER_HTTPS),
        (UNDER_HTTPS[0], "http", {"origin": "http://procession.test"}),
        (PLAIN, "https", {}),
        (PLAIN, "http", HTTPS),
        (ServerSettings(page_url="http://procession.test"), "https", {}),
    ],
)
def test_under_https_a_cookie_without_the_prefix_of_this_host_is_none(
    settings: ServerSettings, scheme: str, headers: dict[str, str]
) -> None:
    cookies = SessionCookies(settings)

    assert cookies.shown(a_request(scheme, cookie=BOTH, **headers)) == ["own"]
    assert cookies.shown(a_request(scheme, cookie=f"{NAME}=planted", **headers)) == []
    assert cookies.name(a_request(scheme, **headers)) == f"__Host-{NAME}"
    assert cookies.is_secure(a_request(scheme, **headers))


@pytest.mark.parametrize("settings", [PLAIN, ServerSettings(page_url="http://procession.test/")])
def test_under_http_the_plain_name_counts_and_the_better_one_comes_first(settings: ServerSettings) -> None:
    cookies = SessionCookies(settings)

    assert cookies.shown(a_request(cookie=BOTH)) == ["own", "planted"]
    assert cookies.shown(a_request(cookie=f"{NAME}=one")) == ["one"]
    assert cookies.shown(a_request(cookie=f"{NAME}=")) == []
    assert cookies.name(a_request(origin="http://procession.test")) == NAME
    assert not cookies.is_secure(a_request())


@pytest.mark.parametrize("settings", UNDER_HTTPS)
def test_a_page_over_http_gets_no_cookie_that_its_browser_would_throw_away(settings: ServerSettings) -> None:
    cookies = SessionCookies(settings)

    for origin in ("http://procession.test", "http://10.0.0.7:7171", "http://localhost.test", "http://[::1"):
        with pytest.raises(Forbidden, match="Open the page by https"):
            cookies.refuse_http(a_request(origin=origin))
    for origin in ("http://localhost:7171", "http://127.0.0.1:7171", "http://[::1]:7171", "https://procession.test"):
        cookies.refuse_http(a_request(origin=origin))
    cookies.refuse_http(a_request())
    SessionCookies(PLAIN).refuse_http(a_request(origin="http://procession.test"))


@pytest.mark.parametrize(
    ("host", "name"), [("127.0.0.1:7171", "procession_attempt_7171"), ("[::1]:80", "procession_attempt_80")]
)
def test_each_port_and_each_purpose_has_a_cookie_of_its_own(host: str, name: str) -> None:
    cookies = SessionCookies(PLAIN)

    assert cookies.name(a_request(host=host), "attempt") == name
    assert cookies.shown(a_request(host=host, cookie=f"{NAME}=x; {name}=y"), "attempt") == ["y"]
