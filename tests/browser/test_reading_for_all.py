"""Every tab and part of the panel, in both themes and at three sizes: labels, roles and contrast, as axe sees them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.looking import Look

AXE = Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js"
_RUN = """async () => {
  const found = await axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] });
  return found.violations.map((one) => ({ rule: one.id, where: one.nodes.slice(0, 3).map((node) => node.html) }));
}"""
VIEWS = {
    "groups": ("&tab=groups&x.second=host&x.statistics=sum,avg,p50,p95,max", "Table of groups"),
    "hosts": ("&tab=hosts", "Table of hosts"),
    "graphs": ("&tab=graphs", "Processes"),
    "scatter": ("&tab=scatter", "Scatter plot"),
    "scatter of groups": ("&tab=scatter&x.dots=groups", "Scatter plot"),
    "compare": ("&tab=compare&x.left={before}", "Compare"),
    "about": ("&p={process}", "Numbers"),
    "over time": ("&p={process}&x.panel=history", "CPU"),
    "tree": ("&p={process}&x.panel=tree", "Parents and children"),
    "runs": ("&p={process}&x.panel=runs", "Process"),
}


def violations(page: Page) -> list[Any]:
    page.evaluate(AXE.read_text())
    found: list[Any] = page.evaluate(_RUN)
    return found


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_can_be_read_by_all_in_both_themes_and_at_three_sizes(look: Look, view: str) -> None:
    query, label = VIEWS[view]
    page = look.at_the_fleet(f"&tags=host:{look.a_host}")
    process = look.get("/processes", at=look.end, tags=f"host:{look.a_host}", sort="-rss_bytes")["data"][0]["id"]
    page.goto(look.url(f"?at={look.end}&tags=host:{look.a_host}" + query.format(before=look.end - 60, process=process)))

    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        expect(page.locator(f'html[data-mantine-color-scheme="{scheme}"]')).to_be_attached()
        expect(page.get_by_label(label, exact=True).first).to_be_visible(timeout=30_000)
        page.wait_for_load_state("networkidle")
        assert violations(page) == []

    for width, height in ((820, 1180), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        expect(page.get_by_label(label, exact=True).first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page) == []


def test_menus_and_dialogs_can_be_read_by_all(look: Look) -> None:
    page = look.at_the_fleet(f"&tags=host:{look.a_host}")

    page.get_by_role("button", name="Views", exact=True).click()
    expect(page.get_by_label("Save this view as")).to_be_focused()
    page.wait_for_load_state("networkidle")
    assert violations(page) == []
    page.keyboard.press("Escape")

    page.get_by_role("button", name="Export", exact=True).click()
    page.get_by_role("menuitem", name="As curl").click()
    expect(page.get_by_role("dialog", name="This query as curl").get_by_role("button", name="Copy")).to_be_focused()
    # While it fades, it is a menu without anything in it.
    expect(page.get_by_role("menu")).to_have_count(0)
    assert violations(page) == []
