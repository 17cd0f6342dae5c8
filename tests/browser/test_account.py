"""The small page: who I am, my keys, users for admins, the audit trail for auditors."""

from __future__ import annotations

import gzip
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import application_key
from tests.browser.looking import Server
from tests.browser.test_first_look import violations
from tests.support.running import PROCESSION, clean_environment, running
from tests.support.stores.folders import quick_folder

ASSETS = Path(__file__).parents[2] / "src/procession/server/page/account/assets"
BUNDLE_BYTES = 10_000
PHRASE = "correct horse battery"
PEOPLE = {"root": "admin", "anna": "editor", "watcher": "auditor"}


@pytest.fixture(scope="module")
def server(page_built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Without processes, with a user of each of these roles."""
    with quick_folder(tmp_path_factory.mktemp("people")) as folder:
        limits = ("--own-rate-limit", "0", "--sign-in-limit", "0")
        where = ("--data-dir", str(folder))
        with running("serve", "--listen", "127.0.0.1:0", *where, *limits) as started:
            url = started.line_with("Procession listens at").split()[-1]
            for name, role in PEOPLE.items():
                subprocess.run(
                    [*PROCESSION, "users", "add", name, "--role", role, "--password-file", "-", *where],
                    input=PHRASE,
                    text=True,
                    env=clean_environment(),
                    check=True,
                    capture_output=True,
                )
            yield Server(url, application_key(folder))


@contextmanager
def signed_in(browser: Browser, server: Server, name: str) -> Iterator[Page]:
    errors: list[str] = []
    complaints: list[str] = []
    with browser.new_context(base_url=server.url) as context:
        context.on("weberror", lambda error: errors.append(str(error.error)))
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if "Security" in message.text else None)
        page.goto("/")
        page.get_by_label("User", exact=True).fill(name)
        page.get_by_label("Password", exact=True).fill(PHRASE)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("combobox", name="Search processes")).to_be_visible()
        yield page
    assert (errors, complaints) == ([], [])


def answers(server: Server, key: str) -> int:
    return httpx.get(f"{server.url}/api/v2/processes", headers={"authorization": f"Bearer {key}"}).status_code


def test_the_menu_says_who_one_is_and_leads_to_the_own_keys(browser: Browser, server: Server) -> None:
    with signed_in(browser, server, "anna") as page:
        page.get_by_role("button", name="More").click()
        page.get_by_role("menuitem", name="Who I am: anna, editor of main").click()

        expect(page.get_by_role("heading", name="anna, editor of main")).to_be_visible()
        expect(page.get_by_text("You have no keys.")).to_be_visible()
        expect(page.get_by_role("link", name="Users")).to_have_count(0)
        expect(page.get_by_role("link", name="Audit trail")).to_have_count(0)
        page.get_by_role("link", name="Processes").click()
        expect(page.get_by_role("combobox", name="Search processes")).to_be_visible()


def test_a_key_is_made_shown_once_and_revoked_by_its_owner(browser: Browser, server: Server) -> None:
    with signed_in(browser, server, "anna") as page:
        page.goto("/account")
        page.get_by_label("Name", exact=True).fill("<b>on my laptop</b>")
        page.get_by_label("monitors_read").check()
        page.get_by_role("button", name="Make a key").click()

        expect(page.get_by_text("shown only now")).to_be_visible()
        key = page.locator(".secret code").inner_text()
        row = page.get_by_role("row").filter(has_text="<b>on my laptop</b>")
        expect(row).to_contain_text("monitors_read")
        assert answers(server, key) == 200
        page.reload()
        expect(row).not_to_contain_text("never")  # it was used, and expires
        assert key not in page.content()

        row.get_by_role("button").click()
        page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
        expect(page.get_by_role("dialog")).to_have_count(0)
        row.get_by_role("button").click()
        page.get_by_role("dialog").get_by_role("button", name="Revoke").click()

        expect(page.get_by_text("You have no keys.")).to_be_visible()
        assert answers(server, key) == 403


def test_an_admin_makes_changes_and_removes_users_but_no_auditors(browser: Browser, server: Server) -> None:
    with signed_in(browser, server, "root") as page:
        page.goto("/account#users")
        page.get_by_label("User", exact=True).fill("bob")
        page.get_by_label("Password", exact=True).fill(PHRASE)
        page.get_by_role("button", name="Add the user").click()
        bob = page.get_by_role("row").filter(has_text="bob")
        expect(bob.get_by_label("Role of bob")).to_have_value("viewer")
        with signed_in(browser, server, "bob") as theirs:
            page.reload()
            expect(bob.get_by_role("cell").nth(3)).to_have_text("1")

            bob.get_by_role("button", name="End sessions of bob").click()
            expect(bob.get_by_role("cell").nth(3)).to_have_text("0")
            theirs.goto("/account")
            expect(theirs.get_by_role("heading", name="You are not signed in.")).to_be_visible()

        bob.get_by_label("Role of bob").select_option("editor")
        bob.get_by_role("button", name="Reset password of bob").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Password", exact=True).fill("another password")
        dialog.get_by_role("button", name="Reset").click()
        expect(dialog).to_have_count(0)
        expect(bob.get_by_label("Role of bob")).to_have_value("editor")

        page.get_by_label("Role of root").select_option("viewer")
        expect(page.get_by_text("root is the last admin of the org; make another one first")).to_be_visible()
        expect(page.get_by_label("Role of root")).to_have_value("admin")
        watcher = page.get_by_role("row").filter(has_text="watcher")
        expect(watcher.get_by_role("button")).to_have_count(0)
        expect(watcher.get_by_role("combobox")).to_have_count(0)

        bob.get_by_role("button", name="Remove bob").click()
        dialog.get_by_role("button", name="Remove").click()
        expect(bob).to_have_count(0)


def test_an_admin_restricts_a_viewer_and_lifts_that_again(browser: Browser, server: Server) -> None:
    with signed_in(browser, server, "root") as page:
        page.goto("/account#users")
        page.get_by_label("User", exact=True).fill("carl")
        page.get_by_label("Password", exact=True).fill(PHRASE)
        page.get_by_role("button", name="Add the user").click()
        carl = page.get_by_role("row").filter(has_text="carl")
        expect(carl.get_by_role("cell").nth(4)).to_have_text("all")
        dialog = page.get_by_role("dialog")

        carl.get_by_role("button", name="Restrict carl").click()
        dialog.get_by_label("Rows", exact=True).fill("env:prod")
        dialog.get_by_label("Without arguments").check()
        assert violations(page) == []
        dialog.get_by_role("button", name="Restrict").click()
        expect(carl.get_by_role("cell").nth(4)).to_have_text("only env:prod, no arguments")
        carl.get_by_label("Role of carl").select_option("admin")
        expect(page.get_by_text("Only a viewer can be restricted")).to_be_visible()

        carl.get_by_role("button", name="Restrict carl").click()
        dialog.get_by_label("Rows", exact=True).fill("")
        dialog.get_by_label("Without arguments").uncheck()
        dialog.get_by_role("button", name="Restrict").click()
        expect(carl.get_by_role("cell").nth(4)).to_have_text("all")
        carl.get_by_role("button", name="Remove carl").click()
        dialog.get_by_role("button", name="Remove").click()
        expect(carl).to_have_count(0)


def test_an_auditor_searches_the_audit_trail(browser: Browser, server: Server) -> None:
    server.get("/processes", search="needle <i>here</i>")
    with signed_in(browser, server, "watcher") as page:
        page.goto("/account#audit")
        search = page.get_by_role("form", name="Search the audit trail")
        rows = page.get_by_role("region", name="Audit trail").get_by_role("row")
        expect(rows.nth(1)).to_be_visible()

        search.get_by_label("What", exact=True).fill("needle")
        search.get_by_role("button", name="Search").click()

        expect(rows).to_have_count(2)
        expect(rows.nth(1)).to_contain_text("this machine")
        expect(rows.nth(1)).to_contain_text("search=needle <i>here</i>")
        search.get_by_label("Who", exact=True).fill("nobody")
        search.get_by_role("button", name="Search").click()
        expect(page.get_by_text("Nothing was found.")).to_be_visible()
        expect(page.get_by_role("link", name="Users")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("name", "part"), [("anna", "keys"), ("root", "users"), ("watcher", "audit")])
def test_all_of_it_can_be_read_by_all(browser: Browser, server: Server, scheme: Any, name: str, part: str) -> None:
    with signed_in(browser, server, name) as page:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.goto(f"/account#{part}")
        expect(page.get_by_role("heading", level=2)).to_be_visible()
        if part != "keys":
            expect(page.get_by_role("row").nth(1)).to_be_visible()
            assert violations(page) == []
            return
        page.get_by_label("Name", exact=True).fill(f"in {scheme}")
        page.get_by_role("button", name="Make a key").click()
        expect(page.get_by_text("shown only now")).to_be_visible()
        assert violations(page) == []
        page.get_by_role("button", name=f"Revoke in {scheme}").click()
        assert violations(page) == []
        page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
        expect(page.get_by_role("row").filter(has_text=f"in {scheme}")).to_have_count(0)


def test_a_phone_shows_all_of_it(browser: Browser, server: Server) -> None:
    with signed_in(browser, server, "root") as page:
        page.set_viewport_size({"width": 390, "height": 844})
        page.goto("/account#users")
        expect(page.get_by_role("row").nth(1)).to_be_visible()

        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_who_is_not_signed_in_is_led_to_where_one_does(browser: Browser, server: Server) -> None:
    with browser.new_context(base_url=server.url) as context:
        page = context.new_page()
        page.goto("/account")

        page.get_by_role("link", name="Sign in").click()

        expect(page.get_by_label("Application key")).to_be_visible()


def test_it_is_small(page_built: None) -> None:
    files = [path for path in ASSETS.iterdir() if path.suffix in (".js", ".css")]

    assert 0 < sum(len(gzip.compress(path.read_bytes(), 9)) for path in files) <= BUNDLE_BYTES
