"""Who is signed in to the page: a cookie that no script can read names a session, which comes from an application key
or from a user who has given a password.

A browser sends a cookie with every request to its server, whatever page caused it, and pages of all ports of a
machine count as one site. So it counts only for requests that our own page makes, as the browser says of them: see
`is_cross_site`.
"""

from __future__ import annotations

import dataclasses
import hmac
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from starlette.requests import Request

from procession.accounts.orgs import Key, hash_secret
from procession.accounts.restriction import Restricted
from procession.accounts.scopes import Scope
from procession.accounts.sessions import Link, Session, begin_session, create_link
from procession.accounts.users import USER_PREFIX, User, is_user, may_change_views, roles_with
from procession.accounts.visibility import Visibility
from procession.errors import Forbidden
from procession.server.access.key_cache import KeyCache, bearer_token
from procession.server.access.session_cookies import SessionCookies
from procession.server.access.user_cache import UserCache
from procession.server.audit.note import identified, note_change, session_name
from procession.server.runtime.refreshing_cache import RefreshingCache
from procession.server.runtime.thread_pools import ThreadPool
from procession.storage import SessionStore

REFRESH_SECONDS = 2.0
RECHECK_SECONDS = 0.2
"""A session that is not known may have begun on another server just now; but who makes tokens up must not make the
store work for each of them."""

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


class Sessions:
    """The sessions in force, as the store had them at most two seconds ago."""

    def __init__(
        self,
        store: SessionStore,
        keys: KeyCache,
        users: UserCache,
        thread: ThreadPool,
        now: Callable[[], int],
        cookies: SessionCookies,
    ) -> None:
        """`thread` has to be a single one: sessions of a key are begun one after the other."""
        self._store = store
        self._keys = keys
        self._users = users
        self._thread = thread
        self._now = now
        self.cookies = cookies
        self._sessions = RefreshingCache(self._read, thread, REFRESH_SECONDS)

    async def visibility_of(self, request: Request, honours: Restricted = Restricted.NOTHING) -> Visibility:
        """What the reader may see: by keys where there are any, else by session. Raises Forbidden, also where the
        reader is restricted in something that is not honoured."""
        return Visibility.of(await self.reader(request, honours))

    async def key_with(self, scope: Scope, request: Request) -> Key:
        """The application key of the reader, likewise. Raises Forbidden, also where it has not this scope, or the
        reader is restricted."""
        return _checked(await self.reader(request), scope)

    async def visibility_with(self, scope: Scope, request: Request, honours: Restricted) -> Visibility:
        """What a reader with this scope may see. Raises Forbidden."""
        return Visibility.of(_checked(await self.reader(request, honours), scope))

    async def scopes_of(self, request: Request) -> frozenset[Scope]:
        """What the reader may do besides reading processes. Raises Forbidden."""
        return (await self.reader(request, Restricted.ALL)).scopes

    async def scopes_of_session(self, session: Session) -> frozenset[Scope]:
        key = await self._key_of(session)
        return frozenset() if key is None else key.scopes

    async def refuse_viewers(self, request: Request) -> None:
        """Raises Forbidden for a user who may change no views."""
        if not may_change_views(await self.reader(request)):
            raise Forbidden(f"Forbidden: this takes the role {roles_with(Scope.MONITORS_WRITE)}")

    async def user_of(self, session: Session) -> User | None:
        """None where it comes from a key."""
        return await self._users.signed_in(session.key_id) if session.key_id.startswith(USER_PREFIX) else None

    async def signed_in(self, request: Request) -> User:
        """The user who asks, by a session of his own. Raises Forbidden."""
        session = None if has_keys(request.headers) else await self.find(request)
        user = None if session is None or is_cross_site(request) else await self.user_of(session)
        if user is None:
            raise Forbidden("Forbidden: this takes a user who has signed in")
        return user

    async def in_force(self) -> tuple[tuple[Session, Key], ...]:
        """All sessions, each with the key that it comes from, or the user in place of one."""
        now = self._now()
        found = [(one, await self._key_of(one)) for one in (await self._sessions.get(RECHECK_SECONDS)).values()]
        return tuple((one, key) for one, key in found if key is not None and one.is_good(key, now))

    async def reader(self, request: Request, honours: Restricted = Restricted.NOTHING) -> Key:
        """The application key of the reader, or the user in place of one. Raises Forbidden, also where the reader is
        restricted in something that is not honoured."""
        key: Key | None
        if has_keys(request.headers):
            key = await self._keys.reader(request.headers)
        else:
            session = await self.find(request)
            key = None if session is None or is_cross_site(request) else await self._key_of(session)
        if key is None:
            raise Forbidden
        Visibility.of(key).require(honours)
        return key

    async def find(self, request: Request) -> Session | None:
        """The session that a cookie of this request names."""
        for token in self.cookies.shown(request):
            session = await self._session(token)
            if session is not None:
                return session
        return None

    async def begin_by_key(self, secret: str) -> tuple[str, Session]:
        """A new session and its token. Raises Forbidden unless this is the secret of an application key."""
        return await self._begin(await self._keys.application_key(secret))

    async def begin_by_link(self, token: str) -> tuple[str, Session]:
        """Raises Forbidden unless the link is good, and for ever after."""
        now = self._now()
        link = await self._thread.run(lambda: self._store.take_link(hash_secret(token), now))
        key = None if link is None else await self._keys.with_id(link.key_id)
        if link is None or key is None or not link.signs_in_by(key):
            raise Forbidden("This link was used, or its time is over: `procession link` prints another")
        return await self._begin(key)

    async def begin_by_password(self, name: str, password: str) -> tuple[str, Session]:
        """Raises Forbidden unless this is the password of a user."""
        user = await self._users.by_password(name, password)
        return await self._begin(user.as_key(), user.sign_in_id)

    async def reload_users(self) -> None:
        """They were just changed."""
        await self._users.reload()

    async def begin_by_provider(self, user: User) -> tuple[str, Session]:
        """For a user whom a provider has just named, and who is in the store."""
        await self.reload_users()
        return await self._begin(user.as_key(), user.sign_in_id)

    async def end(self, session: Session) -> None:
        now = self._now()
        note_change("session", session_name(session), "ended", org_id=session.org_id)
        await self._thread.run(lambda: self._store.put_session(dataclasses.replace(session, ended_at=now)))
        await self._sessions.reload()

    async def make_link(self, headers: Mapping[str, str], admit: Callable[[int], None]) -> tuple[str, Link]:
        """A token that signs in once. Raises Forbidden without keys: a session must not outlive itself by links.
        `admit`, which takes the org, is called before anything is kept."""
        key = await self._keys.reader(headers)
        admit(key.org_id)
        note_change("link", key.id, "created", org_id=key.org_id)
        return await self._thread.run(lambda: create_link(self._store, key, self._now()))

    async def _begin(self, key: Key, sign_in_id: str | None = None) -> tuple[str, Session]:
        """`sign_in_id`: what the session belongs to, where that is not the key."""
        now = self._now()
        await identified(key)
        owner = key if sign_in_id is None else dataclasses.replace(key, id=sign_in_id)
        token, session = await self._thread.run(lambda: begin_session(self._store, owner, now))
        note_change("session", session_name(session), "created", org_id=key.org_id)
        await self._sessions.reload()
        return token, session

    async def _session(self, token: str) -> Session | None:
        digest = hash_secret(token)
        session = (await self._sessions.get()).get(digest)
        if session is None:
            session = (await self._sessions.get(RECHECK_SECONDS)).get(digest)
        # As with keys: the digest may be looked up, and what is found is compared in constant time.
        if session is None or not hmac.compare_digest(session.token_hash, digest):
            return None
        key = await self._key_of(session)
        if key is None or not session.is_good(key, self._now()):
            return None
        await identified(key, session)
        return session

    async def _key_of(self, session: Session) -> Key | None:
        """The key that it comes from, or the user in place of one, as long as they are good."""
        if session.key_id.startswith(USER_PREFIX):
            user = await self._users.signed_in(session.key_id)
            return None if user is None else user.as_key()
        return await self._keys.with_id(session.key_id)

    def _read(self) -> dict[bytes, Session]:
        return {session.token_hash: session for session in self._store.sessions(self._now())}


def _checked(key: Key, scope: Scope) -> Key:
    """Raises Forbidden where it has not this scope."""
    if scope not in key.scopes:
        takes = f"the role {roles_with(scope)}" if is_user(key) else f"an application key with the scope {scope}"
        raise Forbidden(f"Forbidden: this takes {takes}")
    return key


def has_keys(headers: Mapping[str, str]) -> bool:
    return bool(headers.get("dd-api-key") or headers.get("dd-application-key") or bearer_token(headers))


def is_cross_site(request: Request) -> bool:
    """Whether another page than ours, or one that the browser is silent about, made it send this.

    Browsers say so in `Sec-Fetch-Site` wherever the connection is trusted, and in `Origin` with all that may change
    something. A question of neither is let through: nobody else can read the answer.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        # `none`: the person typed the address.
        return site != "same-origin" and not (site == "none" and request.method in SAFE_METHODS)
    origin = request.headers.get("origin")
    if origin is not None:
        return urlsplit(origin).netloc != request.headers.get("host", "")
    return request.method not in SAFE_METHODS
