"""The description of the API, against the running server: whatever it allows is answered as it says."""

from __future__ import annotations

from collections.abc import Iterator
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from starlette.routing import Route

from procession import __version__
from procession.config import ServerSettings
from procession.server.web.openapi import load_document
from tests.support.builders import a_sighting, a_snapshot
from tests.support.served import ADMIN, API_KEY, ORG, READER, Client, Served, a_store, serving


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    served = Served(a_store(), settings=ServerSettings(rate_limit=0, sign_in_limit=0))
    served.store.add([(ORG, a_snapshot(a_sighting(1), a_sighting(2), a_sighting(3)))])
    with serving(served.app()) as url:
        yield url


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    """Thousands of requests go by a few connections. Each is made as if it were the only one: without cookies of
    others, and without the headers that a session has of itself."""
    with requests.Session() as session:
        session.headers.clear()
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        session.trust_env = False
        yield session


def without_security(document: dict[str, Any]) -> dict[str, Any]:
    """The test shows its keys itself. What they open has a test of its own, and schemathesis would have a 401 there,
    where Datadog, and so Procession, says 403."""
    for item in (*document["paths"].values(), *document["components"]["pathItems"].values()):
        for operation in item.values():
            if isinstance(operation, dict):
                operation.pop("security")
    return document


# 413 refuses as well as 400 does.
REFUSALS = {"checks": {"negative_data_rejection": {"expected-statuses": ["4xx", "5xx"]}}}
schema = schemathesis.openapi.from_dict(
    without_security(load_document()), config=schemathesis.Config.from_dict(REFUSALS)
)
for media_type in ("application/x-protobuf", "application/x-procession-columns"):
    schemathesis.openapi.media_type(media_type, st.binary(max_size=64))

KEYS = {
    "Processes": READER,
    "Monitors": READER,
    "Notifications": READER,
    "Intake": {"dd-api-key": API_KEY},
    "Administration": ADMIN,
    "Operation": READER,
    "Page": READER,
}

# A schema cannot say all: that `from` is before `to`, that parentheses close, that no two orgs have one name.
TOO_STRICT = [schemathesis.checks.positive_data_acceptance]


@schema.parametrize()
# The same cases each time: this is to tell what a change broke.
@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_the_server_does_as_its_description_says(case: Any, url: str, session: requests.Session) -> None:
    (tag,) = case.operation.tags
    case.call_and_validate(base_url=url, session=session, headers=KEYS[tag], excluded_checks=TOO_STRICT)


def test_the_description_has_every_route_of_the_server() -> None:
    document = load_document()

    described = {
        (method.upper(), path)
        for path, item in document["paths"].items()
        for method in document["components"]["pathItems"].get(item.get("$ref", "").rpartition("/")[2], item)
    }

    assert described == {
        (method, route.path)
        for route in Served(a_store()).app().routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }


def test_the_description_is_valid() -> None:
    schema.validate()


def test_the_description_is_served_with_the_version_that_runs(client: Client) -> None:
    answer = client.get("/openapi.json")

    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == load_document()
    assert answer.json()["info"]["version"] == __version__
