"""When: live, the last while, any range, and travel to any instant; and what a link shares of it."""

from __future__ import annotations

import re
import subprocess
import sys
import time
import uuid

from playwright.sync_api import Browser, expect

from tests.browser.looking import Look


def test_spans_and_ranges_are_chosen(look: Look) -> None:
    page = look.at_the_fleet()

    page.get_by_role("button", name=re.compile("^Time:")).click()
    page.get_by_role("button", name="Last 4 hours").click()
    expect(page).to_have_url(re.compile(r"[?&]t=14400"))
    page.get_by_role("button", name=re.compile("^Time:")).click()
    page.get_by_label("From").fill("2026-01-01T10:00:00")
    page.get_by_label("To", exact=True).fill("2026-01-01T09:00:00")
    page.get_by_role("button", name="Show this range").click()
    expect(page.get_by_text("The start must be before the end.")).to_be_visible()
    page.get_by_label("To", exact=True).fill("2026-01-01T11:00:00")
    page.get_by_role("button", name="Show this range").click()

    expect(page).to_have_url(re.compile(r"from=\d+&to=\d+"))


def test_one_travels_in_time_by_steps_and_by_the_slider(look: Look) -> None:
    page = look.at_the_fleet("&tags=host:" + look.a_host)
    expect(page.get_by_role("region", name="Time travel")).to_be_visible()

    page.get_by_role("button", name="10 seconds back").click()
    expect(page).to_have_url(re.compile(f"at={look.end - 10}"))
    page.get_by_role("slider", name="Instant").focus()
    page.keyboard.press("ArrowLeft")

    expect(page).not_to_have_url(re.compile(f"at={look.end - 10}"))
    look.settled(page)
    assert look.total(page) > 0
    page.get_by_role("button", name="Back to now").click()
    expect(page.get_by_role("region", name="Time travel")).to_be_hidden()


def test_the_fleet_is_shown_as_it_was(look: Look) -> None:
    page = look.at_the_fleet()
    at = look.end - 60

    page.goto(look.url(f"?at={at}&tags=host:{look.a_host}&cols=pid&sort=pid"))
    look.settled(page)

    told = look.get("/processes", at=at, tags=f"host:{look.a_host}", sort="pid")
    assert look.total(page) == told["meta"]["total"]
    shown = [int(row.inner_text()) for row in look.rows(page)[:5]]
    assert shown == [item["attributes"]["pid"] for item in told["data"][:5]]


def test_a_time_of_which_nothing_is_known_is_told_from_one_where_nothing_fits(look: Look) -> None:
    page = look.at_the_fleet()
    unknown = page.get_by_text("No data for this time")
    long_ago = look.end - 7200

    for tab in ("", "&tab=groups", "&tab=graphs", "&tab=scatter"):
        page.goto(look.url(f"?at={long_ago}{tab}"))
        expect(unknown).to_be_visible()
    page.goto(look.url(f"?at={long_ago}&s=no-such-program"))
    expect(unknown).to_be_visible()
    page.goto(look.url(f"?at={look.end}&tags=host:no-such-host"))
    expect(unknown).to_be_visible()
    page.goto(look.url(f"?at={look.end}&s=no-such-program"))
    expect(page.get_by_text("No process matches")).to_be_visible()
    expect(unknown).to_be_hidden()
    page.goto(look.url(f"?at={look.end}&tab=compare&x.left={long_ago}"))
    expect(page.get_by_text("No data for one of the sides")).to_be_visible()


def test_the_back_button_goes_back(look: Look) -> None:
    page = look.at_the_fleet()
    search = page.get_by_role("combobox", name="Search processes")

    search.fill("nginx")
    search.press("Enter")
    expect(page).to_have_url(re.compile("s=nginx"))
    page.get_by_role("tab", name="Groups").click()
    expect(page).to_have_url(re.compile("tab=groups"))
    page.go_back()
    expect(page.get_by_role("tab", name="Table")).to_have_attribute("aria-selected", "true")
    page.go_back()

    expect(search).to_have_value("")


def test_a_link_shares_the_view_with_a_fresh_browser(look: Look, browser: Browser) -> None:
    query = f"?s=nginx&at={look.end}&cols=pid,host&sort=pid"

    with look.fresh(browser) as page:
        page.goto(look.url(query))
        look.sign_in(page)
        look.settled(page)

        assert page.url.endswith(query)
        assert page.get_by_role("columnheader").all_inner_texts() == ["PID", "Host"]
        expect(page.get_by_role("combobox", name="Search processes")).to_have_value("nginx")
        assert (
            look.total(page)
            == look.get("/processes", at=look.end, search="nginx", language="procession", sort="pid")["meta"]["total"]
        )


def test_a_process_that_starts_here_is_seen_live_within_three_seconds(look: Look) -> None:
    page = look.at_this_machine(f"?t=live&s=seen-live-{(mark := uuid.uuid4().hex)}")
    expect(page.get_by_text("No process matches")).to_be_visible(timeout=20_000)
    # The agent hears that somebody watches with its next post.
    look.wait_until_watched(page)

    started = time.monotonic()
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", f"seen-live-{mark}"])
    try:
        expect(page.get_by_role("gridcell", name=re.compile(f"seen-live-{mark}")).first).to_be_visible(timeout=20_000)
        seconds = time.monotonic() - started
    finally:
        process.kill()
        process.wait()

    look.report("a process that starts is seen live", seconds=round(seconds, 2))
    look.check_seconds(seconds, 3.0)


def test_the_theme_is_switched_and_kept(look: Look) -> None:
    page = look.at_the_fleet()
    scheme = "document.documentElement.dataset.mantineColorScheme"
    first = page.evaluate(scheme)
    other = {"light": "dark", "dark": "light"}[first]

    page.get_by_role("button", name=f"Switch to the {other} theme").click()
    assert page.evaluate(scheme) == other
    page.reload()

    look.settled(page)
    assert page.evaluate(scheme) == other
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Use the system theme").click()
    assert page.evaluate(scheme) == first
