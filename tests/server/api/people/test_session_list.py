from __future__ import annotations

from typing import Any

from procession.accounts.users import Role
from tests.support.builders import NOON
from tests.support.people import OURS, a_user, page_of
from tests.support.served import APPLICATION_KEY, OTHER_ORG, Client, Served

SESSIONS = "/api/procession/v1/sessions"
SESSION = "/api/procession/v1/session"


def listed(client: Client, page: dict[str, str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(SESSIONS, headers=page).json()["sessions"]
    return found


def page_of_key(client: Client) -> dict[str, str]:
    answer = client.post(SESSION, json={"application_key": APPLICATION_KEY})
    client.forget_cookies()
    return OURS | {"cookie": answer.headers["set-cookie"].split(";")[0]}


def test_everybody_sees_the_own_sessions_and_which_is_this_one(served: Served, client: Client) -> None:
    a_user(served)
    a_user(served, "bob")
    first = page_of(client)
    served.clock.now += 5
    second, _ = page_of(client), page_of(client, "bob")

    found = listed(client, second)

    assert [(one["name"], one["is_user"], one["created_at"], one["is_this"]) for one in found] == [
        ("anna", True, NOON, False),
        ("anna", True, NOON + 5, True),
    ]
    assert [one["is_this"] for one in listed(client, first)] == [True, False]


def test_those_of_a_key_are_not_those_of_a_user(served: Served, client: Client) -> None:
    a_user(served)
    user, key = page_of(client), page_of_key(client)
    bearer = {"authorization": f"Bearer {APPLICATION_KEY}"}

    assert [(one["name"], one["is_user"], one["is_this"]) for one in listed(client, key)] == [
        ("application of 1", False, True)
    ]
    assert [one["is_this"] for one in listed(client, bearer | user)] == [False]
    assert [one["name"] for one in listed(client, user)] == ["anna"]


def test_an_admin_sees_all_of_the_org_and_no_other(served: Served, client: Client) -> None:
    a_user(served, "admin", Role.ADMIN)
    a_user(served, "editor", Role.EDITOR)
    a_user(served, "theirs", org_id=OTHER_ORG)
    for name in ("editor", "theirs"):
        page_of(client, name)
    page_of_key(client)

    names = [one["name"] for one in listed(client, page_of(client, "admin"))]

    assert sorted(names) == ["admin", "application of 1", "editor"]


def test_a_session_that_is_ended_opens_nothing_more(served: Served, client: Client) -> None:
    a_user(served)
    first, second = page_of(client), page_of(client)
    (own,) = (one["id"] for one in listed(client, first) if one["is_this"])

    assert client.request("DELETE", f"{SESSIONS}/{own}", headers=second).status_code == 204

    assert client.get(SESSION, headers=first).status_code == 403
    assert client.request("DELETE", f"{SESSIONS}/{own}", headers=second).status_code == 404


def test_nobody_ends_what_he_does_not_see(served: Served, client: Client) -> None:
    a_user(served)
    a_user(served, "admin", Role.ADMIN)
    a_user(served, "theirs", Role.ADMIN, OTHER_ORG)
    mine = page_of(client)
    (own,) = (one["id"] for one in listed(client, mine))
    for other in (page_of_key(client), page_of(client, "theirs")):
        assert client.request("DELETE", f"{SESSIONS}/{own}", headers=other).status_code == 404
    assert client.get(SESSION, headers=mine).status_code == 200

    assert client.request("DELETE", f"{SESSIONS}/{own}", headers=page_of(client, "admin")).status_code == 204
    assert client.get(SESSION, headers=mine).status_code == 403


def test_no_token_can_be_made_of_the_list(served: Served, client: Client) -> None:
    a_user(served)
    page = page_of(client)

    token = page["cookie"].partition("=")[2]
    for one in listed(client, page):
        assert one["id"] not in token
        assert client.get(SESSION, headers=OURS | {"cookie": f"procession_session={one['id']}"}).status_code == 403


def test_those_of_a_user_who_was_removed_are_not_listed(served: Served, client: Client) -> None:
    a_user(served, "admin", Role.ADMIN)
    a_user(served)
    page_of(client)
    admin = page_of(client, "admin")
    client.request("DELETE", "/api/procession/v1/admin/users/anna", headers={"authorization": f"Bearer {'c' * 40}"})

    assert [one["name"] for one in listed(client, admin)] == ["admin"]


def test_no_admin_signs_out_who_watches_admins(served: Served, client: Client) -> None:
    a_user(served, "admin", Role.ADMIN)
    a_user(served, "watcher", Role.AUDITOR)
    watcher = page_of(client, "watcher")
    (own,) = (one["id"] for one in listed(client, watcher))

    assert client.request("DELETE", f"{SESSIONS}/{own}", headers=page_of(client, "admin")).status_code == 403
    assert client.get(SESSION, headers=watcher).status_code == 200
    assert client.request("DELETE", f"{SESSIONS}/{own}", headers=watcher).status_code == 204
