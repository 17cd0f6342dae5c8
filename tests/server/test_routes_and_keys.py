"""Every route of the server is in the table of docs/api.md, and opens to the key written there and to no other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.routing import Route

from procession.accounts.scopes import Scope
from tests.support.served import (
    ADMIN_KEY,
    API_KEY,
    APPLICATION_KEY,
    OTHER_APPLICATION_KEY,
    PLAIN_APPLICATION_KEY,
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


def test_the_table_has_every_route_once() -> None:
    table = [(method, path) for method, path, _ in table_rows()]

    assert sorted(table) == sorted(routes_of_the_app())


@pytest.mark.parametrize(("method", "path", "key"), list(table_rows()))
def test_a_door_opens_to_its_key_and_to_no_other(client: Client, method: str, path: str, key: str) -> None:
    for headers, opened in ATTEMPTS:
        client.forget_cookies()
        status = client.request(
            method, path.replace("{key_id}", "zzzz").replace("{monitor_id}", "7"), headers=headers
        ).status_code

        # What is behind the door may still find fault with an empty request.
        assert (status != 403) == (key == "none" or opens(key, opened)), f"{headers} got {status}"
        assert status < 500


@pytest.mark.parametrize(("method", "path", "key"), [row for row in table_rows() if row[0] == "GET"])
def test_head_needs_the_same_key(client: Client, method: str, path: str, key: str) -> None:
    for headers, opened in ATTEMPTS:
        status = client.request("HEAD", path.replace("{monitor_id}", "7"), headers=headers).status_code
        # As above: some paths lead to nothing here, and some need parameters.
        assert status in ((200, 400, 404) if key == "none" or opens(key, opened) else (403,))
