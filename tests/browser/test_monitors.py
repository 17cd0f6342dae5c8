"""Monitors on the page: written from a search, seen to alert, muted, cloned, tried; and channels with how they do."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.looking import Server, sign_in
from tests.browser.test_reading_for_all import violations

HOSTILE = "\"><img src=x onerror=trap(1)>' $(id)"


@pytest.fixture(scope="module")
def watched(machine: Callable[[], Server]) -> Iterator[tuple[Server, str]]:
    """The server of this machine, and a word that only one process has, which calls itself something hostile."""
    word = f"watched-{os.getpid()}"
    process = subprocess.Popen([sys.executable, "-c", "input()", word, HOSTILE], stdin=subprocess.PIPE)
    yield machine(), word
    process.kill()
    process.wait()


@pytest.fixture
def page(watched: tuple[Server, str], browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=watched[0].url)
    page = context.new_page()
    page.add_init_script("window.sprung = []; window.trap = (which) => window.sprung.push(which);")
    faults: list[str] = []
    context.on("weberror", lambda error: faults.append(str(error.error)))
    page.on("console", lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None)
    page.goto("/?t=live")
    sign_in(page, watched[0])
    yield page
    assert page.evaluate("window.sprung") == []
    context.close()
    assert faults == []


def written(page: Page, word: str) -> Locator:
    """The form of a monitor of the current search, which alerts while such a process runs."""
    page.goto(f"/?s={word}")
    page.get_by_role("button", name="Monitor this search").first.click()
    form = page.get_by_role("form", name="Monitor this search")
    expect(form.get_by_label("Search", exact=True)).to_have_value(word)
    choose(page, form, "is", "above")
    form.get_by_label("Alert", exact=True).fill("0")
    return form


def choose(page: Page, within: Page | Locator, label: str, option: str) -> None:
    within.get_by_role("combobox", name=label, exact=True).click()
    page.get_by_role("option", name=option, exact=True).click()


def test_a_search_becomes_a_monitor_that_alerts_and_leads_to_its_instant(
    page: Page, watched: tuple[Server, str]
) -> None:
    _, word = watched
    expect(page.get_by_role("grid")).to_be_visible()
    form = written(page, word)
    form.get_by_label("A state for each").fill("command")
    # The back-test is that of the server, by the code that evaluates.
    expect(form.get_by_label("Value", exact=True).locator("canvas")).to_be_visible(timeout=120_000)
    expect(form.get_by_label("Query", exact=True)).to_have_text(
        f"processes('{word}').language('procession').by('command').rollup('count_now') > 0"
    )
    form.get_by_label("Name").fill(f"{word} runs {HOSTILE}")
    form.get_by_label("Message").fill("It runs @email-nobody")
    form.get_by_role("button", name="Save the monitor").click()

    expect(page.get_by_role("heading", name=re.compile(word))).to_be_visible()
    expect(page.get_by_text("Nothing was evaluated yet").or_(page.get_by_text("Alert").first).first).to_be_visible()
    happened = page.get_by_role("region", name="Table of what happened")
    # It is evaluated when the next minute begins.
    expect(happened.locator("tbody tr").first).to_contain_text("Alert", timeout=150_000)
    expect(happened).to_contain_text("pid")
    groups = page.get_by_role("region", name="Table of groups")
    expect(groups.locator("tbody tr")).to_have_count(1)
    assert violations(page) == []
    assert page.locator("main img, main script").count() == 0

    groups.get_by_role("button", name=re.compile("^Mute ")).click()
    page.get_by_role("menuitem", name="For 1 hour").click()
    expect(groups.get_by_text("Muted")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Unmute ")).click()
    expect(groups.get_by_text("Muted")).to_be_hidden()

    happened.get_by_role("link", name=re.compile("^Show the table at")).first.click()
    expect(page).to_have_url(re.compile(r"[?&]at=\d+"))
    expect(page.locator("#row-0")).to_contain_text("python")


def test_a_monitor_is_changed_cloned_and_deleted(page: Page, watched: tuple[Server, str]) -> None:
    _, word = watched
    form = written(page, word)
    form.get_by_label("Name").fill("First of all")
    form.get_by_role("button", name="Save the monitor").click()
    page.get_by_role("button", name="Edit").click()
    form = page.get_by_role("form", name="Edit a monitor")
    choose(page, form, "is", "at or above")
    form.get_by_label("Alert", exact=True).fill("7")
    expect(form.get_by_label("Look back by seconds")).to_be_hidden()
    form.get_by_text("More options").click()
    form.get_by_label("Look back by seconds").fill("120")
    form.get_by_label("Tell again after minutes").fill("15")
    form.get_by_label("Message when told again").fill("Still so")
    assert violations(page) == []
    form.get_by_role("button", name="Save the changes").click()
    expect(page.get_by_text(f"processes('{word}').language('procession').rollup('count_now') >= 7")).to_be_visible()
    page.get_by_role("button", name="Edit").click()
    form = page.get_by_role("form", name="Edit a monitor")
    expect(form.get_by_label("Look back by seconds")).to_have_value("120")
    expect(form.get_by_label("Message when told again")).to_have_value("Still so")
    form.get_by_role("button", name="Cancel").click()

    page.get_by_role("button", name="Clone").click()
    form = page.get_by_role("form", name="Clone a monitor")
    expect(form.get_by_label("Name")).to_have_value("First of all (copy)")
    form.get_by_role("button", name="Save the monitor").click()
    expect(page.get_by_role("heading", name="First of all (copy)")).to_be_visible()
    expect(page.get_by_text("Draft: nobody is told")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="First of all (copy)")).to_be_visible()

    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    listed = page.get_by_role("region", name="Table of monitors")
    expect(listed.get_by_role("link", name="First of all", exact=True)).to_be_visible()
    expect(listed.get_by_text("First of all (copy)")).to_be_hidden()


def test_a_channel_that_fails_says_why_on_the_page(page: Page) -> None:
    page.goto("/?tab=monitors&x.monitors=channels")
    page.get_by_role("button", name="Add a channel").click()
    form = page.get_by_role("form", name="Add a channel")
    choose(page, form, "Kind", "Alertmanager")
    form.get_by_label("Name").fill("here")
    form.get_by_label("URL").fill("http://127.0.0.1:9")
    form.get_by_role("button", name="Save the channel").click()

    page.get_by_role("button", name="Test @alertmanager-here").click()

    # An address of this machine is refused.
    row = page.get_by_role("region", name="Table of channels").locator("tr", has_text="@alertmanager-here")
    expect(row).to_contain_text("Failing", timeout=60_000)
    assert violations(page) == []
    page.get_by_role("radiogroup", name="Part of the monitors").get_by_text("Monitors", exact=True).click()
    expect(page.get_by_label("Channels that fail")).to_contain_text("@alertmanager-here does not get through")
    page.goto("/?tab=monitors&x.monitors=channels")
    page.get_by_role("button", name="Delete @alertmanager-here").click()
    page.get_by_role("button", name="Really delete @alertmanager-here").click()
    expect(page.get_by_text("No channel yet")).to_be_visible()


def test_a_search_that_no_monitor_can_carry_is_named(page: Page) -> None:
    page.goto("/?tags=*,user:root&tab=monitors&x.monitors=new")

    expect(page.get_by_role("alert")).to_contain_text("cannot carry the tag *")
    expect(page.get_by_label("Query", exact=True)).to_contain_text(".over('user:root')")


def test_a_starter_opens_as_a_form(page: Page) -> None:
    page.goto("/?tab=monitors&x.monitors=starters")
    page.get_by_role("button", name="Begin with: nginx is gone").click()

    form = page.get_by_role("form", name="Begin with a starter")
    expect(form.get_by_label("Search", exact=True)).to_have_value("command:nginx")
    expect(form.get_by_label("A state for each")).to_have_value("host")


@pytest.mark.parametrize("part", ["", "&x.monitors=channels", "&x.monitors=starters", "&x.monitors=new"])
def test_monitors_can_be_read_by_all_in_both_themes_and_on_a_phone(page: Page, part: str) -> None:
    page.goto(f"/?tab=monitors{part}")

    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        expect(page.locator(f'html[data-mantine-color-scheme="{scheme}"]')).to_be_attached()
        expect(
            page.get_by_role("region", name="Monitors").or_(page.get_by_label("Monitors", exact=True)).first
        ).to_be_visible()
        page.wait_for_load_state("networkidle")
        assert violations(page) == []

    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert violations(page) == []
