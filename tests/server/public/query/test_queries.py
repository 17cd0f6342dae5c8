"""Datadog's queries over the numbers of processes: what they answer, and what they refuse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from procession.accounts.hosts import HostNotice
from procession.analysis import MEASURES
from procession.analysis.process_metrics import METRICS
from procession.config import ServerSettings
from procession.process import ProcessNumbers, Sighting
from procession.server.public.query.body import MAX_FORMULAS, MAX_POINTS, MAX_QUERIES
from procession.server.public.query.numbers import MAX_COMMANDS
from procession.server.public.query.queries import MAX_BODY_BYTES
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.served import ORG, OTHER_APPLICATION_KEY, OTHER_ORG, READER, Client, Served, a_store

TIMESERIES = "/api/v2/query/timeseries"
SCALAR = "/api/v2/query/scalar"
OTHER = {"authorization": f"Bearer {OTHER_APPLICATION_KEY}"}
MINUTE = NOON // 60 * 60
PERCENT = {"family": "percentage", "name": "percent", "plural": "percent", "scale_factor": 1.0, "short_name": "%"}
BYTE = {"family": "bytes", "name": "byte", "plural": "bytes", "scale_factor": 1.0, "short_name": "B"}
LATER: dict[str, Any] = {"from": (NOON + 60) * 1000, "to": (NOON + 120) * 1000}
EVERY_NUMBER: dict[str, Any] = dict.fromkeys(MEASURES, 1)
SECOND = {"family": "time", "name": "second", "plural": "seconds", "scale_factor": 1.0, "short_name": "s"}


def using(pid: int, command: str, cpu: float | None, rss: int | None = None, **fields: Any) -> Sighting:
    numbers = ProcessNumbers(cpu_total_percent=cpu, rss_bytes=rss)
    return a_sighting(pid, NOON - 9000, numbers=numbers, command=command, cmdline=command, **fields)


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """Three minutes of two hosts: nginx on both, java on one, and sh in the last minute, of which no cpu is known.
    Another org has one with every number, and many commands."""
    served = Served(a_store(), settings=ServerSettings(own_rate_limit=0))
    for number in range(3):
        at = MINUTE - 180 + 60 * number
        last = [using(4, "sh", None, 10)] if number == 2 else []
        first = [using(2, "nginx", 1.0, 100, tags=("env:prod",)), using(3, "nginx", 2.0 * number, 50)]
        served.store.add([(ORG, a_snapshot(*first, *last, host="web-1", taken_at=at))])
        served.store.add([(ORG, a_snapshot(using(2, "java", 30.0 - number, 5000), host="web-2", taken_at=at))])
    whole = a_sighting(9, command="whole", numbers=ProcessNumbers(**EVERY_NUMBER))
    many = [using(100 + number, f"many-{number}", 2.0 + number) for number in range(MAX_COMMANDS)]
    served.store.add([(OTHER_ORG, a_snapshot(whole, *many, host="db-1", taken_at=MINUTE - 60))])
    served.store.put_host_notices([HostNotice(ORG, "web-1", cpus=4), HostNotice(ORG, "web-2")])
    served.store.put_host_notices([HostNotice(OTHER_ORG, "web-2", cpus=2)])
    client = Client(served.app())
    yield client
    client.close()


def query(name: str = "a", **fields: Any) -> dict[str, Any]:
    return {"data_source": "process", "name": name, "metric": "process.stat.cpu.total_pct"} | fields


def body(kind: str, *queries: dict[str, Any], **attributes: Any) -> dict[str, Any]:
    window = {"from": (MINUTE - 180) * 1000, "to": MINUTE * 1000}
    interval = {"interval": 60_000} if kind == "timeseries" else {}
    given = window | interval | {"queries": list(queries or [query()])} | attributes
    return {"data": {"type": f"{kind}_request", "attributes": given}}


def series(
    client: Client, *queries: dict[str, Any], reader: Mapping[str, str] = READER, **attributes: Any
) -> dict[str, Any]:
    answer = client.post(TIMESERIES, json=body("timeseries", *queries, **attributes), headers=reader)
    assert answer.status_code == 200, answer.text
    data = answer.json()["data"]
    assert (data["id"], data["type"]) == ("0", "timeseries_response")
    found: dict[str, Any] = data["attributes"]
    return found


def by_command(found: dict[str, Any], index: int = 0) -> dict[str, list[float | None]]:
    return {
        one["group_tags"][0].removeprefix("command:"): values
        for one, values in zip(found["series"], found["values"], strict=True)
        if one["query_index"] == index
    }


def columns(client: Client, *queries: dict[str, Any], **attributes: Any) -> dict[str, Any]:
    answer = client.post(SCALAR, json=body("scalar", *queries, **attributes), headers=READER)
    assert answer.status_code == 200, answer.text
    data = answer.json()["data"]
    assert (data["id"], data["type"]) == ("0", "scalar_response")
    return {one["name"]: one["values"] for one in data["attributes"]["columns"]}


def refusal(client: Client, path: str, sent: Any, reader: dict[str, str] = READER) -> str:
    answer = client.post(path, json=sent, headers=reader)
    assert answer.status_code == 400, answer.text
    (message,) = answer.json()["errors"]
    return str(message)


# Over time


def test_a_series_is_the_sum_of_a_command_at_each_instant(client: Client) -> None:
    found = series(client)

    assert found["times"] == [(MINUTE - 180 + 60 * number) * 1000 for number in range(3)]
    assert by_command(found) == {"java": [30, 29, 28], "nginx": [1, 3, 5]}
    assert found["series"][0] == {"group_tags": ["command:java"], "query_index": 0, "unit": [PERCENT, None]}


def test_an_answer_has_the_media_type_of_datadogs(client: Client) -> None:
    answer = client.post(TIMESERIES, json=body("timeseries"), headers=READER)

    assert answer.headers["content-type"] == "application/vnd.api+json"


def test_what_is_not_there_at_an_instant_is_null_and_a_count_is_0(client: Client) -> None:
    queries = query("a", metric="process.stat.memory.rss"), query("b", metric="process.stat.count")

    found = series(client, *queries)

    assert by_command(found) == {"java": [5000, 5000, 5000], "nginx": [150, 150, 150], "sh": [None, None, 10]}
    assert by_command(found, 1) == {"nginx": [2, 2, 2], "java": [1, 1, 1], "sh": [0, 0, 1]}


def test_filters_sort_and_limit_choose_commands(client: Client) -> None:
    least = query(metric="process.stat.memory.rss", sort="asc", limit=2)

    assert list(by_command(series(client, query(limit=1)))) == ["java"]
    assert list(by_command(series(client, least))) == ["sh", "nginx"]
    assert list(by_command(series(client, query(text_filter="JAV OR nobody")))) == ["java"]
    assert by_command(series(client, query(tag_filters=["env:prod", "command:nginx"]))) == {"nginx": [1, 1, 1]}
    assert list(by_command(series(client, query(tag_filters=["!host:web-2"])))) == ["nginx"]


def test_formulas_are_of_the_commands_that_all_of_their_queries_have(client: Client) -> None:
    queries = query("cpu"), query("few", metric="process.stat.memory.rss", limit=1)

    found = series(client, *queries, formulas=[{"formula": "cpu / (few - 5000)"}, {"formula": "2 * cpu - 1"}])

    assert by_command(found) == {"java": [None, None, None]}
    assert by_command(found, 1) == {"java": [59, 57, 55], "nginx": [1, 5, 9]}
    assert [one["unit"] for one in found["series"]] == [None, [PERCENT, None], [PERCENT, None]]


def test_normalized_cpu_is_in_percent_of_all_cpus_of_the_hosts_that_say_how_many_they_have(client: Client) -> None:
    queries = (
        query("a", is_normalized_cpu=True),
        query("b"),
        query("c", metric="process.stat.memory.rss", is_normalized_cpu=True),
        query("d", metric="process.stat.count", is_normalized_cpu=True),
    )

    found = series(client, *queries)

    assert by_command(found) == {"nginx": [0.25, 0.75, 1.25]}
    assert by_command(found, 1) == {"java": [30, 29, 28], "nginx": [1, 3, 5]}
    assert by_command(found, 2) == {"java": [5000, 5000, 5000], "nginx": [150, 150, 150], "sh": [None, None, 10]}
    assert by_command(found, 3) == {"nginx": [2, 2, 2], "java": [1, 1, 1], "sh": [0, 0, 1]}
    assert found["series"][0]["unit"] == [PERCENT, None]
    scalar = columns(client, query("a", is_normalized_cpu=True, aggregator="max"), query("b", aggregator="max"))
    assert scalar == {"command": [["nginx"], ["java"]], "a": [1.25, None], "b": [5, 30]}


def test_the_limit_of_a_formula_has_no_effect_on_a_series(client: Client) -> None:
    found = series(client, formulas=[{"formula": "a", "limit": {"count": 1, "order": "asc"}}])

    assert list(by_command(found)) == ["java", "nginx"]


def test_where_nothing_is_found_the_answer_is_empty(client: Client) -> None:
    nothing: dict[str, list[Any]] = {"series": [], "times": [], "values": []}

    assert series(client, query(text_filter="nobody")) == nothing
    assert series(client, **LATER) == nothing


def test_an_org_never_sees_the_numbers_of_another(client: Client) -> None:
    found = series(client, query(limit=100), reader=OTHER)

    assert {"java", "nginx", "sh"}.isdisjoint(by_command(found))
    assert len(found["series"]) == 100


@pytest.mark.parametrize(
    ("since", "until", "interval", "times"),
    [
        (-180_000, -120_000, 60_000, [-180]),
        (-179_999, -119_999, 60_000, [-120]),
        (-180_000, -179_999, 60_000, [-180]),
        (-170_000, -150_000, 60_000, [-151]),
        (-180_000, 0, 90_000, [-150, -60]),
        (-10_000, 0, 1, [-10, -5]),
    ],
)
def test_instants_are_multiples_of_the_interval_and_the_end_is_not_in_the_window(
    client: Client, since: int, until: int, interval: int, times: list[int]
) -> None:
    window: dict[str, Any] = {"from": MINUTE * 1000 + since, "to": MINUTE * 1000 + until, "interval": interval}

    found = series(client, query(metric="process.stat.count"), **window)

    assert [at // 1000 - MINUTE for at in found["times"]] == times


def test_there_are_never_more_points_than_the_bound(client: Client) -> None:
    hour: dict[str, Any] = {"from": (MINUTE - 3600) * 1000, "interval": 1000}

    found = series(client, **hour)

    assert found["times"] == [at * 1000 for at in range(MINUTE - 3600, MINUTE, 10)]
    assert len(found["times"]) <= MAX_POINTS < 3600 / 5


@pytest.mark.parametrize("metric", METRICS)
def test_each_metric_is_answered_with_its_unit(client: Client, metric: str) -> None:
    measure = METRICS[metric].measure

    found = series(client, query(metric=metric, tag_filters=["command:whole"]), reader=OTHER)

    assert by_command(found)["whole"][-1] == 1
    unit = found["series"][0]["unit"]
    if measure.endswith("_bytes"):
        assert unit == [BYTE, None]
    elif measure.endswith("bytes_per_second"):
        assert unit == [BYTE, SECOND]
    elif measure.endswith("_percent"):
        assert unit == [PERCENT, None]
    elif measure.endswith("_per_second"):
        assert unit[1] == SECOND
    else:
        assert unit is None


def test_every_measure_has_a_metric() -> None:
    assert {metric.measure for metric in METRICS.values()} == {*MEASURES, "count"}


# One number


@pytest.mark.parametrize(
    ("aggregator", "java", "nginx"),
    [
        (None, 29, 3),
        ("avg", 29, 3),
        ("mean", 29, 3),
        ("min", 28, 1),
        ("max", 30, 5),
        ("sum", 87, 9),
        ("last", 28, 5),
        ("l2norm", 2525**0.5, 35**0.5),
        ("area", 87 * 60, 9 * 60),
    ],
)
def test_numbers_of_a_window_become_one(client: Client, aggregator: str | None, java: float, nginx: float) -> None:
    # An instant a minute: three hours and more of which all but three minutes have nothing.
    how = {} if aggregator is None else {"aggregator": aggregator}

    found = columns(client, query(**how), **{"from": (MINUTE - 3600) * 1000})

    assert found["command"] == [["java"], ["nginx"]]
    assert found["a"] == pytest.approx([java, nginx])


def test_a_scalar_is_sorted_and_limited_by_what_it_became(client: Client) -> None:
    last = query(metric="process.stat.count", aggregator="min", sort="asc", limit=2)

    assert columns(client, last) == {"command": [["sh"], ["java"]], "a": [0, 1]}
    assert columns(client, query(limit=1), **{"from": (MINUTE - 3600) * 1000}) == {"command": [["java"]], "a": [29]}


def test_formulas_of_a_scalar_have_limits_and_one_column_each(client: Client) -> None:
    queries = query("cpu", aggregator="max"), query("rss", metric="process.stat.memory.rss", aggregator="last")
    formulas = [
        {"formula": "cpu * 2", "limit": {"count": 1, "order": "asc"}},
        {"formula": "rss/cpu", "limit": {"count": 5, "order": "desc"}},
        {"formula": "rss", "limit": {"count": 1}},
    ]

    found = columns(client, *queries, formulas=formulas, **{"from": (MINUTE - 3600) * 1000})

    assert found == {
        "command": [["nginx"], ["java"]],
        "cpu * 2": [10, None],
        "rss/cpu": [30, pytest.approx(5000 / 30)],
        "rss": [None, 5000],
    }


def test_an_empty_scalar_has_a_column_with_its_unit(client: Client) -> None:
    answer = client.post(SCALAR, json=body("scalar", query(text_filter="nobody")), headers=READER)

    (column,) = answer.json()["data"]["attributes"]["columns"]
    assert column == {"name": "a", "type": "number", "values": [], "meta": {"unit": [PERCENT, None]}}


# What is refused


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"data_source": "container"},
            "its data_source is not that of query 1; ask for processes and for containers apart",
        ),
        ({"data_source": "metrics", "query": "avg:system.cpu{*}"}, "the data_source 'metrics' is not answered"),
        ({"data_source": None}, "a query without a data_source is not answered"),
        ({"metric": "process.stat.cpu"}, "its metric is none of process.stat.cpu.total_pct, "),
        ({"name": "a b"}, "its name is not made of letters, digits and _"),
        ({"name": ""}, "its name is not made of letters, digits and _"),
        ({"group_by": ["host"]}, "Object contains unknown field `group_by`"),
        ({"limit": 0}, "its limit is not from 1 to 100"),
        ({"limit": 101}, "its limit is not from 1 to 100"),
        ({"limit": "10"}, "Expected `int`, got `str` - at `$.limit`"),
        ({"sort": "up"}, "Invalid enum value 'up' - at `$.sort`"),
        ({"text_filter": "(a"}, "its text_filter: "),
        ({"text_filter": "a" * 4097}, "its text_filter has more than 4096 characters"),
        ({"tag_filters": ["a:b"] * 257}, "its tag_filters: it has more than 256 tags"),
        ({"tag_filters": "env:prod"}, "Expected `array`, got `str` - at `$.tag_filters`"),
        ({"cross_org_uuids": ["11111111-2222-3333-4444-555555555555"]}, "cross_org_uuids is not answered"),
        ({"is_normalized_cpu": 1}, "Expected `bool`, got `int` - at `$.is_normalized_cpu`"),
        ({"aggregator": "percentile"}, "its aggregator is none of avg, "),
        ({"x" * 5000: 1}, "Object contains unknown field `xxx"),
    ],
)
def test_a_query_beyond_the_grammar_is_refused_by_name(client: Client, fields: dict[str, Any], message: str) -> None:
    refused = refusal(client, SCALAR, body("scalar", query("ok"), query() | fields))

    assert refused.startswith("Invalid query 2: ")
    assert message in refused
    assert len(refused) < 1000


def test_a_series_has_no_aggregator(client: Client) -> None:
    refused = refusal(client, TIMESERIES, body("timeseries", query(aggregator="avg")))

    assert refused == "Invalid query 1: Object contains unknown field `aggregator`"


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"queries": []}, f"Invalid body: it has not 1 to {MAX_QUERIES} queries"),
        ({"queries": [query(f"q{n}") for n in range(MAX_QUERIES + 1)]}, f"it has not 1 to {MAX_QUERIES} queries"),
        ({"queries": [query(), query()]}, "Invalid body: two queries have one name"),
        ({"formulas": [{"formula": "a"}] * (MAX_FORMULAS + 1)}, f"it has more than {MAX_FORMULAS} formulas"),
        ({"formulas": [{"formula": "abs(a)"}]}, "Invalid formula: abs() is a function"),
        ({"formulas": [{"formula": "a", "limit": {"count": 0}}]}, "its limit.count is not from 1 to"),
        ({"formulas": [{"formula": "a", "alias": "x"}]}, "unknown field `alias` - at `$.formulas[0]`"),
        ({"from": -1}, "Invalid body: from is no moment in milliseconds"),
        ({"to": 10**17}, "Invalid body: to is no moment in milliseconds"),
        ({"from": MINUTE * 1000}, "Invalid body: from is not before to"),
        ({"from": (MINUTE - 8 * 86400) * 1000}, "Invalid body: from is more than 604800 seconds before to"),
        ({"from": 0, "to": 60_000}, "Only data from the past 168 hours are available"),
        ({"from": None}, "Expected `int`, got `null` - at `$.from`"),
        ({"interval": 0}, "Invalid body: interval is less than a millisecond"),
        ({"compare_to": "week"}, "Object contains unknown field `compare_to`"),
    ],
)
def test_a_body_beyond_the_grammar_is_refused_by_name(client: Client, attributes: dict[str, Any], message: str) -> None:
    assert message in refusal(client, TIMESERIES, body("timeseries", **attributes))


def test_what_is_no_request_is_refused(client: Client) -> None:
    def status(content: bytes) -> int:
        return client.post(TIMESERIES, content=content, headers=READER).status_code

    assert refusal(client, SCALAR, body("timeseries")) == "Invalid body: data.type is not scalar_request"
    assert [status(one) for one in (b"", b"[]", b"{", b"\xff", b'{"data": []}', b"[" * 60_000)] == [400] * 6
    assert status(b'{"data":' + b"[" * 60_000) == 400
    assert status(b" " * (MAX_BODY_BYTES + 1)) == 413


def test_formulas_that_would_take_too_long_are_refused(client: Client) -> None:
    formulas = [{"formula": "a" + "+a" * 249}]
    sent = body("timeseries", query(limit=100), formulas=formulas, **{"from": (MINUTE - 450) * 1000, "interval": 5000})

    assert refusal(client, TIMESERIES, sent, OTHER).endswith("which is more than 2000000; ask for fewer")


def test_the_least_of_too_many_commands_is_refused(client: Client) -> None:
    last: dict[str, Any] = {"from": (MINUTE - 60) * 1000}

    assert list(by_command(series(client, query(limit=1), reader=OTHER, **last))) == [f"many-{MAX_COMMANDS - 1}"]
    refused = refusal(client, TIMESERIES, body("timeseries", query(sort="asc"), **last), OTHER)
    assert refused.startswith(f"Invalid query a: there are more than {MAX_COMMANDS} commands to look for the least of")
