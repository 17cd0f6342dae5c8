from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

import httpx

from procession.cli.serving.logs import JsonLines
from tests.support.running import clean_environment, running, up


def test_an_event_is_one_line_of_json_whatever_is_in_it() -> None:
    try:
        int("two\nlines")
    except ValueError:
        record = logging.LogRecord("a.b", logging.WARNING, "", 1, 'odd "%s"', ("x\n\u2028",), sys.exc_info())

    line = JsonLines().format(record)

    assert len(line.splitlines()) == 1
    event = json.loads(line)
    assert (event["level"], event["logger"], event["message"]) == ("warning", "a.b", 'odd "x\n\u2028"')
    assert "ValueError" in event["traceback"]


def test_a_server_logs_in_json_when_asked_to(tmp_path: Path) -> None:
    options = ("--listen", "127.0.0.1:0", "--data-dir", str(tmp_path), "--log-format", "json")
    with running("serve", *options, environment=clean_environment()) as server:
        url = server.line_with("http://").split()[-1]
        httpx.post(f"{url}/api/v1/collector", headers={"x-dd-hostname": "web-1"})
        event = json.loads(server.line_with("refused a payload"))

    assert event["level"] == "warning"
    assert event["time"].endswith("Z")


def test_start_and_stop_are_lines_with_what_was_set_and_no_secret(tmp_path: Path) -> None:
    secret = "hunter2-correct-horse"  # noqa: S105
    options = ("--listen", "127.0.0.1:0", "--data-dir", str(tmp_path), "--log-format", "json", "--rate-limit", "7")
    environment = clean_environment(DD_API_KEY=secret, PROCESSION_STORE_PASSWORD=secret)
    with running("serve", *options, environment=environment) as server:
        server.line_with("listens at")
        server.stop()

    events = {event["event"]: event for line in server.output if line.startswith("{") for event in [json.loads(line)]}
    assert {"migrated", "retention-set", "key-created", "started", "stopped"} <= events.keys()
    started = events["started"]
    assert (started["settings"]["rate-limit"], started["settings"]["store-password"]) == (7, "********")
    assert started["pid"] == server.pid
    assert events["stopped"]["seconds"] >= 0
    assert secret not in json.dumps(events)


def test_one_who_starts_it_all_for_a_machine_sees_warnings_only(tmp_path: Path) -> None:
    with up(tmp_path) as (server, url):
        httpx.post(f"{url}/api/v1/collector", headers={"x-dd-hostname": "web-1"})
        line = server.line_with("refused a payload")
        server.stop()

    assert " WARNING procession.server.intake.refusal_log: " in line
    assert not [line for line in server.output if " INFO " in line]


def test_a_level_that_there_is_not_is_one_line(tmp_path: Path) -> None:
    options = ("--listen", "127.0.0.1:0", "--data-dir", str(tmp_path), "--log-level", "loud")
    with running("serve", *options, environment=clean_environment()) as server:
        assert server.wait() == 1

    assert server.output == ["procession: there is no log level 'loud'; --log-level is info, warning, error"]


def test_a_format_that_there_is_not_is_one_line(tmp_path: Path) -> None:
    options = ("--listen", "127.0.0.1:0", "--data-dir", str(tmp_path), "--log-format", "xml")
    with running("serve", *options, environment=clean_environment()) as server:
        assert server.wait() == 1

    assert server.output == ["procession: there is no log format 'xml'; --log-format is text or json"]
