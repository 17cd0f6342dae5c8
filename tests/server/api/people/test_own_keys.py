"""Keys that users make for themselves."""

from __future__ import annotations

from typing import Any

import pytest

from procession.accounts.key_owners import DAY_SECONDS, MAX_KEYS, MAX_KEYS_A_DAY
from procession.accounts.orgs import Key, KeyKind
from procession.accounts.users import Role
from tests.support.builders import NOON
from tests.support.people import a_user, page_of
from tests.support.served import ADMIN, APPLICATION_KEY, OTHER_ORG, READER, Client, Served

KEYS = "/api/procession/v1/keys"
CHANGES = "/api/procession/v1/changes"


def make(client: Client, page: dict[str, str], **fields: Any) -> Any:
    return client.post(KEYS, json={"name": "mine"} | fields, headers=page)


def listed(client: Client, page: dict[str, str]) -> Any:
    return client.get(KEYS, headers=page).json()["keys"]


def bearer(made: Any) -> dict[str, str]:
    return {"authorization": f"Bearer {made.json()['secret']}"}


def test_a_key_is_made_shown_once_and_opens_what_it_may(served: Served, client: Client) -> None:
    a_user(served, role=Role.EDITOR)
    page = page_of(client)

    made = make(client, page, name=" on my laptop ", scopes=["monitors_read"], expires_at=NOON + 60)

    key = {
        "id": made.json()["key"]["id"],
        "name": "on my laptop",
        "scopes": ["monitors_read"],
        "created_at": NOON,
        "expires_at": NOON + 60,
        "last_used_at": None,
    }
    assert (made.status_code, made.headers["cache-control"], made.json()["key"]) == (201, "no-store", key)
    assert client.get("/api/v1/monitor", headers=bearer(made)).status_code == 200
    assert client.post("/api/v1/monitor", json={}, headers=bearer(made)).status_code == 403
    assert listed(client, page) == [key | {"last_used_at": NOON}]
    assert made.json()["secret"] not in client.get(KEYS, headers=page).text
    served.clock.now = NOON + 60
    assert client.processes(headers=bearer(made)).status_code == 403


def test_a_key_that_is_revoked_is_dead_at_once(served: Served, client: Client) -> None:
    a_user(served)
    page = page_of(client)
    made = make(client, page)
    path = f"{KEYS}/{made.json()['key']['id']}"

    assert client.request("DELETE", path, headers=page).status_code == 204

    assert client.processes(headers=bearer(made)).status_code == 403
    assert listed(client, page) == []
    again = client.request("DELETE", path, headers=page)
    assert (again.status_code, again.json()) == (404, {"errors": ["You have no such key"]})


def test_nobody_sees_or_revokes_the_keys_of_others(served: Served, client: Client) -> None:
    a_user(served)
    a_user(served, "bob", Role.ADMIN)
    a_user(served, "theirs", Role.ADMIN, OTHER_ORG)
    made = make(client, page_of(client))

    for name in ("bob", "theirs"):
        page = page_of(client, name)
        assert listed(client, page) == []
        for key_id in (made.json()["key"]["id"], "bbbb", "cccc"):
            assert client.request("DELETE", f"{KEYS}/{key_id}", headers=page).status_code == 404
    assert client.processes(headers=bearer(made)).status_code == 200


@pytest.mark.parametrize("role", Role)
def test_a_key_gets_all_that_the_role_has_and_nothing_more(served: Served, client: Client, role: Role) -> None:
    a_user(served, role=role)
    page = page_of(client)

    assert make(client, page, scopes=sorted(role.scopes)).status_code == 201

    beyond = "host_tags_write" if role is not Role.ADMIN else "audit_read"
    refused = make(client, page, scopes=[beyond])
    assert (refused.status_code, refused.json()) == (
        400,
        {"errors": [f"anna is {role}, and may give no key the scope {beyond}"]},
    )
    assert len(listed(client, page)) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"name": ""},
        {"name": "a\x1b[31m"},
        {"name": "x" * 101},
        {"name": None},
        {"scopes": ["everything"]},
        {"scopes": "monitors_read"},
        {"expires_at": NOON},
        {"expires_at": -1},
        {"expires_at": 2**40},
        {"expires_at": 10**30},
        {"expires_at": "soon"},
        {"kind": "admin"},
        {"org_id": 2},
        {"owner": "bob"},
    ],
)
def test_what_no_key_can_have_is_refused(served: Served, client: Client, fields: dict[str, Any]) -> None:
    a_user(served, role=Role.ADMIN)
    page = page_of(client)

    assert make(client, page, **fields).status_code == 400
    assert listed(client, page) == []


def test_a_user_has_so_many_keys_and_no_more(served: Served, client: Client) -> None:
    anna = a_user(served)
    for number in range(MAX_KEYS):
        key = Key(f"key{number}", 1, KeyKind.APPLICATION, "mine", bytes([number]), NOON, owner=anna.id)
        served.store.put_key(key)

    refused = make(client, page_of(client))

    assert (refused.status_code, refused.json()) == (
        400,
        {"errors": ["anna has 100 keys already; revoke one first"]},
    )


def test_whoever_makes_and_revokes_keys_without_end_has_to_wait(served: Served, client: Client) -> None:
    anna = a_user(served)
    for number in range(MAX_KEYS_A_DAY):
        key = Key(f"key{number}", 1, KeyKind.APPLICATION, "mine", bytes([number]), NOON, NOON, owner=anna.id)
        served.store.put_key(key)

    refused = make(client, page_of(client))

    assert (refused.status_code, refused.json()) == (
        400,
        {"errors": ["anna got 200 keys within a day; wait until tomorrow"]},
    )
    served.clock.now += DAY_SECONDS
    assert make(client, page_of(client)).status_code == 201


def test_no_key_makes_keys_not_even_beside_a_session(served: Served, client: Client) -> None:
    a_user(served, role=Role.ADMIN)
    page = page_of(client)
    own = bearer(make(client, page))

    for headers in (own, own | page, READER, READER | page, ADMIN, {}):
        assert make(client, headers).status_code == 403
        assert client.get(KEYS, headers=headers).status_code == 403


def test_a_session_that_a_key_began_makes_none(client: Client) -> None:
    began = client.post("/api/procession/v1/session", json={"application_key": APPLICATION_KEY})
    client.forget_cookies()
    page = {"cookie": began.headers["set-cookie"].split(";")[0], "sec-fetch-site": "same-origin"}

    refused = make(client, page)

    assert (refused.status_code, refused.json()) == (
        403,
        {"errors": ["Forbidden: this takes a user who has signed in"]},
    )


@pytest.mark.parametrize("site", [{}, {"sec-fetch-site": "cross-site"}, {"origin": "http://evil.test"}])
def test_no_other_page_makes_or_revokes_keys(served: Served, client: Client, site: dict[str, str]) -> None:
    a_user(served)
    page = page_of(client)
    made = make(client, page)
    forged = {"cookie": page["cookie"]} | site

    assert make(client, forged).status_code == 403
    assert client.request("DELETE", f"{KEYS}/{made.json()['key']['id']}", headers=forged).status_code == 403
    assert len(listed(client, page)) == 1


def test_each_change_is_recorded_as_of_the_user_and_without_the_secret(served: Served, client: Client) -> None:
    a_user(served)
    page = page_of(client)
    made = make(client, page)
    client.request("DELETE", f"{KEYS}/{made.json()['key']['id']}", headers=page)

    answer = client.get(f"{CHANGES}?kind=key", headers=READER)

    revoked, created = sorted(answer.json()["changes"], key=lambda one: one["action"])
    assert [one["by"]["key_id"] for one in (created, revoked)] == ["user:anna", "user:anna"]
    assert created["after"]["owner"] == "user:anna"
    assert (revoked["before"], revoked["after"]) == ({"revoked_at": None}, {"revoked_at": NOON})
    assert made.json()["secret"] not in answer.text
