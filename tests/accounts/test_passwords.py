from __future__ import annotations

import time
import unicodedata

import pytest

from procession.accounts.passwords import MAX_BYTES, checked_password, hash_password, is_password
from procession.errors import InvalidRequest

PHRASE = "correct horse battery"


def test_a_password_is_known_again_and_no_other_is() -> None:
    kept = hash_password(PHRASE)

    assert kept.startswith("$argon2id$")
    assert PHRASE not in kept
    assert is_password(PHRASE, kept)
    assert not is_password(PHRASE + " ", kept)
    assert not is_password("", kept)


def test_the_same_password_is_kept_differently_each_time() -> None:
    assert hash_password(PHRASE) != hash_password(PHRASE)


def test_it_does_not_matter_how_a_keyboard_writes_an_accent() -> None:
    kept = hash_password(unicodedata.normalize("NFD", "ÅåÄäÖöÉé-long"))

    assert is_password(unicodedata.normalize("NFC", "ÅåÄäÖöÉé-long"), kept)


@pytest.mark.parametrize("kept", [None, "", "nonsense", "$argon2id$v=19$m=1", "$2b$12$" + "a" * 53])
def test_nobody_and_what_is_no_hash_have_no_password(kept: str | None) -> None:
    assert not is_password(PHRASE, kept)
    assert not is_password("", kept)


@pytest.mark.parametrize("password", ["\ud800" * 12, "\0" * 12, "ключ от всех дверей"])
def test_any_text_may_be_a_password(password: str) -> None:
    assert is_password(checked_password(password), hash_password(password))


@pytest.mark.parametrize("password", ["", "123456789", "x" * (MAX_BYTES + 1), "ы" * (MAX_BYTES // 2 + 1)])
def test_a_password_is_neither_short_nor_endless(password: str) -> None:
    with pytest.raises(InvalidRequest, match="A password has at least 10 characters"):
        checked_password(password)


def test_what_is_too_long_is_refused_without_hashing_it() -> None:
    kept = hash_password(PHRASE)

    begun = time.process_time()
    for _ in range(20):
        assert not is_password("x" * (MAX_BYTES + 1), kept)
    long_seconds = time.process_time() - begun

    begun = time.process_time()
    is_password("x" * MAX_BYTES, kept)
    assert long_seconds < 20 * (time.process_time() - begun) / 2


def test_a_name_that_is_nobodys_costs_as_much_as_a_wrong_password() -> None:
    """In work of the processor, of which neither is hidden: within a factor of two, as other things run beside."""
    kept = hash_password(PHRASE)
    is_password(PHRASE, None)

    def fastest(password_hash: str | None) -> float:
        seconds = []
        for _ in range(5):
            begun = time.thread_time()
            is_password("wrong password", password_hash)
            seconds.append(time.thread_time() - begun)
        return min(seconds)

    assert 0.5 < fastest(None) / fastest(kept) < 2
