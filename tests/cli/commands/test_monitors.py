"""`procession monitors` against the real application: listed, shown, muted, exported and applied."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.conftest import Command, RunningServer
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.served import READER

PATH = "/api/v1/monitor"
QUERY = "processes('nginx').by('host').rollup('count_now') < 1"
GONE = {
    "name": "nginx is gone",
    "type": "process alert",
    "query": QUERY,
    "message": "gone @webhook-ops",
    "tags": ["team:web"],
}
MANY = {"name": "too many", "type": "process alert", "query": "processes('').rollup('count_now') > 5000"}

Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """A file with these monitors; gives its path."""

    def write(*monitors: dict[str, Any]) -> str:
        path = tmp_path / "monitors.json"
        path.write_text(json.dumps({"monitors": monitors}))
        return str(path)

    return write


def kept(server: RunningServer) -> list[dict[str, Any]]:
    """By name."""
    answer = httpx.get(server.url + PATH, headers=READER)
    return sorted(answer.raise_for_status().json(), key=lambda one: str(one["name"]))


def test_a_file_makes_monitors_and_again_changes_nothing(
    procession: Command, server: RunningServer, write: Write
) -> None:
    path = write(GONE, MANY)

    made = procession("monitors", "apply", path)
    before = kept(server)
    again = procession("monitors", "apply", path)

    assert (made.code, made.err) == (0, "")
    assert made.lines == [
        "+ nginx is gone",
        f'    query: "{QUERY}"',
        "+ too many",
        "    query: \"processes('').rollup('count_now') > 5000\"",
        "2 to create, 0 to change, 0 to delete, 0 the same",
    ]
    assert (again.code, again.lines) == (0, ["0 to create, 0 to change, 0 to delete, 2 the same"])
    assert kept(server) == before
    assert [one["name"] for one in before] == ["nginx is gone", "too many"]


def test_what_is_exported_is_applied_without_a_difference(
    procession: Command, server: RunningServer, tmp_path: Path
) -> None:
    options = {
        "thresholds": {"critical": 1, "warning": 2.5},
        "renotify_interval": 60,
        "new_host_delay": 0,
        "no_data_timeframe": None,
        "on_missing_data": "resolve",
    }
    body = GONE | {"options": options, "priority": 2, "draft_status": "draft", "restricted_roles": ["a"]}
    httpx.post(server.url + PATH, headers=READER, json=body).raise_for_status()
    httpx.post(server.url + PATH, headers=READER, json=MANY).raise_for_status()
    before = kept(server)

    exported = procession("monitors", "export")
    file = tmp_path / "exported.json"
    file.write_text(exported.out)
    applied = procession("monitors", "apply", str(file), "--prune")

    assert json.loads(exported.out) == {"monitors": [body | {"options": options}, MANY]}
    assert applied.lines == ["0 to create, 0 to change, 0 to delete, 2 the same"]
    for monitor in before:
        httpx.delete(f"{server.url}{PATH}/{monitor['id']}", headers=READER).raise_for_status()
    assert procession("monitors", "apply", str(file)).code == 0
    assert procession("monitors", "export").out == exported.out


def test_a_difference_is_shown_by_field_and_a_dry_run_changes_nothing(
    procession: Command, server: RunningServer, write: Write
) -> None:
    procession("monitors", "apply", write(GONE, MANY))
    before = kept(server)
    changed = GONE | {"tags": [], "options": {"thresholds": {"warning": 3}, "timeout_h": 2}}

    result = procession("monitors", "apply", write(changed), "--dry-run", "--prune")

    assert result.code == 1
    assert result.lines == [
        "~ nginx is gone",
        "    options.thresholds.warning: null -> 3",
        "    options.timeout_h: null -> 2",
        '    tags: ["team:web"] -> []',
        "- too many",
        "0 to create, 1 to change, 1 to delete, 0 the same",
    ]
    assert kept(server) == before
    assert procession("monitors", "apply", write(GONE, MANY), "--dry-run").code == 0


def test_only_prune_deletes_and_with_a_tag_only_what_has_it(
    procession: Command, server: RunningServer, write: Write
) -> None:
    procession("monitors", "apply", write(GONE, GONE | {"name": "web is slow"}, MANY))

    kept_all = procession("monitors", "apply", write(GONE))
    assert kept_all.lines == ["0 to create, 0 to change, 0 to delete, 1 the same, 2 more on the server"]
    assert len(kept(server)) == 3

    assert procession("monitors", "apply", write(GONE), "--prune", "--tag", "team:web").code == 0
    assert [one["name"] for one in kept(server)] == ["nginx is gone", "too many"]

    assert procession("monitors", "apply", write(GONE), "--prune").code == 0
    assert [one["name"] for one in kept(server)] == ["nginx is gone"]


def test_a_mute_outlives_a_file_that_does_not_speak_of_it(
    procession: Command, server: RunningServer, write: Write
) -> None:
    procession("monitors", "apply", write(GONE))

    muted = procession("monitors", "mute", "nginx is gone", "--for", "2h", "--scope", "host:web-1")
    assert (muted.code, muted.err) == (0, "")
    assert muted.out.startswith("nginx is gone: host:web-1 is muted until ")
    assert "partly muted" in procession("monitors", "list").out
    assert procession("monitors", "apply", write(GONE), "--dry-run").code == 0
    procession("monitors", "apply", write(GONE | {"message": "other"}))
    (monitor,) = kept(server)
    assert (monitor["message"], list(monitor["options"]["silenced"])) == ("other", ["host:web-1"])

    cleared = procession("monitors", "apply", write(GONE | {"options": {"silenced": {}}}))
    assert "    options.silenced.host:web-1: " in cleared.out
    assert kept(server)[0]["options"]["silenced"] == {}


def test_mutes_are_for_good_or_ended(procession: Command, server: RunningServer, write: Write) -> None:
    procession("monitors", "apply", write(GONE))

    assert procession("monitors", "mute", "nginx is gone").out == "nginx is gone: * is muted for good\n"
    assert ", muted" in procession("monitors", "list").out
    assert kept(server)[0]["options"]["silenced"] == {"*": None}
    assert procession("monitors", "unmute", "nginx is gone", "--scope", "host:x").code == 0
    assert kept(server)[0]["options"]["silenced"] == {"*": None}
    assert procession("monitors", "unmute", "nginx is gone", "--all").out == "nginx is gone: nothing is muted\n"
    assert kept(server)[0]["options"]["silenced"] == {}
    assert procession("monitors", "mute", "nginx is gone", "--for", "soon").code == 2


def test_a_test_says_whom_it_reached(procession: Command, server: RunningServer, write: Write) -> None:
    procession("monitors", "apply", write(GONE, MANY))

    nobody = procession("monitors", "test", "too many")
    unknown = procession("monitors", "test", "nginx is gone", "--state", "no-data")
    httpx.post(
        f"{server.url}/api/v1/integration/webhooks/configuration/webhooks",
        headers=READER,
        json={"name": "ops", "url": "https://example.org/hook"},
    ).raise_for_status()
    sent = procession("monitors", "test", "nginx is gone")

    assert (nobody.code, nobody.out) == (1, "too many: sent to nobody\n")
    assert (unknown.code, unknown.out) == (1, "nginx is gone: sent to nobody; no channel: @webhook-ops\n")
    assert (sent.code, sent.out) == (0, "nginx is gone: sent to @webhook-ops\n")


def test_a_back_test_says_when_it_would_have_alerted(procession: Command, server: RunningServer, write: Write) -> None:
    java = a_sighting(7, NOON - 4000, command="java", cmdline="java -jar a.jar")
    for at in range(NOON - 3600, NOON - 1800, 10):
        server.add(a_snapshot(java, host="web-1", taken_at=at, split_id=at, chunk_count=1))
    many = MANY | {"query": "processes('command:java').over('host:web-1').rollup('count').last('5m') > 0"}
    procession("monitors", "apply", write(many, GONE))

    told = procession("monitors", "backtest", "too many", "--for", "2h")
    answer = json.loads(procession("monitors", "backtest", "too many", "--for", "10m", "--json").out)

    assert told.code == 0
    assert told.lines[0] == "too many would have alerted 1 time"
    assert [line[19:] for line in told.lines if "-> Alert" in line] == ["  No Data -> Alert  *"]
    assert (answer["from"], answer["to"]) == (NOON - 600, NOON)
    assert [one["state"] for one in answer["transitions"]] == ["No Data"]
    assert procession("monitors", "backtest", "too many", "--for", "8d").code == 2


def test_the_server_looks_at_all_before_the_first_is_changed(
    procession: Command, server: RunningServer, write: Write
) -> None:
    result = procession("monitors", "apply", write(GONE, MANY | {"message": "{{valeu}}"}))

    assert (result.code, result.out) == (2, "")
    assert "'too many': The message names {{valeu}}, which is no variable here; nothing was changed" in result.err
    assert kept(server) == []


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("[", "is not JSON"),
        ("[]", 'no object with a list of "monitors"'),
        ('{"monitors": [7]}', "each monitor is an object with a name"),
        ('{"monitors": [{"name": "a", "qeury": ""}]}', "'a' has 'qeury', which is none of name, type, query"),
        ('{"monitors": [{"name": "a", "query": "processes("}]}', "'a': The value provided for parameter 'query'"),
        (json.dumps({"monitors": [GONE, GONE]}), "has 2 monitors named 'nginx is gone'"),
        (json.dumps({"monitors": [MANY]}), "'too many' has not the tag team:web"),
    ],
)
@pytest.mark.usefixtures("server")
def test_a_file_that_cannot_be_read_is_refused(procession: Command, tmp_path: Path, content: str, fault: str) -> None:
    path = tmp_path / "monitors.json"
    path.write_text(content)

    result = procession("monitors", "apply", str(path), "--tag", "team:web")

    assert result.code == 2
    assert fault in result.err
    assert procession("monitors", "apply", str(tmp_path / "none.json")).code == 2


def test_two_monitors_of_one_name_are_told_apart_by_their_ids(
    procession: Command, server: RunningServer, write: Write
) -> None:
    for _ in range(2):
        httpx.post(server.url + PATH, headers=READER, json=GONE).raise_for_status()
    ids = [str(one["id"]) for one in kept(server)]

    assert "2 monitors are named 'nginx is gone'" in procession("monitors", "show", "nginx is gone").err
    assert f"2 monitors named 'nginx is gone': {', '.join(ids)}" in procession("monitors", "apply", write(GONE)).err
    assert procession("monitors", "show", ids[1]).out.startswith(ids[1])
    assert "there is no monitor 'x'" in procession("monitors", "show", "x").err


def test_a_list_is_a_line_for_each_and_its_check_is_for_scripts(
    procession: Command, server: RunningServer, write: Write
) -> None:
    assert procession("monitors", "list", "--check").code == 0
    procession("monitors", "apply", write(GONE, MANY | {"name": "\x1b[2J", "draft_status": "draft"}))

    listed = procession("monitors", "list", "--check")

    assert listed.code == 1
    header, escaped, gone = listed.lines
    assert header.split() == ["ID", "STATE", "TAGS", "NAME", "QUERY"]
    assert "No Data, draft" in escaped
    assert "\\x1b[2J" in escaped
    assert "\x1b" not in listed.out
    assert gone.split()[1:4] == ["No", "Data", "team:web"]
    assert [one["name"] for one in json.loads(procession("monitors", "list", "--json", "--tag", "team:web").out)] == [
        "nginx is gone"
    ]


def test_a_monitor_is_shown_with_its_definition(procession: Command, server: RunningServer, write: Write) -> None:
    procession("monitors", "apply", write(GONE))

    shown = procession("monitors", "show", "nginx is gone")

    assert shown.code == 0
    assert f"query: {QUERY}" in shown.lines
    assert 'tags: ["team:web"]' in shown.lines
    as_json = json.loads(procession("monitors", "show", "nginx is gone", "--json").out)
    assert (as_json["monitor"], as_json["groups"]) == (kept(server)[0], [])


def test_without_a_server_the_code_is_that_of_trouble(procession: Command) -> None:
    result = procession("monitors", "list", "--url", "http://127.0.0.1:1", "--api-key", "a", "--application-key", "b")

    assert result.code == 2
    assert "cannot reach http://127.0.0.1:1" in result.err
