"""The keys with which a provider signs, which it changes from time to time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from procession.oidc.exchange import ProviderFails

if TYPE_CHECKING:
    from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

    SigningKey = RSAKey | ECKey | OKPKey | OctKey

KEEP_SECONDS = 600
"""A key that was withdrawn is believed no longer than this."""
AGAIN_SECONDS = 10
"""Whoever makes up names of keys makes the provider answer no more often than this."""
MAX_KEYS = 100

# Never `oct`: a secret that stands where all can read it is none.
_TYPES = ("RSA", "EC", "OKP")


class SigningKeys:
    """Safe for threads."""

    def __init__(self, fetch: Callable[[], Any], now: Callable[[], int]) -> None:
        """`fetch` gives the document of the keys, and raises ProviderFails."""
        self._fetch = fetch
        self._now = now
        self._lock = threading.Lock()
        self._keys: tuple[SigningKey, ...] = ()
        self._fetched_at: int | None = None
        self._again_at: int | None = None
        """When a name of a key was last not known."""

    def for_header(self, header: Mapping[str, Any]) -> Sequence[SigningKey]:
        """Those that a token with this header may be signed with; the provider is asked again if there is none."""
        with self._lock:
            now = self._now()
            if self._fetched_at is None or now - self._fetched_at >= KEEP_SECONDS:
                self._read(now)
            found = self._fitting(header)
            if not found and (self._again_at is None or now - self._again_at >= AGAIN_SECONDS):
                self._again_at = now
                self._read(now)
                found = self._fitting(header)
            return found

    def _read(self, now: int) -> None:
        document = self._fetch()
        keys = document.get("keys") if isinstance(document, dict) else None
        if not isinstance(keys, list):
            raise ProviderFails("its key set is not a list of keys")
        self._keys = tuple(key for one in keys[:MAX_KEYS] if (key := _key_of(one)) is not None)
        self._fetched_at = now

    def _fitting(self, header: Mapping[str, Any]) -> Sequence[SigningKey]:
        kid, algorithm = header.get("kid"), header.get("alg")
        named = [key for key in self._keys if kid is None or key.kid == kid]
        return [key for key in named if key.get("alg") in (None, algorithm)]


def _key_of(entry: Any) -> SigningKey | None:
    """None for one that signs nothing, or that we know nothing of."""
    from joserfc.errors import JoseError
    from joserfc.jwk import import_key

    if not isinstance(entry, dict) or entry.get("kty") not in _TYPES or entry.get("use", "sig") != "sig":
        return None
    try:
        return import_key(entry)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
