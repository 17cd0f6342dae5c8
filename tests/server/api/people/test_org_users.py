"""Users of an org, made and changed by its admins."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from procession.accounts.users import Identity, Role
from tests.support.builders import NOON
from tests.support.people import PHRASE, a_user, page_of, sign_in
from tests.support.served import ADMIN, ORG, OTHER_ORG, READER, Client, Served

OWN = "/api/procession/v1"
USERS = f"{OWN}/users"
PLAIN = {"rows": "", "without_arguments": False, "issuer": None}
NEW = {"name": "bob", "role": "editor", "password": PHRASE}


def join(served: Served, client: Client, name: str = "anna", role: Role = Role.VIEWER, org_id: int = ORG) -> None:
    """A user more, of whom the server knows, which may have read the others a moment ago."""
    a_user(served, name, role, org_id)
    assert client.request("PATCH", f"{OWN}/admin/users/{name}", json={}, headers=ADMIN).status_code == 200


@pytest.fixture
def admin(served: Served, client: Client) -> dict[str, str]:
    """The page of an admin of the first org."""
    a_user(served, "root", Role.ADMIN)
    return page_of(client, "root")


def test_admins_see_the_users_of_their_org_with_their_sessions(
    served: Served, client: Client, admin: dict[str, str]
) -> None:
    join(served, client, role=Role.AUDITOR)
    join(served, client, "theirs", org_id=OTHER_ORG)
    page_of(client)
    page_of(client)

    found = client.get(USERS, headers=admin).json()["users"]

    assert found == [
        {"name": "anna", "role": "auditor", "created_at": NOON, "sessions": 2, "is_you": False} | PLAIN,
        {"name": "root", "role": "admin", "created_at": NOON, "sessions": 1, "is_you": True} | PLAIN,
    ]


def test_a_user_is_made_and_can_sign_in_at_once(served: Served, client: Client, admin: dict[str, str]) -> None:
    made = client.post(USERS, json=NEW | {"name": " Bob "}, headers=admin)

    bob = {"name": "bob", "role": "editor", "created_at": NOON, "sessions": 0, "is_you": False} | PLAIN
    assert (made.status_code, made.json()) == (201, {"user": bob})
    assert sign_in(client, "bob").status_code == 201
    assert next(user for user in served.store.users() if user.name == "bob").org_id == ORG


@pytest.mark.parametrize(
    "fields",
    [
        {"name": ""},
        {"name": "a b"},
        {"name": "root"},
        {"name": "theirs"},
        {"name": None},
        {"role": "owner"},
        {"password": "short"},
        {"password": "x" * 1025},
        {"org_id": OTHER_ORG},
        {"generation": "x"},
    ],
)
def test_what_is_unfit_is_refused(
    served: Served, client: Client, admin: dict[str, str], fields: dict[str, Any]
) -> None:
    join(served, client, "theirs", org_id=OTHER_ORG)
    before = served.store.users()

    assert client.post(USERS, json=NEW | fields, headers=admin).status_code == 400
    assert served.store.users() == before


@pytest.mark.parametrize("body", [{}, {"role": None}, {"role": "owner"}, {"password": "short"}, {"name": "x"}, []])
def test_what_changes_nothing_or_cannot_be_is_refused(
    served: Served, client: Client, admin: dict[str, str], body: Any
) -> None:
    join(served, client)

    assert client.request("PATCH", f"{USERS}/anna", json=body, headers=admin).status_code == 400
    assert sign_in(client).status_code == 201


def test_another_role_or_password_ends_the_sessions(served: Served, client: Client, admin: dict[str, str]) -> None:
    join(served, client)
    for body in ({"role": "editor"}, {"password": PHRASE}):
        page = page_of(client)

        changed = client.request("PATCH", f"{USERS}/ANNA", json=body, headers=admin)

        assert (changed.status_code, changed.json()["user"]["role"]) == (200, "editor")
        assert client.get(f"{OWN}/session", headers=page).status_code == 403


def test_a_viewer_is_restricted_and_that_ends_the_sessions(
    served: Served, client: Client, admin: dict[str, str]
) -> None:
    join(served, client)
    page = page_of(client)

    def change(**body: Any) -> Any:
        return client.request("PATCH", f"{USERS}/anna", json=body, headers=admin)

    changed = change(restriction={"rows": "env:a, team:b", "without_arguments": True}).json()["user"]

    assert (changed["rows"], changed["without_arguments"]) == ("env:a,team:b", True)
    assert client.get(f"{OWN}/session", headers=page).status_code == 403
    listed = client.get(USERS, headers=admin).json()["users"][0]
    assert (listed["rows"], listed["without_arguments"]) == ("env:a,team:b", True)
    for refused in ({"role": "admin"}, {"restriction": {"rows": ","}}, {"restriction": {"hosts": "a"}}):
        assert change(**refused).status_code == 400
    assert (
        client.request("PATCH", f"{USERS}/root", json={"restriction": {"rows": "a:b"}}, headers=admin).status_code
        == 400
    )
    both = change(role="editor", restriction={}).json()["user"]
    assert (both["role"], both["rows"], both["without_arguments"]) == ("editor", "", False)


def test_whoever_is_restricted_lifts_nobodys_restriction(served: Served, client: Client, admin: dict[str, str]) -> None:
    join(served, client)
    restricted = {"restriction": {"rows": "env:a"}}
    client.request("PATCH", f"{USERS}/anna", json=restricted, headers=admin)
    page = page_of(client)

    refused = client.request("PATCH", f"{USERS}/anna", json={"restriction": {}}, headers=page)

    assert refused.status_code == 403
    assert next(user for user in served.store.users() if user.name == "anna").restriction.rows == "env:a"


def test_it_is_said_who_signs_in_by_a_provider(served: Served, client: Client, admin: dict[str, str]) -> None:
    join(served, client)
    anna = next(user for user in served.store.users() if user.name == "anna")
    served.store.put_user(dataclasses.replace(anna, identity=Identity("https://login.acme.example", "7")))

    found = client.get(USERS, headers=admin).json()["users"]

    assert [user["issuer"] for user in found] == ["https://login.acme.example", None]


def test_sessions_are_ended_and_nothing_else(served: Served, client: Client, admin: dict[str, str]) -> None:
    join(served, client)
    join(served, client, "bob")
    page, other = page_of(client), page_of(client, "bob")
    secret = client.post(f"{OWN}/keys", json={"name": "mine"}, headers=page).json()["secret"]

    assert client.request("DELETE", f"{USERS}/anna/sessions", headers=admin).status_code == 204

    assert client.get(f"{OWN}/session", headers=page).status_code == 403
    assert client.get(f"{OWN}/session", headers=other).status_code == 200
    assert client.processes(headers={"authorization": f"Bearer {secret}"}).status_code == 200
    assert sign_in(client).status_code == 201


def test_who_is_removed_is_gone_with_sessions_and_keys(served: Served, client: Client, admin: dict[str, str]) -> None:
    join(served, client)
    page = page_of(client)
    secret = client.post(f"{OWN}/keys", json={"name": "mine"}, headers=page).json()["secret"]
    key = {"authorization": f"Bearer {secret}"}
    elsewhere = Client(served.app())
    assert elsewhere.processes(headers=key).status_code == 200

    assert client.request("DELETE", f"{USERS}/anna", headers=admin).status_code == 204

    assert client.get(f"{OWN}/session", headers=page).status_code == 403
    assert client.processes(headers=key).status_code == 403
    assert sign_in(client).status_code == 403
    for method, path in (("DELETE", USERS + "/anna"), ("DELETE", USERS + "/anna/sessions")):
        assert client.request(method, path, headers=admin).status_code == 404
    elsewhere.close()


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "/root", {"role": "viewer"}),
        ("DELETE", "/root", None),
    ],
)
def test_the_last_admin_of_an_org_stays(
    served: Served, client: Client, admin: dict[str, str], method: str, path: str, body: Any
) -> None:
    join(served, client, "theirs", Role.ADMIN, OTHER_ORG)

    refused = client.request(method, USERS + path, json=body, headers=admin)

    assert (refused.status_code, refused.json()) == (
        400,
        {"errors": ["root is the last admin of the org; make another one first"]},
    )
    join(served, client, "second", Role.ADMIN)
    assert client.request(method, USERS + path, json=body, headers=admin).status_code in (200, 204)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "", NEW | {"role": "auditor"}),
        ("PATCH", "/bob", {"role": "auditor"}),
        ("PATCH", "/watcher", {"role": "viewer"}),
        ("PATCH", "/watcher", {"password": PHRASE}),
        ("DELETE", "/watcher", None),
        ("DELETE", "/watcher/sessions", None),
    ],
)
def test_no_admin_makes_or_changes_who_watches_admins(
    served: Served, client: Client, admin: dict[str, str], method: str, path: str, body: Any
) -> None:
    join(served, client, "watcher", Role.AUDITOR)
    if method == "PATCH":
        join(served, client, "bob")
    page, before = page_of(client, "watcher"), served.store.users()

    refused = client.request(method, USERS + path, json=body, headers=admin)

    assert refused.status_code == 403
    assert "`procession users` on the machine of the server" in refused.json()["errors"][0]
    assert served.store.users() == before
    assert client.get(f"{OWN}/session", headers=page).status_code == 200


def test_a_change_of_which_a_part_cannot_be_changes_nothing(
    served: Served, client: Client, admin: dict[str, str]
) -> None:
    anna = a_user(served)
    served.store.put_user(dataclasses.replace(anna, identity=Identity("https://acme.test", "1"), password_hash=""))
    before = served.store.users()

    refused = client.request("PATCH", f"{USERS}/anna", json={"role": "admin", "password": PHRASE}, headers=admin)

    assert refused.status_code == 400
    assert served.store.users() == before


def test_admins_of_another_org_find_nobody(served: Served, client: Client, admin: dict[str, str]) -> None:
    join(served, client)
    join(served, client, "theirs", Role.ADMIN, OTHER_ORG)
    page = page_of(client, "theirs")

    for method, path, body in (
        ("PATCH", "/anna", {"role": "admin"}),
        ("PATCH", "/anna", {"password": PHRASE}),
        ("DELETE", "/anna", None),
        ("DELETE", "/anna/sessions", None),
    ):
        assert client.request(method, USERS + path, json=body, headers=page).status_code == 404
    assert [one["name"] for one in client.get(USERS, headers=page).json()["users"]] == ["theirs"]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR, Role.AUDITOR])
def test_nobody_else_sees_or_changes_users(served: Served, client: Client, role: Role) -> None:
    join(served, client, role=role)
    page = page_of(client)

    for method, path in (
        ("GET", ""),
        ("POST", ""),
        ("PATCH", "/anna"),
        ("DELETE", "/anna"),
        ("DELETE", "/anna/sessions"),
    ):
        refused = client.request(method, USERS + path, headers=page)
        assert (refused.status_code, refused.json()) == (403, {"errors": ["Forbidden: this takes the role admin"]})


@pytest.mark.parametrize("site", [{}, {"sec-fetch-site": "same-site"}, {"origin": "http://evil.test"}])
def test_no_other_page_changes_users(
    served: Served, client: Client, admin: dict[str, str], site: dict[str, str]
) -> None:
    join(served, client)
    before = served.store.users()
    forged = {"cookie": admin["cookie"]} | site

    for method, path, body in (
        ("POST", "", NEW),
        ("PATCH", "/anna", {"role": "admin"}),
        ("DELETE", "/anna", None),
        ("DELETE", "/anna/sessions", None),
    ):
        assert client.request(method, USERS + path, json=body, headers=forged).status_code == 403
    assert served.store.users() == before


def test_each_change_is_recorded_as_of_the_admin(served: Served, client: Client, admin: dict[str, str]) -> None:
    client.post(USERS, json=NEW, headers=admin)
    client.request("PATCH", f"{USERS}/bob", json={"role": "viewer", "password": "another password"}, headers=admin)
    secret = client.post(f"{OWN}/keys", json={"name": "x"}, headers=page_of(client, "bob", "another password"))
    client.request("DELETE", f"{USERS}/bob", headers=admin)

    answer = client.get(f"{OWN}/changes?kind=user&subject=bob", headers=READER)

    assert {one["by"]["key_id"] for one in answer.json()["changes"]} == {"user:root"}
    changes = {one["action"]: one for one in answer.json()["changes"]}
    assert sorted(one["action"] for one in answer.json()["changes"]) == ["changed", "created", "deleted"]
    assert changes["changed"]["after"] == {"role": "viewer", "password": "…"}
    assert "argon2" not in answer.text
    revoked = client.get(f"{OWN}/changes?kind=key", headers=READER).json()["changes"]
    assert {(one["action"], one["by"]["key_id"]) for one in revoked} == {
        ("created", "user:bob"),
        ("changed", "user:root"),
    }
    assert secret.json()["secret"] not in answer.text


def test_a_key_with_the_scope_does_it_too(client: Client) -> None:
    assert client.post(USERS, json=NEW, headers=READER).status_code == 201
    assert client.get(USERS, headers=READER).json()["users"][0]["is_you"] is False
    assert client.get(USERS, headers=ADMIN).status_code == 403


def test_a_key_of_an_admin_makes_no_more_than_its_owner_may_and_is_recorded(
    served: Served, client: Client, admin: dict[str, str]
) -> None:
    body = {"name": "x", "scopes": ["user_access_manage"]}
    made = client.post(f"{OWN}/keys", json=body, headers=admin).json()
    bearer = {"authorization": f"Bearer {made['secret']}"}
    join(served, client, "other", Role.ADMIN)

    assert client.post(USERS, json=NEW | {"role": "auditor"}, headers=bearer).status_code == 403
    assert client.post(USERS, json=NEW | {"role": "admin"}, headers=bearer).status_code == 201
    (change,) = client.get(f"{OWN}/changes?kind=user&subject=bob", headers=READER).json()["changes"]
    assert (change["by"]["key_id"], change["after"]["role"]) == (made["key"]["id"], "admin")

    client.request("PATCH", f"{OWN}/admin/users/root", json={"role": "editor"}, headers=ADMIN)
    for role in ("viewer", "admin"):
        assert client.post(USERS, json=NEW | {"name": "carl", "role": role}, headers=bearer).status_code == 403
    assert client.request("PATCH", f"{USERS}/root", json={"role": "admin"}, headers=bearer).status_code == 403
