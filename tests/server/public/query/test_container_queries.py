"""Datadog's queries over the numbers of containers: what they answer, and what they refuse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from procession.accounts.hosts import HostNotice
from procession.accounts.visibility import Visibility
from procession.config import ServerSettings
from procession.containers.container import NUMBERS
from procession.containers.metrics import CONTAINER_METRICS
from procession.server.public.query.body import MAX_POINTS, Kind, parse_request
from tests.server.public.query.test_queries import BYTE, MINUTE, OTHER, PERCENT, SCALAR, SECOND, TIMESERIES
from tests.support.containers import a_container, containers_of
from tests.support.served import ORG, OTHER_ORG, READER, Client, Served, a_store

EVERY_NUMBER: dict[str, Any] = dict.fromkeys(NUMBERS, 1)


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """Three minutes of two hosts: web on both, db on one; web-2 has one without a name in the last minute. Another org
    has one with every number."""
    served = Served(a_store(), settings=ServerSettings(own_rate_limit=0))
    for number in range(3):
        at = MINUTE - 150 + 60 * number
        first = [
            a_container("a", tags=("env:prod",), name="web", cpu_total_percent=1.0, memory_usage_bytes=100),
            a_container("b", name="db", cpu_total_percent=30.0 - number, memory_usage_bytes=5000),
        ]
        second = [a_container("c", "web-2", name="web", cpu_total_percent=2.0 * number, memory_limit_bytes=400)]
        if number == 2:
            second.append(a_container("0123abc", "web-2", name="", memory_usage_bytes=10))
        served.store.containers.add([(ORG, containers_of(*first, host="web-1", taken_at=at))])
        served.store.containers.add([(ORG, containers_of(*second, host="web-2", taken_at=at + 7))])
    whole = a_container("w", name="whole", **EVERY_NUMBER)
    served.store.containers.add([(OTHER_ORG, containers_of(whole, taken_at=MINUTE - 30))])
    served.store.put_host_notices([HostNotice(ORG, "web-1", cpus=4), HostNotice(OTHER_ORG, "web-2", cpus=2)])
    client = Client(served.app())
    yield client
    client.close()


def query(name: str = "a", **fields: Any) -> dict[str, Any]:
    return {"data_source": "container", "name": name, "metric": "container.cpu.total_pct"} | fields


def body(kind: str, *queries: dict[str, Any], **attributes: Any) -> dict[str, Any]:
    window = {"from": (MINUTE - 120) * 1000, "to": MINUTE * 1000 + 1}
    interval = {"interval": 60_000} if kind == "timeseries" else {}
    given = window | interval | {"queries": list(queries or [query()])} | attributes
    return {"data": {"type": f"{kind}_request", "attributes": given}}


def attributes_of(client: Client, path: str, sent: Any, reader: dict[str, str] = READER) -> dict[str, Any]:
    answer = client.post(path, json=sent, headers=reader)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["data"]["attributes"]
    return found


def series(client: Client, *queries: dict[str, Any], **attributes: Any) -> dict[str, list[float | None]]:
    found = attributes_of(client, TIMESERIES, body("timeseries", *queries, **attributes))
    return {
        f"{one['query_index']} {one['group_tags'][0]}": values
        for one, values in zip(found["series"], found["values"], strict=True)
    }


def columns(client: Client, *queries: dict[str, Any], **attributes: Any) -> dict[str, Any]:
    found = attributes_of(client, SCALAR, body("scalar", *queries, **attributes))
    return {one["name"]: one["values"] for one in found["columns"]}


def refusal(client: Client, path: str, sent: Any) -> str:
    answer = client.post(path, json=sent, headers=READER)
    assert answer.status_code == 400, answer.text
    (message,) = answer.json()["errors"]
    return str(message)


def test_a_series_is_the_sum_of_a_name_in_each_minute(client: Client) -> None:
    found = attributes_of(client, TIMESERIES, body("timeseries"))

    assert found["times"] == [(MINUTE - 120 + 60 * number) * 1000 for number in range(3)]
    assert found["series"][0] == {"group_tags": ["container_name:db"], "query_index": 0, "unit": [PERCENT, None]}
    assert found["values"] == [[30, 29, 28], [1, 3, 5]]


def test_one_without_a_name_is_under_its_id_and_a_count_is_0_where_it_was_not(client: Client) -> None:
    found = series(client, query(metric="container.count", limit=100))

    assert found == {
        "0 container_name:web": [2, 2, 2],
        "0 container_name:db": [1, 1, 1],
        "0 container_name:0123abc": [0, 0, 1],
    }


def test_filters_sort_and_limit_choose_containers(client: Client) -> None:
    memory = query(metric="container.memory.usage", sort="asc", limit=2)

    assert list(series(client, query(limit=1))) == ["0 container_name:db"]
    assert list(series(client, memory)) == ["0 container_name:0123abc", "0 container_name:web"]
    assert series(client, query(tag_filters=["env:prod"])) == {"0 container_name:web": [1, 1, 1]}
    assert series(client, query(text_filter="host:web-2 !nobody")) == {"0 container_name:web": [0, 2, 4]}
    assert series(client, query(text_filter="B OR nobody", tag_filters=["container_id:b"])).keys() == {
        "0 container_name:db"
    }
    assert series(client, query(text_filter="nobody")) == {}


def test_formulas_are_of_the_names_that_all_of_their_queries_have(client: Client) -> None:
    queries = query("used", metric="container.memory.usage"), query("most", metric="container.memory.limit")

    assert series(client, *queries, formulas=[{"formula": "100 * used / most"}]) == {
        "0 container_name:web": [25, 25, 25]
    }


@pytest.mark.parametrize(("aggregator", "db", "web"), [("avg", 29, 3), ("max", 30, 5), ("last", 28, 5), ("sum", 87, 9)])
def test_numbers_of_a_window_become_one(client: Client, aggregator: str, db: float, web: float) -> None:
    found = columns(client, query(aggregator=aggregator), **{"from": (MINUTE - 1800) * 1000})

    assert found == {"container_name": [["db"], ["web"]], "a": [db, web]}


@pytest.mark.parametrize(("interval", "step"), [(1, 60), (60_000, 60), (61_000, 120), (None, 60)])
def test_instants_are_whole_minutes(client: Client, interval: int | None, step: int) -> None:
    sent = body("timeseries")
    del sent["data"]["attributes"]["interval"]
    if interval is not None:
        sent["data"]["attributes"]["interval"] = interval

    found = attributes_of(client, TIMESERIES, sent)

    assert found["times"] == [at * 1000 for at in range(-(-(MINUTE - 120) // step) * step, MINUTE + 1, step)]


def test_a_window_within_a_minute_has_the_minute_that_was_over_last(client: Client) -> None:
    window: dict[str, Any] = {"from": (MINUTE - 40) * 1000, "to": (MINUTE - 20) * 1000}

    assert series(client, **window) == {"0 container_name:db": [29], "0 container_name:web": [3]}


def test_a_week_has_no_more_points_than_the_bound() -> None:
    sent = body("timeseries", **{"from": (MINUTE - 7 * 86400 + 60) * 1000})

    request = parse_request(Kind.TIMESERIES, sent, Visibility(ORG), now=MINUTE, retention_hours=168)

    assert request.window is not None
    step, rest = divmod(request.window.to_at - request.window.from_at, request.points)
    assert (step, rest, request.window.from_at % step) == (1260, 0, 0)
    assert request.points < MAX_POINTS


@pytest.mark.parametrize("metric", CONTAINER_METRICS)
def test_each_metric_is_answered_with_its_unit(client: Client, metric: str) -> None:
    measure = CONTAINER_METRICS[metric].measure

    found = attributes_of(client, TIMESERIES, body("timeseries", query(metric=metric)), OTHER)

    assert found["values"][0][-1] == 1
    unit = found["series"][0]["unit"]
    if measure.endswith("_bytes"):
        assert unit == [BYTE, None]
    elif measure.endswith("bytes_per_second"):
        assert unit == [BYTE, SECOND]
    elif measure.endswith("_percent"):
        assert unit == [PERCENT, None]
    elif measure.endswith("_per_second"):
        assert unit[0]["name"] == "packet"
        assert unit[1] == SECOND
    else:
        assert unit is None


def test_every_number_has_a_metric() -> None:
    assert {metric.measure for metric in CONTAINER_METRICS.values()} == {*NUMBERS, "count"}


def test_an_org_never_sees_the_containers_of_another(client: Client) -> None:
    found = attributes_of(client, TIMESERIES, body("timeseries", query(limit=100)), OTHER)

    assert [one["group_tags"] for one in found["series"]] == [["container_name:whole"]]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"data_source": "process"}, "Invalid query 2: its data_source is not that of query 1"),
        (
            {"data_source": "metrics"},
            "Invalid query 2: the data_source 'metrics' is not answered; process and container are",
        ),
        ({"data_source": ["container"]}, "Invalid query 2: a query without a data_source is not answered"),
        ({"metric": "process.stat.cpu.total_pct"}, "Invalid query 2: its metric is none of container.cpu.total_pct, "),
        ({"limit": 101}, "Invalid query 2: its limit is not from 1 to 100"),
        ({"text_filter": "(a"}, "Invalid query 2: its text_filter: "),
        ({"is_normalized_cpu": "yes"}, "Invalid query 2: Expected `bool`, got `str` - at `$.is_normalized_cpu`"),
        ({"group_by": ["host"]}, "Invalid query 2: Object contains unknown field `group_by`"),
        ({"aggregator": "percentile"}, "Invalid query 2: its aggregator is none of avg, "),
    ],
)
def test_a_query_beyond_the_grammar_is_refused_by_name(client: Client, fields: dict[str, Any], message: str) -> None:
    assert refusal(client, SCALAR, body("scalar", query("ok"), query() | fields)).startswith(message)


def test_normalized_cpu_is_in_percent_of_all_cpus_of_the_hosts_that_say_how_many_they_have(client: Client) -> None:
    queries = query("a", is_normalized_cpu=True), query("b", metric="container.memory.usage", is_normalized_cpu=True)

    found = series(client, *queries)

    assert {name: values for name, values in found.items() if name.startswith("0")} == {
        "0 container_name:db": [7.5, 7.25, 7.0],
        "0 container_name:web": [0.25, 0.25, 0.25],
    }
    assert found["1 container_name:db"] == [5000, 5000, 5000]
