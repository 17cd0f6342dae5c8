"""What Terraform's provider sends, call by call, and that it reads back what it wrote: else each plan shows a drift.

The bodies of tests/vectors/terraform have the shapes of recorded ones. The provider itself is not run.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.served import READER, Client, Served

VECTORS = Path(__file__).parent.parent.parent / "vectors" / "terraform"
MONITORS = "/api/v1/monitor"
DOWNTIMES = "/api/v2/downtime"
INTEGRATION = "/api/v1/integration/webhooks/configuration"
YEAR = 366 * 86400

Body = dict[str, Any]

UNSET: Body = {
    "escalation_message": "",
    "evaluation_delay": 0,
    "group_retention_duration": "",
    "include_tags": False,
    "locked": False,
    "new_group_delay": 0,
    "new_host_delay": 0,
    "no_data_timeframe": None,
    "notification_preset_name": "",
    "notify_audit": False,
    "notify_no_data": False,
    "on_missing_data": "",
    "renotify_interval": 0,
    "renotify_occurrences": 0,
    "renotify_statuses": [],
    "require_full_window": False,
    "timeout_h": 0,
}
"""The options that the provider compares, with what it takes for one that is not there."""


def cases(name: str) -> pytest.MarkDecorator:
    found = json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))
    return pytest.mark.parametrize("bodies", found.values(), ids=found.keys())


def call(client: Client, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
    answer = client.request(method, path, headers=READER, **({} if body is None else {"json": body}))
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


def compared_monitor(body: Body) -> Body:
    """What the provider keeps of a monitor, sent or answered."""
    options = body["options"]  # which it looks into without a check
    thresholds = options.get("thresholds") or {}
    return {
        **{name: body[name] for name in ("name", "message", "type")},
        "query": body["query"].strip(),
        "priority": body["priority"] or 0,
        "tags": sorted(body["tags"]),
        "restricted_roles": sorted(body.get("restricted_roles") or ()),
        "draft_status": body.get("draft_status", "published"),
        # The provider drops this one, of a service check, before it writes.
        "thresholds": {name: float(value) for name, value in thresholds.items() if name != "ok"},
        **{name: options.get(name, unset) for name, unset in UNSET.items()},
    }


@cases("monitors")
def test_a_monitor_is_read_back_as_it_was_written(client: Client, bodies: list[Body]) -> None:
    assert call(client, "GET", "/api/v1/validate") == {"valid": True}
    call(client, "POST", f"{MONITORS}/validate", bodies[0])
    call(client, "POST", f"{MONITORS}/validate", bodies[0])
    made = call(client, "POST", MONITORS, bodies[0])
    path = f"{MONITORS}/{made['id']}"

    assert compared_monitor(made) == compared_monitor(bodies[0])
    for body in bodies:
        call(client, "POST", f"{path}/validate", body)
        changed = call(client, "PUT", path, {**body, "id": made["id"]})
        read = call(client, "GET", f"{path}?with_assets=true")
        assert compared_monitor(changed) == compared_monitor(read) == compared_monitor(body)
        # With its data source.
        (found,) = call(client, "GET", f"{MONITORS}?name={body['name']}&monitor_tags={','.join(body['tags'])}")
        assert compared_monitor(found) == compared_monitor(body)

    assert call(client, "DELETE", f"{path}?force=true") == {"deleted_monitor_id": made["id"]}
    assert call(client, "GET", f"{path}?with_assets=true", status=404) == {"errors": ["Monitor not found"]}


def compared_downtime(attributes: Body, unknown: Body | None = None) -> Body:
    """What the provider keeps of a downtime. `unknown`: the answer, which says what was left to the server."""
    schedule = dict(attributes["schedule"])
    schedule.pop("current_downtime", None)
    known = unknown["schedule"] if unknown else schedule
    if "recurrences" in schedule:
        rules = zip(schedule["recurrences"], known["recurrences"], strict=True)
        schedule["recurrences"] = [{**one, "start": one["start"] or other["start"]} for one, other in rules]
    else:
        start = schedule["start"] or known["start"]
        schedule = {"start": seconds_of(start), "end": schedule["end"] and seconds_of(schedule["end"])}
    kept = ("display_timezone", "mute_first_recovery_notification", "scope", "monitor_identifier")
    left = {**(unknown or {}), **attributes}
    return {
        **{name: attributes[name] for name in kept},
        "message": attributes.get("message"),
        "schedule": schedule,
        **{name: set(left[name]) for name in ("notify_end_states", "notify_end_types")},
    }


def seconds_of(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@cases("downtimes")
def test_a_downtime_is_read_back_as_it_was_written(client: Client, bodies: list[Body]) -> None:
    sent = {"data": {"type": "downtime", "attributes": bodies[0]}}
    made = call(client, "POST", DOWNTIMES, sent)["data"]
    path = f"{DOWNTIMES}/{made['id']}"

    found = made["attributes"]
    assert compared_downtime(found) == compared_downtime(bodies[0], found)
    for body in bodies:
        changed = call(client, "PATCH", path, {"data": {"type": "downtime", "id": "", "attributes": body}})
        found = call(client, "GET", path)["data"]["attributes"]
        assert changed["data"]["attributes"] == found
        assert compared_downtime(found) == compared_downtime(body, found)

    assert call(client, "DELETE", path, status=204) is None


def test_a_downtime_that_is_years_old_is_changed_with_the_start_that_it_has(served: Served, client: Client) -> None:
    body = json.loads((VECTORS / "downtimes.json").read_text(encoding="utf-8"))["recurring"][1]
    made = call(client, "POST", DOWNTIMES, {"data": {"type": "downtime", "attributes": body}})["data"]
    path = f"{DOWNTIMES}/{made['id']}"
    served.clock.now += 4 * YEAR

    changed = {**body, "message": "still"}
    call(client, "PATCH", path, {"data": {"type": "downtime", "attributes": changed}})

    found = call(client, "GET", path)["data"]["attributes"]
    assert compared_downtime(found) == compared_downtime(changed)
    (rule,) = body["schedule"]["recurrences"]
    older = {**body, "schedule": {**body["schedule"], "recurrences": [{**rule, "start": "2026-07-12T01:02:03"}]}}
    call(client, "PATCH", path, {"data": {"type": "downtime", "attributes": older}}, status=400)


@cases("webhooks")
def test_a_webhook_is_read_back_as_it_was_written(client: Client, bodies: list[Body]) -> None:
    path = f"{INTEGRATION}/webhooks"
    left_to_the_server = {"payload": None, "encode_as": "json"}
    made = call(client, "POST", path, bodies[0], status=201)
    name = made["name"]

    assert made == {"custom_headers": None} | left_to_the_server | bodies[0]
    for body in bodies:
        changed = call(client, "PUT", f"{path}/{name}", body)
        name = changed["name"]
        assert changed == call(client, "GET", f"{path}/{name}") == {"custom_headers": None} | left_to_the_server | body

    call(client, "DELETE", f"{path}/{name}")
    call(client, "GET", f"{path}/{name}", status=404)


@cases("variables")
def test_a_variable_is_read_back_as_it_was_written_without_a_secret(client: Client, bodies: list[Body]) -> None:
    path = f"{INTEGRATION}/custom-variables"
    name = call(client, "POST", path, bodies[0], status=201)["name"]

    for body in bodies:
        name = call(client, "PUT", f"{path}/{name}", body)["name"]
        shown = {key: value for key, value in body.items() if key != "value" or not body["is_secret"]}
        assert call(client, "GET", f"{path}/{name}") == shown

    call(client, "DELETE", f"{path}/{name}")
    call(client, "GET", f"{path}/{name}", status=404)
