"""Signing in to the page: who gets a session, what it opens, and for how long."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from http.cookies import Morsel, SimpleCookie
from typing import Any

import httpx
import pytest
from starlette.requests import Request

from procession.accounts.orgs import Key, hash_secret
from procession.accounts.scopes import Scope
from procession.accounts.sessions import LINK_SECONDS, MAX_SESSIONS, SESSION_SECONDS, create_link
from procession.config import ServerSettings
from procession.errors import TooManyRequests
from procession.server.access.sign_in_throttle import ADDRESSES, SignInThrottle, client_address
from tests.support.builders import NOON
from tests.support.served import (
    ADMIN_KEY,
    API_KEY,
    APPLICATION_KEY,
    OTHER_APPLICATION_KEY,
    READER,
    Client,
    Clock,
    Served,
)

SESSION = "/api/procession/v1/session"
LINK = "/api/procession/v1/session/link"
HOSTS = "/api/procession/v1/hosts"
VIEW = "/api/procession/v1/views/mine"
WATCH = "/api/procession/v1/watch"
OURS = {"sec-fetch-site": "same-origin"}
NAME = "procession_session"


def sign_in(client: Client, key: str = APPLICATION_KEY, **options: Any) -> httpx.Response:
    return client.post(SESSION, json={"application_key": key}, **options)


def cookie_of(answer: httpx.Response, name: str = NAME) -> Morsel[str]:
    cookies = SimpleCookie(answer.headers.get("set-cookie", ""))
    return cookies[name]


def signed_in(client: Client, key: str = APPLICATION_KEY) -> dict[str, str]:
    """The headers of a page that is signed in. The client itself forgets its cookies, so that tests say what goes."""
    answer = sign_in(client, key)
    client.forget_cookies()
    return OURS | {"cookie": f"{NAME}={cookie_of(answer).value}"}


def key_with(served: Served, key_id: str) -> Key:
    found = served.store.keys()
    return next(key for key in found if key.id == key_id)


def a_link(served: Served, key_id: str = APPLICATION_KEY[:4]) -> str:
    key = key_with(served, key_id)
    return create_link(served.store, key, served.clock())[0]


def revoke(served: Served, secret: str) -> None:
    key = key_with(served, secret[:4])
    served.store.put_key(dataclasses.replace(key, revoked_at=NOON))


@pytest.fixture
def later(served: Served) -> Iterator[Client]:
    """Another server of the same store, which has looked at nothing yet."""
    client = Client(served.app())
    yield client
    client.close()


def test_an_application_key_signs_in_to_its_org(client: Client) -> None:
    answer = sign_in(client)

    assert answer.status_code == 201
    assert answer.json() == {"org": "main", "expires_at": NOON + SESSION_SECONDS, "scopes": sorted(Scope)}
    assert answer.headers["cache-control"] == "no-store"
    client.forget_cookies()
    assert sign_in(client, OTHER_APPLICATION_KEY).json()["org"] == "other"


def test_the_cookie_is_for_no_script_and_no_other_site(client: Client) -> None:
    cookie = cookie_of(sign_in(client))

    assert (cookie["httponly"], cookie["samesite"].lower(), cookie["path"]) == (True, "strict", "/")
    assert cookie["max-age"] == str(SESSION_SECONDS)
    assert cookie["domain"] == ""
    assert cookie["secure"] == ""
    assert len(cookie.value) >= 43


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        (f"https://procession.test{SESSION}", {}),
        # A proxy that ends TLS in front of us.
        (SESSION, {"origin": "https://procession.test", "host": "procession.test"}),
    ],
)
def test_under_https_the_cookie_never_goes_in_the_clear(client: Client, url: str, headers: dict[str, str]) -> None:
    answer = client.post(url, json={"application_key": APPLICATION_KEY}, headers=headers)

    cookie = cookie_of(answer, f"__Host-{NAME}")
    assert cookie["secure"] is True
    assert cookie["httponly"] is True
    client.forget_cookies()
    opened = client.get(SESSION, headers=OURS | {"cookie": f"__Host-{NAME}={cookie.value}"})
    assert opened.json()["org"] == "main"


@pytest.mark.parametrize("settings", [{"page_url": "https://procession.test"}, {"behind_proxy": True}])
def test_behind_a_proxy_that_ends_tls_a_cookie_that_another_host_may_have_planted_opens_nothing(
    served: Served, settings: dict[str, Any]
) -> None:
    """Whose session it is would be theirs who planted it."""
    served.settings = dataclasses.replace(served.settings, **settings)
    client = Client(served.app())
    token = cookie_of(sign_in(client), f"__Host-{NAME}").value
    client.forget_cookies()

    planted, own = (
        client.get(SESSION, headers=OURS | {"cookie": f"{name}={token}"}) for name in (NAME, f"__Host-{NAME}")
    )

    assert (planted.status_code, own.status_code) == (403, 200)
    over_http = sign_in(client, headers={"origin": "http://procession.test"})
    assert (over_http.status_code, "set-cookie" in over_http.headers) == (403, False)
    assert "Open the page by https" in over_http.json()["errors"][0]
    client.close()


def test_servers_on_ports_of_one_machine_have_cookies_of_their_own(client: Client) -> None:
    names = set()
    for host in ("127.0.0.1:7171", "127.0.0.1:8080", "[::1]:7171", "procession.test"):
        names |= set(SimpleCookie(sign_in(client, headers={"host": host}).headers["set-cookie"]))

    assert names == {"procession_session_7171", "procession_session_8080", "procession_session"}


@pytest.mark.parametrize("key", [API_KEY, ADMIN_KEY, "f" * 40, "", "ключ"])
def test_no_other_key_signs_in(client: Client, key: str) -> None:
    answer = sign_in(client, key)

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("body", [{}, {"application_key": "a", "link": "b"}, {"key": "a"}, [], {"link": 1}])
def test_what_is_no_sign_in_is_said(client: Client, body: Any) -> None:
    answer = client.post(SESSION, json=body)

    assert answer.status_code == 400
    assert "set-cookie" not in answer.headers


def test_a_session_opens_what_its_key_opens_of_our_own_api(client: Client) -> None:
    page = signed_in(client)

    assert client.get(HOSTS, headers=page).status_code == 200
    assert client.request("PUT", VIEW, json={"state": "x"}, headers=page).status_code == 200
    assert client.post(WATCH, json={}, headers=page).status_code == 200
    assert client.request("DELETE", VIEW, headers=page).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v2/processes"),
        ("GET", "/metrics"),
        ("GET", "/api/procession/v1/admin/keys"),
        ("POST", "/api/v1/collector"),
        ("POST", LINK),
    ],
)
def test_a_session_opens_no_other_door(client: Client, method: str, path: str) -> None:
    assert client.request(method, path, headers=signed_in(client)).status_code == 403


def test_a_session_sees_its_own_org_alone(client: Client) -> None:
    client.request("PUT", VIEW, json={"state": "x"}, headers=signed_in(client))

    views = client.get("/api/procession/v1/views", headers=signed_in(client, OTHER_APPLICATION_KEY)).json()["views"]

    assert views == []


def test_keys_count_before_a_session(client: Client) -> None:
    page = signed_in(client)

    assert client.get(SESSION, headers=page | {"authorization": f"Bearer {OTHER_APPLICATION_KEY}"}).json()["org"] == (
        "other"
    )
    assert client.get(SESSION, headers=page | {"authorization": "Bearer wrong"}).status_code == 403
    # What a proxy before us may have asked for.
    assert client.get(SESSION, headers=page | {"authorization": "Basic eDp5"}).json()["org"] == "main"


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        # Another port of this machine: the same site to a browser, which sends the cookie.
        {"sec-fetch-site": "same-site", "origin": "http://procession.test:8080"},
        {"sec-fetch-site": "same-site", "origin": "http://procession.test"},
        {"sec-fetch-site": "none"},
        {"origin": "http://evil.test"},
        {"origin": "null"},
        {},
    ],
)
def test_another_page_changes_nothing_with_our_session(client: Client, headers: dict[str, str]) -> None:
    cookie = {"cookie": signed_in(client)["cookie"]}

    for method, path, body in (("PUT", VIEW, {"state": "x"}), ("POST", WATCH, {}), ("DELETE", VIEW, None)):
        assert client.request(method, path, json=body, headers=headers | cookie).status_code == 403
    assert client.request("DELETE", SESSION, headers=headers | cookie).status_code == 403
    assert client.get(SESSION, headers=OURS | cookie).status_code == 200
    assert client.get("/api/procession/v1/views", headers=READER).json() == {"views": []}


def test_where_a_browser_sends_no_fetch_metadata_the_origin_counts(client: Client) -> None:
    page = {"cookie": signed_in(client)["cookie"], "host": "procession.test:7171"}
    page["cookie"] = page["cookie"].replace(NAME, f"{NAME}_7171")

    right = client.request("PUT", VIEW, json={"state": "x"}, headers=page | {"origin": "http://procession.test:7171"})
    wrong = client.request("PUT", VIEW, json={"state": "x"}, headers=page | {"origin": "http://procession.test"})

    assert (right.status_code, wrong.status_code) == (200, 403)


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_page_cannot_even_ask_with_our_session(client: Client, site: str) -> None:
    cookie = {"cookie": signed_in(client)["cookie"]}

    assert client.get(HOSTS, headers=cookie | {"sec-fetch-site": site}).status_code == 403
    # Whoever types the address, or a program with a copy of the cookie.
    assert client.get(HOSTS, headers=cookie | {"sec-fetch-site": "none"}).status_code == 200
    assert client.get(HOSTS, headers=cookie).status_code == 200


def test_another_page_signs_nobody_in(client: Client) -> None:
    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "http://evil.test"}):
        answer = sign_in(client, headers=headers)

        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers


def test_a_session_holds_on_every_server_of_the_store_at_once(client: Client, later: Client) -> None:
    signed_in(later, OTHER_APPLICATION_KEY)  # so that it has taken the sessions before

    page = signed_in(client)

    # A moment ago they were taken: only what is older than that is taken anew.
    answers = iter(lambda: later.get(SESSION, headers=page).status_code, 200)
    for tries, _ in enumerate(answers):
        assert tries < 10_000
    assert later.get(SESSION, headers=page).json()["org"] == "main"


def test_a_session_ends_at_its_time(client: Client, served: Served) -> None:
    page = signed_in(client)
    served.clock.now += SESSION_SECONDS - 1
    assert client.get(HOSTS, headers=page).status_code == 200

    served.clock.now += 1

    assert client.get(HOSTS, headers=page).status_code == 403


def test_a_session_dies_with_its_key(served: Served, client: Client, later: Client) -> None:
    page = signed_in(client)
    other = signed_in(client, OTHER_APPLICATION_KEY)
    revoke(served, APPLICATION_KEY)

    assert later.get(HOSTS, headers=page).status_code == 403
    assert later.get(HOSTS, headers=other).status_code == 200


def test_signing_out_ends_the_session_and_takes_the_cookie(served: Served, client: Client, later: Client) -> None:
    page, other = signed_in(client), signed_in(client)

    answer = client.request("DELETE", SESSION, headers=page)

    assert answer.status_code == 204
    assert (cookie_of(answer).value, cookie_of(answer)["max-age"]) == ("", "0")
    assert client.get(HOSTS, headers=page).status_code == 403
    assert later.get(HOSTS, headers=page).status_code == 403
    assert client.get(HOSTS, headers=other).status_code == 200


def test_who_is_not_signed_in_may_sign_out(client: Client) -> None:
    assert client.request("DELETE", SESSION).status_code == 204
    answer = client.request("DELETE", SESSION, headers=OURS | {"cookie": f"{NAME}=made-up"})
    assert (answer.status_code, cookie_of(answer).value) == (204, "")


@pytest.mark.parametrize("cookie", ["", "x", "ы", "x" * 5000, '"', "=;=", APPLICATION_KEY, "\0"])
def test_a_cookie_that_is_made_up_opens_nothing(client: Client, cookie: str) -> None:
    headers = {b"cookie": f"{NAME}={cookie}".encode(), b"sec-fetch-site": b"same-origin"}

    assert client.get(HOSTS, headers=headers).status_code == 403


def test_a_key_has_so_many_sessions_and_then_the_oldest_ends(served: Served, client: Client) -> None:
    served.settings = ServerSettings(sign_in_limit=0)
    client = Client(served.app())
    other = signed_in(client, OTHER_APPLICATION_KEY)
    first, *rest = (signed_in(client) for _ in range(MAX_SESSIONS))
    served.clock.now += 1
    second = rest[0]

    signed_in(client)

    live = [client.get(SESSION, headers=page).status_code == 200 for page in (first, second, other)]
    assert len(served.store.sessions(served.clock())) == MAX_SESSIONS + 1
    assert live.count(False) <= 1
    assert live[2]
    client.close()


def test_no_token_is_kept(served: Served, client: Client) -> None:
    token = signed_in(client)["cookie"].partition("=")[2]
    link = a_link(served)

    kept = repr(vars(served.store))

    assert token not in kept
    assert link not in kept
    assert repr(hash_secret(token)) in kept


def test_a_link_signs_in_once(served: Served, client: Client, later: Client) -> None:
    link = a_link(served)

    first, second = (one.post(SESSION, json={"link": link}) for one in (client, later))

    assert (first.status_code, first.json()["org"]) == (201, "main")
    assert second.status_code == 403
    assert "set-cookie" not in second.headers
    assert "procession link" in second.json()["errors"][0]


def test_a_link_is_good_for_a_time(served: Served, client: Client) -> None:
    link, other = a_link(served), a_link(served)
    served.clock.now += LINK_SECONDS - 1
    assert client.post(SESSION, json={"link": link}).status_code == 201

    served.clock.now += 1

    assert client.post(SESSION, json={"link": other}).status_code == 403


def test_a_link_dies_with_its_key(served: Served, client: Client) -> None:
    link = a_link(served)
    revoke(served, APPLICATION_KEY)

    assert client.post(SESSION, json={"link": link}).status_code == 403


def test_a_session_from_a_link_dies_with_the_key_as_well(served: Served, client: Client, later: Client) -> None:
    answer = client.post(SESSION, json={"link": a_link(served)})
    page = OURS | {"cookie": f"{NAME}={cookie_of(answer).value}"}
    client.forget_cookies()
    assert client.get(HOSTS, headers=page).status_code == 200
    revoke(served, APPLICATION_KEY)

    assert later.get(HOSTS, headers=page).status_code == 403


def test_keys_make_a_link(client: Client) -> None:
    made = client.post(LINK, headers=READER)

    assert made.status_code == 201
    assert made.json()["expires_at"] == NOON + LINK_SECONDS
    assert client.post(SESSION, json={"link": made.json()["token"]}).json()["org"] == "main"


def test_no_link_is_kept_that_is_one_too_many(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    served.settings = ServerSettings(own_rate_limit=1)
    kept: list[object] = []
    monkeypatch.setattr(served.store, "put_link", kept.append)
    client = Client(served.app())

    assert [client.post(LINK, headers=READER).status_code for _ in range(3)] == [201, 429, 429]
    assert len(kept) == 1


def test_an_address_may_try_so_often_and_hears_when_to_come_back(served: Served) -> None:
    served.settings = ServerSettings(sign_in_limit=3)
    served.clock.now = NOON + 60
    client = Client(served.app())
    answers = [sign_in(client, "wrong") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [403] * 3

    refused = sign_in(client)

    assert refused.status_code == 429
    assert refused.json()["errors"] == ["Too many tries to sign in from 127.0.0.1; try again in 40 s"]
    assert refused.headers["retry-after"] == "40"
    assert "set-cookie" not in refused.headers
    served.clock.now += 40
    assert sign_in(client).status_code == 201
    client.close()


def test_one_address_shuts_out_no_other() -> None:
    throttle = SignInThrottle(2, lambda: NOON)
    refusals = 0
    for _ in range(10_000):
        try:
            throttle.count("10.0.0.1")
        except TooManyRequests:
            refusals += 1

    throttle.count("10.0.0.2")
    assert refusals == 10_000 - 2


def test_all_together_may_try_so_often_and_no_more_is_remembered() -> None:
    clock = Clock()
    throttle = SignInThrottle(2, clock)
    for number in range(2 * ADDRESSES):
        throttle.count(f"address {number}")

    for number in range(1000):
        with pytest.raises(TooManyRequests, match=r"^Too many tries to sign in; try again in"):
            throttle.count(f"another address {number}")

    assert len(throttle._counts) <= 2 * ADDRESSES
    clock.now += 60
    throttle.count("another")
    assert len(throttle._counts) == 1


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("testclient", "?"),
    ],
)
def test_addresses_of_one_customer_count_as_one(address: str, counted_as: str) -> None:
    assert client_address(Request({"type": "http", "client": (address, 1)})) == counted_as


def test_calls_of_a_session_count_as_its_orgs(served: Served) -> None:
    served.settings = ServerSettings(own_rate_limit=2)
    client = Client(served.app())
    page = signed_in(client)

    statuses = [client.get(HOSTS, headers=page).status_code for _ in range(3)]

    assert statuses == [200, 200, 429]
    assert client.get(HOSTS, headers=READER).status_code == 429
    client.close()
