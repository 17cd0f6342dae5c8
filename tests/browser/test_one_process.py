"""The panel of a process: all of it, its numbers over time, its relatives, its other runs, and the call for it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.looking import Look
from tests.browser.pointer import drag


@pytest.fixture
def process(look: Look) -> dict[str, Any]:
    """One that has a parent: its place in the tree is then to be seen."""
    found = look.get("/tree", host=look.a_host, at=look.end)["data"]
    return next(one for one in found if one["depth"] >= 1)


def panel_of(look: Look, process: dict[str, Any], more: str = "") -> tuple[Page, Locator]:
    page = look.at_the_fleet(f"&tags=host:{look.a_host}&p={process['id']}{more}")
    panel = page.get_by_role("dialog", name="Process")
    expect(panel.get_by_role("heading", level=2)).to_be_focused(timeout=30_000)
    return page, panel


def test_a_row_opens_the_panel_with_all_that_is_known_of_the_process(look: Look) -> None:
    page = look.at_the_fleet(f"&tags=host:{look.a_host}")
    first = look.get("/processes", at=look.end, tags=f"host:{look.a_host}", sort="-cpu_total_percent")["data"][0]

    look.rows(page)[0].click()

    panel = page.get_by_role("dialog", name="Process")
    attributes = first["attributes"]
    expect(panel.get_by_label("Command line")).to_have_text(attributes["cmdline"])
    expect(panel.get_by_text(f"pid {attributes['pid']} on {attributes['host']}")).to_be_visible()
    for tag in attributes["tags"]:
        expect(panel.get_by_role("button", name=tag, exact=True)).to_be_visible()
    for title in ("Numbers", "Container", "Tags"):
        expect(panel.get_by_role("region", name=title)).to_be_visible()


def test_a_tag_of_the_panel_filters_and_the_panel_stays(look: Look, process: dict[str, Any]) -> None:
    page, panel = panel_of(look, process)
    tag = f"user:{process['attributes']['user']}"

    panel.get_by_role("button", name=tag, exact=True).click()

    expect(page).to_have_url(re.compile(re.escape(tag)))
    expect(panel.get_by_role("button", name=tag, exact=True)).to_have_attribute("aria-pressed", "true")


def test_one_walks_through_the_table_beside_the_panel_which_leaves_the_time_free(look: Look) -> None:
    page = look.at_the_fleet(f"&tags=host:{look.a_host}&sort=pid")
    listed = look.get("/processes", at=look.end, tags=f"host:{look.a_host}", sort="pid")["data"]
    panel = page.get_by_role("dialog", name="Process")
    pids = [one["attributes"]["pid"] for one in listed]

    page.locator("#row-0").click()
    expect(panel.get_by_text(re.compile(rf"^pid {pids[0]} "))).to_be_visible()
    expect(panel.get_by_role("button", name="Previous process")).to_have_attribute("aria-disabled", "true")
    panel.get_by_role("button", name="Next process").click()
    expect(panel.get_by_text(re.compile(rf"^pid {pids[1]} "))).to_be_visible()
    for place in range(2, 60):
        page.keyboard.press("ArrowDown")
        expect(panel.get_by_text(re.compile(rf"^pid {pids[place]} "))).to_be_visible()
    expect(page.locator("#row-59")).to_be_in_viewport()
    expect(page.locator("#row-59")).to_have_attribute("data-selected", "true")
    page.keyboard.press("ArrowUp")
    expect(panel.get_by_text(re.compile(rf"^pid {pids[58]} "))).to_be_visible()

    page.get_by_role("button", name=re.compile("^Time:")).click()
    expect(page.get_by_role("dialog", name="Time")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="10 seconds back").click()
    expect(page).to_have_url(re.compile(f"at={look.end - 10}"))
    page.go_back()
    page.go_back()
    expect(panel).to_be_hidden()


def test_escape_closes_the_panel(look: Look, process: dict[str, Any]) -> None:
    page, panel = panel_of(look, process)

    page.keyboard.press("Escape")

    expect(panel).to_be_hidden()
    expect(page).not_to_have_url(re.compile(r"[?&]p="))


def test_numbers_are_drawn_over_time_read_by_keys_and_zoomed_by_a_drag(look: Look, process: dict[str, Any]) -> None:
    page, panel = panel_of(look, process)

    panel.get_by_role("tab", name="Over time").click()
    cpu = panel.get_by_role("figure", name="CPU")
    expect(cpu.locator("canvas")).to_be_visible()
    expect(panel.get_by_role("figure", name="Memory")).to_be_visible()
    cpu.get_by_role("img").focus()
    page.keyboard.press("End")
    expect(cpu.get_by_text("newest", exact=True)).to_be_hidden()
    drag(cpu.locator(".u-over"), 0.5, 0.9)

    expect(page).to_have_url(re.compile(r"x\.span=\d+-\d+"))
    panel.get_by_role("button", name="Zoom out").click()
    expect(page).not_to_have_url(re.compile(r"x\.span="))


def test_parents_and_children_are_those_of_the_instant(look: Look, process: dict[str, Any]) -> None:
    page, panel = panel_of(look, process)
    told = look.get(f"/processes/{process['id']}/tree", at=look.end)

    panel.get_by_role("tab", name="Tree").click()
    tree = panel.get_by_role("list", name="Parents and children")

    expect(tree.get_by_role("listitem")).to_have_count(len(told["ancestors"]) + 1 + len(told["descendants"]))
    parent = told["ancestors"][-1]
    tree.get_by_role("link", name=re.compile(rf"^{parent['attributes']['pid']} ")).click()
    expect(page).to_have_url(re.compile(parent["id"]))
    expect(panel.get_by_text(f"pid {parent['attributes']['pid']} on")).to_be_visible()


def test_other_runs_of_the_command_open(look: Look, process: dict[str, Any]) -> None:
    told = look.get(f"/processes/{process['id']}/runs", to=look.end, limit=50)["data"]
    page, panel = panel_of(look, process)

    panel.get_by_role("tab", name="Runs").click()

    if told:
        panel.get_by_role("list", name="Other runs").get_by_role("button").first.click()
        expect(page).not_to_have_url(re.compile(process["id"]))
    else:
        expect(panel.get_by_text("No other run")).to_be_visible()


def test_the_call_for_it_is_copied_without_a_key(look: Look, process: dict[str, Any]) -> None:
    look.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page, panel = panel_of(look, process)

    panel.get_by_role("button", name="curl").click()
    panel.get_by_role("button", name="Copy", exact=True).click()

    expect(page.get_by_text("Copied.")).to_be_visible()
    line = page.evaluate("navigator.clipboard.readText()")
    assert process["id"] in line
    assert '"Authorization: Bearer $DD_APP_KEY"' in line
    assert look.fleet.application_key not in line


def test_a_process_of_another_time_is_shown_as_it_was_last_seen(look: Look, process: dict[str, Any]) -> None:
    page = look.at_the_fleet(f"&tags=host:{look.a_host}")

    page.goto(look.url(f"?at={look.end - 86400}&p={process['id']}"))

    panel = page.get_by_role("dialog", name="Process")
    expect(panel.get_by_text("It was not seen around")).to_be_visible(timeout=30_000)
    expect(panel.get_by_label("Command line")).to_have_text(process["attributes"]["cmdline"])
