"""Datadog's routes of monitors, with bodies as they were recorded of the real endpoint and its Terraform provider."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from procession.monitors.query import parse_monitor_query
from procession.notifications.template_names import check_message
from procession.server.web.openapi import load_document
from tests.support.builders import NOON
from tests.support.served import API_KEY, OTHER_API_KEY, OTHER_APPLICATION_KEY, READER, Client, Served

DOCUMENTATION = Path(__file__).parents[3] / "docs" / "monitors.md"
PATH = "/api/v1/monitor"
QUERY = "processes('nginx').over('env:prod').by('host').rollup('count').last('5m') < 1"
OTHER = {"dd-api-key": OTHER_API_KEY, "dd-application-key": OTHER_APPLICATION_KEY}

SENT_BY_TERRAFORM: dict[str, Any] = {
    "draft_status": "published",
    "message": "some message Notify: @hipchat-channel",
    "name": "tf-test",
    "options": {
        "escalation_message": "the situation has escalated @pagerduty",
        "evaluation_delay": 700,
        "include_tags": True,
        "new_group_delay": 500,
        "new_host_delay": 300,
        "notification_preset_name": "hide_query",
        "notify_no_data": False,
        "renotify_interval": 60,
        "renotify_occurrences": 5,
        "renotify_statuses": ["alert", "warn"],
        "require_full_window": True,
        "thresholds": {"critical": 2, "critical_recovery": 1.5, "warning": 1, "warning_recovery": 0.5},
        "timeout_h": 1,
    },
    "priority": 3,
    "query": "processes('java').rollup('count').last('5m') > 2",
    "restricted_roles": None,
    "tags": ["baz", "foo:bar"],
    "type": "process alert",
}

KEYS = [
    "id",
    "org_id",
    "type",
    "name",
    "message",
    "tags",
    "query",
    "options",
    "multi",
    "created_at",
    "created",
    "modified",
    "deleted",
    "priority",
    "restricted_roles",
    "draft_status",
    "assets",
    "overall_state_modified",
    "overall_state",
    "creator",
]


def created(client: Client, **changes: Any) -> dict[str, Any]:
    answer = client.post(PATH, json={"type": "process alert", "name": "a", "query": QUERY} | changes, headers=READER)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def refusal(client: Client, **changes: Any) -> str:
    body = {"type": "process alert", "name": "a", "query": QUERY} | changes
    answers = [client.post(path, json=body, headers=READER) for path in (PATH, f"{PATH}/validate")]
    assert [one.status_code for one in answers] == [400, 400]
    ((message,), (same,)) = [one.json()["errors"] for one in answers]
    assert message == same
    return str(message)


def test_what_terraform_sends_is_echoed_with_all_keys_in_order(client: Client) -> None:
    answer = client.post(PATH, json=SENT_BY_TERRAFORM, headers=READER)

    found = answer.json()
    assert answer.status_code == 200
    keys = KEYS.copy()
    keys.insert(KEYS.index("draft_status"), "restriction_policy")
    assert list(found) == keys
    assert {name: found[name] for name in SENT_BY_TERRAFORM if name != "options"} == {
        name: value for name, value in SENT_BY_TERRAFORM.items() if name != "options"
    }
    assert found["options"] == SENT_BY_TERRAFORM["options"] | {"notify_audit": False, "silenced": {}}
    assert (found["multi"], found["deleted"], found["assets"]) == (False, None, [])
    assert found["created_at"] // 1000 == NOON
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00", found["created"])
    assert list(found["creator"]) == ["name", "handle", "email", "id"]
    assert found["overall_state"] == "No Data"

    shown = client.get(f"{PATH}/{found['id']}?with_assets=true", headers=READER).json()
    assert list(shown) == KEYS
    assert shown == {name: found[name] for name in KEYS}


def test_defaults_are_added_where_nothing_was_sent(client: Client) -> None:
    assert created(client)["options"] == {
        "notify_audit": False,
        "silenced": {},
        "include_tags": True,
        "new_host_delay": 300,
        "notify_no_data": False,
    }


def test_null_options_come_back_as_null(client: Client) -> None:
    assert created(client, options={"no_data_timeframe": None})["options"]["no_data_timeframe"] is None


def test_what_the_java_client_sends_in_every_monitor_is_taken(client: Client) -> None:
    sent = {"min_failure_duration": 0, "min_location_failed": 1, "notify_by": []}

    assert sent.items() <= created(client, options=sent)["options"].items()


def test_an_update_replaces_the_options_whole_and_leaves_what_it_does_not_name(client: Client) -> None:
    monitor = created(client, tags=["a"], priority=2, options={"timeout_h": 3})

    answer = client.request("PUT", f"{PATH}/{monitor['id']}", json={"options": {"locked": False}}, headers=READER)

    changed = answer.json()
    assert list(changed) == KEYS
    assert changed["options"] == created(client)["options"] | {"locked": False}
    same = set(KEYS) - {"options", "modified"}
    assert {name: changed[name] for name in same} == {name: monitor[name] for name in same}


@pytest.mark.parametrize(("sent", "kept"), [(0, None), (None, None), (1, 1), (5, 5)])
def test_a_priority_of_0_is_none_and_described_so(client: Client, sent: int | None, kept: int | None) -> None:
    schemas = load_document()["components"]["schemas"]

    made = created(client, priority=sent)
    changed = client.request("PUT", f"{PATH}/{made['id']}", json={"priority": sent}, headers=READER).json()

    assert [made["priority"], changed["priority"]] == [kept, kept]
    for name, value in (("NewMonitor", sent), ("MonitorChange", sent), ("Monitor", kept)):
        described = schemas[name]["properties"]["priority"]
        assert "null" in described["type"]
        assert value is None or described["minimum"] <= value <= described["maximum"]


def test_the_description_names_every_option_of_the_documentation() -> None:
    described = load_document()["components"]["schemas"]["MonitorOptions"]["properties"]

    table = DOCUMENTATION.read_text().partition("| option | what it does |")[2].partition("\n\n")[0]
    rows = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]
    documented = {name for row in rows for name in re.findall(r"`(\w+)`", row)}

    assert {"thresholds", "expected_groups", "timeout_h"} <= documented <= set(described)


def test_the_threshold_follows_a_query_that_is_changed_alone(client: Client) -> None:
    query = QUERY.replace("< 1", "< 3")

    def changed(**options: Any) -> Any:
        path = f"{PATH}/{created(client, options=options)['id']}"
        answer = client.request("PUT", path, json={"query": query}, headers=READER)
        assert (answer.status_code, answer.json()["query"]) == (200, query)
        return answer.json()["options"].get("thresholds")

    assert changed(thresholds={"critical": 1, "warning": 5}) == {"critical": 3, "warning": 5}
    assert changed(thresholds={"warning": 5}) == {"warning": 5}
    assert changed() is None


def test_a_deleted_monitor_is_gone(client: Client) -> None:
    path = f"{PATH}/{created(client)['id']}"

    answer = client.request("DELETE", f"{path}?force=true", headers=READER)

    assert (answer.status_code, list(answer.json())) == (200, ["deleted_monitor_id"])
    for method in ("GET", "PUT", "DELETE"):
        gone = client.request(method, path, json={}, headers=READER)
        assert (gone.status_code, gone.json()) == (404, {"errors": ["Monitor not found"]})


def test_a_good_definition_is_valid_as_terraform_reads_it(client: Client) -> None:
    monitor = created(client)

    for path in (f"{PATH}/validate", f"{PATH}/{monitor['id']}/validate"):
        answer = client.post(path, json=SENT_BY_TERRAFORM, headers=READER)
        assert (answer.status_code, answer.text) == (200, "{}\n")
    assert len(client.get(PATH, headers=READER).json()) == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"query": "processes('a') < 1"}, "parameter 'query' is invalid: expected .rollup('count') at character 15"),
        ({"type": "query alert"}, "Procession does not evaluate monitors of the type 'query alert'"),
        ({"type": "surprise"}, "parameter 'type' is invalid: it is not 'process alert'"),
        ({"type": None}, "The parameter 'type' is required"),
        ({"options": {"thresholds": {"critical": 2}}}, "critical does not match the 1 that the query has"),
        ({"options": {"thresholds": {"critical": 1, "warning": 0}}}, "warning is not above critical"),
        ({"options": {"thresholds": {"critical": 1, "critical_recovery": 0.5}}}, "critical_recovery is not above"),
        ({"options": {"thresholds": {"critical": 1, "warning": 10**400}}}, "warning' is invalid: it has more than 300"),
        ({"options": {"timeout_h": 25}}, "'options.timeout_h' is invalid: it is not a whole number from 0 to 24"),
        ({"options": {"renotify_statuses": ["ok"]}}, "'options.renotify_statuses' is invalid"),
        ({"options": {"on_missing_data": "panic"}}, "'options.on_missing_data' is invalid: it is none of default,"),
        ({"options": {"scheduling_options": {}}}, "Procession does not do this for process monitors"),
        ({"options": {"threshold_windows": {}}}, "Procession does not do this for process monitors"),
        ({"options": {"notify_by": ["host"]}}, "'options.notify_by' is invalid: Procession does not do this for"),
        ({"options": {"min_failure_duration": 9}}, "Procession does not do this for process monitors"),
        ({"options": {"thresholds": []}}, "it is no object with critical, warning"),
        ({"options": []}, "'options' is invalid: it is not an object"),
        ({"priority": False}, "'priority' is invalid: it is not a whole number from 1 to 5"),
        ({"priority": 6}, "'priority' is invalid: it is not a whole number from 1 to 5"),
        ({"tags": "a"}, "'tags' is invalid"),
        ({"draft_status": "x"}, "'draft_status' is invalid"),
        ({"options": {"mine": json.loads("[" * 300 + "]" * 300)}}, "nested deeper than 64"),
        ({"message": "{{#is_alert}}gone"}, "The message is no template"),
        ({"message": "{{valeu}} @slack-ops"}, "The message names {{valeu}}, which is no variable here"),
        ({"message": "{{command.name}}"}, "The message names {{command.name}}, and the query has no .by('command')"),
        ({"options": {"escalation_message": "{{>file}}"}}, "The message has a partial"),
        ({"name": "{{host.ip}}"}, "The message names {{host.ip}}, which is no variable here"),
    ],
)
def test_what_is_wrong_is_refused_by_its_name(client: Client, changes: dict[str, Any], message: str) -> None:
    assert message in refusal(client, **changes)


def test_the_list_is_by_id_and_narrowed_by_its_parameters(client: Client) -> None:
    first = created(client, name="Web is gone", tags=["team:web"])["id"]
    second = created(client, name="Too many", query="processes('a').over('role:db').rollup('count_now') > 5")["id"]
    third = created(client, name="web is slow", tags=["team:web", "x"])["id"]

    def ids(query: str) -> list[int]:
        return [one["id"] for one in client.get(f"{PATH}?{query}", headers=READER).json()]

    assert ids("") == [first, second, third]
    assert ids("name=WEB") == [first, third]
    assert ids("monitor_tags=team:web,x") == [third]
    assert ids("tags=role:db") == [second]
    assert ids("page=0&page_size=2") == [first, second]
    assert ids("page=1&page_size=2") == [third]
    assert ids(f"id_offset={first}&page_size=1") == [second]
    assert all("matching_downtimes" in one for one in client.get(f"{PATH}?with_downtimes=true", headers=READER).json())
    assert all("groups" in one["state"] for one in client.get(f"{PATH}?group_states=all", headers=READER).json())
    wrong = client.get(f"{PATH}?group_states=nice", headers=READER)
    assert (wrong.status_code, wrong.json()) == (400, {"errors": ["Invalid group_state filters."]})


def test_the_search_finds_by_words_and_fields(client: Client) -> None:
    monitor = created(client, name="Web is gone", tags=["team:web"])["id"]
    created(client, name="Too many")

    def found(query: str) -> list[int]:
        answer = client.get(f"{PATH}/search", params={"query": query}, headers=READER).json()
        assert answer["metadata"]["total_count"] == len(answer["monitors"])
        return [one["id"] for one in answer["monitors"]]

    assert found('"web is"') == found("tag:team:web") == found("team:web") == found(f"id:{monitor}") == [monitor]
    assert len(found('status:"no data" type:process')) == 2
    assert found("status:alert") == []
    wrong = client.get(f"{PATH}/search?query=status:notastatus", headers=READER)
    assert wrong.status_code == 400
    assert wrong.json() == {"errors": ["Query parsing error: 'notastatus' is not a valid monitor status"]}


def test_monitors_that_exist_can_be_deleted(client: Client) -> None:
    monitor = created(client)["id"]

    good = client.get(f"{PATH}/can_delete?monitor_ids={monitor}", headers=READER)
    bad = client.get(f"{PATH}/can_delete?monitor_ids={monitor},7", headers=READER)

    assert good.json() == {"data": {"ok": [monitor]}, "errors": None}
    assert bad.status_code == 404


def test_an_org_sees_and_changes_only_its_own(client: Client) -> None:
    path = f"{PATH}/{created(client)['id']}"

    assert client.get(PATH, headers=OTHER).json() == []
    assert [client.request(m, path, json={}, headers=OTHER).status_code for m in ("GET", "PUT", "DELETE")] == [404] * 3
    assert client.get(path, headers=READER).status_code == 200


def test_a_page_of_another_site_changes_nothing_with_the_cookie_of_a_session(served: Served, client: Client) -> None:
    own = {"origin": "http://procession.test"}
    body = {"application_key": READER["dd-application-key"]}
    assert client.post("/api/procession/v1/session", json=body, headers=own).status_code < 300
    monitor = {"type": "process alert", "name": "a", "query": QUERY}

    for headers in (
        {"origin": "http://evil.test"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {},
    ):
        assert client.post(PATH, json=monitor, headers=headers).status_code == 403
    assert client.post(PATH, json=monitor, headers=own).status_code == 200


def test_a_change_is_refused_for_its_message_as_a_new_monitor_is(client: Client) -> None:
    path = f"{PATH}/{created(client, message='{{host.name}}')['id']}"

    for method, where in (("PUT", path), ("POST", f"{path}/validate")):
        for body in ({"message": "{{valeu}}"}, {"query": "processes('nginx').rollup('count_now') < 1"}):
            answer = client.request(method, where, json=body, headers=READER)
            assert (answer.status_code, answer.json()["errors"][0][:20]) == (400, "The message names {{")
    assert client.get(path, headers=READER).json()["message"] == "{{host.name}}"


def test_a_monitor_is_muted_and_unmuted_as_by_the_older_client(client: Client) -> None:
    path = f"{PATH}/{created(client, options={'silenced': None})['id']}"

    def silenced(what: str, body: Any = None) -> Any:
        answer = client.post(f"{path}/{what}", json=body, headers=READER)
        assert (answer.status_code, list(answer.json())) == (200, KEYS)
        assert answer.json() == client.get(path, headers=READER).json()
        return answer.json()["options"]["silenced"]

    assert silenced("mute") == {"*": None}
    assert silenced("mute", {"scope": "host:web-1", "end": NOON + 60}) == {"*": None, "host:web-1": NOON + 60}
    assert silenced("unmute", {}) == {"host:web-1": NOON + 60}
    assert silenced("unmute", {"scope": "host:web-2"}) == {"host:web-1": NOON + 60}
    assert silenced("unmute", {"all_scopes": True}) == {}
    for body in ({"scope": 1}, {"end": "soon"}, {"end": NOON - 1}, {"scope": "x" * 1001}):
        assert client.post(f"{path}/mute", json=body, headers=READER).status_code == 400
    assert client.post(f"{PATH}/7/mute", headers=READER).status_code == 404


def test_the_downtimes_of_a_monitor_are_shown_with_it(client: Client) -> None:
    monitor = created(client, tags=["team:web"])["id"]
    created(client, name="another")
    schedule = {"start": "2026-01-01T00:00:00Z", "end": None}
    for scope, tags in (("env:prod", ["team:web"]), ("env:test", ["team:db"])):
        attributes = {"scope": scope, "monitor_identifier": {"monitor_tags": tags}, "schedule": schedule}
        body = {"data": {"type": "downtime", "attributes": attributes}}
        assert client.post("/api/v2/downtime", json=body, headers=READER).status_code == 200

    one = client.get(f"{PATH}/{monitor}?with_downtimes=true", headers=READER).json()["matching_downtimes"]
    mine, other = (m["matching_downtimes"] for m in client.get(f"{PATH}?with_downtimes=1", headers=READER).json())

    assert one == mine == [{"id": one[0]["id"], "start": 1767225600, "end": None, "scope": ["env:prod"], "groups": []}]
    assert 0 < one[0]["id"] < 2**53
    assert other == []


def test_the_provider_is_told_that_its_keys_are_good(client: Client) -> None:
    answer = client.get("/api/v1/validate", headers={"dd-api-key": API_KEY})

    assert (answer.status_code, answer.json()) == (200, {"valid": True})


def test_no_query_and_no_message_is_parsed_on_the_event_loop(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = set[str]()

    def noting(work: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*values: Any) -> Any:
            threads.add(threading.current_thread().name)
            return work(*values)

        return noted

    monkeypatch.setattr("procession.monitors.monitor.parse_monitor_query", noting(parse_monitor_query))
    monkeypatch.setattr("procession.server.public.monitors.check_message", noting(check_message))
    made = created(client)["id"]
    body = {"type": "process alert", "name": "a", "query": QUERY}
    for method, path, sent in (
        ("POST", f"{PATH}/validate", body),
        ("POST", f"{PATH}/{made}/validate", body),
        ("PUT", f"{PATH}/{made}", body),
        ("GET", f"{PATH}/{made}", None),
        ("GET", f"{PATH}?tags=env:prod&with_downtimes=true", None),
        ("GET", f"{PATH}/search?query=a", None),
        ("GET", f"{PATH}/groups/search", None),
        ("POST", "/api/procession/v1/monitors/backtest", {"monitor": body, "from": NOON - 60, "to": NOON}),
    ):
        threads.clear()
        assert client.request(method, path, json=sent, headers=READER).status_code == 200, path
        assert not [name for name in threads if "_" not in name], (path, threads)
