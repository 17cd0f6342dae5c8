from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from procession.accounts.orgs import KeyKind, hash_secret
from procession.accounts.sessions import begin_session
from procession.audit import AuditFolder, AuditWriter
from procession.audit.verification import verify
from procession.server.audit.audited_routes import QUESTIONS, SIGN_IN_BY_PROVIDER, changes_something
from tests.audit.trails import a_writer, all_records, folder_in
from tests.server.test_routes_and_keys import filled, table_rows
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.people import OURS, PHRASE, a_user, page_of, sign_in
from tests.support.served import (
    ADMIN,
    ADMIN_KEY,
    API_KEY,
    APPLICATION_KEY,
    ORG,
    OTHER_ORG,
    PLAIN_APPLICATION_KEY,
    READER,
    Client,
    Served,
)

OWN = "/api/procession/v1"
BEARER = {"authorization": f"Bearer {APPLICATION_KEY}"}
SESSION = f"{OWN}/session"

BY_PROVIDER = (SIGN_IN_BY_PROVIDER, SIGN_IN_BY_PROVIDER.removesuffix("/callback"))


@pytest.fixture
def folder(tmp_path: Path) -> AuditFolder:
    return folder_in(tmp_path)


@pytest.fixture
def writer(folder: AuditFolder) -> Iterator[AuditWriter]:
    writer = a_writer(folder)
    yield writer
    writer.close()


@pytest.fixture
def client(served: Served, writer: AuditWriter) -> Iterator[Client]:
    served.audit = writer
    client = Client(served.app())
    yield client
    client.close()


def written(writer: AuditWriter, *kinds: str) -> list[dict[str, Any]]:
    """All of it, without what the server says of itself."""
    writer.close()
    assert verify(writer.folder).is_good
    return all_records(writer.folder, *(kinds or ("intent", "request")))


def audited_rows() -> list[tuple[str, str, str]]:
    """Of the table of routes: those that ask for a key of people."""
    return [row for row in table_rows() if row[2] not in ("none", "API key")]


def headers_for(key: str, page: dict[str, str]) -> dict[str, str]:
    """`page`: of a user who is signed in."""
    if key == "session of a user":
        return page
    return ADMIN if key.startswith("admin") else READER


def test_every_route_for_people_leaves_a_record_and_every_change_one_before_it(
    served: Served, client: Client, writer: AuditWriter
) -> None:
    rows = [row for row in audited_rows() if row[1] != "/metrics"]
    user = a_user(served)
    token, _ = begin_session(served.store, dataclasses.replace(user.as_key(), id=user.sign_in_id), NOON)
    page = OURS | {"cookie": f"procession_session={token}"}
    sent = [
        (method, path, client.request(method, filled(path), headers=headers_for(key, page)).status_code)
        for method, path, key in rows
    ]

    records = written(writer)
    requests = {(one["method"], one["route"], one["status"]) for one in records if one["kind"] == "request"}
    intents = {(one["method"], one["route"]) for one in records if one["kind"] == "intent"}
    assert set(sent) - requests == set()
    changing = {(method, path) for method, path, _ in sent if changes_something(method, path)}
    assert intents == changing


def test_the_questions_that_are_a_body_are_routes() -> None:
    assert {path for method, path, _ in table_rows() if method == "POST"} >= QUESTIONS


def test_agents_leave_no_record(client: Client, writer: AuditWriter) -> None:
    for method, path, key in table_rows():
        if key in ("none", "API key"):
            client.request(method, filled(path), headers={"dd-api-key": API_KEY})

    # The way in is for people, who have no key yet.
    assert {one["route"] for one in written(writer)} <= {SESSION, f"{OWN}/sign-in", *BY_PROVIDER}


def test_a_question_is_recorded_with_what_was_asked_and_how_many_rows_came(
    served: Served, client: Client, writer: AuditWriter
) -> None:
    served.store.add([(ORG, a_snapshot(*(a_sighting(pid=pid) for pid in range(1, 6)), taken_at=NOON))])

    for path in ("/api/v2/processes", f"{OWN}/processes"):
        assert len(client.get(f"{path}?search=&page[limit]=3", headers=READER).json()["data"]) == 3
    groups = client.get(f"{OWN}/groups?by=command", headers=READER).json()["data"]

    records = written(writer)
    assert [one["rows"] for one in records] == [3, 3, len(groups)]
    assert records[0]["who"] == {"key": APPLICATION_KEY[:4], "name": "application of 1", "kind": "application"}
    assert records[0]["org_id"] == ORG
    assert records[0]["from"] == "127.0.0.1"
    assert records[0]["asked"] == {"search": "", "page[limit]": "3"}


def test_readers_who_share_an_answer_each_leave_a_record_with_its_rows(
    served: Served, client: Client, writer: AuditWriter
) -> None:
    served.store.add([(ORG, a_snapshot(a_sighting(pid=7), taken_at=NOON))])
    for key in (APPLICATION_KEY, PLAIN_APPLICATION_KEY):
        headers = {"authorization": f"Bearer {key}", "cache-control": "max-age=1"}
        assert client.get(f"{OWN}/processes?at={NOON}", headers=headers).status_code == 200

    assert [(one["who"]["key"], one["rows"]) for one in written(writer)] == [
        (APPLICATION_KEY[:4], 1),
        (PLAIN_APPLICATION_KEY[:4], 1),
    ]


def test_a_question_that_is_a_body_is_recorded_with_it(client: Client, writer: AuditWriter) -> None:
    client.post("/api/v2/query/scalar", headers=READER, json={"data": {"search": "nginx"}})
    client.post(f"{OWN}/watch", headers=READER, json={"host": "web-1"})

    scalar, watch = written(writer)
    assert "nginx" in scalar["asked"]["body"]
    assert watch["asked"] == {"body": '{"host":"web-1"}'}


def test_changes_are_recorded_with_what_was_changed(served: Served, client: Client, writer: AuditWriter) -> None:
    changes = [
        ("POST", f"{OWN}/admin/keys", {"org_id": OTHER_ORG, "kind": "api", "name": "agents"}, ADMIN),
        ("POST", f"{OWN}/admin/orgs", {"name": "third"}, ADMIN),
        ("POST", f"{OWN}/admin/hosts/tags", {"org_id": ORG, "host": "web-1", "add": ["env:a"]}, ADMIN),
        ("POST", "/api/v1/tags/hosts/web-1", {"tags": ["env:b"]}, READER),
        ("PUT", f"{OWN}/views/mine", {"state": "search=nginx"}, READER),
        ("DELETE", f"{OWN}/views/mine", None, READER),
        ("PUT", f"{OWN}/channels/slack/ops", {"url": "https://hooks.example.org/s3cret"}, READER),
        ("POST", f"{SESSION}/link", {}, BEARER),
    ]
    for method, path, body, headers in changes:
        answer = client.request(method, path, json=body, headers=headers)
        assert answer.status_code < 300, answer.text

    requests = [one for one in written(writer) if one["kind"] == "request"]
    found = [(change["kind"], change["action"]) for one in requests for change in one["changes"]]
    assert found == [
        ("key", "created"),
        ("org", "created"),
        ("host_tags", "changed"),
        ("host_tags", "changed"),
        ("view", "changed"),
        ("view", "deleted"),
        ("channel", "created"),
        ("link", "created"),
    ]
    assert requests[0]["changes"][0]["org_id"] == OTHER_ORG
    assert requests[0]["changes"][0]["after"]["name"] == "agents"
    assert all(one["intent"] < one["number"] for one in requests)
    assert "s3cret" not in json.dumps(requests)


def test_sessions_are_recorded_by_a_name_that_opens_nothing(client: Client, writer: AuditWriter) -> None:
    signed_in = client.post(SESSION, json={"application_key": APPLICATION_KEY})
    token = signed_in.cookies[next(iter(signed_in.cookies))]
    same = {"sec-fetch-site": "same-origin"}
    assert client.get(f"{OWN}/views", headers=same).status_code == 200
    assert client.request("DELETE", SESSION, headers=same).status_code == 204

    requests = [one for one in written(writer) if one["kind"] == "request"]
    begun, asked, ended = requests
    name = hash_secret(token).hex()[:12]
    assert [(one["kind"], one["subject"], one["action"]) for one in begun["changes"]] == [("session", name, "created")]
    assert asked["who"]["session"] == ended["who"]["session"] == name
    assert [(one["subject"], one["action"]) for one in ended["changes"]] == [(name, "ended")]


def test_who_is_refused_is_recorded_by_address_alone(client: Client, writer: AuditWriter) -> None:
    for number in range(500):
        assert client.get(f"/api/v2/processes?search={number}", headers={"dd-api-key": str(number)}).status_code == 403
        assert client.post(f"{OWN}/admin/orgs", json={"name": str(number)}).status_code == 403

    records = written(writer)
    assert len(records) <= 6
    assert sum(one.get("count", 1) for one in records) == 1000
    assert {one["status"] for one in records} == {403}
    assert not any({"who", "asked", "org_id"} & one.keys() for one in records)


def test_a_key_that_asks_for_change_upon_change_is_slowed_down(
    client: Client, writer: AuditWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("procession.server.audit.audited_routes.CHANGES_PER_MINUTE", 10)
    headers = {"authorization": f"Bearer {PLAIN_APPLICATION_KEY}"}
    statuses: list[int] = []
    # A minute of the clock may end in between.
    while 429 not in statuses:
        statuses.append(client.post("/api/v1/monitor", json={}, headers=headers).status_code)
        assert len(statuses) < 1000

    assert len(statuses) > 10
    assert set(statuses) == {403, 429}
    assert len(written(writer, "intent")) == len(statuses) - 1


@pytest.fixture
def unwritable(folder: AuditFolder) -> Path:
    """In the place of the folder."""
    folder.path.write_text("in the way")
    return folder.path


def test_what_cannot_be_recorded_is_not_changed_nor_exported_and_questions_are_answered(
    unwritable: Path, served: Served, client: Client, writer: AuditWriter
) -> None:
    keys = len(served.store.keys())
    refused = [
        client.post(f"{OWN}/admin/keys", json={"org_id": ORG, "kind": "api", "name": "x"}, headers=ADMIN),
        client.request("PUT", f"{OWN}/views/mine", json={"state": "s"}, headers=READER),
        client.get(f"{OWN}/processes?page[limit]=1000", headers=READER),
        client.get(f"{OWN}/processes?at={NOON}&page%5Blimit%5D=5000", headers=READER),
    ]
    answered = [
        client.get(f"{OWN}/processes?page[limit]=999", headers=READER),
        client.get("/api/v2/processes?page[limit]=10000", headers=READER),
        client.get(f"{OWN}/views", headers=READER),
        client.post(f"{OWN}/watch", json={"host": "web-1"}, headers=READER),
        client.request("DELETE", SESSION),
    ]
    unwritable.unlink()

    assert {one.status_code for one in refused} == {503}
    (said,) = {one.json()["errors"][0] for one in refused}
    assert said.startswith("The audit trail cannot be written (file exists): nothing is changed or exported until")
    assert [one.status_code for one in answered] == [200, 200, 200, 200, 204]
    assert len(served.store.keys()) == keys
    assert answered[2].json()["views"] == []
    records = written(writer)
    assert len(all_records(writer.folder, "gap")) == 1
    assert {one["status"] for one in records} == {200, 204, 503}


def test_no_secret_is_in_any_record(served: Served, client: Client, writer: AuditWriter) -> None:
    secrets = [API_KEY, APPLICATION_KEY, ADMIN_KEY, PLAIN_APPLICATION_KEY]
    made = client.post(f"{OWN}/admin/keys", json={"org_id": 1, "kind": "admin", "name": "x"}, headers=ADMIN).json()
    link = client.post(f"{SESSION}/link", json={}, headers=BEARER).json()
    client.forget_cookies()
    by_link = client.post(SESSION, json={"link": link["token"]})
    secrets += [made["secret"], link["token"], *by_link.cookies.values()]
    for secret in list(secrets):
        for headers in (READER, ADMIN):
            client.get(f"/api/v2/processes?search={secret}&api_key={secret}&{secret}={secret}", headers=headers)
            client.post(f"{OWN}/admin/keys/{secret}/revoke", headers=headers)
            client.get(f"{OWN}/processes/{secret}", headers=headers)
            client.request("PUT", f"{OWN}/views/{secret}", json={"state": f"search={secret}"}, headers=headers)
            client.post("/api/v2/query/scalar", headers=headers, json={"search": secret})

    records = written(writer)
    text = "".join(path.read_text() for path in writer.folder.files())
    assert len(records) > 50
    assert [secret for secret in secrets if secret in text] == []
    assert [secret for secret in secrets if hash_secret(secret).hex() in text] == []
    assert KeyKind.ADMIN.value in text


def test_a_user_is_the_same_from_the_first_try_on_and_no_password_is_kept(
    served: Served, client: Client, writer: AuditWriter
) -> None:
    a_user(served)
    sign_in(client, phrase="wrong hunter2")
    page = page_of(client)
    client.get(f"{OWN}/views", headers=page)
    client.request("PATCH", f"{OWN}/admin/users/anna", json={"password": "new hunter2-33"}, headers=ADMIN)

    records = written(writer)

    who = [(one["route"], one["status"], one.get("who", {}).get("key")) for one in records if one["kind"] == "request"]
    assert who[:3] == [
        (f"{OWN}/sign-in", 403, None),
        (f"{OWN}/sign-in", 201, "user:anna"),
        (f"{OWN}/views", 200, "user:anna"),
    ]
    kept = json.dumps(records)
    assert "hunter2" not in kept
    assert PHRASE not in kept
    assert "argon2" not in kept
