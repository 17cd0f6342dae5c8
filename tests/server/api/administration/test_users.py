"""Users over HTTP, for those who hold an admin key."""

from __future__ import annotations

from typing import Any

import pytest

from procession.accounts.users import Role
from tests.support.builders import NOON
from tests.support.people import PHRASE, a_user, page_of, sign_in
from tests.support.served import ADMIN, ORG, OTHER_ORG, READER, Client, Served

USERS = "/api/procession/v1/admin/users"
CHANGES = "/api/procession/v1/changes"


def new(client: Client, **fields: Any) -> Any:
    body = {"org_id": ORG, "name": "anna", "role": "viewer", "password": PHRASE} | fields
    return client.post(USERS, json=body, headers=ADMIN)


def test_a_user_is_made_listed_and_can_sign_in_at_once(client: Client) -> None:
    made = new(client, name="Anna", role="admin")

    anna = {"name": "anna", "org_id": ORG, "role": "admin", "created_at": NOON, "rows": "", "without_arguments": False}
    assert (made.status_code, made.json()) == (201, {"user": anna})
    assert client.get(USERS, headers=ADMIN).json() == {"users": [anna]}
    assert sign_in(client).status_code == 201


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "a b"},
        {"name": ""},
        {"role": "owner"},
        {"role": None},
        {"org_id": 99},
        {"password": "short"},
        {"password": "x" * 1025},
        {"generation": "x"},
    ],
)
def test_what_is_unfit_is_refused_and_nobody_is_made(served: Served, client: Client, fields: dict[str, Any]) -> None:
    assert new(client, **fields).status_code == 400
    assert served.store.users() == ()


def test_a_viewer_is_restricted_and_that_ends_the_sessions(served: Served, client: Client) -> None:
    made = new(client, rows="env:a, team:b", without_arguments=True).json()["user"]
    page = page_of(client)

    def change(restriction: Any) -> Any:
        return client.request("PATCH", f"{USERS}/anna", json={"restriction": restriction}, headers=ADMIN)

    changed = change({"rows": "env:b"}).json()["user"]

    assert (made["rows"], made["without_arguments"]) == ("env:a,team:b", True)
    assert (changed["rows"], changed["without_arguments"]) == ("env:b", False)
    assert client.get("/api/procession/v1/session", headers=page).status_code == 403
    assert change({}).json()["user"]["rows"] == ""
    for unfit in ({"rows": ","}, {"rows": "x" * 1001}, {"hosts": "web-1"}, "env:a"):
        assert change(unfit).status_code == 400
    assert new(client, name="bob", role="editor", rows="env:a").status_code == 400


def test_a_password_and_a_role_are_changed_together_or_alone(served: Served, client: Client) -> None:
    a_user(served)
    body = {"role": "editor", "password": "another password"}

    changed = client.request("PATCH", f"{USERS}/ANNA", json=body, headers=ADMIN)

    assert changed.json()["user"]["role"] == "editor"
    assert [sign_in(client, phrase=text).status_code for text in (PHRASE, "another password")] == [403, 201]
    same = client.request("PATCH", f"{USERS}/anna", json={}, headers=ADMIN)
    assert same.json() == changed.json()
    assert client.request("PATCH", f"{USERS}/anna", json={"password": "short"}, headers=ADMIN).status_code == 400
    assert sign_in(client, phrase="another password").status_code == 201


def test_a_role_and_a_restriction_of_which_one_is_refused_change_nothing(served: Served, client: Client) -> None:
    a_user(served)
    page = page_of(client)
    before = served.store.users()
    body = {"role": "admin", "restriction": {"rows": "env:a"}, "password": "another password"}

    refused = client.request("PATCH", f"{USERS}/anna", json=body, headers=ADMIN)

    assert (refused.status_code, served.store.users()) == (400, before)
    assert client.get("/api/procession/v1/session", headers=page).status_code == 200
    taken = client.request("PATCH", f"{USERS}/anna", json=body | {"role": "viewer"}, headers=ADMIN)
    assert (taken.status_code, taken.json()["user"]["rows"]) == (200, "env:a")


def test_who_is_not_there_is_not_found(client: Client) -> None:
    for method, body in (("PATCH", {"role": "viewer"}), ("PATCH", {}), ("DELETE", None)):
        answer = client.request(method, f"{USERS}/nobody", json=body, headers=ADMIN)
        assert (answer.status_code, answer.json()) == (404, {"errors": ["There is no user nobody"]})


def test_the_last_admin_of_an_org_stays(served: Served, client: Client) -> None:
    a_user(served, role=Role.ADMIN)
    a_user(served, "theirs", Role.ADMIN, OTHER_ORG)

    for method, body in (("PATCH", {"role": "viewer"}), ("DELETE", None)):
        answer = client.request(method, f"{USERS}/anna", json=body, headers=ADMIN)
        assert (answer.status_code, answer.json()["errors"]) == (
            400,
            ["anna is the last admin of the org; make another one first"],
        )
    assert client.request("PATCH", f"{USERS}/anna", json={"password": PHRASE}, headers=ADMIN).status_code == 200


def test_each_change_is_recorded_without_the_password(client: Client) -> None:
    new(client)
    client.request("PATCH", f"{USERS}/anna", json={"role": "editor"}, headers=ADMIN)
    client.request("PATCH", f"{USERS}/anna", json={"password": "another password"}, headers=ADMIN)
    client.request("DELETE", f"{USERS}/anna", headers=ADMIN)

    answer = client.get(f"{CHANGES}?kind=user&subject=anna", headers=READER)

    found = [(one["action"], one["before"], one["after"]) for one in answer.json()["changes"]]
    assert sorted(found, key=str) == sorted(
        [
            ("created", None, {"name": "anna", "role": "viewer", "password": "…"}),
            ("changed", {"role": "viewer"}, {"role": "editor"}),
            ("changed", {"password": "…"}, {"password": "…"}),
            ("deleted", {"name": "anna", "role": "editor", "password": "…"}, None),
        ],
        key=str,
    )
    assert "argon2" not in answer.text
