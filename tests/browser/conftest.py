"""A browser, a fleet of 100,000 processes to look at, and this machine with a real agent."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.looking import Look, Server
from tests.support.running import PROCESSION, clean_environment, running
from tests.support.stores.folders import quick_folder

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "src/procession/server/page/index.html"
WEB = ROOT / "web"
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")

HOSTS = 1000
PROCESSES = 100
HOURS = 0.05
"""Three minutes, 18 snapshots of each host."""


# What is promised of times has tests of its own; elsewhere a busy machine may be slow.
expect.set_options(timeout=30_000)


@pytest.fixture(scope="package")
def page_built() -> None:
    """As the sources are now."""
    sources = [path.stat().st_mtime for path in (WEB / "src").rglob("*") if path.is_file()]
    if PAGE.exists() and PAGE.stat().st_mtime > max(sources):
        return
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("there is no npm to build the page with")
    if not (WEB / "node_modules").exists():
        subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=WEB, check=True)
    subprocess.run([npm, "run", "build"], cwd=WEB, check=True)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium")
    # Its sandbox does not work for root.
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def fleet(page_built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, int, str]]:
    """A server that holds three minutes of the simulator's fleet, the last instant of it, and one of its hosts."""
    with ExitStack() as stack:
        folder = stack.enter_context(quick_folder(tmp_path_factory.mktemp("fleet")))
        end = int(time.time()) - 5
        size = ("--hosts", str(HOSTS), "--processes", str(PROCESSES), "--hours", str(HOURS))
        subprocess.run(
            [*PROCESSION, "simulate", *size, "--data-dir", str(folder)],
            env=clean_environment(),
            check=True,
            capture_output=True,
        )
        limits = ("--own-rate-limit", "0", "--sign-in-limit", "0")
        options = ("--listen", "127.0.0.1:0", "--data-dir", str(folder), *limits)
        started = stack.enter_context(running("serve", *options))
        server = Server(started.line_with("Procession listens at").split()[-1], application_key(folder))
        yield server, end, server.get("/hosts", at=end, limit=1)["data"][0]["host"]


@pytest.fixture(scope="package")
def machine(page_built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Server]]:
    """`procession up`, as a user starts it; once somebody asks for it."""
    with ExitStack() as stack:

        @functools.cache
        def start() -> Server:
            folder = tmp_path_factory.mktemp("up")
            options = (
                "--listen",
                "127.0.0.1:0",
                "--data-dir",
                str(folder),
                "--own-rate-limit",
                "0",
                "--sign-in-limit",
                "0",
            )
            started = stack.enter_context(running("up", *options))
            return Server(started.line_with("Procession runs at").split()[-1], application_key(folder))

        yield start


@pytest.fixture
def look(browser: Browser, fleet: tuple[Server, int, str], machine: Callable[[], Server]) -> Iterator[Look]:
    server, end, a_host = fleet
    context = browser.new_context(viewport={"width": 1440, "height": 860})
    errors: list[str] = []
    context.on("weberror", lambda error: errors.append(str(error.error)))
    report = os.environ.get("PROCESSION_BROWSER_REPORT")
    yield Look(server, end, a_host, machine, context, Path(report) if report else None)
    context.close()
    assert errors == []


def application_key(folder: Path) -> str:
    return (folder / "keys" / "application-key").read_text().strip()
