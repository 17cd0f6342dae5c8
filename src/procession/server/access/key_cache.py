"""Keys -> org. What a key may do depends on its kind alone, and no kind includes another."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from procession.accounts.key_owners import is_over, keys_in_force
from procession.accounts.orgs import Key, KeyKind, hash_secret
from procession.accounts.restriction import Restricted
from procession.accounts.users import User, is_of_user
from procession.accounts.visibility import Visibility
from procession.errors import Forbidden
from procession.server.access.key_uses import KeyUses
from procession.server.audit.note import identified
from procession.server.runtime.refreshing_cache import RefreshingCache
from procession.server.runtime.thread_pools import ThreadPool
from procession.storage import AccountsAtHand, KeyStore, UserStore

REFRESH_SECONDS = 2.0
"""How long keys are believed without looking again: well under the 5 s within which a revoked key must be dead."""


class KeyCache:
    """The keys in force, as the store had them at most two seconds ago.

    While the store cannot say which keys are good, its Unavailable goes to the client: nobody is let in on a guess.
    """

    def __init__(
        self,
        store: KeyStore,
        thread: ThreadPool,
        clock: Callable[[], float] = time.monotonic,
        *,
        users: UserStore | None = None,
        now: Callable[[], int] = lambda: int(time.time()),
        at_hand: AccountsAtHand | None = None,
    ) -> None:
        """`users`: without them no key of a user is good."""
        self._store = store
        self._users = users
        self._now = now
        self.uses = KeyUses(store, thread, now)
        self._at_hand = at_hand
        self._held: tuple[tuple[Key, ...], _KeysInForce] | None = None
        self._keys = RefreshingCache(self._load, thread, REFRESH_SECONDS, clock, at_hand=self._as_before)

    async def org_of_api_key(self, secret: str) -> int:
        """The org that an agent posts for. Raises Forbidden."""
        return (await self.api_key(secret)).org_id

    async def api_key(self, secret: str) -> Key:
        """Raises Forbidden."""
        return await self._key(KeyKind.API, secret)

    async def visibility_of_reader(
        self, headers: Mapping[str, str], honours: Restricted = Restricted.NOTHING
    ) -> Visibility:
        """What a reader may see: by API key and application key of one org, or by an application key as
        bearer. Raises Forbidden, also where the reader is restricted in something that is not honoured."""
        return Visibility.of(await self.reader(headers)).require(honours)

    async def reader(self, headers: Mapping[str, str]) -> Key:
        """The application key among these, likewise."""
        api_key = headers.get("dd-api-key", "")
        application_key = headers.get("dd-application-key", "")
        # The Ruby client sends `Authorization: Bearer` with nothing after it, in addition to its two keys.
        if not (api_key and application_key):
            return await self.application_key(bearer_token(headers))
        org_id = await self.org_of_api_key(api_key)
        reader = await self.application_key(application_key)
        if reader.org_id != org_id:
            raise Forbidden
        return reader

    async def application_key(self, secret: str) -> Key:
        """The key with this secret. Raises Forbidden."""
        return await self._key(KeyKind.APPLICATION, secret)

    async def with_id(self, key_id: str) -> Key | None:
        """The application key of this id, as long as it is good."""
        key = (await self._keys.get()).by_id.get(key_id)
        return None if key is None or is_over(key, self._now()) else key

    async def require_admin(self, headers: Mapping[str, str]) -> Key:
        """The admin key that is the bearer. Raises Forbidden unless there is one."""
        return await self._key(KeyKind.ADMIN, bearer_token(headers))

    async def refresh(self) -> None:
        """Read the keys again if the last time was two seconds ago."""
        await self._keys.get()

    async def reload(self) -> None:
        """Read the keys again now: they were just changed."""
        await self._keys.reload()

    async def _key(self, kind: KeyKind, secret: str) -> Key:
        keys = (await self._keys.get()).by_hash
        digest = hash_secret(secret)
        # How long the look-up takes may depend on the digest, which tells nothing of the secret and which nobody can
        # steer towards another; what is found is compared in constant time all the same.
        key = keys.get((kind, digest))
        if not secret or key is None or not hmac.compare_digest(key.secret_hash, digest):
            raise Forbidden
        if is_over(key, self._now()):
            raise Forbidden
        self.uses.note(key)
        await identified(key)
        return key

    def _load(self) -> _KeysInForce:
        found = self._store.keys()
        good = keys_in_force(found, self._users_now)
        in_force = _KeysInForce(
            {(key.kind, key.secret_hash): key for key in good},
            {key.id: key for key in good if key.kind is KeyKind.APPLICATION},
        )
        # Whether users are the same the store does not say.
        self._held = None if any(map(is_of_user, good)) else (found, in_force)
        return in_force

    def _as_before(self) -> _KeysInForce | None:
        """Those that were read last, where the store says at once that they are the same."""
        held = self._held
        if self._at_hand is None or held is None:
            return None
        return held[1] if self._at_hand.keys() is held[0] else None

    def _users_now(self) -> tuple[User, ...]:
        return () if self._users is None else self._users.users()


@dataclass(frozen=True, slots=True)
class _KeysInForce:
    by_hash: dict[tuple[KeyKind, bytes], Key]
    by_id: dict[str, Key]


def bearer_token(headers: Mapping[str, str]) -> str:
    """The token of an `Authorization: Bearer` header; empty where there is none."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
