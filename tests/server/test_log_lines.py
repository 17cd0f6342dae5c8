"""One line of the log for each thing that somebody who looks after a server wants to know."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from procession.cli.serving.logs import JsonLines, TextLines
from procession.config import ServerSettings
from tests.support.agents.posting import a_payload, post
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.served import ADMIN, APPLICATION_KEY, Client, Served

ADMINISTRATION = "/api/procession/v1/admin"
SESSION = "/api/procession/v1/session"


@pytest.fixture(autouse=True)
def _info(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "procession")


def events(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """As the log in JSON has them; each is one line in both forms."""
    found = []
    for record in caplog.records:
        if record.name.startswith("procession"):
            line = JsonLines().format(record)
            assert "\n" not in line
            assert "\n" not in TextLines().format(record)
            found.append(json.loads(line))
    return found


def test_keys_orgs_and_tags_that_are_made_and_revoked_are_named_and_no_secret_is(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    org = client.post(f"{ADMINISTRATION}/orgs", json={"name": "third"}, headers=ADMIN).json()["org"]
    body = {"org_id": org["id"], "kind": "application", "name": "night\tshift".expandtabs()}
    made = client.post(f"{ADMINISTRATION}/keys", json=body, headers=ADMIN).json()
    key_id = made["key"]["id"]
    client.post(f"{ADMINISTRATION}/keys/{key_id}/revoke", headers=ADMIN)
    client.post(
        f"{ADMINISTRATION}/hosts/tags", json={"org_id": org["id"], "host": "web-1", "add": ["team:a"]}, headers=ADMIN
    )

    found = events(caplog)

    assert [event["event"] for event in found] == ["org-created", "key-created", "key-revoked", "host-tagged"]
    assert {event["org_id"] for event in found} == {org["id"]}
    assert {event.get("key_id", key_id) for event in found} == {key_id}
    assert (found[1]["kind"], found[1]["level"]) == ("application", "info")
    assert made["secret"] not in json.dumps(found)


def test_who_signs_in_is_refused_or_throttled_is_said_with_the_address(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    served.settings = ServerSettings(sign_in_limit=3)
    client = Client(served.app())

    for key in (APPLICATION_KEY, "wrong-hunter2", "wrong-hunter2", "wrong-hunter2"):
        client.post(SESSION, json={"application_key": key})
    client.post(SESSION, json={"nonsense": 1})
    client.close()

    found = events(caplog)
    assert [event["event"] for event in found] == [
        "signed-in", "sign-in-refused", "sign-in-refused", "sign-in-throttled", "sign-in-throttled",
    ]  # fmt: skip
    assert {event["address"] for event in found} == {"127.0.0.1"}
    assert "hunter2" not in json.dumps(found)
    assert APPLICATION_KEY not in json.dumps(found)


def test_strangers_who_try_to_sign_in_do_not_fill_the_log(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    served.settings = ServerSettings(sign_in_limit=0)
    client = Client(served.app())

    for _ in range(100):
        client.post(SESSION, json={"application_key": "wrong"})
    client.close()

    assert len(events(caplog)) == 20


def test_a_payload_that_is_refused_is_said_with_the_reason(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        post(client, b"nonsense", x_dd_hostname="web-1")
    post(client, b"nonsense", x_dd_hostname="web\n2", key="wrong-hunter2")

    found = [event for event in events(caplog) if event["event"] == "payload-refused"]

    assert [(event["host"], event["status"]) for event in found] == [("web-1", 400), ("web\n2", 403)]
    assert all(event["reason"] for event in found)
    assert "hunter2" not in json.dumps(events(caplog))


def test_sightings_that_are_not_kept_are_said_with_the_reason(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(3):
        payload = a_payload(a_snapshot(a_sighting(number + 1)))
        assert post(client, payload, x_dd_agent_timestamp=str(NOON - 10**8 + number)).status_code == 200

    (event,) = [event for event in events(caplog) if event["event"] == "sightings-dropped"]

    assert (event["reason"], event["sightings"], event["level"]) == ("too old", 1, "warning")


def test_an_agent_that_comes_is_said(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    post(client, a_payload(a_snapshot(a_sighting())), x_dd_hostname="web-1", x_dd_processagentversion="7.60.0")

    (event,) = [event for event in events(caplog) if event["event"] == "agent-seen"]

    assert (event["host"], event["version"], event["org_id"]) == ("web-1", "7.60.0", 1)
