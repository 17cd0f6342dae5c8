"""What Datadog's own payload library encodes is taken, answered so that it understands, and shown as it was sent."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from datadog_api_client import ApiClient, Configuration
from datadog_api_client.v2.api.processes_api import ProcessesApi

from tests.support.running import clean_environment, running

SOURCE = Path(__file__).parent / "agent"
API_KEY, APPLICATION_KEY = "a" * 32, "b" * 40

PROTOBUF, JSON, ZSTD, ZSTD_PURE_GO = 0, 1, 4, 5
"""The encodings that the library writes; the old zstd of older agents is among the recorded payloads."""


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, built. Its first build takes minutes: the library is compiled with it."""
    go = shutil.which("go")
    if go is None:
        pytest.skip("needs Go")
    program = tmp_path_factory.mktemp("agent") / "agent"
    subprocess.run([go, "build", "-o", str(program), "."], cwd=SOURCE, check=True, timeout=900)
    return program


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    data_dir = tmp_path_factory.mktemp("data")
    options = ("--listen", "127.0.0.1:0", "--data-dir", str(data_dir), "--rate-limit", "0")
    keys = clean_environment(DD_API_KEY=API_KEY, DD_APP_KEY=APPLICATION_KEY)
    with running("serve", *options, environment=keys) as server:
        yield next(word for word in server.line_with("http://").split() if word.startswith("http://"))


def post(agent: Path, url: str, encoding: int, now: int) -> list[dict[str, Any]]:
    command = [str(agent), url, API_KEY, str(encoding), str(now)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def detailed(url: str, at: int) -> dict[tuple[str, int], dict[str, Any]]:
    """Host and pid -> how each did and how it ended, four seconds after its snapshot."""
    headers = {"dd-api-key": API_KEY, "dd-application-key": APPLICATION_KEY}
    query = {"from": at, "to": at + 4, "page[limit]": 10_000}
    answer = httpx.get(f"{url}/api/procession/v1/processes", params=query, headers=headers, timeout=60)
    found = [item["attributes"] for item in answer.raise_for_status().json()["data"]]
    return {
        (row["host"], row["pid"]): {
            "host": row["host"],
            "pid": row["pid"],
            "cpu": row["numbers"]["cpu_total_percent"],
            "rss": row["numbers"]["rss_bytes"],
            "state": row["numbers"]["state"],
            "ended": row["ended"],
            "exit_code": row["exit_code"],
        }
        for row in found
    }


def listed(url: str, at: int) -> dict[tuple[str, int], dict[str, Any]]:
    """Host and pid -> what the official client got for this one second."""
    configuration = Configuration(host=url)
    configuration.api_key["apiKeyAuth"] = API_KEY
    configuration.api_key["appKeyAuth"] = APPLICATION_KEY
    with ApiClient(configuration) as client:
        found = ProcessesApi(client).list_processes_with_pagination(_from=at, to=at, page_limit=100)
        return {(row.attributes.host, row.attributes.pid): row.attributes.to_dict() for row in found}


@pytest.mark.timeout(1000)
@pytest.mark.parametrize("encoding", [PROTOBUF, JSON, ZSTD, ZSTD_PURE_GO])
def test_what_an_agent_posts_is_shown_as_it_was_sent(agent: Path, url: str, encoding: int) -> None:
    now = int(time.time()) - 100 * (encoding + 1)

    said = post(agent, url, encoding, now)

    expected = {(row["host"], row["pid"]): row for line in said if (row := line.get("process"))}
    assert len(expected) == 750
    assert listed(url, now) == expected
    details = {(row["host"], row["pid"]): row for line in said if (row := line.get("details"))}
    assert len(details) == 750
    assert detailed(url, now) == details


@pytest.mark.timeout(1000)
def test_every_answer_is_one_that_the_library_of_an_agent_understands(agent: Path, url: str) -> None:
    said = post(agent, url, ZSTD, int(time.time()) - 1000)

    answers = [line for line in said if line.get("sent")]
    framed = [line for line in answers if line["sent"] != "process_events"]

    assert {line["sent"] for line in answers} == {
        "process",
        "rtprocess",
        "container",
        "rtcontainer",
        "process_discovery",
        "connections",
        "process_events",
    }
    assert all(200 <= line["status"] < 300 for line in answers)
    assert all(line["has_status"] and line["interval"] == 2 and line["message"] == "" for line in framed)
    assert all(line["active_clients"] == 0 for line in framed)


@pytest.mark.timeout(1000)
def test_an_agent_hears_in_every_answer_that_somebody_watches(agent: Path, url: str) -> None:
    headers = {"dd-api-key": API_KEY, "dd-application-key": APPLICATION_KEY}
    httpx.post(f"{url}/api/procession/v1/watch", json={}, headers=headers, timeout=60).raise_for_status()

    # Long enough for one of them on any machine; what comes after may find the lease at its end.
    (first, *_) = (line for line in post(agent, url, ZSTD, int(time.time()) - 2000) if line.get("sent") == "process")

    assert first["active_clients"] > 0
