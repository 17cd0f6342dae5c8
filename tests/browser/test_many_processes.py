"""Many processes at once: groups, graphs, a scatter plot, comparisons; views that are kept, and files of a query."""

from __future__ import annotations

import csv
import json
import re
import uuid

from playwright.sync_api import Page, expect

from tests.browser.looking import Look
from tests.browser.pointer import box_in, drag, point_at
from tests.support.running import eventually


def tab_of(look: Look, tab: str, more: str = "") -> Page:
    page = look.at_the_fleet(f"&tags=host:{look.a_host}")
    page.goto(look.url(f"?at={look.end}&tab={tab}{more}"))
    expect(page.get_by_role("tab", name=tab.capitalize())).to_have_attribute("aria-selected", "true")
    return page


def test_groups_are_counted_sorted_by_the_server_and_filter_on_click(look: Look) -> None:
    page = tab_of(look, "groups")
    told = look.get("/groups", at=look.end, by="command", sort="-max:rss_bytes", limit=1)["data"][0]

    with page.expect_response(lambda answer: "sort=-max" in answer.url):
        page.get_by_role("button", name="Memory (RSS), max").click()

    first = page.get_by_role("region", name="Table of groups").get_by_role("row").nth(1)
    expect(first).to_contain_text(told["value"])
    expect(first).to_contain_text(f"{told['count']:,}")
    first.get_by_role("button").click()
    expect(page).to_have_url(re.compile(f"tags=command:{re.escape(told['value'])}"))
    look.settled(page)
    assert look.total(page) == told["count"]


def test_groups_are_by_any_key_and_those_without_it_are_told_apart(look: Look) -> None:
    page = tab_of(look, "groups", "&by=there-is-no-such-key")

    expect(page.get_by_role("button", name="without there-is-no-such-key")).to_be_visible(timeout=30_000)
    by = page.get_by_role("combobox", name="Group by")
    by.fill("user")
    by.press("Enter")

    expect(page).to_have_url(re.compile("by=user"))
    expect(page.get_by_role("columnheader", name="user")).to_be_visible()


def test_groups_by_two_keys_have_percentiles_and_are_written_to_a_file(look: Look) -> None:
    page = tab_of(look, "groups", "&x.second=host&x.statistics=p50,p95&x.measures=rss_bytes")
    asked = {"at": look.end, "by": "command,host", "measures": "rss_bytes", "statistics": "p50,p95"}
    told = look.get("/groups", **asked, sort="-p95:rss_bytes", limit=10_000)
    greatest = told["data"][0]

    page.get_by_role("button", name="Memory (RSS), p95").click()

    first = page.get_by_role("region", name="Table of groups").get_by_role("row").nth(1)
    expect(first).to_contain_text(f"{greatest['value']}{greatest['second']}")
    page.get_by_role("button", name="Export groups").click()
    with page.expect_download() as saved:
        page.get_by_role("menuitem", name="CSV, for spreadsheets").click()
    with saved.value.path().open(newline="") as file:
        lines = [*csv.DictReader(file)]
    assert len(lines) == len(told["data"]) == 10_000
    expect(page.get_by_text(f"{told['meta']['groups'] - 10_000:,} more are left out")).to_be_visible()
    assert (lines[0]["command"], lines[0]["host"]) == (greatest["value"], greatest["second"])
    assert float(lines[0]["p95:rss_bytes"]) == greatest["numbers"]["rss_bytes"]["p95"]
    first.get_by_role("button").last.click()
    expect(page).to_have_url(re.compile(f"tags=command:{re.escape(greatest['value'])},host:{greatest['second']}"))
    look.settled(page)
    assert look.total(page) == greatest["count"]


def test_hosts_are_listed_and_a_click_shows_the_processes_of_one(look: Look) -> None:
    page = tab_of(look, "hosts")
    told = look.get("/hosts", at=look.end, sort="-processes", limit=1)
    largest = told["data"][0]

    page.get_by_role("button", name="Processes", exact=True).click()

    first = page.get_by_role("region", name="Table of hosts").get_by_role("row").nth(1)
    expect(first).to_contain_text(f"{largest['processes']:,}")
    expect(page.get_by_text(f"{told['meta']['total']:,} hosts with processes")).to_be_visible()
    first.get_by_role("button").click()
    expect(page).to_have_url(re.compile(f"tags=host:{re.escape(largest['host'])}"))
    look.settled(page)
    assert look.total(page) == largest["processes"]


def test_a_ready_made_view_keeps_the_time(look: Look) -> None:
    page = tab_of(look, "groups")

    page.get_by_role("button", name="Views", exact=True).click()
    page.get_by_role("link", name="Biggest memory").click()

    expect(page).to_have_url(re.compile(f"at={look.end}.*sort=-rss_bytes"))
    expect(page.get_by_role("columnheader", name="Memory")).to_have_attribute("aria-sort", "descending")


def test_graphs_show_the_window_in_total_and_by_the_top_groups(look: Look) -> None:
    page = tab_of(look, "graphs", f"&tags=host:{look.a_host}")

    for name in ("Processes", "CPU", "Memory (RSS)", "Read", "Written"):
        expect(page.get_by_role("figure", name=name, exact=True).locator("canvas")).to_be_visible(timeout=30_000)
    processes = page.get_by_role("figure", name="Processes", exact=True)
    assert processes.get_by_role("listitem").count() > 1
    page.get_by_text("Lines", exact=True).click()
    expect(page).to_have_url(re.compile("x.graphstyle=lines"))
    page.get_by_text("Total", exact=True).click()
    expect(processes.get_by_text("All processes")).to_be_visible()
    drag(processes.locator(".u-over"), 0.3, 0.7)

    expect(page).to_have_url(re.compile(r"[?&]from=\d+&to=\d+"))


def test_a_dot_is_named_opened_and_filtered_by(look: Look) -> None:
    page = tab_of(look, "scatter", f"&tags=host:{look.a_host}")
    plot = page.get_by_role("img", name=re.compile("processes by CPU and Memory"))
    expect(plot).to_be_visible(timeout=30_000)
    points = look.get("/points", at=look.end, tags=f"host:{look.a_host}", by="command", limit=5000)
    greatest = look.get(f"/processes/{points['points']['id'][0]}", at=look.end)["data"]["attributes"]

    plot.focus()
    page.keyboard.press("ArrowRight")

    expect(page.get_by_text(f"pid {greatest['pid']} of {greatest['user']}")).to_be_visible()
    ring = box_in(page.locator("[class*=ring]"), plot)
    page.keyboard.press("Escape")
    expect(page.get_by_text(f"pid {greatest['pid']} of {greatest['user']}")).to_be_hidden()
    point_at(plot, ring.left + ring.width / 2, ring.top + ring.height / 2)
    expect(page.get_by_text(f"CPU {points['points']['x'][0]:.1f}%")).to_be_visible()
    page.mouse.down()
    page.mouse.up()
    page.get_by_role("button", name="Open", exact=True).click()
    panel = page.get_by_role("dialog", name="Process")
    expect(panel.get_by_label("Command line")).to_have_text(greatest["cmdline"])
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    page.get_by_role("button", name="Filter", exact=True).click()
    expect(page).to_have_url(re.compile("command:"))


def test_groups_are_dots_that_filter(look: Look) -> None:
    page = tab_of(look, "scatter", "&x.dots=groups&x.dotstatistic=p95")
    largest = look.get("/groups", at=look.end, by="command", limit=1)["data"][0]
    plot = page.get_by_role("img", name=re.compile("groups by CPU, p95 and Memory"))
    expect(plot).to_be_visible(timeout=30_000)

    plot.focus()
    page.keyboard.press("ArrowRight")

    expect(page.get_by_text(f"{largest['count']:,} processes", exact=True)).to_be_visible()
    page.get_by_role("button", name="Filter", exact=True).click()
    expect(page).to_have_url(re.compile(f"command:{re.escape(largest['value'])}"))


def test_two_instants_are_compared(look: Look) -> None:
    page = tab_of(look, "compare", f"&x.left={look.end - 60}&x.right={look.end}")
    told = look.get("/compare", at=look.end - 60, other_at=look.end)["meta"]

    expect(page.get_by_role("tab", name=f"Started {told['started']:,}")).to_be_visible(timeout=30_000)
    expect(page.get_by_role("tab", name=f"Ended {told['ended']:,}")).to_be_visible()
    expect(page.get_by_role("tab", name=f"Changed {told['changed']:,}")).to_be_visible()


def test_two_hosts_are_compared_and_a_link_shares_it(look: Look) -> None:
    page = tab_of(look, "compare")
    hosts = [one["host"] for one in look.get("/hosts", at=look.end, limit=2)["data"]]

    page.get_by_role("radiogroup", name="What is compared").get_by_text("Hosts", exact=True).click()
    expect(page.get_by_text("Choose two hosts")).to_be_visible()
    for label, host in zip(("Left", "Right"), hosts, strict=True):
        page.get_by_role("combobox", name=label, exact=True).fill(host)
        page.get_by_role("combobox", name=label, exact=True).press("Enter")

    told = look.get("/compare", at=look.end, host=hosts[0], other_host=hosts[1])["meta"]
    expect(page.get_by_role("tab", name=f"Only right {told['started']:,}")).to_be_visible(timeout=30_000)
    page.reload()
    expect(page.get_by_role("tab", name=f"Only left {told['ended']:,}")).to_be_visible(timeout=30_000)


def test_a_view_is_saved_opened_overwritten_and_deleted(look: Look) -> None:
    name = f"view {uuid.uuid4().hex[:8]}"
    page = look.at_the_fleet(f"&tags=host:{look.a_host}&sort=pid")
    views = page.get_by_role("button", name="Views", exact=True)

    views.click()
    page.get_by_label("Save this view as").fill(name)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved for everyone")).to_be_visible()
    page.get_by_label("Save this view as").fill(name)
    page.get_by_role("button", name="Overwrite").click()
    expect(page.get_by_text("Press Overwrite once more")).to_be_visible()
    page.get_by_role("button", name="Overwrite").click()
    expect(page.get_by_text("Saved for everyone")).to_be_visible()
    page.goto(look.url(f"?at={look.end}&tab=compare"))
    page.get_by_role("button", name="Views", exact=True).click()
    page.get_by_role("button", name=re.compile(f"^{name}")).click()
    expect(page).to_have_url(re.compile(f"tags=host:{look.a_host}.*sort=pid"))
    look.settled(page)
    page.get_by_role("button", name="Views", exact=True).click()
    page.get_by_role("button", name=f"Delete {name}").click()
    page.get_by_role("button", name="Delete", exact=True).click()

    expect(page.get_by_role("button", name=re.compile(f"^{name}"))).to_be_hidden()
    # The question whether to delete it has hidden it as well.
    eventually(lambda: name not in [view["name"] for view in look.get("/views")["views"]], what="its end")


def test_a_query_is_saved_as_csv_and_json_whole(look: Look) -> None:
    page = look.at_the_fleet("&s=java OR nginx&sort=pid")
    asked = {"search": "java OR nginx", "language": "procession", "sort": "pid", "page[limit]": 3}
    told = look.get("/processes", at=look.end, **asked)
    saved = f"{told['meta']['total']:,} processes are in the file. Those that have ended are left out."
    files = {}

    for kind, item in (("csv", "CSV, for spreadsheets"), ("json", "JSON, for programs")):
        page.get_by_role("button", name="Export", exact=True).click()
        with page.expect_download(timeout=120_000) as download:
            page.get_by_role("menuitem", name=item).click()
        expect(page.get_by_text(saved, exact=True)).to_be_visible()
        page.get_by_role("button", name="Close", exact=True).click()
        assert download.value.suggested_filename.endswith(f".{kind}")
        files[kind] = download.value.path()

    with files["csv"].open(newline="") as file:
        rows = list(csv.DictReader(file))
    items = json.loads(files["json"].read_text())
    assert len(rows) == len(items) == told["meta"]["total"]
    assert [row["id"] for row in rows[:3]] == [item["id"] for item in items[:3]] == [one["id"] for one in told["data"]]


def test_an_export_is_cancelled(look: Look) -> None:
    page = look.at_the_fleet()

    page.get_by_role("button", name="Export", exact=True).click()
    page.get_by_role("menuitem", name="JSON, for programs").click()
    page.get_by_role("dialog", name="Export").get_by_role("button", name="Cancel").click()

    expect(page.get_by_role("dialog", name="Export")).to_be_hidden()
