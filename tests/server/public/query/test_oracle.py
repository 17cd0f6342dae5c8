"""What queries answer of the store of a data folder, in its live table and in its history, is what plain Python makes
of the same snapshots."""

from __future__ import annotations

import ast
import itertools
import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from procession.accounts.visibility import Visibility
from procession.process import ProcessNumbers, Snapshot
from procession.server.public.query.answers import scalar_answer, timeseries_answer
from procession.server.public.query.body import Kind, parse_request
from procession.server.public.query.numbers import numbers_of_window, numbers_over_time
from procession.server.public.query.results import formulas_of_window, formulas_over_time
from procession.storage.embedded.store import EmbeddedStore
from tests.server.public.query.conftest import MINUTE, YEARS
from tests.support.builders import a_sighting, a_snapshot

STEP = 20
MEASURES = {"process.stat.cpu.total_pct": "cpu_total_percent", "process.stat.memory.rss": "rss_bytes"}

_org_ids = itertools.count(1)

Number = float | None


@st.composite
def fleets(draw: st.DrawFn) -> list[Snapshot]:
    """Up to three hosts over two minutes, each of which takes a snapshot now and then."""
    found = []
    for host in draw(st.lists(st.sampled_from(["web-1", "web-2", "db-1"]), min_size=1, unique=True)):
        for taken_at in draw(st.lists(st.integers(MINUTE - 120, MINUTE - 1), min_size=1, max_size=4, unique=True)):
            sightings = [
                a_sighting(
                    pid,
                    MINUTE - 9000,
                    command=f"command-{pid % 4}",
                    tags=("env:prod",) if pid % 3 else (),
                    numbers=ProcessNumbers(
                        cpu_total_percent=draw(st.none() | st.integers(0, 800).map(lambda one: one / 4)),
                        rss_bytes=draw(st.none() | st.integers(0, 2**40)),
                    ),
                )
                for pid in draw(st.lists(st.integers(2, 9), max_size=6, unique=True))
            ]
            found.append(a_snapshot(*sightings, host=host, taken_at=taken_at, chunk_count=1))
    return found


queries = st.fixed_dictionaries(
    {
        "data_source": st.just("process"),
        "metric": st.sampled_from([*MEASURES, "process.stat.count"]),
        "tag_filters": st.sampled_from([[], ["env:prod"], ["!env:prod"], ["host:web-1"]]),
        "limit": st.integers(1, 4),
        "sort": st.sampled_from(["asc", "desc"]),
        "is_normalized_cpu": st.booleans(),
    }
)
CPUS = {"web-1": 4, "db-1": 96}
"""Of web-2 it is not known."""
formulas = st.sampled_from(["a", "b", "a + b", "100 * a / (a + b)", "-a - 1", "b / a"])


class Oracle:
    """Knows the snapshots; each has all processes of its host."""

    def __init__(self, snapshots: Sequence[Snapshot]) -> None:
        self.snapshots = snapshots

    def at(self, query: Mapping[str, Any], at: int) -> tuple[bool, dict[str, Number]]:
        """Whether any host that counts is known of, and the sums by command."""
        newest: dict[str, Snapshot] = {}
        names_host = query["tag_filters"] == ["host:web-1"]
        for one in sorted(self.snapshots, key=lambda one: one.taken_at):
            if at - 60 <= one.taken_at <= at and (one.host == "web-1" or not names_host):
                newest[one.host] = one
        values: defaultdict[str, list[float]] = defaultdict(list)
        for snapshot in newest.values():
            for sighting in snapshot.sightings:
                if query["tag_filters"] == ["env:prod"] and "env:prod" not in sighting.description.tags:
                    continue
                if query["tag_filters"] == ["!env:prod"] and "env:prod" in sighting.description.tags:
                    continue
                known = values[sighting.description.command]
                if query["metric"] == "process.stat.count":
                    known.append(1)
                elif (number := getattr(sighting.numbers, MEASURES[query["metric"]])) is not None:
                    if not (query["is_normalized_cpu"] and query["metric"] == "process.stat.cpu.total_pct"):
                        known.append(number)
                    elif snapshot.host in CPUS:
                        known.append(number / CPUS[snapshot.host])
        return bool(newest), {command: sum(those) if those else None for command, those in values.items()}

    def series(self, query: Mapping[str, Any], times: Sequence[int]) -> dict[str, list[Number]]:
        found = [self.at(query, at) for at in times]
        commands = {command for _, values in found for command in values}
        is_count = query["metric"] == "process.stat.count"
        series = {
            command: [values.get(command, 0 if is_count and known else None) for known, values in found]
            for command in commands
        }
        return {command: values for command, values in series.items() if any(one is not None for one in values)}


def chosen(query: Mapping[str, Any], totals: Mapping[str, float]) -> list[str]:
    sign = -1 if query["sort"] == "desc" else 1
    return sorted(totals, key=lambda command: (sign * totals[command], command))[: query["limit"]]


def computed(text: str, values: Mapping[str, Number]) -> Number:
    names = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    if any(values[name] is None for name in names):
        return None
    try:
        return float(eval(text, {"__builtins__": {}}, dict(values)))  # noqa: S307 (of the texts above)
    except ZeroDivisionError:
        return None


def names_of(text: str) -> list[str]:
    return [name for name in "ab" if name in text]


def asked(kind: Kind, wanted: Sequence[Mapping[str, Any]], texts: Sequence[str]) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        "from": (MINUTE - 120) * 1000,
        "to": MINUTE * 1000,
        "queries": [{"name": name, **query} for name, query in zip("ab", wanted, strict=True)],
        "formulas": [{"formula": text} for text in texts],
    }
    if kind is Kind.TIMESERIES:
        attributes["interval"] = STEP * 1000
    return {"data": {"type": f"{kind.value}_request", "attributes": attributes}}


@given(fleets(), st.tuples(queries, queries), st.lists(formulas, min_size=1, max_size=3), st.booleans())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_series_is_what_the_snapshots_say(
    store: EmbeddedStore,
    snapshots: list[Snapshot],
    wanted: tuple[dict[str, Any], dict[str, Any]],
    texts: list[str],
    is_flushed: bool,
) -> None:
    org_id = stored(store, snapshots, is_flushed)
    request = parse_request(
        Kind.TIMESERIES, asked(Kind.TIMESERIES, wanted, texts), Visibility(org_id), now=MINUTE, retention_hours=YEARS
    )

    found = numbers_over_time(store.analysis, request, CPUS)
    attributes = timeseries_answer(request, found.times, formulas_over_time(request, found))["data"]["attributes"]

    times = range(-(-(MINUTE - 120) // STEP) * STEP, MINUTE, STEP)
    of_queries = {}
    for name, query in zip("ab", wanted, strict=True):
        series = Oracle(snapshots).series(query, times)
        totals = {command: sum(value or 0 for value in values) for command, values in series.items()}
        of_queries[name] = {command: series[command] for command in chosen(query, totals)}
    expected = {
        (index, command): [
            computed(text, {name: of_queries[name][command][place] for name in names_of(text)})
            for place in range(len(times))
        ]
        for index, text in enumerate(texts)
        for command in set.intersection(*(set(of_queries[name]) for name in names_of(text)))
    }
    assert attributes["times"] == ([at * 1000 for at in times] if expected else [])
    assert {
        (one["query_index"], one["group_tags"][0].removeprefix("command:")): values
        for one, values in zip(attributes["series"], attributes["values"], strict=True)
    } == {key: approximately(values) for key, values in expected.items()}


AGGREGATORS: dict[str, Callable[[Sequence[float], int], float]] = {
    "avg": lambda values, _: sum(values) / len(values),
    "min": lambda values, _: min(values),
    "max": lambda values, _: max(values),
    "sum": lambda values, _: sum(values),
    "last": lambda values, _: values[-1],
    "l2norm": lambda values, _: math.sqrt(sum(value * value for value in values)),
    "area": lambda values, step: sum(values) * step,
}


@given(fleets(), queries, st.sampled_from(sorted(AGGREGATORS)), st.booleans())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_scalar_is_what_the_snapshots_say(
    store: EmbeddedStore, snapshots: list[Snapshot], query: dict[str, Any], aggregator: str, is_flushed: bool
) -> None:
    org_id = stored(store, snapshots, is_flushed)
    body = asked(Kind.SCALAR, [query | {"aggregator": aggregator}, query], ["a"])
    request = parse_request(Kind.SCALAR, body, Visibility(org_id), now=MINUTE, retention_hours=YEARS)

    results = formulas_of_window(request, numbers_of_window(store.analysis, request, CPUS))
    columns = scalar_answer(request, results)["data"]["attributes"]["columns"]

    times = range(-(-(MINUTE - 120) // 5) * 5, MINUTE, 5)
    totals = {
        command: AGGREGATORS[aggregator]([value for value in values if value is not None], 5)
        for command, values in Oracle(snapshots).series(query, times).items()
    }
    rows = chosen(query, totals)
    *groups, numbers = columns
    assert numbers["values"] == approximately([totals[command] for command in rows])
    assert {one for group in groups for (one,) in group["values"]} == set(rows)


def stored(store: EmbeddedStore, snapshots: Sequence[Snapshot], is_flushed: bool) -> int:
    """For an org of its own."""
    org_id = next(_org_ids)
    store.add([(org_id, one) for one in snapshots])
    if is_flushed:
        store.flush()
    return org_id


def approximately(values: Sequence[Number]) -> list[Any]:
    return [None if value is None else pytest.approx(value, rel=1e-6, abs=1e-6) for value in values]
