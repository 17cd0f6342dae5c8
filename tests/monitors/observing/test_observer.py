"""What a monitor sees in the store of a data folder, in its live table and in its history, is what the oracle sees."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from procession.monitors.evaluation import Moment
from procession.monitors.observing.grouping import TooMuch, most_groups
from procession.monitors.observing.host_facts import KnownHosts
from procession.monitors.observing.observer import Observer
from procession.monitors.query import parse_monitor_query
from procession.packed import AnySnapshot
from procession.process import ProcessNumbers
from procession.storage.embedded.store import EmbeddedStore
from procession.storage.embedded_store import open_embedded
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.stores.analysis_oracle import OracleAnalysis
from tests.support.stores.folders import quick_folder
from tests.support.stores.oracle import OracleStore

ORG = 1
MINUTE = NOON // 60 * 60
YEARS = 30 * 365 * 24


def snapshots() -> Iterator[AnySnapshot]:
    """Two hosts over ten minutes, of which one falls silent, with processes that come and go."""
    for taken_at in range(MINUTE - 600, MINUTE, 10):
        round_number = (taken_at - MINUTE) // 60
        for host in ("web-1", "web-2"):
            if host == "web-2" and taken_at >= MINUTE - 120:
                continue
            nginx = [
                a_sighting(
                    pid,
                    command=f"nginx{pid % 2}",
                    cmdline=f"nginx {pid}",
                    started_at=MINUTE - 9000,
                    numbers=ProcessNumbers(rss_bytes=pid * 1000),
                    tags=("env:prod", f"slot:{pid % 3}"),
                )
                for pid in range(2, 7)
            ]
            loop = a_sighting(
                100 + round_number, command="loop", cmdline="loop", exe="", started_at=taken_at // 60 * 60
            )
            yield a_snapshot(*nginx, loop, host=host, taken_at=taken_at, chunk_count=1)


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStore]:
    with quick_folder(Path(tmp_path_factory.mktemp("store"))) as folder:
        store = open_embedded(
            folder,
            retention_hours=YEARS,
            sighting_retention_hours=YEARS,
            live_retention_hours=YEARS,
            now=lambda: MINUTE,
        )
        store.add([(ORG, one) for one in snapshots()])
        yield store
        store.close()


@pytest.fixture(scope="module")
def oracle() -> OracleStore:
    store = OracleStore()
    store.add([(ORG, one) for one in snapshots()])
    return store


QUERIES = [
    "processes('nginx').rollup('count').last('5m') < 1",
    "processes('').by('host').rollup('count').last('5m') < 1",
    "processes('').over('env:prod').by('slot').rollup('count').last('5m') < 1",
    "processes('').by('host','command').rollup('count').last('5m') < 1",
    "processes('').by('cmdline').rollup('count').last('5m') < 1",
    "processes('nobody').rollup('count').last('5m') < 1",
    "processes('').rollup('count_now') < 1",
    "processes('').by('host').rollup('count_now') < 1",
    "processes('').by('command').rollup('count_now') < 1",
    "processes('').by('host','slot').rollup('count_now') < 1",
    "processes('').rollup('sum','rss_bytes') > 1",
    "processes('').rollup('max','rss_bytes') > 1",
    "processes('').by('command').rollup('sum','rss_bytes') > 1",
    "processes('').by('slot').rollup('max','rss_bytes') > 1",
    "processes('').by('host','slot').rollup('max','rss_bytes') > 1",
    "processes('').by('host').rollup('starts').last('5m') > 1",
    "processes('loop').rollup('starts').last('5m') > 1",
    "processes('').by('command').rollup('first_seen').last('5m') > 1",
]


@pytest.mark.parametrize("at", [MINUTE, MINUTE - 180], ids=["now", "past"])
@pytest.mark.parametrize("text", QUERIES)
def test_the_store_and_the_oracle_see_the_same(
    embedded: EmbeddedStore, oracle: OracleStore, text: str, at: int
) -> None:
    query, moment = parse_monitor_query(text), Moment(at, at)
    seen = Observer(embedded, embedded.analysis, KnownHosts(embedded.hosts), ORG, moment)
    expected = Observer(oracle, OracleAnalysis(oracle), KnownHosts(oracle), ORG, moment)

    assert seen.values(query) == expected.values(query)
    assert seen.telling(query) == expected.telling(query) == ({"web-1"} if at == MINUTE else {"web-1", "web-2"})
    assert seen.is_full(query) == expected.is_full(query)
    for group in list(expected.values(query))[:3]:
        since = at - 900
        assert seen.last_seen(query, group, since) == expected.last_seen(query, group, since)
        assert seen.behind(query, group) == expected.behind(query, group)


def test_a_host_began_with_its_oldest_process(embedded: EmbeddedStore) -> None:
    observer = Observer(embedded, embedded.analysis, KnownHosts(embedded.hosts), ORG, Moment(MINUTE, MINUTE))

    assert observer.booted_at("web-1") == MINUTE - 9000
    assert observer.booted_at("web-2") is None


@pytest.mark.parametrize("function", ["count').last('5m", "count_now"])
def test_a_thousand_groups_are_looked_at_and_one_more_is_too_much(embedded: EmbeddedStore, function: str) -> None:
    query = parse_monitor_query(f"processes('').by('cmdline').rollup('{function}') > 5")
    processes = [a_sighting(pid, cmdline=f"worker {pid}", started_at=MINUTE - 9000) for pid in range(1, 1002)]
    for count, org_id in ((1000, ORG + 1), (1001, ORG + 2)):
        embedded.add([(org_id, a_snapshot(*processes[:count], taken_at=MINUTE - 5, chunk_count=1))])
    few, many = (
        Observer(embedded, embedded.analysis, KnownHosts(embedded.hosts), org_id, Moment(MINUTE, MINUTE))
        for org_id in (ORG + 1, ORG + 2)
    )

    assert len(few.values(query)) == 1000
    with pytest.raises(TooMuch, match="it has 1001 groups; by cmdline there may be 1000"):
        many.values(query)
    assert most_groups(parse_monitor_query("processes('').by('host').rollup('count_now') > 5")) == 25_000


def test_what_would_be_read_one_by_one_without_end_is_too_much(
    embedded: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("procession.monitors.observing.observer.MAX_LISTED", 5)
    observer = Observer(embedded, embedded.analysis, KnownHosts(embedded.hosts), ORG, Moment(MINUTE, MINUTE))

    for function in ("count').last('5m", "count_now"):
        with pytest.raises(TooMuch, match="one by one"):
            observer.values(parse_monitor_query(f"processes('').by('host','user').rollup('{function}') > 1"))
