"""A page whose name leads here by DNS is answered nothing: the browser says that name, and it is not ours."""

from __future__ import annotations

import dataclasses

import pytest

from procession.server.http.host_names import AllowedHosts
from tests.server.test_routes_and_keys import routes_of_the_app, table_rows
from tests.support.served import APPLICATION_KEY, Client, Served

BEARER = {"authorization": f"Bearer {APPLICATION_KEY}"}
STRANGER = {"host": "rebound.example.com"}
FROM_PROGRAMS = {path for _, path, key in table_rows() if key == "API key"} | {"/healthz", "/readyz"}


@pytest.mark.parametrize(
    ("names", "host", "is_allowed"),
    [
        ((), "localhost", True),
        ((), "LocalHost:7171", True),
        ((), "page.localhost", True),
        ((), "127.0.0.1:7171", True),
        ((), "10.1.2.3", True),
        ((), "[::1]:7171", True),
        ((), "[fe80::1%25eth0]", True),
        ((), "", True),
        ((), "example.org", False),
        ((), "localhost.example.org", False),
        ((), "127.0.0.1.example.org", False),
        ((), "1.2.3", False),
        (("example.org",), "example.org:443", True),
        (("Example.org",), "EXAMPLE.ORG.", True),
        (("example.org",), "sub.example.org", False),
        (("example.org",), "badexample.org", False),
        ((".example.org",), "sub.example.org", True),
        ((".example.org",), "badexample.org", False),
        (("*",), "anything.example", True),
        (("",), "anything.example", False),
    ],
)
def test_a_name_is_allowed_that_is_named_or_that_nobody_can_lead_elsewhere(
    names: tuple[str, ...], host: str, is_allowed: bool
) -> None:
    assert AllowedHosts(names).allows(host) is is_allowed


@pytest.mark.parametrize(("method", "path"), sorted(routes_of_the_app()))
def test_another_name_opens_no_door_but_those_of_agents_and_probes(client: Client, method: str, path: str) -> None:
    answer = client.request(method, path, headers=BEARER | STRANGER)

    assert (answer.status_code == 421) == (path not in FROM_PROGRAMS)
    if answer.status_code == 421:
        (error,) = answer.json()["errors"]
        assert "--allowed-hosts" in error
        assert "rebound" not in answer.text


def test_two_names_are_none(client: Client) -> None:
    headers = [("host", "localhost"), ("host", "localhost"), *BEARER.items()]

    assert client.request("GET", "/openapi.json", headers=headers).status_code == 421


def test_the_settings_add_names(served: Served) -> None:
    served.settings = dataclasses.replace(served.settings, allowed_hosts=("rebound.example.com",), listen="web-1:7171")
    client = Client(served.app())

    for host in ("rebound.example.com", "web-1:7171", "procession.test"):
        assert client.get("/openapi.json", headers={"host": host}).status_code == 200
    assert client.get("/openapi.json", headers={"host": "other.example.com"}).status_code == 421
    client.close()


@pytest.mark.parametrize(("method", "path"), sorted(routes_of_the_app()))
def test_no_door_is_open_to_pages_of_others(client: Client, method: str, path: str) -> None:
    """CORS is closed: a browser shows no answer to a page of others, and asks in vain whether it may send keys."""
    origin = {"origin": "https://example.com"}
    asking = {"access-control-request-method": method, "access-control-request-headers": "dd-api-key"}

    answer = client.request(method, path, headers=BEARER | origin)
    preflight = client.request("OPTIONS", path, headers=origin | asking)

    assert preflight.status_code in (404, 405)
    for one in (answer, preflight):
        assert not [name for name in one.headers if name.startswith("access-control-")]
        assert "accept-ranges" not in one.headers


@pytest.mark.parametrize(("method", "path"), sorted(routes_of_the_app()))
def test_every_answer_says_what_a_browser_must_not_do_with_it(client: Client, method: str, path: str) -> None:
    for headers in (BEARER, {}, STRANGER):
        answer = client.request(method, path, headers=headers)

        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] in ("SAMEORIGIN", "DENY")
        assert answer.headers["referrer-policy"] in ("no-referrer", "same-origin")
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert "'unsafe-eval'" not in answer.headers["content-security-policy"]
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
