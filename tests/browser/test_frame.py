"""What is the same in all tabs: keys and how to learn them, the title, and links to what is shown."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.looking import Server, sign_in
from tests.browser.pointer import point_at


@pytest.fixture
def page(machine: Callable[[], Server], browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 860}, base_url=machine().url)
    page = context.new_page()
    page.goto("/?t=live")
    sign_in(page, machine())
    expect(page.locator("#row-0")).to_be_visible()
    page.get_by_role("button", name="Stop live").click()
    expect(page.locator('[role="grid"][aria-busy="false"] #row-0')).to_be_visible()
    yield page
    context.close()


def test_the_title_names_the_view(page: Page) -> None:
    expect(page).to_have_title("Table · Procession")

    page.goto("/?s=python&tags=user:root&tab=groups")

    expect(page).to_have_title("python user:root · Groups · Procession")


def test_the_keys_are_listed_but_not_while_one_types(page: Page) -> None:
    keys = page.get_by_role("dialog", name="Keys")
    search = page.get_by_role("combobox", name="Search processes")

    search.press("?")
    expect(search).to_have_value("?")
    search.fill("")
    page.get_by_role("tab", name="Table").focus()
    page.keyboard.press("?")
    expect(keys).to_contain_text("Go to the search")
    page.keyboard.press("Escape")

    expect(keys).to_be_hidden()


def test_the_first_tab_stop_leads_past_search_and_facets(page: Page) -> None:
    page.reload()
    expect(page.locator("#row-0")).to_be_visible()
    before = page.url

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the processes")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.get_by_role("grid")).to_be_focused()
    assert page.url == before


def test_a_row_opens_in_another_tab_and_its_text_can_be_selected(page: Page) -> None:
    row = page.locator("#row-1")

    for click in ({"button": "middle"}, {"modifiers": ["ControlOrMeta"]}):
        with page.context.expect_page() as opened:
            row.click(**click)
        expect(opened.value).to_have_url(re.compile(r"[?&]p=[0-9a-f]{40}"))
        expect(opened.value.get_by_role("dialog", name="Process")).to_be_visible()
        opened.value.close()
    expect(page.get_by_role("dialog", name="Process")).to_be_hidden()

    x, y = point_at(row.get_by_role("gridcell").first, 12, 15)
    page.mouse.down()
    page.mouse.move(x + 108, y, steps=4)
    page.mouse.up()
    assert page.evaluate("getSelection().toString()") != ""
    expect(page.get_by_role("dialog", name="Process")).to_be_hidden()
    page.evaluate("getSelection().removeAllRanges()")
    row.click()
    expect(page.get_by_role("dialog", name="Process")).to_be_visible()
    expect(page.get_by_role("button", name="Copy the command line")).to_be_visible()


def test_a_process_leads_to_its_parent(page: Page) -> None:
    page.goto("/?t=live&s=chromium")
    page.locator("#row-0").click()
    panel = page.get_by_role("dialog", name="Process")

    parent = panel.get_by_role("link", name=re.compile(r"\(pid \d+\)$"))
    pid = parent.inner_text().rpartition("(")[2].rstrip(")")
    with page.context.expect_page() as opened:
        parent.click(modifiers=["ControlOrMeta"])
    expect(opened.value.get_by_role("dialog", name="Process").get_by_text(re.compile(f"^{pid} "))).to_be_visible()
    opened.value.close()
    parent.click()

    expect(panel.get_by_text(re.compile(f"^{pid} "))).to_be_visible()


def test_a_long_host_name_loses_its_middle(page: Page) -> None:
    cell = page.locator("#row-0").get_by_role("gridcell").nth(5)
    tail = cell.inner_text().replace("\n", "")[-2:]
    page.evaluate(
        """(cell) => { cell.querySelector("span span").textContent = "web-production-eu-central-1-".repeat(3); }""",
        cell.element_handle(),
    )

    last = cell.locator("span span").last
    box, end = cell.bounding_box(), last.bounding_box()
    assert last.inner_text().endswith(tail)
    assert box is not None
    assert end is not None
    assert end["x"] + end["width"] <= box["x"] + box["width"]


def test_times_are_shown_in_utc_for_who_wants_that(machine: Callable[[], Server], browser: Browser) -> None:
    server = machine()
    at = int(time.time())
    utc = datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S")
    # Half an hour beside all others.
    with browser.new_context(timezone_id="Asia/Kolkata", locale="en-US") as context:
        page = context.new_page()
        page.goto(f"{server.url}/?at={at}")
        sign_in(page, server)
        expect(page.locator("#row-0")).to_be_visible()
        when = page.get_by_role("status").filter(has=page.get_by_test_id("total"))
        expect(when).not_to_contain_text(utc)

        page.get_by_role("button", name="More").click()
        page.get_by_role("menuitem", name="Show times in UTC").click()

        expect(when).to_contain_text(f"{utc} UTC")
        page.reload()
        expect(when).to_contain_text(f"{utc} UTC")
        page.get_by_role("button", name=re.compile("^Time:")).click()
        expect(page.get_by_text("Time zone: UTC.")).to_be_visible()
        page.get_by_label("From").fill("2026-01-01T10:00:00")
        page.get_by_label("To", exact=True).fill("2026-01-01T11:00:00")
        page.get_by_role("button", name="Show this range").click()
        expect(page).to_have_url(re.compile("from=1767261600&to=1767265200"))


def test_four_times_as_large_the_page_scrolls_to_its_rows(page: Page) -> None:
    page.set_viewport_size({"width": 320, "height": 256})

    page.locator("#row-0").scroll_into_view_if_needed()

    expect(page.locator("#row-3")).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert page.evaluate("scrollY") > 0
    page.locator("#row-0").click()
    expect(page.get_by_role("dialog", name="Process").get_by_label("Command line")).to_be_visible()


def test_a_phone_shows_the_whole_range_of_time(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/?from=1761000000&to=1761900000")

    button = page.get_by_role("button", name=re.compile("^Time:"))
    label = (button.get_attribute("aria-label") or "").removeprefix("Time: ")
    assert len(label) > 30
    text = button.get_by_text(label)
    expect(text).to_be_visible()
    fits = "(text) => text.scrollWidth <= text.clientWidth && text.scrollHeight <= text.clientHeight + 1"
    assert text.evaluate(fits)
    box, around = text.bounding_box(), button.bounding_box()
    assert box is not None
    assert around is not None
    assert around["x"] >= 0
    assert around["x"] + around["width"] <= 390
    assert around["y"] <= box["y"]
    assert box["y"] + box["height"] <= around["y"] + around["height"]
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_nothing_on_any_tab_or_in_the_panel_violates_the_content_security_policy(page: Page) -> None:
    page.add_init_script(
        "window.refused = [];"
        "addEventListener('securitypolicyviolation', (event) => refused.push(event.violatedDirective))"
    )
    page.goto("/")
    for tab in page.get_by_role("tablist", name="Tabs").get_by_role("tab").all():
        tab.click()
        page.wait_for_load_state("networkidle")
    page.get_by_role("tab", name="Table").click()
    for name in ("Columns", "Views", "Export", re.compile("^Time:"), "More"):
        page.get_by_role("button", name=name).first.click()
        page.keyboard.press("Escape")
    page.locator("#row-0").click()
    panel = page.get_by_role("dialog", name="Process")
    for part in panel.get_by_role("tab").all():
        part.click()
        page.wait_for_load_state("networkidle")
    panel.get_by_role("button", name="curl").click()

    assert page.evaluate("window.refused") == []
