"""Tests of what is sent, the parts of a query, starters, and that no page but ours changes any of it."""

from __future__ import annotations

from typing import Any

import pytest

from procession.accounts.scopes import Scope
from procession.monitors.starters import STARTERS
from tests.server.api.test_session import OURS, SESSION
from tests.support.served import OTHER_API_KEY, OTHER_APPLICATION_KEY, PLAIN_APPLICATION_KEY, READER, Client

OWN = "/api/procession/v1"
OTHER = {"dd-api-key": OTHER_API_KEY, "dd-application-key": OTHER_APPLICATION_KEY}
MONITOR = {
    "type": "process alert",
    "name": "nginx is gone",
    "query": "processes('nginx').by('host','command').rollup('count_now') < 1",
    "message": (
        "{{#is_alert}}{{host.name}} @email-ops @webhook-nobody{{/is_alert}}{{#is_recovery}}@slack-ops{{/is_recovery}}"
    ),
    "options": {"new_host_delay": 0, "thresholds": {"critical": 1, "warning": 2}, "ours": "kept"},
}


def do(client: Client, what: str, body: object, status: int = 200, headers: dict[str, str] = READER) -> Any:
    answer = client.post(f"{OWN}/{what}", json=body, headers=headers)
    assert answer.status_code == status, answer.text
    return answer.json()


@pytest.fixture
def monitor(client: Client) -> int:
    made = client.post("/api/v1/monitor", json=MONITOR, headers=READER).json()
    client.request("PUT", f"{OWN}/channels/email/ops", json={"addresses": ["a@b.test"]}, headers=READER)
    client.request("PUT", f"{OWN}/channels/slack/ops", json={"url": "https://slack.test/x"}, headers=READER)
    found: int = made["id"]
    return found


def test_a_test_goes_to_those_whom_the_message_names_for_that_state(client: Client, monitor: int) -> None:
    sent = do(client, "monitors/test", {"monitor_id": monitor})
    resolved = do(client, "monitors/test", {"monitor": MONITOR, "state": "OK"})

    assert (sent["sent_to"], sent["unknown"]) == (["email-ops"], ["webhook-nobody"])
    assert (resolved["sent_to"], resolved["unknown"]) == (["slack-ops"], [])
    kept = client.get(f"{OWN}/notifications", headers=READER).json()["notifications"]
    titles = {one["cycle_key"]: (one["channel"], one["title"]) for one in kept}
    title = "[TEST] [Triggered on {host:example, command:example}] nginx is gone"
    assert titles[sent["cycle_key"]] == ("email-ops", title)
    assert titles[resolved["cycle_key"]][1].startswith("[TEST] [Recovered")
    # Nobody takes it for something that happened.
    assert client.get(f"{OWN}/monitors/transitions", headers=READER).json() == {"transitions": []}


def test_a_channel_is_tried_by_itself(client: Client, monitor: int) -> None:
    sent = do(client, "channels/email/ops/test", None)

    (kept,) = client.get(f"{OWN}/notifications", headers=READER).json()["notifications"]
    assert (kept["cycle_key"], kept["channel"]) == (sent["cycle_key"], "email-ops")
    do(client, "channels/email/nobody/test", None, 404)
    do(client, "channels/email/ops/test", None, 404, OTHER)


def test_a_query_is_shown_in_its_parts(client: Client) -> None:
    def parts(query: str, status: int = 200) -> Any:
        answer = client.get(f"{OWN}/monitors/query", params={"query": query}, headers=READER)
        assert answer.status_code == status
        return answer.json()

    query = r"processes('a \'b\' !c').over('env:prod','!x').by('host').rollup('sum','rss_bytes') >= 1.5"
    assert parts(query) == {
        "search": "a 'b' !c",
        "language": "datadog",
        "over": ["env:prod", "!x"],
        "by": ["host"],
        "function": "sum",
        "measure": "rss_bytes",
        "window_seconds": 0,
        "comparison": ">=",
        "threshold": 1.5,
        "text": query,
    }
    assert "at character 1" in parts("x", 400)["errors"][0]


def test_starters_are_there_to_begin_with(client: Client) -> None:
    found = client.get(f"{OWN}/monitors/starters", headers=READER).json()["starters"]

    assert [one["id"] for one in found] == [one.id for one in STARTERS]
    for one in found:
        answer = client.post("/api/v1/monitor/validate", json=one["monitor"], headers=READER)
        assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"monitor_id": True},
        {"monitor": MONITOR, "state": "Skipped"},
        {"monitor": 7},
        {"monitor": {"type": "process alert", "query": "x"}},
    ],
)
def test_what_makes_no_sense_is_refused(client: Client, body: dict[str, Any]) -> None:
    do(client, "monitors/test", body, 400)
    do(client, "monitors/test", {"monitor_id": 7}, 404)


def test_another_page_does_nothing_to_monitors_and_channels_with_our_session(client: Client, monitor: int) -> None:
    token = client.post(SESSION, json={"application_key": READER["dd-application-key"]}).headers["set-cookie"]
    cookie = {"cookie": token.split(";")[0]}
    client.forget_cookies()
    doors: list[tuple[str, str, object]] = [
        ("POST", "/api/v1/monitor", MONITOR),
        ("PUT", f"/api/v1/monitor/{monitor}", {"name": "taken"}),
        ("POST", f"/api/v1/monitor/{monitor}/mute", {}),
        ("POST", f"/api/v1/monitor/{monitor}/unmute", {}),
        ("POST", f"{OWN}/monitors/test", {"monitor_id": monitor}),
        ("POST", f"{OWN}/channels/email/ops/test", None),
        ("PUT", f"{OWN}/channels/email/ops", {"addresses": ["a@evil.test"]}),
        ("POST", "/api/v1/integration/webhooks/configuration/webhooks", {"name": "x", "url": "https://evil.test"}),
        ("DELETE", f"{OWN}/channels/email/ops", None),
        ("DELETE", f"/api/v1/monitor/{monitor}", None),
    ]

    for headers in ({}, {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"origin": "null"}):
        for method, path, body in doors:
            assert client.request(method, path, json=body, headers=cookie | headers).status_code == 403, path
    assert client.get(f"/api/v1/monitor/{monitor}", headers=READER).json()["name"] == MONITOR["name"]
    for method, path, body in doors:
        assert client.request(method, path, json=body, headers=cookie | OURS).status_code in (200, 201, 204), path


def test_a_session_says_what_its_key_may_do(client: Client) -> None:
    for key, scopes in ((READER["dd-application-key"], len(Scope)), (PLAIN_APPLICATION_KEY, 0)):
        signed_in = client.post(SESSION, json={"application_key": key})
        shown = client.get(SESSION, headers=OURS).json()

        assert len(signed_in.json()["scopes"]) == len(shown["scopes"]) == scopes
        client.forget_cookies()
