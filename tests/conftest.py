"""What holds for every test."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import Phase, settings

from tests.support.side_by_side import GroupScheduling, import_share, turn_of, worker_count

if TYPE_CHECKING:
    from xdist.remote import Producer

    from procession.storage.store import ClickHouseStore
    from tests.cluster.nodes.running import Cluster

IN_CI = bool(os.environ.get("PROCESSION_CI"))

if IN_CI:
    # What fails is not made smaller before it is printed: that takes longer than a test may, and the time-out comes as
    # one more failure, which is called flaky. The printed line makes the same example again elsewhere.
    settings.register_profile(
        "no-shrinking", phases=(Phase.explicit, Phase.reuse, Phase.generate), print_blob=True, database=None
    )
    settings.load_profile("no-shrinking")


def pytest_configure(config: pytest.Config) -> None:
    # What runs in the background may have been told to ignore these, and would hand that down to all that it starts.
    for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)
    config.addinivalue_line("markers", "may_skip: may be skipped even where everything has to run")


def _fail_if_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    """A missing toolchain is a visible skip at a user's, and a failure where PROCESSION_CI says that all must run."""
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid} has to run here: {reason}"


def pytest_sessionstart(session: pytest.Session) -> None:
    import_share(session.config)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: turn_of(item.nodeid))


def pytest_collection_finish() -> None:
    # Some twelve thousand tests with all their modules stay to the end: the collector need not look through them again
    # and again.
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True, tryfirst=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    return worker_count()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> GroupScheduling:
    return GroupScheduling(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if item.get_closest_marker("may_skip") is None:
        _fail_if_skipped(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _fail_if_skipped(report)
    return report


@pytest.fixture(scope="session")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two shards with two replicas each, as processes. Nobody may end one of these."""
    from tests.cluster.nodes.running import cluster

    with cluster(tmp_path_factory.mktemp("nodes"), password="p:ss/w@rd") as found:  # noqa: S106
        yield found


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One that is in no cluster. Nobody may end it."""
    from tests.cluster.nodes.running import cluster

    with cluster(tmp_path_factory.mktemp("node"), shards=1, replicas=1, password="p:ss/w@rd") as found:  # noqa: S106
        yield found


@pytest.fixture(scope="session")
def cluster_store(nodes: Cluster) -> Iterator[ClickHouseStore]:
    from tests.cluster.nodes.stores import servers, store_on

    with store_on(servers(nodes.address("clustered"))) as store:
        yield store


@pytest.fixture(scope="session")
def server_store(node: Cluster) -> Iterator[ClickHouseStore]:
    """On one node, over HTTP."""
    from tests.cluster.nodes.stores import servers, store_on

    with store_on(servers(node.address("single", is_cluster=False))) as store:
        yield store


@pytest.fixture(scope="session")
def named_store() -> Iterator[ClickHouseStore]:
    """On the servers that PROCESSION_TEST_CLICKHOUSE names."""
    from tests.cluster.nodes.stores import store_on_named_servers

    with store_on_named_servers() as store:
        yield store
