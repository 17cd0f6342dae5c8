"""What a browser keeps between going to a provider and coming back: signed, so that any server of the store can finish
what another one began."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets

import msgspec

from procession.errors import Forbidden

ATTEMPT_SECONDS = 600
MAX_BYTES = 3500
"""Of the cookie; browsers take 4096 with its name and attributes."""
MAX_TO_CHARACTERS = 1200

# The page is at `/` alone; what follows says what it shows. No backslash, which browsers take for a slash.
_LOCAL = re.compile(r"/(?:[?#][!-\[\]-~]*)?")


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """To sign in, by one browser."""

    provider: str
    state: str
    nonce: str
    verifier: str
    """Of PKCE: only who began can finish."""
    redirect_uri: str
    to: str
    """Where on our page it leads."""
    expires_at: int

    @classmethod
    def begun(cls, provider: str, redirect_uri: str, to: str, now: int) -> Attempt:
        return cls(
            provider=provider,
            state=secrets.token_urlsafe(24),
            nonce=secrets.token_urlsafe(24),
            verifier=secrets.token_urlsafe(48),
            redirect_uri=redirect_uri,
            to=local_path(to),
            expires_at=now + ATTEMPT_SECONDS,
        )

    def signed(self, key: bytes) -> str:
        body = _encoded(msgspec.json.encode(self))
        return f"{body}.{_encoded(_mac(key, body))}"

    @classmethod
    def opened(cls, text: str, key: bytes, provider: str, state: str, now: int) -> Attempt:
        """Raises Forbidden unless it was begun here, for this provider, with this state, not long ago."""
        body, _, mac = text.partition(".")
        try:
            is_ours = 0 < len(text) <= MAX_BYTES and hmac.compare_digest(_decoded(mac), _mac(key, body))
            attempt = msgspec.json.decode(_decoded(body), type=cls) if is_ours else None
        except (ValueError, binascii.Error, msgspec.MsgspecError):
            attempt = None
        if attempt is None or attempt.provider != provider:
            raise Forbidden("This sign-in was not begun in this browser; try again from the page")
        if not hmac.compare_digest(attempt.state.encode(), state.encode("utf-8", "replace")):
            raise Forbidden("This sign-in is another one than this browser began last; try again from the page")
        if attempt.expires_at <= now:
            raise Forbidden("This sign-in took too long; try again from the page")
        return attempt


def local_path(text: str) -> str:
    """The page itself for what leads elsewhere, or is too long for a cookie."""
    return text if len(text) <= MAX_TO_CHARACTERS and _LOCAL.fullmatch(text) else "/"


def _mac(key: bytes, body: str) -> bytes:
    return hmac.digest(hmac.digest(key, b"procession: attempt to sign in", "sha256"), body.encode(), hashlib.sha256)


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
