"""A real browser goes to a provider and comes back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.e2e.test_sign_in_by_provider import oidc_file
from tests.support.oidc_provider import FakeProvider, running_provider
from tests.support.other_providers import OTHER_PROVIDERS
from tests.support.running import running
from tests.support.stores.folders import quick_folder


@pytest.fixture
def acme(page_built: None, tmp_path: Path) -> Iterator[tuple[str, FakeProvider]]:
    """The address of a server that lets people sign in by a provider, and the provider."""
    with running_provider(now=lambda: int(time.time())) as provider, quick_folder(tmp_path / "data") as data:
        options = ("--listen", "127.0.0.1:0", "--oidc-file", str(oidc_file(tmp_path, provider.url)))
        with running("serve", "--data-dir", str(data), *options) as started:
            yield started.line_with("Procession listens at").split()[-1], provider


def test_one_signs_in_by_a_provider_and_out_again(acme: tuple[str, FakeProvider], browser: Browser) -> None:
    url, provider = acme
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{url}/?s=nginx")

    page.get_by_role("link", name="Sign in with Acme").click()

    expect(page.get_by_role("combobox", name="Search processes")).to_have_value("nginx")
    assert page.url.startswith(f"{url}/?")
    page.get_by_role("button", name="More").click()
    expect(page.get_by_text("anna, viewer of main")).to_be_visible()
    page.get_by_role("menuitem", name="Sign out").click()
    expect(page.get_by_label("Application key")).to_be_visible()
    assert "/leave" in provider.asked
    assert page.url == f"{url}/"
    context.close()


def test_where_the_provider_is_down_that_is_said_and_the_rest_works(
    acme: tuple[str, FakeProvider], browser: Browser
) -> None:
    url, provider = acme
    provider.is_down = True
    context = browser.new_context()
    page = context.new_page()
    page.goto(url)

    expect(page.get_by_text("Acme cannot sign anybody in now: it answered with status 503.")).to_be_visible()
    expect(page.get_by_label("Application key")).to_be_visible()
    context.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Of a browser that reaches this machine only: a provider may have its style elsewhere."""
    context = browser.new_context()
    context.route(lambda url: not url.startswith("http://127.0.0.1:"), lambda route: route.abort())
    yield context
    context.close()


@pytest.mark.timeout(1800)  # The provider may have to be compiled.
@pytest.mark.parametrize("name", OTHER_PROVIDERS)
def test_one_fills_the_form_of_a_provider_of_others_and_is_back_where_one_was(
    name: str, page_built: None, context: BrowserContext, tmp_path: Path
) -> None:
    with OTHER_PROVIDERS[name](tmp_path) as provider, quick_folder(tmp_path / "data") as data:
        options = ("--listen", "127.0.0.1:0", "--oidc-file", str(oidc_file(tmp_path, provider.url)))
        with running("serve", "--data-dir", str(data), *options) as started:
            url = started.line_with("Procession listens at").split()[-1]
            provider.send_back_to(f"{url}/signin/oidc/acme/callback")
            page = context.new_page()
            page.goto(f"{url}/?s=nginx")

            page.get_by_role("link", name="Sign in with Acme").click()
            for field, text in provider.answers.items():
                page.locator(f'input[name="{field}"]').fill(text)
            page.locator("form").first.get_by_role("button").click()

            expect(page.get_by_role("combobox", name="Search processes")).to_have_value("nginx")
            page.get_by_role("button", name="More").click()
            expect(page.get_by_text(", viewer of main")).to_be_visible()
