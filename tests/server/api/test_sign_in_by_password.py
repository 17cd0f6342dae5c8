"""Signing in with a password: who gets a session, what the role opens, and when it ends."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from http.cookies import SimpleCookie
from typing import Any

import pytest

from procession.accounts.sessions import SESSION_SECONDS
from procession.accounts.users import Role
from procession.config import ServerSettings
from procession.errors import TooManyRequests
from procession.server.access.sign_in_throttle import SignInThrottle
from tests.server.test_routes_and_keys import filled, table_rows
from tests.support.builders import a_sighting, a_snapshot
from tests.support.people import OURS, PHRASE, SIGN_IN, a_user, page_of, sign_in
from tests.support.served import (
    ADMIN,
    APPLICATION_KEY,
    ORG,
    OTHER_ORG,
    PLAIN_APPLICATION_KEY,
    Client,
    Clock,
    Served,
)

OWN = "/api/procession/v1"
SESSION = f"{OWN}/session"
HOSTS = f"{OWN}/hosts"
USERS = f"{OWN}/admin/users"
READING = {
    ("POST", f"{OWN}/watch"),
    ("POST", f"{OWN}/monitors/backtest"),
    ("POST", "/api/v1/monitor/validate"),
    ("POST", "/api/v1/monitor/{monitor_id}/validate"),
    ("POST", "/api/v2/query/timeseries"),
    ("POST", "/api/v2/query/scalar"),
    ("DELETE", f"{OWN}/sessions/{{session_id}}"),
    ("POST", f"{OWN}/keys"),
    ("DELETE", f"{OWN}/keys/{{key_id}}"),
    ("POST", SIGN_IN),
    ("POST", SESSION),
    ("DELETE", SESSION),
}
"""Routes that ask by POST, those by which one comes and goes, and those of the own keys: they change nothing that
others see."""
WRITING = [
    (method, path, key) for method, path, key in table_rows() if method != "GET" and (method, path) not in READING
]


@pytest.fixture
def later(served: Served) -> Iterator[Client]:
    """Another server of the same store."""
    client = Client(served.app())
    yield client
    client.close()


def test_a_password_signs_in_to_the_org_of_its_user(served: Served, client: Client) -> None:
    a_user(served, role=Role.EDITOR)
    a_user(served, "theirs", org_id=OTHER_ORG)

    answer = sign_in(client, " Anna ")

    assert answer.status_code == 201
    who = {
        "org": "main",
        "user": "anna",
        "role": "editor",
        "scopes": ["monitors_downtime", "monitors_read", "monitors_write"],
    }
    assert answer.json().items() >= who.items()
    assert answer.headers["cache-control"] == "no-store"
    assert client.get(SESSION, headers=page_of(client)).json().items() >= who.items()
    assert client.get(SESSION, headers=page_of(client, "theirs")).json()["org"] == "other"


def test_the_cookie_is_that_of_every_session(served: Served, client: Client) -> None:
    a_user(served)

    (cookie,) = SimpleCookie(sign_in(client).headers["set-cookie"]).values()

    assert (cookie["httponly"], cookie["samesite"].lower(), cookie["path"]) == (True, "strict", "/")
    assert cookie["max-age"] == str(SESSION_SECONDS)
    under_https = client.post(f"https://procession.test{SIGN_IN}", json={"user": "anna", "password": PHRASE})
    (secure,) = SimpleCookie(under_https.headers["set-cookie"]).values()
    assert (secure.key, secure["secure"]) == ("__Host-procession_session", True)


@pytest.mark.parametrize(
    ("name", "password"),
    [("anna", "wrong password"), ("nobody", PHRASE), ("", PHRASE), ("anna", ""), ("а" * 9, PHRASE), ("a/b", "x")],
)
def test_a_wrong_name_and_a_wrong_password_get_one_answer(
    served: Served, client: Client, name: str, password: str
) -> None:
    a_user(served)

    answer = sign_in(client, name, password)

    assert (answer.status_code, answer.json()) == (
        403,
        {"errors": ["Forbidden: there is no such user, or this is not the password"]},
    )
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b'{"user":"anna"}',
        b'{"user":null,"password":"x"}',
        b'{"user":"anna","password":["x"]}',
        b'{"user":"anna","password":"x","org":"other"}',
        b"user=anna&password=x",
    ],
)
def test_what_is_no_sign_in_is_said(client: Client, body: bytes) -> None:
    answer = client.post(SIGN_IN, content=body)

    assert answer.status_code == 400
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(("length", "status"), [(1024, 403), (1025, 400), (15_000, 400), (10**6, 413)])
def test_a_password_that_is_a_bomb_is_refused_by_its_length(
    served: Served, client: Client, length: int, status: int
) -> None:
    a_user(served)

    for name in ("anna", "nobody"):
        assert sign_in(client, name, "x" * length).status_code == status


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "origin": "http://procession.test:8080"},
        {"origin": "http://evil.test"},
        {"origin": "null"},
    ],
)
def test_another_page_signs_nobody_in(served: Served, client: Client, headers: dict[str, str]) -> None:
    """Else it could sign somebody in as a user of its own, and see what he looks for."""
    a_user(served)

    answer = client.post(SIGN_IN, json={"user": "anna", "password": PHRASE}, headers=headers)

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("where", ["//evil.test", "https://evil.test", "/\\evil.test", "javascript:alert(1)"])
def test_signing_in_leads_nowhere_else(served: Served, client: Client, where: str) -> None:
    a_user(served)

    for name in ("next", "redirect", "return_to", "url"):
        answer = client.post(SIGN_IN, params={name: where}, json={"user": "anna", "password": PHRASE})
        assert answer.status_code == 201
        assert "location" not in answer.headers
        assert "evil.test" not in answer.text


def test_a_session_that_somebody_was_given_beforehand_is_not_the_one_that_begins(
    served: Served, client: Client
) -> None:
    a_user(served)
    a_user(served, "mallory")
    planted = page_of(client, "mallory")
    for cookie in (planted["cookie"], "procession_session=" + "x" * 43):
        answer = client.post(SIGN_IN, json={"user": "anna", "password": PHRASE}, headers=OURS | {"cookie": cookie})
        (fresh,) = SimpleCookie(answer.headers["set-cookie"]).values()
        client.forget_cookies()

        assert f"procession_session={fresh.value}" != cookie
        assert client.get(SESSION, headers=planted).json()["user"] == "mallory"
    assert client.get(SESSION, headers=OURS | {"cookie": "procession_session=" + "x" * 43}).status_code == 403


def test_one_user_may_be_tried_so_often_from_wherever() -> None:
    clock = Clock()
    throttle = SignInThrottle(2, clock)
    for number in range(2):
        throttle.count(f"10.0.0.{number}")
        throttle.count_user("anna")

    throttle.count("10.0.0.9")
    with pytest.raises(TooManyRequests, match="Too many tries to sign in as this user; try again in"):
        throttle.count_user("anna")
    throttle.count_user("bob")
    clock.now += 60
    throttle.count_user("anna")


def test_a_user_who_is_tried_too_often_is_said_when_to_come_back(served: Served) -> None:
    served.settings = ServerSettings(sign_in_limit=1)
    a_user(served)
    client = Client(served.app())
    sign_in(client, phrase="wrong")

    refused = sign_in(client)

    assert refused.status_code == 429
    assert 0 < int(refused.headers["retry-after"]) <= 60
    served.clock.now += 60
    assert sign_in(client).status_code == 201
    client.close()


# What a role opens


@pytest.mark.parametrize(("method", "path", "key"), WRITING)
@pytest.mark.parametrize("role", [Role.VIEWER, Role.AUDITOR])
def test_whoever_only_looks_changes_nothing_by_any_route(
    served: Served, client: Client, method: str, path: str, key: str, role: Role
) -> None:
    a_user(served, role=role)

    assert client.request(method, filled(path), headers=page_of(client)).status_code == 403


@pytest.mark.parametrize(("method", "path", "key"), [row for row in WRITING if "session" in row[2]])
def test_an_editor_changes_views_and_monitors_and_an_admin_all(
    served: Served, client: Client, method: str, path: str, key: str
) -> None:
    scope = key.partition(", with ")[2].strip("`")
    a_user(served, "editor", Role.EDITOR)
    a_user(served, "admin", Role.ADMIN)

    status = {
        name: client.request(method, filled(path), headers=page_of(client, name)).status_code
        for name in ("editor", "admin")
    }

    assert status["admin"] != 403
    assert (status["editor"] == 403) == (scope in ("manage_integrations", "host_tags_write", "user_access_manage"))


@pytest.mark.parametrize(("method", "path", "key"), [row for row in table_rows() if row[0] == "GET"])
def test_what_a_viewer_may_read_is_what_needs_no_scope_or_is_of_monitors(
    served: Served, client: Client, method: str, path: str, key: str
) -> None:
    a_user(served)
    status = client.get(filled(path), headers=page_of(client)).status_code

    own = "session of a user"
    may = key in ("none", own, "application key or session", "application key or session, with `monitors_read`")
    assert (status != 403) == may


def test_keys_change_views_as_ever(client: Client) -> None:
    for key in (APPLICATION_KEY, PLAIN_APPLICATION_KEY):
        headers = {"authorization": f"Bearer {key}"}
        assert client.request("PUT", f"{OWN}/views/mine", json={"state": "x"}, headers=headers).status_code == 200


def test_a_refused_viewer_is_told_which_role_it_takes(served: Served, client: Client) -> None:
    a_user(served)

    answer = client.request("PUT", f"{OWN}/views/mine", json={"state": "x"}, headers=page_of(client))

    assert answer.json() == {"errors": ["Forbidden: this takes the role editor or admin"]}


def test_a_session_of_a_user_opens_no_door_of_keys(served: Served, client: Client) -> None:
    a_user(served, role=Role.ADMIN)
    page = page_of(client)

    for method, path in (
        ("GET", "/api/v2/processes"),
        ("GET", "/metrics"),
        ("POST", f"{SESSION}/link"),
        ("GET", USERS),
    ):
        assert client.request(method, path, headers=page).status_code == 403


def test_cursors_and_views_of_one_org_mean_nothing_in_another(served: Served, client: Client) -> None:
    served.store.add([(ORG, a_snapshot(*(a_sighting(pid) for pid in range(1, 6))))])
    served.store.add([(OTHER_ORG, a_snapshot(a_sighting(7)))])
    a_user(served, role=Role.ADMIN)
    a_user(served, "bob")
    a_user(served, "theirs", org_id=OTHER_ORG)
    page = page_of(client)
    listed = client.get(f"{OWN}/processes?page[limit]=2", headers=page).json()
    cursor = listed["meta"]["page"]["after"]

    # In one org both see the same.
    again = client.get(
        f"{OWN}/processes", params={"page[limit]": 2, "page[cursor]": cursor}, headers=page_of(client, "bob")
    )
    other = client.get(
        f"{OWN}/processes", params={"page[limit]": 2, "page[cursor]": cursor}, headers=page_of(client, "theirs")
    )

    assert again.status_code == 200
    assert other.status_code == 400
    client.request("PUT", f"{OWN}/views/mine", json={"state": "x"}, headers=page)
    assert client.get(f"{OWN}/views", headers=page_of(client, "theirs")).json() == {"views": []}


# When it ends

CHANGES: dict[str, tuple[str, dict[str, Any] | None]] = {
    "another role": ("PATCH", {"role": "editor"}),
    "another password": ("PATCH", {"password": "another password"}),
    "the same password again": ("PATCH", {"password": PHRASE}),
    "removal": ("DELETE", None),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_session_ends_with_what_its_user_was(served: Served, client: Client, later: Client, change: str) -> None:
    a_user(served)
    a_user(served, "bob")
    page, other = page_of(client), page_of(client, "bob")
    assert client.get(HOSTS, headers=page).status_code == 200
    method, body = CHANGES[change]

    assert client.request(method, f"{USERS}/anna", json=body, headers=ADMIN).status_code == 200

    for server in (client, later):
        assert server.get(HOSTS, headers=page).status_code == 403
        assert server.get(HOSTS, headers=other).status_code == 200


def test_a_session_ends_within_five_seconds_on_a_server_that_knew_it(
    served: Served, client: Client, later: Client
) -> None:
    a_user(served)
    page = page_of(client)
    assert later.get(HOSTS, headers=page).status_code == 200

    client.request("DELETE", f"{USERS}/anna", headers=ADMIN)

    begun = time.monotonic()
    while later.get(HOSTS, headers=page).status_code != 403:
        assert time.monotonic() - begun < 5


def test_sessions_of_keys_and_of_other_users_go_on(served: Served, client: Client) -> None:
    a_user(served)
    answer = client.post(SESSION, json={"application_key": APPLICATION_KEY})
    page = OURS | {"cookie": answer.headers["set-cookie"].split(";")[0]}
    client.forget_cookies()

    client.request("DELETE", f"{USERS}/anna", headers=ADMIN)

    assert client.get(SESSION, headers=page).json() == answer.json()


def test_signing_out_ends_the_session(served: Served, client: Client) -> None:
    a_user(served)
    page = page_of(client)

    assert client.request("DELETE", SESSION, headers=page).status_code == 204

    assert client.get(HOSTS, headers=page).status_code == 403


def test_no_password_and_no_hash_is_in_the_log(
    served: Served, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "procession")
    user = a_user(served)
    sign_in(client)
    sign_in(client, phrase="wrong hunter2")
    client.request("PATCH", f"{USERS}/anna", json={"password": "new hunter2-3"}, headers=ADMIN)

    said = json.dumps([[record.getMessage(), str(record.args)] for record in caplog.records])

    assert "signed in to org" in said
    assert "hunter2" not in said
    assert PHRASE not in said
    assert user.password_hash not in said
