"""Passwords of users: only what argon2 makes of them is kept."""

from __future__ import annotations

import functools
import secrets
import unicodedata
from typing import TYPE_CHECKING

from procession.errors import InvalidRequest

if TYPE_CHECKING:
    from argon2 import PasswordHasher

MIN_CHARACTERS = 10
MAX_BYTES = 1024
"""Longer than any that somebody types, and hashed in no more time than a short one."""

# Of OWASP's sets the one that suits a machine that does other things as well: 19 MiB and some 30 ms for each try.
_MEMORY_KIB = 19 * 1024
_ROUNDS = 2


def checked_password(text: str) -> str:
    """Raises InvalidRequest for one that is too short or too long."""
    if len(text) < MIN_CHARACTERS or len(_encoded(text)) > MAX_BYTES:
        raise InvalidRequest(f"A password has at least {MIN_CHARACTERS} characters, and at most {MAX_BYTES} bytes")
    return text


def hash_password(password: str) -> str:
    """With a salt of its own, as argon2 writes it. Takes some 30 ms."""
    return _hasher().hash(_encoded(password))


def is_password(password: str, password_hash: str | None) -> bool:
    """Whether this is the password of that hash; None is of nobody, and takes as long as that of somebody."""
    from argon2.exceptions import InvalidHashError, VerificationError

    given = _encoded(password)
    if len(given) > MAX_BYTES:
        return False
    try:
        return _hasher().verify(password_hash or _nobodys_hash(), given) and bool(password_hash)
    except (VerificationError, InvalidHashError):
        return False


def _encoded(password: str) -> bytes:
    # One keyboard writes an accent as one character, another as two.
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


@functools.cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher  # only a server has it, and whoever changes its store

    return PasswordHasher(time_cost=_ROUNDS, memory_cost=_MEMORY_KIB, parallelism=1)


@functools.cache
def _nobodys_hash() -> str:
    return _hasher().hash(secrets.token_bytes(32))
