from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

import httpx

from procession.cli.logs import JsonLines
from tests.support.running import clean_environment, running


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


def test_a_format_that_there_is_not_is_one_line(tmp_path: Path) -> None:
    options = ("--listen", "127.0.0.1:0", "--data-dir", str(tmp_path), "--log-format", "xml")
    with running("serve", *options, environment=clean_environment()) as server:
        assert server.wait() == 1

    assert server.output == ["procession: there is no log format 'xml'; --log-format is text or json"]
