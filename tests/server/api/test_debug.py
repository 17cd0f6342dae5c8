from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from procession.config import ServerSettings
from procession.errors import Unavailable
from procession.inventory import EngineError, Inventory
from procession.server import create_app
from tests.support.agents.posting import ListSink
from tests.support.builders import NOON
from tests.support.served import ADMIN, READER, Client, Clock, a_store
from tests.support.stores.stores import oracle_stores

PATH = "/api/procession/v1/admin/debug"
SETTINGS = ServerSettings(
    rate_limit=7,
    store="https://writer:hunter2@clickhouse:8443/procession?cluster=fleet",
    store_password="correct horse",  # noqa: S106
    allowed_hosts=("example.org",),
)
LINES = ["could not reach https://user:hunter2@example.org", "a plain line", "started with --password=hunter2 x"]


@pytest.fixture
def client() -> Iterator[Client]:
    store = a_store()
    store.inventory = lambda: Inventory((), 0, None, None, (EngineError("CANNOT_PARSE", 3, NOON),))  # type: ignore[method-assign]
    app = create_app(
        oracle_stores(store),
        sink=ListSink(),
        settings=SETTINGS,
        host_names=("procession.test",),
        log_lines=lambda: LINES,
        now=Clock(),
    )
    client = Client(app)
    yield client
    client.close()


def test_it_says_what_the_server_knows_of_itself_without_secrets(client: Client) -> None:
    answer = client.get(PATH, headers=ADMIN)
    found = answer.json()

    assert "hunter2" not in answer.text
    assert "correct horse" not in answer.text
    assert found["settings"]["rate-limit"] == 7
    assert found["settings"]["allowed-hosts"] == ["example.org"]
    assert found["settings"]["store"] == "https://********@clickhouse:8443/procession?cluster=fleet"
    assert found["settings"]["store-password"] == "********"
    assert found["settings"].keys() == {name.replace("_", "-") for name in ServerSettings.__dataclass_fields__}
    assert (found["pid"], found["started_at"]) == (os.getpid(), NOON)
    assert found["memory_bytes"] > 10**6
    assert found["engine_errors"] == [{"name": "CANNOT_PARSE", "count": 3, "last_at": NOON}]
    assert found["log"] == [
        "could not reach https://********@example.org",
        "a plain line",
        "started with --password=******** x",
    ]
    assert answer.headers["cache-control"] == "no-store"


def test_a_store_that_cannot_say_is_no_reason_to_say_nothing(client: Client) -> None:
    def fail() -> Inventory:
        raise Unavailable("The store cannot do this now: refused")

    store = a_store()
    store.inventory = fail  # type: ignore[method-assign]
    other = Client(
        create_app(
 oracle_stores(store), sink=ListSink(),
            settings=SETTINGS, host_names=("procession.test",),
        )
    )  # fmt: skip

    found = other.get(PATH, headers=ADMIN).json()
    other.close()

    assert found["store_problem"] == "The store cannot do this now: refused"
    assert found["engine_errors"] == []


def test_only_an_admin_is_told(client: Client) -> None:
    assert client.get(PATH, headers=READER).status_code == 403
