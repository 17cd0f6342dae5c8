"""Somebody watches: the agent of a real server sends every two seconds, and stops when nobody does any more."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx

from tests.support.running import eventually, running

SLEEPER = "import sys; sys.stdin.read()"
INTERVAL = 6
"""Long enough that what comes sooner is live."""


@contextmanager
def a_process(name: str) -> Iterator[None]:
    with subprocess.Popen([sys.executable, "-c", SLEEPER, name], stdin=subprocess.PIPE) as process:
        try:
            yield
        finally:
            process.kill()


class Watcher:
    def __init__(self, url: str, data_dir: Path) -> None:
        keys = data_dir / "keys"
        headers = {
            "dd-api-key": (keys / "api-key").read_text().strip(),
            "dd-application-key": (keys / "application-key").read_text().strip(),
        }
        self._http = httpx.Client(base_url=url, headers=headers, timeout=30)

    def watch(self) -> None:
        self._http.post("/api/procession/v1/watch", json={}).raise_for_status()

    def seen_at(self, name: str) -> int | None:
        """The moment of the newest sighting of the process with this argument."""
        found = self._http.get("/api/v2/processes", params={"search": f'"{name}"'}).raise_for_status().json()["data"]
        moments = [item["attributes"]["timestamp"] for item in found if name in item["attributes"]["cmdline"]]
        return max((_seconds(moment) for moment in moments), default=None)

    def gap(self, name: str, is_wanted: Callable[[int], bool], *, watching: bool) -> int:
        """Wait until two sightings in a row, as they are seen here, lie so far apart."""
        before: int | None = None

        def look() -> int | None:
            nonlocal before
            if watching:
                self.watch()
            seen_at, before_that = self.seen_at(name), before
            before = seen_at if seen_at is not None else before
            if seen_at is None or before_that is None or seen_at == before_that:
                return None
            return seen_at - before_that if is_wanted(seen_at - before_that) else None

        return eventually(look, seconds=60, what="the gap")


def _seconds(moment: str) -> int:
    return int(datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp())


def test_live_is_two_seconds_apart_while_somebody_watches_and_slow_again_after(tmp_path: Path) -> None:
    options = ("--listen", "127.0.0.1:0", "--data-dir", str(tmp_path), "--rate-limit", "0")
    with (
        running("up", *options, "--interval-seconds", str(INTERVAL), "--max-cpu", "0") as started,
        a_process("steady-as-it-goes"),
    ):
        watcher = Watcher(started.line_with("Procession runs at").split()[-1], tmp_path)
        eventually(lambda: watcher.seen_at("steady-as-it-goes"), what="the first sighting")

        watcher.gap("steady-as-it-goes", lambda seconds: seconds <= 4, watching=True)
        with a_process("new-and-live"):
            begin = time.monotonic()

            def arrival() -> int | None:
                watcher.watch()
                return watcher.seen_at("new-and-live")

            eventually(arrival, what="its arrival")
            seconds = time.monotonic() - begin

        slow = watcher.gap("steady-as-it-goes", lambda seconds: seconds >= INTERVAL - 1, watching=False)

    # Twice as long as promised: a busy machine is no quick one.
    assert seconds < 6
    assert slow <= INTERVAL * 3
