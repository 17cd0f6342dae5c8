"""Signing in by providers that others wrote, whose word on the protocol is not ours."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, quote_plus, urlsplit

import httpx
import pytest

from tests.e2e.test_sign_in_by_provider import oidc_file
from tests.support.oidc_provider import CLIENT_ID, CLIENT_PHRASE
from tests.support.other_providers import OTHER_PROVIDERS, OtherProvider, filled
from tests.support.running import PROCESSION, clean_environment, running
from tests.support.stores.folders import quick_folder

pytestmark = pytest.mark.timeout(1800)
"""The first of them may have to compile a provider."""

CALLBACK = "/signin/oidc/acme/callback"


@pytest.fixture(scope="module", params=OTHER_PROVIDERS)
def provider(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OtherProvider]:
    with OTHER_PROVIDERS[request.param](tmp_path_factory.mktemp("provider")) as provider:
        yield provider


@pytest.fixture(scope="module")
def data(provider: OtherProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with quick_folder(tmp_path_factory.mktemp("server") / "data") as data:
        yield data


@pytest.fixture(scope="module")
def url(provider: OtherProvider, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of a server to which one signs in by the provider."""
    file = oidc_file(tmp_path_factory.mktemp("settings"), provider.url)
    options = ("--listen", "127.0.0.1:0", "--oidc-file", str(file))
    with running("serve", "--data-dir", str(data), *options) as started:
        url = started.line_with("Procession listens at").split()[-1]
        provider.send_back_to(url + CALLBACK)
        yield url


@pytest.fixture
def browser(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, timeout=60) as browser:
        yield browser


def back_from(provider: OtherProvider, browser: httpx.Client, url: str) -> httpx.Request:
    """What the browser of one who has signed in at the provider asks the server then."""
    shown = browser.get("/signin/oidc/acme", params={"to": "/?s=nginx"}, follow_redirects=True)
    request = filled(browser, shown, provider.answers)
    while not str(request.url).startswith(url + CALLBACK):
        answer = browser.send(request)
        assert answer.next_request is not None, answer.text
        request = answer.next_request
    return request


def session_of(browser: httpx.Client) -> dict[str, object]:
    answer = browser.get("/api/procession/v1/session", headers={"sec-fetch-site": "same-origin"})
    session: dict[str, object] = answer.raise_for_status().json()
    return session


def test_one_signs_in_by_a_provider_of_others(
    provider: OtherProvider, browser: httpx.Client, url: str, data: Path
) -> None:
    landed = browser.send(back_from(provider, browser, url))

    assert (landed.status_code, landed.headers["location"]) == (303, "/?s=nginx"), landed.text
    session = session_of(browser)
    assert [session[about] for about in ("user", "role", "org")] == ["anna", "viewer", "main"]
    command = [*PROCESSION, "users", "list", "--data-dir", str(data)]
    listed = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, check=True).stdout
    assert "anna" in listed


def test_one_who_signs_in_again_is_the_same_user(
    provider: OtherProvider, browser: httpx.Client, url: str, data: Path
) -> None:
    browser.send(back_from(provider, browser, url))
    first = session_of(browser)["user"]
    browser.cookies.clear()

    browser.send(back_from(provider, browser, url))

    assert session_of(browser)["user"] == first


def test_a_code_is_taken_once(provider: OtherProvider, browser: httpx.Client, url: str) -> None:
    back = back_from(provider, browser, url)
    attempt = back.headers["cookie"]
    assert browser.send(back).status_code == 303
    browser.cookies.clear()

    again = browser.get(str(back.url), headers={"cookie": attempt})

    assert (again.status_code, "set-cookie" in again.headers) == (403, True)
    assert "This sign-in was used before" in again.text
    assert "procession_session" not in again.headers["set-cookie"]


@pytest.mark.parametrize("provider", ["zitadel"], indirect=True)
def test_a_code_that_somebody_saw_is_worth_nothing_without_what_its_browser_began_with(
    provider: OtherProvider, browser: httpx.Client, url: str
) -> None:
    back = back_from(provider, browser, url)
    (code,) = parse_qs(urlsplit(str(back.url)).query)["code"]
    about = httpx.get(f"{provider.url}/.well-known/openid-configuration").json()
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": url + CALLBACK, "code_verifier": "a" * 64}

    answer = httpx.post(about["token_endpoint"], data=form, auth=(quote_plus(CLIENT_ID), quote_plus(CLIENT_PHRASE)))

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant"), answer.text
    assert browser.send(back).status_code == 303
