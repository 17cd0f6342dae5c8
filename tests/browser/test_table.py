"""The table of 100,000 processes: sorted by the server, scrolled to the end, walked through by keys."""

from __future__ import annotations

import re
import uuid

import pytest
from playwright.sync_api import expect

from tests.browser.looking import Look, calling_themselves
from tests.browser.pointer import box_in, point_at

LONG_TASK_MS = 50
IS_ON_TOP_AT_ITS_END = """(cell) => {
  const { right, top, bottom } = cell.getBoundingClientRect();
  return cell.contains(document.elementFromPoint(right - 4, (top + bottom) / 2));
}"""


def test_the_table_has_all_processes_of_the_instant(look: Look) -> None:
    page = look.at_the_fleet()

    expect(page.get_by_test_id("total")).to_have_text(re.compile(r"^\d\d,\d{3}$|^1\d\d,\d{3}$"))
    names = page.get_by_role("columnheader").all_inner_texts()
    assert names == ["Command", "CPU", "Memory", "User", "PID", "Host", "Started", "Container", "Tags"]


def test_a_click_on_a_header_sorts_on_the_server(look: Look) -> None:
    page = look.at_the_fleet()

    with page.expect_response(lambda answer: "sort=-rss_bytes" in answer.url):
        page.get_by_role("columnheader", name="Memory").get_by_role("button").click()

    expect(page.get_by_role("columnheader", name="Memory")).to_have_attribute("aria-sort", "descending")
    expect(page).to_have_url(re.compile("sort=-rss_bytes"))
    page.get_by_role("columnheader", name="PID").get_by_role("button").click()
    page.get_by_role("columnheader", name="PID").get_by_role("button").click()
    expect(page.get_by_role("columnheader", name="PID")).to_have_attribute("aria-sort", "ascending")
    look.settled(page)
    pids = [int(row.get_by_role("gridcell").nth(4).inner_text()) for row in look.rows(page)[:10]]
    assert pids == sorted(pids)


def test_columns_are_chosen_and_moved(look: Look) -> None:
    page = look.at_the_fleet("&cols=command,pid,host")

    page.get_by_role("button", name="Columns").click()
    page.get_by_role("checkbox", name="Threads", exact=True).check()
    page.get_by_role("button", name="Move PID to the left").click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("checkbox", name="Threads", exact=True)).to_be_hidden()

    assert page.get_by_role("columnheader").all_inner_texts() == ["PID", "Command", "Host", "Threads"]
    page.get_by_role("columnheader", name="Host").get_by_role("button").focus()
    page.keyboard.press("Alt+ArrowLeft")
    assert page.get_by_role("columnheader").all_inner_texts() == ["PID", "Host", "Command", "Threads"]
    page.get_by_role("columnheader", name="Threads").drag_to(page.get_by_role("columnheader", name="PID"))
    assert page.get_by_role("columnheader").all_inner_texts() == ["Threads", "PID", "Host", "Command"]
    expect(page).to_have_url(re.compile("cols=threads,pid,host,command"))


def test_the_command_stays_in_sight_while_other_columns_scroll(look: Look) -> None:
    page = look.at_the_fleet("&cols=command,pid,host,user,start,container,tags,exe,cwd,cmdline,comm,group")
    grid = page.get_by_role("grid")

    grid.evaluate("(grid) => { grid.scrollLeft = 900; }")

    for cell in (page.get_by_role("columnheader").first, page.locator("#row-3 [role=gridcell]").first):
        assert box_in(cell, grid).left == pytest.approx(0, abs=1)
        # Nothing that scrolls below it is to be seen.
        assert cell.evaluate(IS_ON_TOP_AT_ITS_END)
    expect(page.get_by_role("columnheader", name="PID")).not_to_be_in_viewport()


def test_a_column_is_made_wider_by_dragging_and_by_keys(look: Look) -> None:
    page = look.at_the_fleet("&cols=command,user,pid,host")
    header = page.get_by_role("columnheader", name="User")

    line = header.locator("[class*=resizer]")

    def width() -> float:
        return box_in(header, header).width

    before = width()
    x, y = point_at(line, 5, 15)
    page.mouse.down()
    page.mouse.move(x + 60, y, steps=5)
    page.mouse.move(x + 120, y, steps=5)
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"x\.widths=user:\d+"))
    assert width() == pytest.approx(before + 120, abs=3)
    header.get_by_role("button").press("Shift+ArrowLeft")
    assert width() == pytest.approx(before + 104, abs=3)
    assert page.get_by_role("columnheader").all_inner_texts() == ["Command", "User", "PID", "Host"]
    page.reload()
    look.settled(page)
    assert width() == pytest.approx(before + 104, abs=3)

    point_at(line, 5, 15)
    line.dblclick()

    expect(page).not_to_have_url(re.compile("widths"))
    assert width() == pytest.approx(before, abs=1)


def test_any_tag_has_a_column(look: Look) -> None:
    page = look.at_the_fleet("&cols=command,pid&sort=pid&tags=env:*")
    first = look.get("/processes", at=look.end, sort="pid", tags="env:*", **{"page[limit]": 1})["data"][0]
    (env,) = (tag.partition(":")[2] for tag in first["attributes"]["tags"] if tag.startswith("env:"))

    page.get_by_role("button", name="Columns").click()
    page.get_by_role("combobox", name="Column for a tag").fill("env")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("checkbox", name="env", exact=True)).to_be_checked()
    page.keyboard.press("Escape")

    assert page.get_by_role("columnheader").all_inner_texts() == ["Command", "PID", "env"]
    expect(page.locator("#row-0 [role=gridcell]").nth(2)).to_have_text(env)
    expect(page).to_have_url(re.compile("cols=command,pid,tag:env"))


def test_several_tags_of_a_process_are_shown_and_all_are_told_where_one_hovers(look: Look) -> None:
    found = look.get("/processes", at=look.end, sort="pid", **{"page[limit]": 100})["data"]
    own = re.compile("^(host|user|command|state_zombie):")
    most = max(found, key=lambda one: len(one["attributes"]["tags"]))["attributes"]
    shown = [tag for tag in most["tags"] if not own.match(tag)]
    assert len(shown) > 4

    page = look.at_the_fleet(f"&cols=pid,tags&tags=host:{most['host']}&s=pid:{most['pid']}")
    look.settled(page)

    cell = page.locator("#row-0 [role=gridcell]").nth(1)
    expect(cell.locator("span")).to_have_text([*shown[:4], f"+{len(shown) - 4}"])
    expect(cell).to_have_attribute("title", "  ".join(most["tags"]))


def test_live_rows_hold_still_under_the_pointer_and_their_numbers_go_on(look: Look) -> None:
    word = f"hold{uuid.uuid4().hex[:8]}"
    with calling_themselves([f"{word}-a", f"{word}-b"]) as start:
        page = look.at_this_machine(f"?t=live&q={word}&sort=-pid&cols=command,pid,timestamp")
        first, total = page.locator("#row-0"), page.get_by_test_id("total")
        expect(total).to_have_text("2", timeout=60_000)
        before, seen = first.get_by_role("gridcell").nth(1).inner_text(), first.get_by_role("gridcell").nth(2)
        then = seen.inner_text()
        first.hover()

        start([f"{word}-c"])

        expect(total).to_have_text("3", timeout=60_000)
        expect(page.get_by_text("order held under the pointer")).to_be_visible()
        expect(first.get_by_role("gridcell").nth(1)).to_have_text(before)
        expect(seen).not_to_have_text(then)
        page.get_by_role("tab", name="Table").hover()
        expect(first).to_contain_text(f"{word}-c")


def test_the_whole_table_is_scrolled_through_without_a_long_task(look: Look) -> None:
    page = look.at_the_fleet()
    grid = page.get_by_role("grid")
    total = int(grid.get_attribute("aria-rowcount") or 0) - 1
    look.watch_long_tasks(page)

    look.scroll_to_the_end(page, steps=150)
    last = page.locator(f'[aria-rowindex="{total + 1}"]')
    expect(last).to_be_visible(timeout=30_000)
    expect(last.get_by_role("gridcell").first).not_to_be_empty()
    look.settled(page)

    tasks = look.long_tasks(page)
    look.report(
        "100,000 rows scrolled to the end", rows=total, longest_task_ms=max(tasks, default=0.0), long=len(tasks)
    )
    look.check_long_tasks(tasks, LONG_TASK_MS)


def test_the_order_stays_that_of_its_instant_while_one_scrolls(look: Look) -> None:
    page = look.at_the_fleet()
    instants: set[str] = set()
    page.on("request", lambda request: instants.update(re.findall(r"/processes\?at=(\d+)", request.url)))

    look.scroll_to_the_end(page, steps=20)
    look.settled(page)

    assert len(instants) == 1


def test_keys_lead_through_the_table_and_open_a_process(look: Look) -> None:
    page = look.at_the_fleet()
    grid = page.get_by_role("grid")
    total = int(grid.get_attribute("aria-rowcount") or 0) - 1

    page.keyboard.press("ArrowDown")
    expect(grid).to_be_focused()
    expect(grid).to_have_attribute("aria-activedescendant", "row-0")
    page.keyboard.press("ArrowDown")
    expect(grid).to_have_attribute("aria-activedescendant", "row-1")
    page.keyboard.press("PageDown")
    assert int((grid.get_attribute("aria-activedescendant") or "").removeprefix("row-")) > 5
    page.keyboard.press("End")
    expect(page.locator(f"#row-{total - 1}")).to_be_in_viewport()
    page.keyboard.press("Home")
    expect(page.locator("#row-0")).to_be_in_viewport()
    look.settled(page)
    page.keyboard.press("Enter")

    expect(page.get_by_role("dialog", name="Process")).to_be_visible()
    expect(page).to_have_url(re.compile(r"[?&]p=[0-9a-f]{40}"))
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Process")).to_be_hidden()


def test_everything_seen_in_the_window_is_listed_as_well(look: Look) -> None:
    page = look.at_the_fleet()
    page.goto(look.url(f"?from={look.end - 120}&to={look.end}&tags=host:{look.a_host}"))

    expect(page.get_by_test_id("total")).not_to_have_text("–")
    running = look.total(page)
    page.get_by_text("Seen in window").click()

    expect(page).to_have_url(re.compile("x.scope=window"))
    expect(page.get_by_text(re.compile("^seen "))).to_be_visible()
    look.settled(page)
    assert look.total(page) >= running
