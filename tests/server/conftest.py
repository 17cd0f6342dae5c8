from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.support.served import Client, Served, a_store


@pytest.fixture
def served() -> Served:
    return Served(a_store())


@pytest.fixture
def client(served: Served) -> Generator[Client, None, None]:
    client = Client(served.app())
    yield client
    client.close()
