"""The store in a folder tells of containers what the oracle does, now and at every minute before, also when it was
killed and started again."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from procession.containers.container import Container, ContainerSnapshot
from procession.errors import Unavailable
from procession.storage.embedded.store import EmbeddedStore
from procession.storage.embedded_store import open_embedded
from procession.storage.store import ClickHouseStore
from procession.window import Window
from tests.support.builders import NOON
from tests.support.containers import a_container, containers_of
from tests.support.served import Clock
from tests.support.stores.containers_oracle import OracleContainers
from tests.support.stores.folders import quick_folder
from tests.support.stores.reopened_store import Reopened

YEARS = 30 * 365 * 24
ORGS = (1, 2)
BEGIN = NOON // 3600 * 3600 + 3300
"""So that the hour turns in between."""
STEPS = 60
END = BEGIN + 10 * (STEPS - 1)


def opened(folder: Path, clock: Clock) -> EmbeddedStore:
    return open_embedded(folder, retention_hours=YEARS, sighting_retention_hours=YEARS, now=clock, forced_seconds=0.0)


def snapshots() -> Iterator[tuple[int, ContainerSnapshot]]:
    """Ten minutes of two hosts in each org, each of which tells every ten seconds, in one message or in two."""
    chance = random.Random(7)
    for step in range(STEPS):
        for org_id in ORGS:
            for host in ("web-1", "wéb-2"):
                if chance.random() < 0.1:
                    continue  # it was cut off
                running = [number for number in range(6) if chance.random() < 0.8]
                containers = [
                    a_container(
                        f"{host}-{number}",
                        host,
                        ("env:prod" if number % 2 else "env:test", f"n:{number}\u2028'\\"),
                        name=f"n{number} of {org_id}",
                        state=chance.choice(["running", "paused"]),
                        started_at=None if number == 5 else BEGIN - 100 * number,
                        created_at=BEGIN - 1000,
                        health="healthy",
                        image_digest="sha256:" + "a" * 64,
                        cpu_total_percent=chance.choice([None, 0.0, 12.5, 400.0]),
                        cpu_throttled_percent=chance.choice([None, 25.0]),
                        memory_usage_bytes=chance.choice([None, 2**20 * step, 2**62]),
                        memory_limit_bytes=None if number == 1 else 2**40,
                        threads=number,
                        oom_kills=step // 30,
                    )
                    for number in running
                ]
                cut = chance.randrange(7)
                for some in (containers[:cut], containers[cut:]):
                    if some:
                        yield org_id, containers_of(*some, host=host, taken_at=BEGIN + 10 * step)


@dataclass
class Filled:
    store: EmbeddedStore
    oracle: OracleContainers
    folder: Path
    clock: Clock = field(default_factory=Clock)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    with quick_folder(tmp_path_factory.mktemp("containers")) as folder:
        clock, oracle = Clock(END), OracleContainers()
        with closing(opened(folder / "data", clock)) as store:
            all_of_them = list(snapshots())
            half = len(all_of_them) // 2
            for some in (all_of_them[:half], all_of_them[half:], all_of_them[:20]):  # some are sent again
                store.containers.add(some)
                if some is not all_of_them[half:]:
                    store.flush()
            oracle.add(all_of_them)
            yield Filled(store, oracle, folder, clock)


def history_of(filled: Filled) -> ClickHouseStore:
    assert isinstance(filled.store.history, ClickHouseStore)
    return filled.store.history


def same_everywhere(store: EmbeddedStore, oracle: OracleContainers) -> None:
    for org_id in (*ORGS, 3):
        for at in (END, BEGIN - 1, *range(BEGIN, END - 60, 37)):
            assert store.containers.present(org_id, at) == oracle.present(org_id, at), at - BEGIN


def test_containers_of_any_instant_are_those_of_the_oracle(filled: Filled) -> None:
    same_everywhere(filled.store, filled.oracle)
    assert len(filled.store.containers.present(1, END)) > 5


def known(values: Sequence[float | None]) -> list[float]:
    return [-1.0 if value is None else value for value in values]


@pytest.mark.parametrize("step_seconds", [60, 180, 600])
def test_the_history_of_a_container_is_that_of_the_oracle(filled: Filled, step_seconds: int) -> None:
    for window in (Window(BEGIN, END), Window(BEGIN + 61, END - 119), Window(0, BEGIN - 60)):
        for container_id in ("web-1-1", "wéb-2-3", "none"):
            host = container_id.rpartition("-")[0]
            found = filled.store.containers.history(1, host, container_id, window, step_seconds)
            expected = filled.oracle.history(1, host, container_id, window, step_seconds)
            assert (found.times, found.step_seconds) == (expected.times, expected.step_seconds)
            for name, values in expected.numbers.items():
                assert known(found.numbers[name]) == pytest.approx(known(values), rel=1e-6), name


@pytest.mark.parametrize(("rank", "limit"), [("count", 100), ("memory_usage_bytes", 3), ("cpu_total_percent", 1)])
@pytest.mark.parametrize("step", [60, 120, 300])
def test_groups_over_time_are_those_of_the_oracle(filled: Filled, rank: str, limit: int, step: int) -> None:
    measures = ("cpu_total_percent", "cpu_throttled_percent", "memory_usage_bytes", "oom_kills")

    def group_of(container: Container) -> str | None:
        return container.name if "env:prod" in container.tags or container.state == "paused" else None

    for times in (range(BEGIN // 60 * 60 - 120, END + 1, step), range(BEGIN + 95, BEGIN + 96), range(100, 161, 60)):
        found = filled.store.containers.timeseries(1, times, measures, rank, limit, group_of)
        expected = filled.oracle.timeseries(1, times, measures, rank, limit, group_of)
        assert (found.times, found.is_known) == (expected.times, expected.is_known)
        assert [(one.value, one.is_rest, one.count) for one in found.series] == [
            (one.value, one.is_rest, one.count) for one in expected.series
        ]
        for one, other in zip(found.series, expected.series, strict=True):
            for measure in measures:
                assert known(one.numbers[measure]) == pytest.approx(known(other.numbers[measure]), rel=1e-6), measure


def test_cpu_of_groups_is_of_all_cpus_of_the_hosts_of_which_these_are_known(filled: Filled) -> None:
    measures = ("cpu_total_percent", "memory_usage_bytes")
    times = range(BEGIN // 60 * 60 - 120, END + 1, 60)

    def group_of(container: Container) -> str | None:
        return container.name

    for cpus in ({"web-1": 4, "wéb-2": 3}, {"wéb-2": 16}, {}):
        found = filled.store.containers.timeseries(1, times, measures, "cpu_total_percent", 5, group_of, cpus)
        expected = filled.oracle.timeseries(1, times, measures, "cpu_total_percent", 5, group_of, cpus)
        assert [(one.value, one.count) for one in found.series] == [(one.value, one.count) for one in expected.series]
        for one, other in zip(found.series, expected.series, strict=True):
            for measure in measures:
                assert known(one.numbers[measure]) == pytest.approx(known(other.numbers[measure]), rel=1e-6), measure


def test_rows_that_the_engine_merges_change_no_answer(filled: Filled) -> None:
    filled.store.flush()
    history_of(filled)._rows("OPTIMIZE TABLE containers FINAL")

    same_everywhere(filled.store, filled.oracle)


@pytest.mark.parametrize("flushes", [False, True])
def test_what_was_acknowledged_is_there_after_the_next_start(filled: Filled, tmp_path: Path, flushes: bool) -> None:
    """Whether it is in the log alone, or in the tables alone."""
    org_id = 10 + flushes
    reopened = Reopened(history_of(filled), tmp_path, now=END)
    reopened.store.containers.add([(org_id, containers_of(a_container("a"), taken_at=END - 10))])
    reopened.store.containers.add([(org_id, containers_of(a_container("a", name="new"), taken_at=END))])

    reopened.restart(flushes=flushes)

    try:
        (found,) = reopened.store.containers.present(org_id, END)
        assert (found.container.name, found.seen_at) == ("new", END)
        reopened.store.flush()
        assert reopened.store.history.containers.present(org_id, END) == (found,)
    finally:
        reopened.store.close()


def test_containers_of_an_org_that_is_removed_are_gone(filled: Filled) -> None:
    store = filled.store
    store.containers.add([(20, containers_of(a_container("a"), taken_at=END - 70))])
    store.flush()
    store.containers.add([(20, containers_of(a_container("a"), taken_at=END))])

    store.erasure.erase_org(20)

    assert store.containers.present(20, END) == store.containers.present(20, END - 60) == ()
    assert store.erasure.rows_of_org(20) == {}
    with pytest.raises(Unavailable):
        store.containers.add([(20, containers_of(a_container("a"), taken_at=END))])
    assert store.containers.present(1, END) == filled.oracle.present(1, END)
