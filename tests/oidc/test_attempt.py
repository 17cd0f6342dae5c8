"""What a browser keeps meanwhile: nobody makes it up, changes it or keeps it for long."""

from __future__ import annotations

import pytest

from procession.errors import Forbidden
from procession.oidc.attempt import ATTEMPT_SECONDS, MAX_BYTES, Attempt, local_path
from tests.support.builders import NOON

KEY = b"secret of the client"
BACK = "http://127.0.0.1:7171/signin/oidc/acme/callback"


def begun(to: str = "/") -> Attempt:
    return Attempt.begun("acme", BACK, to, NOON)


def opened(text: str, attempt: Attempt, key: bytes = KEY, provider: str = "acme", now: int = NOON) -> Attempt:
    return Attempt.opened(text, key, provider, attempt.state, now)


def test_it_comes_back_as_it_went() -> None:
    attempt = begun("/?search=nginx#row")

    assert opened(attempt.signed(KEY), attempt) == attempt
    assert attempt.to == "/?search=nginx#row"


def test_each_has_secrets_of_its_own() -> None:
    one, other = begun(), begun()

    assert {one.state, one.nonce, one.verifier}.isdisjoint({other.state, other.nonce, other.verifier})
    assert len({one.state, one.nonce, one.verifier}) == 3
    assert 43 <= len(one.verifier) <= 128


def test_the_longest_fits_into_a_cookie() -> None:
    assert len(begun("/?" + "x" * 5000).signed(KEY)) <= MAX_BYTES
    assert len(begun("/?" + "x" * 1000).signed(KEY)) <= MAX_BYTES


def test_what_was_changed_or_signed_by_another_key_is_none() -> None:
    attempt = begun()
    text = attempt.signed(KEY)
    body, _, mac = text.partition(".")

    for forged in (
        "",
        ".",
        body,
        f"{body}.",
        f"{body}.{mac[:-2]}",
        f"A{body[1:]}.{mac}",
        f"{body}.{mac}.{mac}",
        f"é{text}",
        "x" * 10_000,
        Attempt.begun("acme", BACK, "/", NOON).signed(b"another"),
    ):
        with pytest.raises(Forbidden, match="not begun in this browser"):
            opened(forged, attempt)


def test_it_is_of_its_provider_its_state_and_its_time() -> None:
    attempt = begun()
    text = attempt.signed(KEY)

    with pytest.raises(Forbidden, match="not begun in this browser"):
        opened(text, attempt, provider="other")
    with pytest.raises(Forbidden, match="another one"):
        opened(text, begun())
    with pytest.raises(Forbidden, match="another one"):
        Attempt.opened(text, KEY, "acme", "\ud800", NOON)
    assert opened(text, attempt, now=NOON + ATTEMPT_SECONDS - 1) == attempt
    with pytest.raises(Forbidden, match="too long"):
        opened(text, attempt, now=NOON + ATTEMPT_SECONDS)


@pytest.mark.parametrize("to", ["/", "/?search=a%20b&tags=env:a", "/#/x", "/?to=https://procession.test//x"])
def test_a_place_on_the_page_is_kept(to: str) -> None:
    assert local_path(to) == to


@pytest.mark.parametrize(
    "to",
    [
        "",
        "//evil.test",
        "/\\evil.test",
        "\\\\evil.test",
        "/%2f/evil.test/..",
        "https://evil.test",
        "https:evil.test",
        "javascript:alert(1)",
        "/../evil",
        "/evil",
        "?x",
        "/?a b",
        "/?\r\nset-cookie: a=b",
        "/\t/evil.test",
        "/?\\",
        "/?é",
        "/?" + "x" * 5000,
    ],
)
def test_whatever_leads_elsewhere_leads_to_the_page(to: str) -> None:
    assert local_path(to) == "/"
