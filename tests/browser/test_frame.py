"""What is the same in all tabs: keys and how to learn them, the title, and links to what is shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.looking import Server, sign_in


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

    page.goto("/?q=python&tags=user:root&tab=groups")

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

    box = row.get_by_role("gridcell").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 12, box["y"] + 15)
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] + 15, steps=4)
    page.mouse.up()
    assert page.evaluate("getSelection().toString()") != ""
    expect(page.get_by_role("dialog", name="Process")).to_be_hidden()
    page.evaluate("getSelection().removeAllRanges()")
    row.click()
    expect(page.get_by_role("dialog", name="Process")).to_be_visible()
    expect(page.get_by_role("button", name="Copy the command line")).to_be_visible()


def test_a_process_leads_to_its_parent(page: Page) -> None:
    page.goto("/?t=live&q=chromium")
    page.locator("#row-0").click()
    panel = page.get_by_role("dialog", name="Process")

    parent = panel.get_by_role("button", name=re.compile(r"^pid \d+$"))
    pid = parent.inner_text()
    parent.click()

    expect(panel.get_by_text(f"{pid} on ")).to_be_visible()


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
