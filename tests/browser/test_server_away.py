"""The page while its server is away, after an upgrade of the server, and at a time that is to come."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import application_key
from tests.browser.looking import Server, sign_in
from tests.browser.test_reading_for_all import violations
from tests.support.running import Running


class Restartable:
    """`procession up` at one address: a page that is open finds it again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._listen = "127.0.0.1:0"
        self._running: Running | None = None
        self.start()
        self.server = Server(self.url, application_key(folder))

    def start(self) -> None:
        """Unless it runs."""
        if self._running is not None:
            return
        options = ("--data-dir", str(self._folder), "--own-rate-limit", "0", "--sign-in-limit", "0")
        self._running = Running("up", "--listen", self._listen, *options, "--interval-seconds", "1", "--max-cpu", "0")
        self.url = self._running.line_with("Procession runs at").split()[-1]
        self._listen = self.url.removeprefix("http://")

    def stop(self) -> None:
        if self._running is not None:
            self._running.kill()
        self._running = None


@pytest.fixture(scope="module")
def own(page_built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Restartable]:
    started = Restartable(tmp_path_factory.mktemp("own"))
    yield started
    started.stop()


@pytest.fixture
def page(own: Restartable, browser: Browser) -> Iterator[Page]:
    """Of a server that may be stopped; no error is left without a word on the page."""
    own.start()
    context = browser.new_context(viewport={"width": 1440, "height": 860})
    errors: list[str] = []
    context.on("weberror", lambda error: errors.append(str(error.error)))
    page = context.new_page()
    page.goto(f"{own.url}/?t=live")
    sign_in(page, own.server)
    expect(page.locator("#row-0")).to_be_visible()
    yield page
    context.close()
    assert errors == []


def test_the_page_outlives_its_server_and_finds_it_again(own: Restartable, page: Page) -> None:
    shown = page.get_by_role("status").filter(has_text="processes at").locator("time")
    stale = page.get_by_text("Server unreachable; rows as of")

    own.stop()
    expect(stale).to_be_visible()
    at = shown.inner_text()
    expect(stale.locator("time")).to_have_text(at)
    page.locator("#row-0").click()
    panel = page.get_by_role("dialog", name="Process")
    expect(panel.get_by_text("Server unreachable")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("tab", name="Groups").click()
    expect(page.get_by_role("tabpanel").get_by_text("Server unreachable")).to_be_visible()
    page.get_by_role("tab", name="Table").click()
    expect(page.get_by_role("tabpanel").get_by_text("The server cannot be reached")).to_be_visible()
    expect(shown).to_be_hidden()
    assert violations(page) == []

    own.start()
    expect(panel.get_by_role("tab", name="About")).to_be_visible()
    expect(stale).to_be_hidden()
    expect(shown).not_to_have_text(at)
    page.get_by_role("tab", name="Groups").click()
    expect(page.get_by_role("tabpanel").get_by_role("table")).to_be_visible()


def test_after_an_upgrade_one_is_asked_to_reload(page: Page) -> None:
    def upgraded(route: Route) -> None:
        html = route.fetch().text()
        route.fulfill(body=re.sub(r"/assets/index-[^\"]+\.js", "/assets/index-next.js", html), content_type="text/html")

    page.route("**/assets/*.js", lambda route: route.fulfill(status=404, body="Not Found"))
    page.route(re.compile(r":\d+/$"), upgraded)

    page.get_by_role("tab", name="Graphs").click()
    expect(page.get_by_role("alert")).to_contain_text("There is a new version of this page")
    expect(page.get_by_role("tab", name="Table")).to_be_visible()
    assert violations(page) == []
    page.unroute_all()
    page.get_by_role("button", name="Reload").click()

    expect(page.get_by_role("tabpanel").get_by_role("figure").first).to_be_visible()
    assert "tab=graphs" in page.url


def test_a_time_to_come_is_shown_as_what_it_is(own: Restartable, page: Page) -> None:
    tomorrow = int(time.time()) + 86_400
    page.goto(f"{own.url}/?at={tomorrow}")

    expect(page.get_by_text("is in the future. This is the newest that is known.")).to_be_visible()
    shown = page.get_by_role("status").filter(has_text="processes at").locator("time")
    expect(shown).to_have_attribute("datetime", re.compile(time.strftime("^%Y-%m-%dT", time.gmtime())))
    date = shown.get_attribute("datetime") or ""
    assert date[:19] < time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(tomorrow - 3600))
    label = page.get_by_role("button", name=re.compile("^Time: At"))
    expect(label).to_contain_text(shown.inner_text())
    assert violations(page) == []
