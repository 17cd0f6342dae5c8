from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.support.agents.posting import ListSink, app_over
from tests.support.served import Client, Served, a_store


@pytest.fixture
def served() -> Served:
    return Served(a_store())


@pytest.fixture
def client(served: Served) -> Generator[Client, None, None]:
    client = Client(served.app())
    yield client
    client.close()


@pytest.fixture
def sink() -> ListSink:
    return ListSink()


@pytest.fixture
def agent(served: Served, sink: ListSink) -> Generator[Client, None, None]:
    """Talks to an application that puts what it takes into `sink`."""
    client = Client(app_over(served, sink))
    yield client
    client.close()
