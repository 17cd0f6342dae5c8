"""What the page shows over time leads to the moment that one points at: the strip of time travel, and the graphs."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, FloatRect, Page, Route, expect

from tests.browser.looking import Server, sign_in
from tests.browser.pointer import click, drag


@pytest.fixture
def page(machine: Callable[[], Server], browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 860}, base_url=machine().url)
    page = context.new_page()
    page.goto("/?t=live")
    sign_in(page, machine())
    expect(page.locator("#row-0")).to_be_visible()
    yield page
    context.close()


def test_a_strip_shows_where_there_is_data_and_leads_there(page: Page) -> None:
    long_ago = int(time.time()) - 3000
    page.goto(f"/?at={long_ago}")
    strip = page.get_by_role("img", name=re.compile("^Processes over time: .* without data$"))

    expect(strip).to_be_visible()
    expect(page.get_by_text("No data for this time")).to_be_visible()
    assert strip.locator("[data-gap]").count() > 50
    page.get_by_role("button", name="Next data").click()
    expect(page.locator("#row-0")).to_be_visible()
    click(strip, 0.25)
    expect(page.get_by_text("No data for this time")).to_be_visible()
    at = int(re.findall(r"at=(\d+)", page.url)[0])
    assert abs(at - (time.time() - 2700)) < 120

    drag(strip, 0.5, 0.9)
    expect(page).to_have_url(re.compile(r"from=\d+&to=\d+"))
    begin, end = map(int, re.findall(r"(?:from|to)=(\d+)", page.url))
    assert abs((end - begin) - 0.4 * 3600) < 30


def test_a_click_on_a_graph_leads_to_the_processes_of_that_moment(page: Page) -> None:
    page.goto("/?t=live&tab=graphs")
    cpu = page.get_by_role("figure", name="CPU")

    expect(cpu).to_contain_text(re.compile(r"\d cores?"))
    expect(cpu).not_to_contain_text("%")
    click(cpu.get_by_role("img"), 0.9)

    expect(page).to_have_url(re.compile(r"\?at=\d+$"))
    at = int(page.url.rpartition("=")[2])
    shown = page.get_by_role("status").filter(has_text="processes at").locator("time")
    expect(shown).to_have_attribute("datetime", time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(at)))
    assert 30 < time.time() - at < 180
    page.go_back()
    expect(cpu).to_be_visible()


@pytest.mark.parametrize("size", [(1440, 860), (820, 1180), (390, 844)], ids=["desktop", "tablet", "phone"])
def test_nothing_moves_when_the_strip_comes(page: Page, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    held: list[Route] = []
    is_held = True
    page.route(re.compile("/(trends|turnover)[?]"), lambda route: held.append(route) if is_held else route.continue_())
    with page.expect_request(re.compile("/trends[?]")):
        page.goto(f"/?at={int(time.time())}")
    row, strip = page.locator("#row-0"), page.get_by_role("img", name=re.compile("^Processes over time: "))
    parts = (row, page.get_by_role("slider", name="Instant"), page.get_by_role("button", name="Back to now"))
    expect(row).to_be_visible()
    expect(strip).to_have_count(0)

    def places() -> list[FloatRect | None]:
        return [part.bounding_box() for part in parts]

    before = places()
    is_held = False
    for route in held:
        route.continue_()

    expect(strip).to_be_visible()
    assert places() == before
