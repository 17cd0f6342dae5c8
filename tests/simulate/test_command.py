"""`procession simulate` as a process of its own, against a real server and a real store."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from pathlib import Path

from tests.support.running import PROCESSION, clean_environment, eventually, running, up

SMALL = ("--hosts", "3", "--processes", "40", "--churn", "0")


def simulate(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROCESSION, "simulate", *arguments],
        env=clean_environment(**environment),
        capture_output=True,
        text=True,
        timeout=120,
    )


def ps(data_dir: Path, *arguments: str) -> list[dict[str, object]]:
    found = subprocess.run(
        [*PROCESSION, "ps", "--data-dir", str(data_dir), "--json", *arguments],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    processes: list[dict[str, object]] = json.loads(found.stdout)
    return processes


def key_of(data_dir: Path) -> str:
    return (data_dir / "keys" / "api-key").read_text().strip()


def test_a_written_past_is_served(tmp_path: Path) -> None:
    written = simulate(*SMALL, "--hours", "0.02", "--data-dir", str(tmp_path))

    assert written.returncode == 0, written.stderr
    # 72 seconds of 120 processes.
    assert re.search(r"Wrote (8|9)\d\d sightings", written.stdout)
    with running("serve", "--listen", "127.0.0.1:0", "--data-dir", str(tmp_path)) as server:
        server.line_with("listens at")
        assert len(ps(tmp_path, "--limit", "1000")) == 120


def test_a_fleet_posts_its_past_as_fast_as_the_server_takes_it(tmp_path: Path) -> None:
    with up(tmp_path) as (_, url):
        posted = simulate(
            *SMALL, "--hours", "0.02", "--speed", "max", "--workers", "2", "--url", url, DD_API_KEY=key_of(tmp_path)
        )

        assert posted.returncode == 0, posted.stderr
        assert "0 refused" in posted.stdout
        assert len(ps(tmp_path, "--tags", "role:*", "--limit", "1000")) == 120


def test_a_fleet_without_an_end_stops_at_ctrl_c(tmp_path: Path) -> None:
    with up(tmp_path) as (_, url):
        options = ("--url", url, "--api-key-file", str(tmp_path / "keys" / "api-key"), "--interval-seconds", "1")
        with running("simulate", *SMALL, *options) as fleet:
            fleet.line_with("when you press Ctrl-C")
            eventually(lambda: ps(tmp_path, "--tags", "role:*"), what="the first snapshot")

            fleet.stop(signal.SIGINT)

            assert fleet.process.returncode == 0
            assert "Posted" in fleet.output[-1]


def test_a_server_that_is_not_there_is_said_at_once() -> None:
    result = simulate(*SMALL, "--url", "http://127.0.0.1:9", DD_API_KEY="k" * 32)

    assert result.returncode == 1
    assert result.stderr == "procession: cannot reach http://127.0.0.1:9: connection refused\n"


def test_a_key_that_is_not_known_is_said_at_once(tmp_path: Path) -> None:
    with up(tmp_path) as (_, url):
        result = simulate(*SMALL, "--url", url, DD_API_KEY="k" * 32)

    assert result.returncode == 1
    assert "refuses the API key" in result.stderr


def test_a_store_takes_no_future(tmp_path: Path) -> None:
    result = simulate(*SMALL, "--from", "now", "--hours", "1", "--data-dir", str(tmp_path))

    assert result.returncode == 1
    assert "lies in the past" in result.stderr
