"""Every route of the server is in the table of docs/api.md, and opens to the key written there and to no other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Route

from procession.accounts.orgs import Key, KeyKind, hash_secret
from procession.accounts.scopes import Scope
from tests.support.builders import NOON
from tests.support.served import (
    ADMIN,
    ADMIN_KEY,
    API_KEY,
    APPLICATION_KEY,
    ORG,
    OTHER_APPLICATION_KEY,
    PLAIN_APPLICATION_KEY,
    READER,
    Client,
    Served,
    a_store,
)

DOCS = Path(__file__).parent.parent.parent / "docs" / "api.md"

ATTEMPTS: list[tuple[dict[str, str], set[str]]] = [
    ({}, set()),
    ({"dd-api-key": API_KEY}, {"API key"}),
    ({"dd-api-key": API_KEY, "dd-application-key": APPLICATION_KEY}, {"API key", "application key", *Scope}),
    ({"authorization": f"Bearer {APPLICATION_KEY}"}, {"application key", *Scope}),
    ({"authorization": f"Bearer {PLAIN_APPLICATION_KEY}"}, {"application key"}),
    ({"authorization": f"Bearer {ADMIN_KEY}"}, {"admin key"}),
    ({"dd-api-key": API_KEY, "dd-application-key": OTHER_APPLICATION_KEY}, {"API key"}),
    ({"dd-api-key": API_KEY, "dd-application-key": ADMIN_KEY}, {"API key"}),
    ({"dd-application-key": APPLICATION_KEY}, set()),
    ({"dd-api-key": APPLICATION_KEY, "dd-application-key": APPLICATION_KEY}, set()),
    ({"dd-api-key": ADMIN_KEY, "dd-application-key": ADMIN_KEY}, set()),
    ({"authorization": f"Bearer {API_KEY}"}, set()),
    ({"dd-api-key": "f" * 32, "authorization": f"Bearer {'f' * 40}"}, set()),
]
"""What somebody may show, and the routes of the table that it opens."""


def table_rows() -> Iterator[tuple[str, str, str]]:
    section = DOCS.read_text(encoding="utf-8").split("\n## Routes\n")[1].split("\n## ")[0]
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and cells[0] not in ("method", "---"):
            methods, paths, key = cells
            for path in re.findall(r"`([^`]+)`", paths):
                for method in methods.split(", "):
                    yield method, path, key


def routes_of_the_app() -> Iterator[tuple[str, str]]:
    for route in Served(a_store()).app().routes:
        assert isinstance(route, Route), f"{route} is of a kind that this test does not know"
        for method in route.methods or set():
            if method != "HEAD":
                yield method, route.path


def opens(key: str, opened: set[str]) -> bool:
    """`application key or session, with `monitors_read``: one of these keys, and the scope if there is one."""
    keys, _, scope = key.partition(", with ")
    return bool(set(keys.split(" or ")) & opened) and (not scope or scope.strip("`") in opened)


def filled(path: str) -> str:
    return path.replace("{key_id}", "zzzz").replace("{monitor_id}", "7")


def test_the_table_has_every_route_once() -> None:
    table = [(method, path) for method, path, _ in table_rows()]

    assert sorted(table) == sorted(routes_of_the_app())


@pytest.mark.parametrize(("method", "path", "key"), list(table_rows()))
def test_a_door_opens_to_its_key_and_to_no_other(client: Client, method: str, path: str, key: str) -> None:
    for headers, opened in ATTEMPTS:
        client.forget_cookies()
        status = client.request(method, filled(path), headers=headers).status_code

        # What is behind the door may still find fault with an empty request.
        assert (status != 403) == (key == "none" or opens(key, opened)), f"{headers} got {status}"
        assert status < 500


@pytest.mark.parametrize(("method", "path", "key"), [row for row in table_rows() if row[0] == "GET"])
def test_head_needs_the_same_key(client: Client, method: str, path: str, key: str) -> None:
    for headers, opened in ATTEMPTS:
        status = client.request("HEAD", filled(path), headers=headers).status_code
        # As above: some paths lead to nothing here, and some need parameters.
        assert status in ((200, 400, 404) if key == "none" or opens(key, opened) else (403,))


@pytest.mark.parametrize(("method", "path", "key"), [row for row in table_rows() if ", with " in row[2]])
def test_a_scope_opens_its_door_and_all_others_together_do_not(
    served: Served, client: Client, method: str, path: str, key: str
) -> None:
    scope = Scope(key.partition(", with ")[2].strip("`"))
    for name, scopes in (("1", {scope}), ("2", set(Scope) - {scope})):
        digest = hash_secret(name * 40)
        served.store.put_key(Key(name, ORG, KeyKind.APPLICATION, name, digest, NOON, scopes=frozenset(scopes)))
    statuses = [
        client.request(method, filled(path), headers={"authorization": f"Bearer {name * 40}"}).status_code
        for name in ("1", "2")
    ]

    assert statuses[0] not in (403, 429)
    assert statuses[1] == 403


FORGED = [
    {},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site", "origin": "http://procession.test:8080"},
    {"sec-fetch-site": "none"},
    {"origin": "http://evil.test"},
    {"origin": "null"},
]
"""What browsers say of a request that another page made; or nothing, as a form of an old one may."""


SESSION = "/api/procession/v1/session"
SIGN_IN = "/api/procession/v1/sign-in"
"""The ways in and out, which have tests of their own."""


@pytest.mark.parametrize(
    ("method", "path", "key"), [row for row in table_rows() if row[0] != "GET" and row[1] not in (SESSION, SIGN_IN)]
)
def test_no_other_page_changes_anything_with_the_cookie_of_a_session(
    client: Client, method: str, path: str, key: str
) -> None:
    cookie = client.post(SESSION, json={"application_key": APPLICATION_KEY}).headers["set-cookie"]
    headers = {"cookie": cookie.split(";")[0]}
    client.forget_cookies()

    for forged in FORGED:
        assert client.request(method, filled(path), headers=headers | forged).status_code == 403
    own = client.request(method, filled(path), headers=headers | {"sec-fetch-site": "same-origin"}).status_code
    assert own != 429
    assert (own != 403) == opens(key, {"session", *Scope})


# Who changed what

WEBHOOKS = "/api/v1/integration/webhooks/configuration"
OWN = "/api/procession/v1"
_DOWNTIME = {"scope": "env:prod", "monitor_identifier": {"monitor_tags": ["*"]}}
CHANGING: list[tuple[str, str, Any]] = [
    ("POST", "/api/v1/monitor", {"type": "process alert", "query": "processes('').rollup('count_now') > 9"}),
    ("PUT", "/api/v1/monitor/{monitor_id}", {"name": "b"}),
    ("POST", "/api/v1/monitor/{monitor_id}/mute", {}),
    ("POST", "/api/v1/monitor/{monitor_id}/unmute", {}),
    ("DELETE", "/api/v1/monitor/{monitor_id}", None),
    ("POST", "/api/v1/host/{host_name}/mute", {}),
    ("POST", "/api/v1/host/{host_name}/unmute", {}),
    ("POST", "/api/v2/downtime", {"data": {"type": "downtime", "attributes": _DOWNTIME}}),
    ("PATCH", "/api/v2/downtime/{downtime_id}", {"data": {"type": "downtime", "attributes": {"message": "x"}}}),
    ("DELETE", "/api/v2/downtime/{downtime_id}", None),
    ("POST", f"{WEBHOOKS}/webhooks", {"name": "OPS", "url": "https://example.org"}),
    ("PUT", f"{WEBHOOKS}/webhooks/{{name}}", {"url": "https://example.com"}),
    ("DELETE", f"{WEBHOOKS}/webhooks/{{name}}", None),
    ("POST", f"{WEBHOOKS}/custom-variables", {"name": "OPS", "value": "x"}),
    ("PUT", f"{WEBHOOKS}/custom-variables/{{name}}", {"value": "y"}),
    ("DELETE", f"{WEBHOOKS}/custom-variables/{{name}}", None),
    ("PUT", f"{OWN}/channels/{{kind}}/{{name}}", {"addresses": ["ops@example.org"]}),
    ("DELETE", f"{OWN}/channels/{{kind}}/{{name}}", None),
    ("POST", f"{OWN}/admin/keys", {"org_id": ORG, "kind": "api", "name": "x"}),
    ("POST", f"{OWN}/admin/keys/{{key_id}}/revoke", None),
    ("POST", f"{OWN}/admin/users", {"org_id": ORG, "name": "OPS", "role": "viewer", "password": "a long password"}),
    ("PATCH", f"{OWN}/admin/users/{{name}}", {"role": "editor"}),
    ("DELETE", f"{OWN}/admin/users/{{name}}", None),
    ("POST", f"{OWN}/users", {"name": "OPS", "role": "viewer", "password": "a long password"}),
    ("PATCH", f"{OWN}/users/{{name}}", {"role": "editor"}),
    ("DELETE", f"{OWN}/users/{{name}}", None),
]
"""All routes that change a monitor, channel, variable, downtime, key or user; one after the other each does."""
TRIES = {
    ("POST", f"{OWN}/monitors/test"),
    ("POST", f"{OWN}/channels/{{kind}}/{{name}}/test"),
    ("DELETE", f"{OWN}/users/{{name}}/sessions"),
}
"""Routes with the same scopes that change none of these."""


def test_all_routes_that_change_monitors_channels_downtimes_or_keys_are_known_here() -> None:
    scopes = (Scope.MONITORS_WRITE, Scope.MONITORS_DOWNTIME, Scope.MANAGE_INTEGRATIONS, Scope.USER_ACCESS_MANAGE)
    changing = {
        (method, path)
        for method, path, key in table_rows()
        if method != "GET"
        and (
            any(f"`{scope}`" in key for scope in scopes) or path.startswith((f"{OWN}/admin/keys", f"{OWN}/admin/users"))
        )
    }

    assert changing - TRIES == {(method, path) for method, path, _ in CHANGING}


def test_each_of_them_is_recorded_with_the_key_that_asked_for_it(client: Client) -> None:
    names = {"kind": "email", "name": "OPS", "host_name": "web-1"}
    recorded: list[str] = []
    for method, path, body in CHANGING:
        is_admin = path.startswith(f"{OWN}/admin")
        headers = ADMIN if is_admin else READER
        answer = client.request(method, path.format(**names), json=body, headers=headers)
        assert answer.status_code < 300, (path, answer.text)
        said = answer.json() if answer.content else {}
        match path if method == "POST" else "":
            case "/api/v1/monitor":
                names["monitor_id"] = said["id"]
            case "/api/v2/downtime":
                names["downtime_id"] = said["data"]["id"]
            case "/api/procession/v1/admin/keys":
                names["key_id"] = said["key"]["id"]
        changes = client.get(f"{OWN}/changes", headers=READER).json()["changes"]
        fresh = [one for one in changes if one["id"] not in recorded]
        recorded += [one["id"] for one in fresh]

        assert [one["by"]["key_id"] for one in fresh] == [ADMIN_KEY[:4] if is_admin else APPLICATION_KEY[:4]], path
