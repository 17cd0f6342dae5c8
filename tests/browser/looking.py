"""How the tests look at the page: as somebody who has signed in, and waits for what he has asked for."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

PREFIX = "/api/procession/v1"
QUIET_MACHINE = bool(os.environ.get("PROCESSION_QUIET_MACHINE"))
"""Only then are times held to what is promised: elsewhere others may be using the processors."""
SLACK = 1.0 if QUIET_MACHINE else 5.0

# What takes the browser so long that a frame is missed.
_WATCH_LONG_TASKS = """() => {
  window.longTasks = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) window.longTasks.push(entry.duration);
  }).observe({ type: "longtask" });
}"""
_DRAWN = "() => new Promise((resolve) => requestIdleCallback(() => resolve(null), { timeout: 10_000 }))"
"""What an event has changed is drawn a task or two later."""
_SCROLL = """async ([grid, steps]) => {
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  for (let step = 1; step <= steps; step += 1) {
    grid.scrollTop = (step / steps) * (grid.scrollHeight - grid.clientHeight);
    await frame();
  }
}"""


@dataclass
class Server:
    """A running server and what opens it."""

    url: str
    application_key: str

    def get(self, path: str, **params: Any) -> Any:
        """What the API answers to somebody who has no browser."""
        return self._ask("GET", path, params=params)

    def post(self, path: str) -> Any:
        return self._ask("POST", path)

    def _ask(self, method: str, path: str, **options: Any) -> Any:
        headers = {"authorization": f"Bearer {self.application_key}"}
        answer = httpx.request(method, f"{self.url}{PREFIX}{path}", headers=headers, timeout=60, **options)
        answer.raise_for_status()
        return answer.json()


@contextlib.contextmanager
def calling_themselves(names: Sequence[str]) -> Iterator[Callable[[Sequence[str]], None]]:
    """Processes of this machine that go by these names, and a way to start more. All end at the end."""
    started: list[subprocess.Popen[bytes]] = []

    def start(more: Sequence[str]) -> None:
        started.extend(subprocess.Popen([name, "600"], executable=shutil.which("sleep")) for name in more)

    start(names)
    try:
        yield start
    finally:
        for one in started:
            one.kill()
            one.wait()


def sign_in(page: Page, server: Server) -> None:
    """Unless the browser is signed in already."""
    search = page.get_by_role("combobox", name="Search processes")
    key = page.get_by_label("Application key")
    expect(search.or_(key).first).to_be_visible(timeout=30_000)
    if key.is_visible():
        key.fill(server.application_key)
        page.get_by_role("button", name="Sign in").click()
        expect(search).to_be_visible()


def settled(page: Page) -> None:
    """Waits until the table shows what was asked for, and nothing of what was before. A search is asked for once it is
    in the address."""
    page.evaluate(_DRAWN)
    expect(page.locator('[role="grid"][aria-busy="false"]')).to_be_visible(timeout=30_000)
    expect(page.locator('[role="row"] [data-waiting]')).to_have_count(0, timeout=30_000)


@dataclass
class Look:
    fleet: Server
    """Fed by the simulator; nothing is added to it while the tests run."""
    end: int
    """The last instant of the fleet that is complete."""
    a_host: str
    machine: Callable[[], Server]
    """Of this machine, watched by a real agent."""
    context: BrowserContext
    report_file: Path | None = None

    def url(self, query: str = "", server: Server | None = None) -> str:
        return f"{(server or self.fleet).url}/{query}"

    def at_the_fleet(self, more: str = "") -> Page:
        """The page, at the last instant of the fleet."""
        return self._open(self.fleet, f"?at={self.end}{more}")

    def at_this_machine(self, query: str) -> Page:
        return self._open(self.machine(), query)

    def _open(self, server: Server, query: str) -> Page:
        page = self.context.new_page()
        page.goto(self.url(query, server))
        self.sign_in(page, server)
        if "s=" not in query and "q=" not in query:
            expect(page.get_by_role("grid")).to_be_visible(timeout=30_000)
            self.settled(page)
        return page

    def sign_in(self, page: Page, server: Server | None = None) -> None:
        sign_in(page, server or self.fleet)

    @contextlib.contextmanager
    def fresh(self, browser: Browser) -> Iterator[Page]:
        """A page of a browser that knows nothing yet."""
        context = browser.new_context()
        yield context.new_page()
        context.close()

    def settled(self, page: Page) -> None:
        settled(page)

    def total(self, page: Page) -> int:
        return int(page.get_by_test_id("total").inner_text().replace(",", ""))

    def rows(self, page: Page) -> list[Locator]:
        """Of the processes that are drawn, from the top."""
        return page.locator('[role="row"][aria-rowindex]:has([role="gridcell"])').all()

    def get(self, path: str, **params: Any) -> Any:
        return self.fleet.get(path, **params)

    def scroll_to_the_end(self, page: Page, *, steps: int) -> None:
        grid = page.get_by_role("grid").element_handle()
        page.evaluate(_SCROLL, [grid, steps])

    def watch_long_tasks(self, page: Page) -> None:
        page.evaluate(_WATCH_LONG_TASKS)

    def long_tasks(self, page: Page) -> list[float]:
        """In milliseconds, each of more than 50."""
        found: list[float] = page.evaluate("() => window.longTasks")
        return found

    def check_long_tasks(self, tasks: list[float], limit_ms: float) -> None:
        """None on a quiet machine; on one that others use, a task may wait for a processor, but most do not."""
        if QUIET_MACHINE:
            assert not tasks, f"tasks of {tasks} ms"
        assert max(tasks, default=0.0) < limit_ms * 10, f"tasks of {tasks} ms"

    def check_seconds(self, seconds: float, limit: float) -> None:
        assert seconds < limit * SLACK, f"it took {seconds:.2f} s"

    def wait_until_watched(self, page: Page) -> None:
        """The lease has been taken, and the agent has had time to hear of it."""
        with page.expect_response(lambda answer: answer.url.endswith("/watch") and answer.ok, timeout=15_000):
            pass
        server, seen = self.machine(), [0]
        deadline = time.monotonic() + 60
        # Its usual pace is one snapshot in ten seconds.
        while len(seen) < 3 or seen[-1] - seen[-2] > 4:
            assert time.monotonic() < deadline, "the agent does not go faster for who watches"
            newest = server.get("/hosts")["data"]
            if newest and newest[0]["seen_at"] != seen[-1]:
                seen.append(newest[0]["seen_at"])
            page.wait_for_timeout(200)

    def report(self, what: str, **figures: float) -> None:
        """Into the report of the tests, where there is one."""
        line = json.dumps({"what": what, **figures})
        print(line)  # noqa: T201 (pytest shows it with -s)
        if self.report_file is not None:
            with self.report_file.open("a") as file:
                file.write(line + "\n")
