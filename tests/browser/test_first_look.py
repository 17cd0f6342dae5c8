"""The first look at the page: signing in, how soon it is there, and that everybody can read it."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.looking import Look

ROOT = Path(__file__).parents[2]
AXE = ROOT / "web/node_modules/axe-core/axe.min.js"
ASSETS = ROOT / "src/procession/server/page/assets"
BUNDLE_BYTES = 312_000
FIRST_SECONDS = 1.0
_RUN = """async () => {
  const found = await axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] });
  return found.violations.map((one) => ({ rule: one.id, where: one.nodes.slice(0, 3).map((node) => node.html) }));
}"""


def violations(page: Page) -> list[Any]:
    page.evaluate(AXE.read_text())
    found: list[Any] = page.evaluate(_RUN)
    return found


def test_one_signs_in_by_key_and_out_again(look: Look, browser: Browser) -> None:
    with look.fresh(browser) as page:
        page.goto(look.url())
        page.get_by_label("Application key").fill("wrong")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_text("This is no application key of this server")).to_be_visible()

        look.sign_in(page)
        assert page.evaluate("document.cookie") == ""
        page.get_by_role("button", name="More").click()
        page.get_by_role("menuitem", name="Sign out").click()

        expect(page.get_by_label("Application key")).to_be_visible()
        page.reload()
        expect(page.get_by_label("Application key")).to_be_visible()


def test_a_link_signs_in_once(look: Look, browser: Browser) -> None:
    token = look.fleet.post("/session/link")["token"]

    with look.fresh(browser) as page:
        page.goto(look.url(f"?s=nginx#link={token}"))
        expect(page.get_by_role("combobox", name="Search processes")).to_have_value("nginx")
        assert "link" not in page.url
    with look.fresh(browser) as page:
        page.goto(look.url(f"#link={token}"))
        expect(page.get_by_text("This link was already used")).to_be_visible()


def test_who_is_signed_out_meanwhile_is_asked_to_sign_in_and_is_where_he_was(look: Look) -> None:
    page = look.at_the_fleet()
    url = page.url
    page.get_by_role("columnheader", name="Memory").get_by_role("button").focus()

    # A click would wait for the table to hold still, and the page may ask for something by itself meanwhile.
    look.context.clear_cookies()
    page.keyboard.press("Enter")

    expect(page.get_by_text("Your session has ended")).to_be_visible()
    look.sign_in(page)
    look.settled(page)
    expect(page).to_have_url(re.compile(re.escape(url)))


def test_the_first_rows_are_there_within_a_second(look: Look) -> None:
    look.at_the_fleet().close()
    page = look.context.new_page()

    page.goto(look.url(f"?at={look.end}"))
    page.get_by_role("gridcell").first.wait_for()
    rows = page.evaluate("performance.now()") / 1000
    painted = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0") / 1000

    look.report("first look", first_contentful_paint=round(painted, 3), first_rows=round(rows, 3))
    look.check_seconds(painted, FIRST_SECONDS)
    look.check_seconds(rows, FIRST_SECONDS)


def test_all_of_the_page_is_small(look: Look) -> None:
    files = [path for path in ASSETS.iterdir() if path.suffix in (".js", ".css")]
    size = sum(len(gzip.compress(path.read_bytes(), 9)) for path in files)

    look.report("bundle", gzip_bytes=size)
    assert size <= BUNDLE_BYTES


def test_nothing_is_loaded_from_elsewhere_and_nothing_is_refused(look: Look) -> None:
    hosts: set[str] = set()
    complaints: list[str] = []
    page = look.context.new_page()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    page.on("console", lambda message: complaints.append(message.text) if "Content Security" in message.text else None)

    page.goto(look.url(f"?at={look.end}"))
    look.sign_in(page)
    look.settled(page)
    page.get_by_role("button", name="Columns").click()

    assert hosts == {look.fleet.url.split("/")[2]}
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_sign_in_table_and_menus_can_be_read_by_all(look: Look, browser: Browser, scheme: Any) -> None:
    with look.fresh(browser) as page:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.goto(look.url(f"?at={look.end}&tags=!user:root,host:{look.a_host}"))
        expect(page.get_by_label("Application key")).to_be_visible()
        assert violations(page) == []

        look.sign_in(page)
        look.settled(page)
        expect(page.get_by_role("checkbox", name=re.compile("^Only user:")).first).to_be_visible()
        assert violations(page) == []
        for menu in ("Columns", re.compile("^Time:")):
            page.get_by_role("button", name=menu).click()
            expect(page.get_by_role("dialog").first).to_be_visible()
            assert violations(page) == []
            page.keyboard.press("Escape")
        page.get_by_role("combobox", name="Search processes").fill("(java")
        page.keyboard.press("Enter")
        expect(page.get_by_test_id("search-fault")).to_be_visible()
        assert violations(page) == []


def test_a_phone_shows_all_of_it(look: Look) -> None:
    page = look.at_the_fleet()

    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_role("button", name="Filters").click()

    expect(page.get_by_role("checkbox", name=re.compile("^Only host:")).first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert violations(page) == []
    page.get_by_role("button", name="Close").click()
    look.rows(page)[0].click()
    panel = page.get_by_role("dialog", name="Process")
    # It slides in.
    page.wait_for_function(
        """(panel) => { const { x, width } = panel.getBoundingClientRect(); return x === 0 && width === 390; }""",
        arg=panel.element_handle(),
        timeout=30_000,
    )
