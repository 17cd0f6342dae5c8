"""Searching: the API's grammar, completed as one types, with errors where they are; facets at the side."""

from __future__ import annotations

import re
import uuid

import pytest
from playwright.sync_api import expect

from tests.browser.looking import Look, calling_themselves


def test_a_search_finds_on_the_server_and_is_in_the_address(look: Look) -> None:
    page = look.at_the_fleet()
    all_of_them = look.total(page)

    page.keyboard.press("/")
    page.keyboard.type("nginx")
    page.keyboard.press("Enter")

    expect(page).to_have_url(re.compile(r"[?&]s=nginx"))
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

    expect(page).to_have_url(re.compile(r"[?&]s=host:"))
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
    page = look.at_the_fleet("&s=there-is-no-such-thing")

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

    page.get_by_label("Filter the values of host").fill(look.a_host[1:-1].upper())
    expect(page.get_by_role("checkbox", name=f"Only host:{look.a_host}", exact=True)).to_be_visible()
    page.get_by_role("button", name="Add a tag key").click()
    page.get_by_role("textbox", name="Tag key").fill("")
    choice = page.locator("form ul button").first
    key = choice.inner_text().splitlines()[0]
    choice.click()

    expect(page.get_by_role("button", name=re.compile(f"^{re.escape(key)}"))).to_be_visible()


def test_several_values_of_a_facet_are_chosen_and_other_facets_narrow_them(look: Look) -> None:
    page = look.at_the_fleet()
    (users,) = look.get("/facets", at=look.end, keys="user", limit=2)["facets"]
    first, second = users["values"]
    boxes = [page.get_by_role("checkbox", name=f"Only user:{one['value']}", exact=True) for one in users["values"]]

    for box in boxes:
        box.check()
    expect(page.get_by_test_id("total")).to_have_text(f"{first['count'] + second['count']:,}")
    for box in boxes:
        expect(box).to_be_checked()
    either = f"user:{first['value']} OR user:{second['value']}"
    page.get_by_label("Filter the values of host").fill(look.a_host)
    page.get_by_role("checkbox", name=f"Only host:{look.a_host}", exact=True).check()
    told = look.get("/processes", at=look.end, tags=f"{either},host:{look.a_host}", sort="pid")["meta"]["total"]
    expect(page.get_by_test_id("total")).to_have_text(f"{told:,}")

    page.reload()
    look.settled(page)
    for box in boxes:
        expect(box).to_be_checked()
    page.get_by_role("button", name=either, exact=True).click()
    expect(page.get_by_role("button", name=f"not user:{second['value']}")).to_be_visible()
    for box in boxes:
        expect(box).not_to_be_checked()


def test_a_chosen_value_has_its_true_count_wherever_it_ranks(look: Look) -> None:
    (commands,) = look.get("/facets", at=look.end, keys="command", limit=1000)["facets"]
    rare = next(one for one in commands["values"] if one["count"] < commands["values"][7]["count"])
    page = look.at_the_fleet(f"&tags=command:{rare['value']}")

    value = page.get_by_role("list", name="Values of command").get_by_role("listitem").first
    expect(value.get_by_role("checkbox")).to_be_checked()
    expect(value).to_contain_text(rare["value"])

    count = value.locator("[class*=count]")
    expect(count).not_to_have_text("…")
    assert rare["count"] > 0
    assert shown_count(count.inner_text()) == pytest.approx(rare["count"], rel=0.06)


def shown_count(text: str) -> float:
    """Of a number as facets show it: 1.2k."""
    return float(text.lower().removesuffix("k")) * (1000 if text.lower().endswith("k") else 1)


def test_facets_hold_still_while_the_view_is_live(look: Look) -> None:
    word = f"still{uuid.uuid4().hex[:8]}"
    with calling_themselves([f"{word}-a", f"{word}-a", f"{word}-b"]) as start:
        page = look.at_this_machine(f"?t=live&q={word}")
        values = page.get_by_role("list", name="Values of command").get_by_role("listitem")
        expect(values).to_have_text([re.compile(rf"^{word}-a\s*2"), re.compile(rf"^{word}-b\s*1")], timeout=60_000)

        start([f"{word}-b"] * 3)

        expect(values).to_have_text([re.compile(rf"^{word}-a\s*2"), re.compile(rf"^{word}-b\s*4")], timeout=60_000)
        page.get_by_role("button", name="Stop live").click()
        expect(values).to_have_text([re.compile(rf"^{word}-b\s*4"), re.compile(rf"^{word}-a\s*2")])
