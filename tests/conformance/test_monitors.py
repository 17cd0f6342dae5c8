"""Datadog's clients make, read, change, list, search, validate and delete monitors, keep webhooks and downtimes, and
ask for containers and for numbers of processes and containers.

Each language does the same, in an org of its own, and prints all that its client has understood.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import msgspec
import pytest

from procession.accounts.scopes import Scope
from procession.containers.container import Container, ContainerNumbers
from procession.process import ProcessNumbers
from tests.conformance.clients import Language, Run
from tests.conformance.conftest import LANGUAGES, Answers, Fleet, Keys, take_part
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.running import eventually

KEEPERS = [language for language in LANGUAGES if language.keep is not None]
every_language = pytest.mark.parametrize("language", KEEPERS, ids=lambda language: language.name)

QUERY = "processes('nginx').over('env:prod').by('host').rollup('count').last('5m') < 1"
OPTIONS: dict[str, Any] = {
    "thresholds": {"critical": 1.0, "warning": 2.5},
    "notify_no_data": True,
    "no_data_timeframe": 10,
    "renotify_interval": 60,
    "renotify_occurrences": 3,
    "renotify_statuses": ["alert", "no data"],
    "require_full_window": False,
    "include_tags": False,
    "new_host_delay": 0,
    "evaluation_delay": 60,
    "timeout_h": 2,
    "escalation_message": "still gone",
    "notification_preset_name": "hide_query",
}
MONITOR: dict[str, Any] = {
    "name": "nginx is gone",
    "type": "process alert",
    "query": QUERY,
    "message": "gone @webhook-oncall",
    "tags": ["team:web"],
    "priority": 2,
    "draft_status": "draft",
    "options": OPTIONS,
}
CHANGE: dict[str, Any] = {
    "name": "web is gone",
    "query": QUERY.replace("< 1", "< 2"),
    "priority": 5,
    "draft_status": "published",
    "options": {"thresholds": {"critical": 2.0}, "on_missing_data": "resolve"},
}
SECOND: dict[str, Any] = {"name": "too many", "type": "process alert", "query": "processes('').rollup('count_now') > 9"}
HOOK: dict[str, Any] = {
    "name": "oncall",
    "url": "https://example.org/hook",
    "payload": '{"title": "$EVENT_TITLE"}',
    "custom_headers": '{"Authorization": "Bearer $TOKEN"}',
    "encode_as": "form",
}
HOOK_CHANGE = {"url": "https://example.org/2", "encode_as": "json"}
SECRET = {"name": "TOKEN", "value": "s3cret", "is_secret": True}

NEXT_YEAR = datetime.now(UTC).replace(microsecond=0) + timedelta(days=365)
ONCE: dict[str, Any] = {
    "scope": "env:(staging OR prod)",
    "monitor_identifier": {"monitor_tags": ["team:web"]},
    "message": "deploy",
    "schedule": {"start": NEXT_YEAR.isoformat(), "end": (NEXT_YEAR + timedelta(hours=2)).isoformat()},
}
WEEKLY: dict[str, Any] = {
    "scope": "*",
    "monitor_identifier": {"monitor_tags": ["*"]},
    "schedule": {
        "timezone": "Europe/Berlin",
        "recurrences": [{"duration": "2h", "rrule": "FREQ=WEEKLY;BYDAY=SA", "start": f"{NEXT_YEAR:%Y-%m-%d}T20:00:00"}],
    },
    "mute_first_recovery_notification": True,
    "notify_end_states": ["alert"],
    "notify_end_types": ["canceled", "expired"],
}

BODIES: dict[str, Any] = {
    "monitor": MONITOR,
    "monitor update": CHANGE,
    "second monitor": SECOND,
    "bad query": MONITOR | {"query": QUERY.replace("< 1", "< x"), "options": {}},
    "other type": {"type": "metric alert", "query": "avg(last_5m):avg:system.load.1{*} > 4", "name": "load"},
    "webhook": HOOK,
    "webhook update": HOOK_CHANGE,
    "variable": SECRET,
    "variable update": {"value": "other"},
    "downtime once": {"data": {"type": "downtime", "attributes": ONCE}},
    "downtime weekly": {"data": {"type": "downtime", "attributes": WEEKLY}},
    "downtime update": {"data": {"type": "downtime", "id": "", "attributes": {"scope": "host:web-1"}}},
}
CPUS = 4
"""Of the host of NGINX."""
NGINX = a_snapshot(
    *(a_sighting(pid, numbers=ProcessNumbers(cpu_total_percent=12.5 * pid, rss_bytes=2**20 * pid)) for pid in (2, 6)),
    chunk_count=1,
)


def queries_at(moment: int) -> dict[str, Any]:
    """Bodies that ask for the numbers of NGINX, taken at this moment."""

    def body(kind: str, *queries: dict[str, Any], **attributes: Any) -> Any:
        asked = [{"data_source": "process"} | query for query in queries]
        attributes |= {"from": moment * 1000, "to": (moment + 30) * 1000, "queries": asked}
        return {"data": {"type": f"{kind}_request", "attributes": attributes}}

    cpu = {"name": "cpu", "metric": "process.stat.cpu.total_pct", "text_filter": "nginx", "tag_filters": ["host:web-1"]}
    rss = {"name": "rss", "metric": "process.stat.memory.rss", "limit": 5, "sort": "desc", "is_normalized_cpu": False}
    share = {"name": "share", "metric": "process.stat.cpu.total_pct", "is_normalized_cpu": True}
    formulas = [{"formula": "cpu"}, {"formula": "rss / 1048576"}, {"formula": "rss / cpu"}, {"formula": "share"}]
    limited = [one | {"limit": {"count": 3, "order": "desc"}} for one in formulas]
    return {
        "timeseries": body("timeseries", cpu, rss, share, interval=5000, formulas=formulas),
        "scalar": body(
            "scalar",
            cpu | {"aggregator": "max"},
            rss | {"aggregator": "last"},
            share | {"aggregator": "max"},
            formulas=limited,
        ),
        "two sources": body("timeseries", cpu, rss | {"data_source": "container", "metric": "container.memory.rss"}),
    }


IMAGE_TAGS = ("image_name:registry/shop", "image_tag:1.2")
CONTAINERS = tuple(
    Container(
        container_id=name * 64,
        runtime="docker",
        name=f"name-{name}",
        image_name="registry/shop",
        image_tags=("1.2",),
        state="running",
        created_at=NOON - 100,
        started_at=NOON + number,
        tags=(f"env:{'prod' if number < 3 else 'test'}", f"team:{'db' if number == 1 else 'web'}"),
        numbers=ContainerNumbers(cpu_total_percent=12.5 * number, memory_usage_bytes=2**20, memory_limit_bytes=2**22),
    )
    for number, name in enumerate("abcde")
)


def container_queries_at(moment: int) -> dict[str, Any]:
    """Bodies that ask for the numbers of CONTAINERS, taken two minutes before this moment."""

    def body(kind: str, *queries: dict[str, Any], **attributes: Any) -> Any:
        asked = [{"data_source": "container"} | query for query in queries]
        attributes |= {"from": (moment - 300) * 1000, "to": moment * 1000, "queries": asked}
        return {"data": {"type": f"{kind}_request", "attributes": attributes}}

    used = {"name": "used", "metric": "container.memory.usage", "tag_filters": ["env:prod"], "text_filter": "name-c"}
    most = {"name": "most", "metric": "container.memory.limit", "limit": 5, "sort": "asc", "is_normalized_cpu": False}
    cpu = {"name": "cpu", "metric": "container.cpu.total_pct", "limit": 2, "aggregator": "max"}
    part = [{"formula": "used"}, {"formula": "100 * used / most"}]
    return {
        "container timeseries": body("timeseries", used, most, interval=60_000, formulas=part),
        "container scalar": body("scalar", cpu, formulas=[{"formula": "cpu"}]),
    }


def shares(fleet: Fleet, keys: Keys, now: int) -> list[float]:
    """What NGINX uses of its host; empty as long as the server does not know how many CPUs that has."""
    return [one for one in fleet.server.scalars(queries_at(now)["scalar"], keys)["share"] if one is not None]


SCOPES = [Scope.MONITORS_READ, Scope.MONITORS_WRITE, Scope.MONITORS_DOWNTIME, Scope.MANAGE_INTEGRATIONS]


@pytest.fixture(scope="session")
def keeping(
    built: dict[str, str], fleet: Fleet, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Language], Answers]]:
    """What each language has kept; begun at once for all."""
    runs: dict[str, Run] = {}
    for language in KEEPERS:
        if language.name not in built:
            keys = fleet.server.new_org(f"{language.name}-monitors", SCOPES)
            now = int(time.time())
            fleet.server.take(msgspec.structs.replace(NGINX, taken_at=now), keys, cpus=CPUS)
            for taken_at in (now - 120, now):
                fleet.server.take_containers("web-1", CONTAINERS, taken_at, keys)
            # The server writes what it was told of hosts every two seconds.
            eventually(partial(shares, fleet, keys, now))
            asked = {
                "url": fleet.server.url,
                "api_key": keys.api_key,
                "application_key": keys.application_key,
                "bearer": "",
                "retry": False,
                "bodies": BODIES | queries_at(now) | container_queries_at(now),
            }
            runs[language.name] = language.start_keeping([asked], tmp_path_factory.mktemp(language.name) / "monitors")
    known: dict[str, Answers] = {}

    def answers_of(language: Language) -> Answers:
        take_part(built, language)
        if language.name not in known:
            known[language.name] = runs[language.name].results()
        return known[language.name]

    yield answers_of
    for run in runs.values():
        run.stop()


def shown(found: Any, expected: Any) -> Any:
    """What was found of what is expected: other fields are left out, and moments are compared, not how they look."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return {name: shown(found.get(name), value) for name, value in expected.items()}
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        return [shown(one, other) for one, other in zip(found, expected, strict=True)]
    return moment(found) if isinstance(expected, datetime) else found


def moment(text: Any) -> datetime:
    if isinstance(text, int | float):
        return datetime.fromtimestamp(text, UTC)
    return datetime.fromisoformat(str(text))


def value_of(answers: Answers, name: str) -> Any:
    assert answers[name]["status"] == 200, answers[name]
    return answers[name]["value"]


def has(answers: Answers, name: str, expected: Any) -> None:
    assert shown(value_of(answers, name), expected) == expected


def refusal(answers: Answers, name: str) -> tuple[int, str]:
    (message,) = answers[name]["errors"]
    return answers[name]["status"], message


@every_language
def test_a_client_does_all_there_is_to_do_with_a_monitor(
    language: Language, keeping: Callable[[Language], Answers]
) -> None:
    answers = keeping(language)

    has(answers, "keys", {"valid": True})
    assert answers["validate"]["status"] == answers["validate existing"]["status"] == 200
    kept = MONITOR | {"multi": True, "overall_state": "No Data", "options": OPTIONS | {"notify_audit": False}}
    has(answers, "create", kept)
    made = value_of(answers, "create")
    created_at = moment(made["created"])
    assert abs((datetime.now(UTC) - created_at).total_seconds()) < 3600
    has(answers, "read", kept | {"id": made["id"], "created": created_at, "matching_downtimes": []})
    assert not value_of(answers, "read")["state"].get("groups")
    changed = kept | CHANGE | {"id": made["id"], "created": created_at}
    has(answers, "update", changed)
    assert value_of(answers, "update")["options"].get("timeout_h") is None
    has(answers, "second", SECOND | {"tags": [], "multi": False, "draft_status": "published"})

    has(answers, "list", [{"id": made["id"], "name": "web is gone"}])
    has(answers, "pages", [{"id": made["id"]}, {"id": value_of(answers, "second")["id"]}])
    has(answers, "search", {"metadata": {"total_count": 1}, "monitors": [{"id": made["id"], "status": "No Data"}]})
    assert not value_of(answers, "search groups").get("groups")
    has(answers, "can delete", {"data": {"ok": [made["id"]]}})
    has(answers, "delete", {"deleted_monitor_id": made["id"]})
    assert refusal(answers, "gone") == (404, "Monitor not found")


@every_language
def test_a_client_is_told_what_is_wrong(language: Language, keeping: Callable[[Language], Answers]) -> None:
    answers = keeping(language)

    status, message = refusal(answers, "bad query")
    assert (status, "expected a number at character" in message) == (400, True)
    status, message = refusal(answers, "other type")
    assert (status, "does not evaluate monitors of the type 'metric alert'" in message) == (400, True)


@every_language
def test_a_client_keeps_webhooks_and_reads_no_secret_back(
    language: Language, keeping: Callable[[Language], Answers]
) -> None:
    answers = keeping(language)

    has(answers, "webhook", HOOK)
    has(answers, "webhook read", HOOK)
    has(answers, "webhook update", HOOK | HOOK_CHANGE)
    assert answers["webhook delete"]["status"] == 200
    assert refusal(answers, "webhook gone")[0] == 404
    for name in ("variable", "variable read", "variable update"):
        has(answers, name, {"name": "TOKEN", "is_secret": True})
        assert "value" not in value_of(answers, name)
    assert answers["variable delete"]["status"] == 200


@every_language
def test_a_client_keeps_downtimes(language: Language, keeping: Callable[[Language], Answers]) -> None:
    answers = keeping(language)
    begin, end = NEXT_YEAR, NEXT_YEAR + timedelta(hours=2)
    schedule = {"start": begin, "end": end}
    once = value_of(answers, "downtime once")["data"]["id"]
    weekly = value_of(answers, "downtime weekly")["data"]["id"]

    attributes = ONCE | {"status": "scheduled", "schedule": schedule}
    has(answers, "downtime once", {"data": {"type": "downtime", "attributes": attributes}})
    for name in ("downtime weekly", "downtime read"):
        has(answers, name, {"data": {"id": weekly, "attributes": WEEKLY}})
        current = value_of(answers, name)["data"]["attributes"]["schedule"]["current_downtime"]
        assert moment(current["end"]) - moment(current["start"]) == timedelta(hours=2)
    changed = attributes | {"scope": "host:web-1"}
    has(answers, "downtime update", {"data": {"id": once, "attributes": changed}})
    assert {one["id"] for one in value_of(answers, "downtimes")} == {once, weekly}
    matches = {one["id"]: one["attributes"] for one in value_of(answers, "downtimes of the monitor")["data"]}
    assert set(matches) == {once, weekly}
    assert (matches[once]["scope"], moment(matches[once]["start"])) == ("host:web-1", begin)
    assert answers["downtime cancel"]["status"] == 200
    has(answers, "downtime canceled", {"data": {"attributes": {"status": "canceled", "scope": "host:web-1"}}})


@every_language
def test_a_client_reads_numbers_of_processes(language: Language, keeping: Callable[[Language], Answers]) -> None:
    answers = keeping(language)

    for name in ("timeseries", "scalar"):
        assert answers[name]["status"] == 200, answers[name]
    attributes = value_of(answers, "timeseries")["data"]["attributes"]
    assert [(one["group_tags"], one["query_index"]) for one in attributes["series"]] == [
        (["command:nginx"], index) for index in range(4)
    ]
    assert attributes["series"][0]["unit"][0]["short_name"] == "%"
    assert len(attributes["times"]) == len(attributes["values"][0]) > 0
    assert [set(values) for values in attributes["values"]] == [{100.0}, {8.0}, {8 * 2**20 / 100}, {100 / CPUS}]
    columns = value_of(answers, "scalar")["data"]["attributes"]["columns"]
    assert [(one["name"], one["type"], one["values"]) for one in columns] == [
        ("command", "group", [["nginx"]]),
        ("cpu", "number", [100.0]),
        ("rss / 1048576", "number", [8.0]),
        ("rss / cpu", "number", [8 * 2**20 / 100]),
        ("share", "number", [100 / CPUS]),
    ]
    assert columns[2]["meta"]["unit"][0]["name"] == "byte"


@every_language
def test_a_client_reads_containers_page_by_page_by_tags_and_in_groups(
    language: Language, keeping: Callable[[Language], Answers]
) -> None:
    answers = keeping(language)

    listed = value_of(answers, "containers")
    assert [one["id"] for one in listed] == [one.container_id for one in reversed(CONTAINERS)]
    assert [one["type"] for one in listed] == ["container"] * 5
    attributes = {
        "name": "name-e",
        "host": "web-1",
        "container_id": "e" * 64,
        "image_name": "registry/shop",
        "image_tags": ["1.2"],
        "state": "running",
        "tags": sorted(
            [*CONTAINERS[4].tags, "host:web-1", f"container_id:{'e' * 64}", *IMAGE_TAGS, "container_name:name-e"]
        ),
    }
    assert shown(listed[0]["attributes"], attributes) == attributes
    begun = (listed[0]["attributes"][name] for name in ("created_at", "started_at"))
    assert [moment(text).replace(tzinfo=UTC).timestamp() for text in begun] == [NOON - 100, NOON + 4]
    production = value_of(answers, "containers of production")
    assert [one["attributes"]["name"] for one in production["data"]] == ["name-a", "name-c"]
    assert production["meta"]["pagination"]["total"] == 2
    groups = value_of(answers, "container groups")
    assert [(one["type"], one["id"], one["attributes"]["count"]) for one in groups] == [
        ("container_group", "env:prod,team:db", 1),
        ("container_group", "env:prod,team:web", 2),
        ("container_group", "env:test,team:web", 2),
    ]


@every_language
def test_a_client_reads_numbers_of_containers(language: Language, keeping: Callable[[Language], Answers]) -> None:
    answers = keeping(language)

    attributes = value_of(answers, "container timeseries")["data"]["attributes"]
    assert [(one["group_tags"], one["query_index"]) for one in attributes["series"]] == [
        (["container_name:name-c"], index) for index in range(2)
    ]
    assert attributes["series"][0]["unit"][0]["name"] == "byte"
    assert len(attributes["times"]) == len(attributes["values"][0]) == 5
    known = [[value for value in values if value is not None] for values in attributes["values"]]
    assert known == [[2.0**20], [25.0]]
    columns = value_of(answers, "container scalar")["data"]["attributes"]["columns"]
    assert [(one["name"], one["type"], one["values"]) for one in columns] == [
        ("container_name", "group", [["name-e"], ["name-d"]]),
        ("cpu", "number", [50.0, 37.5]),
    ]


@every_language
def test_a_client_is_told_what_is_not_answered(language: Language, keeping: Callable[[Language], Answers]) -> None:
    answers = keeping(language)

    status, message = refusal(answers, "two sources")
    assert (status, "ask for processes and for containers apart" in message) == (400, True)
    status, message = refusal(answers, "bad containers")
    assert (status, "Invalid query parameter sort: " in message) == (400, True)
    status, message = refusal(answers, "elsewhere")
    assert (status, "Procession answers /api/v1/" in message) == (404, True)
