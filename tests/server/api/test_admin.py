from __future__ import annotations

from typing import Any

import pytest

from procession.accounts.users import Role
from procession.server.api.admin import PREFIX
from procession.server.http.json_body import MAX_BODY_BYTES
from tests.support.builders import NOON
from tests.support.people import a_user
from tests.support.served import (
    ADMIN,
    ADMIN_KEY,
    API_KEY,
    APPLICATION_KEY,
    ORG,
    OTHER_API_KEY,
    OTHER_APPLICATION_KEY,
    READER,
    Client,
    Served,
)


def create_key(client: Client, kind: str, org_id: int = 1) -> dict[str, Any]:
    body = {"org_id": org_id, "kind": kind, "name": "new"}
    answer = client.post(f"{PREFIX}/keys", headers=ADMIN, json=body)
    assert answer.status_code == 201
    created: dict[str, Any] = answer.json()
    return created


def test_orgs_are_made_and_listed(client: Client) -> None:
    created = client.post(f"{PREFIX}/orgs", headers=ADMIN, json={"name": "third"})

    assert (created.status_code, created.json()) == (201, {"org": {"id": 3, "name": "third"}})
    assert client.get(f"{PREFIX}/orgs", headers=ADMIN).json() == {
        "orgs": [{"id": 1, "name": "main"}, {"id": 2, "name": "other"}, {"id": 3, "name": "third"}],
        "removed": [],
    }


def test_an_org_that_is_removed_is_refused_at_once_and_its_number_given_to_nobody(
    client: Client, served: Served
) -> None:
    other = {"dd-api-key": OTHER_API_KEY, "dd-application-key": OTHER_APPLICATION_KEY}
    assert client.processes(headers=other).status_code == 200
    assert client.get(f"{PREFIX}/orgs/2", headers=ADMIN).json()["rows"] == {"keys": 2, "orgs": 1}

    removed = client.request("DELETE", f"{PREFIX}/orgs/2", headers=ADMIN)

    item = {"id": 2, "name": "other", "removed_at": served.clock(), "is_erased": False}
    assert (removed.status_code, removed.json()) == (202, {"removed": item})
    assert client.processes(headers=other).status_code == 403
    posted = client.post("/api/v1/collector", content=b"", headers={"dd-api-key": OTHER_API_KEY})
    assert posted.status_code == 403
    assert client.processes().status_code == 200
    listed = client.get(f"{PREFIX}/orgs", headers=ADMIN).json()
    assert (listed["orgs"], [org["id"] for org in listed["removed"]]) == ([{"id": 1, "name": "main"}], [2])
    assert client.post(f"{PREFIX}/orgs", headers=ADMIN, json={"name": "other"}).json()["org"]["id"] == 3


def test_a_session_ends_with_its_org(client: Client) -> None:
    opened = client.post("/api/procession/v1/session", json={"application_key": OTHER_APPLICATION_KEY})
    hosts = "/api/procession/v1/hosts"
    assert (opened.status_code, client.get(hosts).status_code) == (201, 200)

    client.request("DELETE", f"{PREFIX}/orgs/2", headers=ADMIN)

    assert client.get(hosts).status_code == 403


def test_only_an_org_that_is_there_and_not_its_own_is_removed_with_an_admin_key(client: Client) -> None:
    own = client.request("DELETE", f"{PREFIX}/orgs/1", headers=ADMIN)
    unknown = client.request("DELETE", f"{PREFIX}/orgs/7", headers=ADMIN)

    assert (own.status_code, unknown.status_code) == (400, 404)
    assert "use one of another org" in own.text
    assert client.get(f"{PREFIX}/orgs/7", headers=ADMIN).status_code == 404
    assert client.request("DELETE", f"{PREFIX}/orgs/2", headers=READER).status_code == 403
    assert client.get(f"{PREFIX}/orgs/2", headers=READER).status_code == 403
    other = {"authorization": f"Bearer {create_key(client, 'admin', 2)['secret']}"}
    assert client.request("DELETE", f"{PREFIX}/orgs/1", headers=other).status_code == 202
    assert client.get(f"{PREFIX}/orgs", headers=ADMIN).status_code == 403


def test_a_new_key_is_good_at_once(client: Client) -> None:
    assert client.processes().status_code == 200

    created = create_key(client, "application", org_id=2)

    assert client.processes(headers={"authorization": f"Bearer {created['secret']}"}).status_code == 200


def test_a_secret_is_shown_once_and_kept_in_no_cache(client: Client) -> None:
    body = {"org_id": 1, "kind": "api", "name": "new"}

    answer = client.post(f"{PREFIX}/keys", headers=ADMIN, json=body)

    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["secret"] not in client.get(f"{PREFIX}/keys", headers=ADMIN).text
    assert "hash" not in client.get(f"{PREFIX}/keys", headers=ADMIN).text


def test_keys_are_listed_by_age_with_the_revoked_ones(client: Client) -> None:
    created = create_key(client, "api")["key"]
    client.post(f"{PREFIX}/keys/{created['id']}/revoke", headers=ADMIN)

    keys = client.get(f"{PREFIX}/keys", headers=ADMIN).json()["keys"]

    assert [key["id"] for key in keys] == ["9999", "aaaa", "bbbb", "cccc", "dddd", "eeee", created["id"]]
    assert keys[-1] == created | {"revoked_at": created["created_at"]}


def test_keys_of_one_org_are_listed(client: Client) -> None:
    keys = client.get(f"{PREFIX}/keys?org_id=2", headers=ADMIN).json()["keys"]

    assert [key["org_id"] for key in keys] == [2, 2]
    assert client.get(f"{PREFIX}/keys?org_id=77", headers=ADMIN).json() == {"keys": []}
    assert client.get(f"{PREFIX}/keys?org_id=x", headers=ADMIN).status_code == 400


def test_a_revoked_key_is_dead_at_once(client: Client) -> None:
    created = create_key(client, "application")
    bearer = {"authorization": f"Bearer {created['secret']}"}
    assert client.processes(headers=bearer).status_code == 200

    answer = client.post(f"{PREFIX}/keys/{created['key']['id']}/revoke", headers=ADMIN)

    assert answer.json()["key"]["revoked_at"] is not None
    assert client.processes(headers=bearer).status_code == 403


def test_an_admin_key_can_be_replaced(client: Client) -> None:
    created = create_key(client, "admin")

    assert client.post(f"{PREFIX}/keys/cccc/revoke", headers=ADMIN).status_code == 200

    assert client.get(f"{PREFIX}/orgs", headers=ADMIN).status_code == 403
    successor = {"authorization": f"Bearer {created['secret']}"}
    assert client.get(f"{PREFIX}/orgs", headers=successor).status_code == 200
    assert client.post(f"{PREFIX}/keys/{created['key']['id']}/revoke", headers=successor).status_code == 400


@pytest.mark.parametrize(
    "headers",
    [
        {},
        READER,
        {"authorization": f"Bearer {APPLICATION_KEY}"},
        {"authorization": f"Bearer {API_KEY}"},
        {"authorization": f"Bearer {OTHER_APPLICATION_KEY}"},
        {"dd-api-key": ADMIN_KEY, "dd-application-key": ADMIN_KEY},
    ],
)
def test_only_an_admin_key_as_bearer_administers(served: Served, client: Client, headers: dict[str, str]) -> None:
    before = (served.store.orgs(), served.store.keys())

    for method, path in (
        ("GET", "/orgs"),
        ("POST", "/orgs"),
        ("GET", "/keys"),
        ("POST", "/keys"),
        ("POST", "/keys/aaaa/revoke"),
    ):
        body = {"name": "x", "org_id": 1, "kind": "api"}
        assert client.request(method, PREFIX + path, headers=headers, json=body).status_code == 403

    assert (served.store.orgs(), served.store.keys()) == before


def test_an_admin_key_neither_reads_nor_posts(client: Client) -> None:
    assert client.processes(headers=ADMIN).status_code == 403
    assert client.get("/metrics", headers=ADMIN).status_code == 403


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/orgs", b""),
        ("/orgs", b"{"),
        ("/orgs", b"\xff"),
        ("/orgs", b"[]"),
        ("/orgs", b'"x"'),
        ("/orgs", b"{}"),
        ("/orgs", b'{"name":7}'),
        ("/orgs", b'{"name":""}'),
        ("/orgs", b'{"name":"main"}'),
        ("/orgs", b'{"name":"x","nmae":"y"}'),
        ("/orgs", b"[" * 16_000),
        ("/keys", b'{"org_id":1,"kind":"root","name":"x"}'),
        ("/keys", b'{"org_id":"1","kind":"api","name":"x"}'),
        ("/keys", b'{"org_id":99,"kind":"api","name":"x"}'),
        ("/keys", b'{"org_id":99999999999999999999999999,"kind":"api","name":"x"}'),
        ("/keys", b'{"kind":"api","name":"x"}'),
        ("/keys", b'{"org_id":1,"kind":"api","name":"x","secret":"mine"}'),
    ],
)
def test_a_bad_body_is_a_400_that_says_what_is_wrong(client: Client, path: str, body: bytes) -> None:
    answer = client.post(PREFIX + path, headers=ADMIN, content=body)

    assert answer.status_code == 400
    assert all(answer.json()["errors"])


def test_a_body_that_is_too_large_is_not_read_to_its_end(client: Client) -> None:
    answer = client.post(f"{PREFIX}/orgs", headers=ADMIN, content=b" " * (MAX_BODY_BYTES + 1))

    assert answer.status_code == 413
    assert answer.json() == {"errors": [f"The body is larger than {MAX_BODY_BYTES} bytes"]}


@pytest.mark.parametrize("key_id", ["zzzz", "%2e%2e", "a%20b"])
def test_a_key_that_does_not_exist_is_a_404(client: Client, key_id: str) -> None:
    answer = client.post(f"{PREFIX}/keys/{key_id}/revoke", headers=ADMIN)

    assert answer.status_code == 404
    assert "There is no key" in answer.json()["errors"][0]


def test_a_key_has_an_owner_an_expiry_and_a_last_use(served: Served, client: Client) -> None:
    a_user(served, role=Role.EDITOR)
    body = {"org_id": ORG, "kind": "application", "name": "mine", "owner": "Anna", "expires_at": NOON + 60}
    made = client.post(f"{PREFIX}/keys", json=body, headers=ADMIN).json()
    told = {"owner": "anna", "owner_kind": "user", "expires_at": NOON + 60, "last_used_at": None}
    assert made["key"].items() >= told.items()
    bearer = {"authorization": f"Bearer {made['secret']}"}

    assert client.processes(headers=bearer).status_code == 200

    keys = {key["id"]: key for key in client.get(f"{PREFIX}/keys", headers=ADMIN).json()["keys"]}
    assert keys[made["key"]["id"]] == made["key"] | {"last_used_at": NOON}
    assert (keys["dddd"]["owner"], keys["dddd"]["owner_kind"], keys["dddd"]["last_used_at"]) == (
        "service",
        "service",
        None,
    )
    served.clock.now = NOON + 60
    assert client.processes(headers=bearer).status_code == 403


@pytest.mark.parametrize(
    "fields",
    [
        {"owner": "user:anna"},
        {"owner": "ana"},
        {"owner": ""},
        {"owner": None},
        {"owner": "anna", "kind": "api"},
        {"owner": "anna", "org_id": 2, "scopes": [1]},
        {"owner": "anna", "scopes": ["manage_integrations"]},
        {"expires_at": NOON},
        {"expires_at": 2**70},
        {"expires_at": "90d"},
    ],
)
def test_owners_and_expiries_that_no_key_can_have_are_refused(
    served: Served, client: Client, fields: dict[str, Any]
) -> None:
    a_user(served)
    body = {"org_id": ORG, "kind": "application", "name": "mine"} | fields

    assert client.post(f"{PREFIX}/keys", json=body, headers=ADMIN).status_code == 400


def test_the_keys_of_a_user_end_with_him_and_shrink_with_his_role(served: Served, client: Client) -> None:
    a_user(served, role=Role.EDITOR)
    body = {"org_id": ORG, "kind": "application", "name": "mine", "owner": "anna", "scopes": ["monitors_write"]}
    made = client.post(f"{PREFIX}/keys", json=body, headers=ADMIN).json()
    bearer = {"authorization": f"Bearer {made['secret']}"}
    view = f"/api/procession/v1/views/{made['key']['id']}"
    assert client.request("PUT", view, json={"state": "a=b"}, headers=bearer).status_code == 200

    client.request("PATCH", f"{PREFIX}/users/anna", json={"role": "viewer"}, headers=ADMIN)
    assert client.processes(headers=bearer).status_code == 200
    assert client.request("PUT", view, json={"state": "a=b"}, headers=bearer).status_code == 403
    assert client.post("/api/v1/monitor", json={}, headers=bearer).status_code == 403

    client.request("DELETE", f"{PREFIX}/users/anna", headers=ADMIN)
    assert client.processes(headers=bearer).status_code == 403
    keys = {key["id"]: key for key in client.get(f"{PREFIX}/keys", headers=ADMIN).json()["keys"]}
    assert keys[made["key"]["id"]]["revoked_at"] == NOON


def test_when_keys_were_used_is_kept_over_a_restart(served: Served) -> None:
    with served.server() as url:
        assert served.get(f"{url}/api/v2/processes", READER).status_code == 200

    assert served.store.key_uses() == {"aaaa": NOON, "bbbb": NOON}
