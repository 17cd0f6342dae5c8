"""Users who sign in, and who is behind a session of theirs."""

from __future__ import annotations

import hmac

from procession.accounts.passwords import hash_password, is_password
from procession.accounts.users import User
from procession.errors import Forbidden
from procession.server.runtime.refreshing_cache import RefreshingCache
from procession.server.runtime.thread_pools import FairThreadPool, ThreadPool
from procession.storage import UserStore

REFRESH_SECONDS = 2.0
"""How long users are believed without looking again: well under the 5 s within which a session of one who was removed
must be dead."""
SIGN_IN_SECONDS = 0.2
"""The same for who signs in, whether there is such a user or not: he may have been made on another server just now."""
_ALL = 0
"""In place of an org: nobody knows of which org who signs in is."""
REFUSAL = "Forbidden: there is no such user, or this is not the password"


class UserCache:
    """The users, as the store had them at most two seconds ago.

    While the store cannot say who they are, its Unavailable goes to the client: nobody is let in on a guess.
    """

    def __init__(self, store: UserStore, thread: ThreadPool, passwords: FairThreadPool) -> None:
        """`passwords`: where they are hashed, so that nothing else waits for it."""
        self._users = RefreshingCache(lambda: _by_name(store), thread, REFRESH_SECONDS)
        self._passwords = passwords

    async def signed_in(self, sign_in_id: str) -> User | None:
        """The user that a session is of, as long as it has not ended."""
        # Another server may have made or changed him just now, and begun the session.
        for seconds in (REFRESH_SECONDS, SIGN_IN_SECONDS):
            user = (await self._users.get(seconds)).get(sign_in_id.rpartition(":")[2])
            if user is not None and hmac.compare_digest(user.sign_in_id.encode(), sign_in_id.encode()):
                return user
        return None

    async def by_password(self, name: str, password: str) -> User:
        """Raises Forbidden, after the same time whether it is the name or the password that is wrong; Unavailable where
        too many wait."""
        user = (await self._users.get(SIGN_IN_SECONDS)).get(name)
        kept = None if user is None else user.password_hash
        is_right = await self._passwords.run(_ALL, lambda: is_password(password, kept))
        if user is None or not is_right:
            raise Forbidden(REFUSAL)
        return user

    async def hashed(self, password: str) -> str:
        """What is kept of a password. Raises Unavailable where too many wait."""
        return await self._passwords.run(_ALL, lambda: hash_password(password))

    async def reload(self) -> None:
        """Read the users again now: they were just changed."""
        await self._users.reload()


def _by_name(store: UserStore) -> dict[str, User]:
    return {user.name: user for user in store.users()}
