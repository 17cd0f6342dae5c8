"""Clusters and servers for all tests of this folder: to start them takes longer than most tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from procession.storage.setup import initialize
from tests.cluster.nodes.pair import LIMIT, Pair
from tests.cluster.nodes.running import Cluster, cluster
from tests.cluster.nodes.stores import NAMED, RULES, databases_on_named_servers, servers, url_of


@pytest.fixture(scope="session")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Nodes that may be ended, with the tables of a store. Who ends one starts it again."""
    with cluster(tmp_path_factory.mktemp("mortal"), password="secret") as found:
        initialize(servers(found.address()), RULES)
        yield found


@pytest.fixture(scope="session")
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Two servers on a cluster: on the one that a variable names, if it does. Who ends one starts it again."""
    with ExitStack() as stack:
        if os.environ.get(NAMED):
            address = stack.enter_context(databases_on_named_servers())
        else:
            address = servers(request.getfixturevalue("nodes").address("paired"))
        initialize(address, RULES)
        options = ("--rate-limit", str(LIMIT), "--stop-seconds", "20")
        yield stack.enter_context(closing(Pair(tmp_path_factory.mktemp("pair"), url_of(address), *options)))
