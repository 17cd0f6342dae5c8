"""What queries of containers answer of the store of a data folder is what plain Python makes of the same snapshots."""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from procession.accounts.visibility import Visibility
from procession.containers.container import Container, ContainerSnapshot
from procession.errors import InvalidRequest
from procession.server.public.query.answers import scalar_answer, timeseries_answer
from procession.server.public.query.body import Kind, parse_request
from procession.server.public.query.container_series import ContainerSeries
from procession.server.public.query.numbers import MAX_COMMANDS, numbers_of_window, numbers_over_time
from procession.server.public.query.results import formulas_of_window, formulas_over_time
from procession.storage.containers import history
from procession.storage.embedded.store import EmbeddedStore
from tests.server.public.query.conftest import MINUTE, YEARS
from tests.server.public.query.test_oracle import AGGREGATORS, approximately, chosen, computed, names_of
from tests.support.containers import a_container, containers_of

MINUTES = 6
MEASURES = {
    "container.cpu.total_pct": "cpu_total_percent",
    "container.cpu.throttled_pct": "cpu_throttled_percent",
    "container.memory.usage": "memory_usage_bytes",
    "container.memory.oom_kills": "oom_kills",
}
COUNT = "container.count"

_org_ids = itertools.count(1)

Number = float | None


def fleet(chance: random.Random) -> list[ContainerSnapshot]:
    """Some minutes of three hosts, each of which tells of its containers now and then."""
    found = []
    for host in ("web-1", "web-2", "wéb-3"):
        for taken_at in chance.sample(range(MINUTE - 60 * (MINUTES + 2), MINUTE), chance.randrange(12)):
            containers = [
                a_container(
                    f"{host}-{number}",
                    host,
                    ("env:prod" if number % 2 else "env:test",),
                    name=("", "web", "db", "löschen 日本")[number % 4],
                    image_name=f"shop/{'abc'[number % 3]}",
                    state=chance.choice(["running", "paused"]),
                    cpu_total_percent=chance.choice([None, 0.0, 12.5, 400.25]),
                    cpu_throttled_percent=chance.choice([None, 25.0, 50.5]),
                    memory_usage_bytes=chance.choice([None, 2**20, 2**40]),
                    oom_kills=chance.randrange(3),
                )
                for number in range(6)
                if chance.random() < 0.7
            ]
            cut = chance.randrange(7)
            found += [
                containers_of(*some, host=host, taken_at=taken_at)
                for some in (containers[:cut], containers[cut:])
                if some
            ]
    return found


queries = st.fixed_dictionaries(
    {
        "data_source": st.just("container"),
        "metric": st.sampled_from([*MEASURES, COUNT]),
        "text_filter": st.sampled_from(["", "SHOP/A", "shop/b OR löschen", "!env:prod", "web-2-1 AND host:web*"]),
        "tag_filters": st.sampled_from([[], ["env:prod"], ["!env:prod"], ["host:web-1"]]),
        "limit": st.integers(1, 5),
        "sort": st.sampled_from(["asc", "desc"]),
        "is_normalized_cpu": st.booleans(),
    }
)
CPUS = {"web-1": 4, "wéb-3": 96}
"""Of web-2 it is not known."""
formulas = st.sampled_from(["a", "b", "a + b", "100 * a / (a + b)", "-a - 1", "b / a"])
fleets = st.integers(0, 10**6).map(lambda seed: fleet(random.Random(seed)))


class Oracle:
    """Knows all that was told."""

    def __init__(self, snapshots: Sequence[ContainerSnapshot]) -> None:
        self.snapshots = sorted(snapshots, key=lambda one: one.taken_at)

    def at(self, query: Mapping[str, Any], at: int) -> tuple[bool, dict[str, Number]]:
        """Whether anything was told in the minute before, and the numbers by name."""
        newest = {
            (snapshot.host, one.container_id): (snapshot.host, one)
            for snapshot in self.snapshots
            if at - 60 <= snapshot.taken_at < at
            for one in snapshot.containers
        }
        values: dict[str, list[float]] = {}
        for host, one in newest.values():
            if not (self.fits_text(query["text_filter"], host, one) and self.has_tags(query["tag_filters"], host, one)):
                continue
            known = values.setdefault(one.name or one.container_id, [])
            number = 1 if query["metric"] == COUNT else getattr(one.numbers, MEASURES[query["metric"]])
            if number is not None and query["is_normalized_cpu"] and query["metric"] == "container.cpu.total_pct":
                number = number / CPUS[host] if host in CPUS else None
            if number is not None:
                known.append(number)
        together = max if query["metric"] == "container.cpu.throttled_pct" else sum
        return bool(newest), {name: together(those) if those else None for name, those in values.items()}

    @staticmethod
    def fits_text(text: str, host: str, one: Container) -> bool:
        return {
            "": True,
            "SHOP/A": one.image_name == "shop/a",
            "shop/b OR löschen": one.image_name == "shop/b" or one.name == "löschen 日本",
            "!env:prod": "env:prod" not in one.tags,
            "web-2-1 AND host:web*": one.container_id == "web-2-1" and host.startswith("web"),
        }[text]

    @staticmethod
    def has_tags(tags: Sequence[str], host: str, one: Container) -> bool:
        if tags == ["host:web-1"]:
            return host == "web-1"
        return not tags or ("env:prod" in one.tags) is not tags[0].startswith("!")

    def series(self, query: Mapping[str, Any], times: Sequence[int]) -> dict[str, list[Number]]:
        found = [self.at(query, at) for at in times]
        names = {name for _, values in found for name in values}
        is_count = query["metric"] == COUNT
        series = {
            name: [values.get(name, 0 if is_count and known else None) for known, values in found] for name in names
        }
        return {name: values for name, values in series.items() if any(one is not None for one in values)}


def asked(kind: Kind, wanted: Sequence[Mapping[str, Any]], texts: Sequence[str], step: int = 60) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        "from": (MINUTE - 60 * MINUTES) * 1000,
        "to": MINUTE * 1000 + 1,
        "queries": [{"name": name, **query} for name, query in zip("ab", wanted, strict=False)],
        "formulas": [{"formula": text} for text in texts],
    }
    if kind is Kind.TIMESERIES:
        attributes["interval"] = step * 1000
    return {"data": {"type": f"{kind.value}_request", "attributes": attributes}}


@given(fleets, st.tuples(queries, queries), st.lists(formulas, min_size=1, max_size=3), st.booleans(), st.booleans())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_series_is_what_the_snapshots_say(
    store: EmbeddedStore,
    snapshots: list[ContainerSnapshot],
    wanted: tuple[dict[str, Any], dict[str, Any]],
    texts: list[str],
    is_flushed: bool,
    is_coarse: bool,
) -> None:
    org_id = stored(store, snapshots, is_flushed)
    step = 120 if is_coarse else 60
    body = asked(Kind.TIMESERIES, wanted, texts, step)
    request = parse_request(Kind.TIMESERIES, body, Visibility(org_id), now=MINUTE, retention_hours=YEARS)

    found = numbers_over_time(ContainerSeries(store.containers), request, CPUS)
    attributes = timeseries_answer(request, found.times, formulas_over_time(request, found))["data"]["attributes"]

    times = range(-(-(MINUTE - 60 * MINUTES) // step) * step, MINUTE + 1, step)
    of_queries = {}
    for name, query in zip("ab", wanted, strict=True):
        series = Oracle(snapshots).series(query, times)
        totals = {name: sum(value or 0 for value in values) for name, values in series.items()}
        of_queries[name] = {one: series[one] for one in chosen(query, totals)}
    expected = {
        (index, one): [
            computed(text, {name: of_queries[name][one][place] for name in names_of(text)})
            for place in range(len(times))
        ]
        for index, text in enumerate(texts)
        for one in set.intersection(*(set(of_queries[name]) for name in names_of(text)))
    }
    assert attributes["times"] == ([at * 1000 for at in times] if expected else [])
    assert {
        (one["query_index"], one["group_tags"][0].removeprefix("container_name:")): values
        for one, values in zip(attributes["series"], attributes["values"], strict=True)
    } == {key: approximately(values) for key, values in expected.items()}


@given(fleets, queries, st.sampled_from(sorted(AGGREGATORS)), st.booleans())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_scalar_is_what_the_snapshots_say(
    store: EmbeddedStore, snapshots: list[ContainerSnapshot], query: dict[str, Any], aggregator: str, is_flushed: bool
) -> None:
    org_id = stored(store, snapshots, is_flushed)
    body = asked(Kind.SCALAR, [query | {"aggregator": aggregator}], ["a"])
    request = parse_request(Kind.SCALAR, body, Visibility(org_id), now=MINUTE, retention_hours=YEARS)

    found = numbers_of_window(ContainerSeries(store.containers), request, CPUS)
    results = formulas_of_window(request, found)
    columns = scalar_answer(request, results)["data"]["attributes"]["columns"]

    times = range(MINUTE - 60 * MINUTES, MINUTE + 1, 60)
    totals = {
        name: AGGREGATORS[aggregator]([value for value in values if value is not None], 60)
        for name, values in Oracle(snapshots).series(query, times).items()
    }
    rows = chosen(query, totals)
    *groups, numbers = columns
    assert numbers["values"] == approximately([totals[name] for name in rows])
    assert [one for group in groups for (one,) in group["values"]] == rows


def test_of_too_many_minutes_of_containers_some_instants_are_left_out(
    store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = [containers_of(a_container("a", cpu_total_percent=n), taken_at=MINUTE - 30 - 60 * n) for n in range(6)]
    org_id = stored(store, told, True)
    query = {"data_source": "container", "metric": "container.cpu.total_pct"}
    body = asked(Kind.TIMESERIES, [query], ["a"])
    request = parse_request(Kind.TIMESERIES, body, Visibility(org_id), now=MINUTE, retention_hours=YEARS)
    monkeypatch.setattr(history, "MAX_ROWS", 3)

    found = numbers_over_time(ContainerSeries(store.containers), request)

    assert found.times == tuple(range(MINUTE - 360, MINUTE + 1, 120))
    assert found.of_queries == {"a": {"name-of-a": [None, 4, 2, 0]}}


def test_beyond_the_most_names_the_least_are_refused(store: EmbeddedStore) -> None:
    many = [a_container(f"c{n:04}", name=f"n{n:04}", threads=n) for n in range(MAX_COMMANDS + 1)]
    org_id = stored(store, [containers_of(*many, taken_at=MINUTE - 30)], False)

    def greatest(sort: str) -> list[str]:
        query = {"data_source": "container", "metric": "container.pid.thread_count", "limit": 2, "sort": sort}
        body = asked(Kind.TIMESERIES, [query], ["a"])
        request = parse_request(Kind.TIMESERIES, body, Visibility(org_id), now=MINUTE, retention_hours=YEARS)
        return list(numbers_over_time(ContainerSeries(store.containers), request).of_queries["a"])

    assert greatest("desc") == ["n2000", "n1999"]
    with pytest.raises(InvalidRequest, match="more than 2000 names of containers to look for the least of"):
        greatest("asc")


def stored(store: EmbeddedStore, snapshots: Sequence[ContainerSnapshot], is_flushed: bool) -> int:
    """For an org of its own."""
    org_id = next(_org_ids)
    store.containers.add([(org_id, one) for one in snapshots])
    if is_flushed:
        store.flush()
    return org_id
