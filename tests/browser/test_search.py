"""Searching: the API's grammar, completed as one types, with errors where they are; facets at the side."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.looking import Look


def test_a_search_finds_on_the_server_and_is_in_the_address(look: Look) -> None:
    page = look.at_the_fleet()
    all_of_them = look.total(page)

    page.keyboard.press("/")
    page.keyboard.type("nginx")
    page.keyboard.press("Enter")

    expect(page).to_have_url(re.compile(r"[?&]q=nginx"))
    look.settled(page)
    assert 0 < look.total(page) < all_of_them
    assert all("nginx" in row.inner_text() for row in look.rows(page)[:5])


def test_tag_keys_and_their_values_are_completed(look: Look) -> None:
    page = look.at_the_fleet()
    search = page.get_by_role("combobox", name="Search processes")

    search.press_sequentially("hos")
    page.get_by_role("option", name=re.compile("^host:")).first.click()
    expect(search).to_have_value("host:")
    expect(page.get_by_role("option").first).to_contain_text(re.compile(r"host:\w"))
    search.press("ArrowDown")
    search.press("Enter")
    expect(search).to_have_value(re.compile(r"^host:\S+ $"))
    search.press("Enter")

    look.settled(page)
    assert 0 < look.total(page) < 1000


def test_an_error_is_shown_at_its_character(look: Look) -> None:
    page = look.at_the_fleet()
    search = page.get_by_role("combobox", name="Search processes")

    search.fill("java (nginx")
    search.press("Enter")

    alert = page.get_by_role("search").get_by_role("alert")
    expect(alert).to_contain_text('expected a ")" for the "(" at character 6')
    expect(page.get_by_test_id("search-fault")).to_have_text("(")
    expect(search).to_have_attribute("aria-invalid", "true")
    search.fill("java (nginx)")
    search.press("Enter")
    expect(alert).to_be_hidden()
    expect(search).to_have_attribute("aria-invalid", "false")


def test_a_search_that_finds_nothing_says_what_to_do(look: Look) -> None:
    page = look.at_the_fleet("&q=there-is-no-such-thing")

    expect(page.get_by_text("No process matches")).to_be_visible()
    expect(page.get_by_text("Remove a filter")).to_be_visible()


def test_a_facet_is_checked_excluded_and_cleared(look: Look) -> None:
    page = look.at_the_fleet()
    all_of_them = look.total(page)
    value = page.get_by_role("checkbox", name=re.compile("^Only user:")).first
    name = (value.get_attribute("aria-label") or "").removeprefix("Only ")

    value.check()
    expect(page).to_have_url(re.compile(r"[?&]tags=user:"))
    look.settled(page)
    with_it = look.total(page)
    page.get_by_role("button", name=f"Exclude {name}").click()
    expect(page).to_have_url(re.compile(r"[?&]tags=!user:"))
    look.settled(page)
    without_it = look.total(page)

    assert with_it + without_it == all_of_them
    page.get_by_role("button", name=f"Remove the filter !{name}").click()
    expect(page).not_to_have_url(re.compile("tags="))


def test_the_values_of_a_facet_are_filtered_and_any_key_can_be_added(look: Look) -> None:
    page = look.at_the_fleet()

    page.get_by_label("Filter the values of host").fill(look.a_host[:-1])
    expect(page.get_by_role("checkbox", name=f"Only host:{look.a_host}", exact=True)).to_be_visible()
    page.get_by_role("button", name="Add a tag key").click()
    page.get_by_role("textbox", name="Tag key").fill("")
    choice = page.locator("form ul button").first
    key = choice.inner_text().splitlines()[0]
    choice.click()

    expect(page.get_by_role("button", name=re.compile(f"^{re.escape(key)}"))).to_be_visible()
