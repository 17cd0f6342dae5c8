"""`/api/procession/v1/session` and `/sign-in`: sign in to the page by a key, a link or a password, see who is
signed in, sign out; and links that sign in once."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection
from functools import partial
from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from procession.accounts.passwords import MAX_BYTES
from procession.accounts.restriction import Restricted
from procession.accounts.scopes import Scope
from procession.accounts.sessions import Session
from procession.accounts.users import User
from procession.errors import Forbidden, InvalidRequest, TooManyRequests
from procession.server.access.session_cookies import SessionCookies, names
from procession.server.access.sessions import Sessions, has_keys, is_cross_site
from procession.server.access.sign_in_throttle import SignInThrottle, client_address
from procession.server.access.trusted_proxies import TrustedProxies
from procession.server.api.routes import PREFIX, ApiRouter
from procession.server.http.json_body import parsed_body
from procession.server.http.responses import add_headers, json_response
from procession.server.runtime.thread_pools import ThreadPool
from procession.server.runtime.throttled_log import ThrottledLog
from procession.storage import KeyStore

_log = logging.getLogger(__name__)

SignOutUrl = Callable[[User, Request], Awaitable[str | None]]

LINES_PER_MINUTE = 20
"""How many lines each event may write into the log."""


class _Credentials(msgspec.Struct, forbid_unknown_fields=True):
    application_key: str | None = None
    link: str | None = None


class _Password(msgspec.Struct, forbid_unknown_fields=True):
    user: Annotated[str, msgspec.Meta(max_length=200)]
    password: Annotated[str, msgspec.Meta(max_length=MAX_BYTES)]


class _SignedIn(msgspec.Struct, omit_defaults=True):
    org: str
    expires_at: int | None
    scopes: tuple[str, ...]
    user: str = ""
    """Who has given a password; empty for a key, as the role is."""
    role: str = ""


class _SignedOut(msgspec.Struct):
    next: str
    """Where one signs out of the provider as well."""


class _NewLink(msgspec.Struct):
    token: str
    expires_at: int


def sign_in_routes(
    *,
    api: ApiRouter,
    sessions: Sessions,
    keys: KeyStore,
    throttle: SignInThrottle,
    proxies: TrustedProxies,
    thread: ThreadPool,
    sign_out_url: SignOutUrl,
) -> list[Route]:
    sign_in = SignIn(api, sessions, keys, throttle, proxies, thread, sign_out_url)
    path = f"{PREFIX}/session"
    return [
        Route(path, sign_in.sign_in, methods=["POST"]),
        Route(f"{PREFIX}/sign-in", sign_in.sign_in_by_password, methods=["POST"]),
        Route(path, sign_in.show, methods=["GET"]),
        Route(path, sign_in.sign_out, methods=["DELETE"]),
        Route(f"{path}/link", sign_in.make_link, methods=["POST"]),
    ]


class SignIn:
    """Begins and ends sessions, and says whose they are."""

    def __init__(
        self,
        api: ApiRouter,
        sessions: Sessions,
        keys: KeyStore,
        throttle: SignInThrottle,
        proxies: TrustedProxies,
        thread: ThreadPool,
        sign_out_url: SignOutUrl,
    ) -> None:
        """`sign_out_url`: where a user signs out of a provider as well, if anywhere."""
        self._api = api
        self._sessions = sessions
        self._keys = keys
        self._throttle = throttle
        self._proxies = proxies
        self._thread = thread
        self._sign_out_url = sign_out_url
        self._log = ThrottledLog(_log, LINES_PER_MINUTE)

    async def sign_in(self, request: Request) -> Response:
        async def begin() -> tuple[str, Session]:
            return await self._begin(await parsed_body(request, _Credentials))

        return await self._signed_in(request, begin)

    async def sign_in_by_password(self, request: Request) -> Response:
        async def begin() -> tuple[str, Session]:
            body = await parsed_body(request, _Password)
            name = body.user.strip().lower()
            self._throttle.count_user(name)
            return await self._sessions.begin_by_password(name, body.password)

        return await self._signed_in(request, begin)

    async def _signed_in(self, request: Request, begin: Callable[[], Awaitable[tuple[str, Session]]]) -> Response:
        # Else another page could sign somebody in to an org of its own.
        if "origin" in request.headers or "sec-fetch-site" in request.headers:
            _refuse_others(request)
        self._sessions.cookies.refuse_http(request)
        address = client_address(request, self._proxies)
        try:
            self._throttle.count(address)
            token, session = await begin()
        except TooManyRequests as error:
            add_headers(request, {"retry-after": str(self._throttle.reset_seconds)})
            self._log_attempt(
                logging.WARNING, "sign-in-throttled", "nobody may sign in from %(address)s for now", address, error
            )
            raise
        except Forbidden as error:
            self._log_attempt(
                logging.WARNING, "sign-in-refused", "did not sign in whoever tried from %(address)s", address, error
            )
            raise
        self._log_attempt(
            logging.INFO, "signed-in", "signed in to org %(org_id)d from %(address)s", address, org_id=session.org_id
        )
        scopes = await self._sessions.scopes_of_session(session)
        user = await self._sessions.user_of(session)
        said = await self._session_body(session.org_id, session.expires_at, scopes, user)
        response = json_response(said, 201, {"cache-control": "no-store"})
        set_cookie(response, request, token, session, self._sessions.cookies)
        return response

    async def show(self, request: Request) -> Response:
        admitted = await self._api.admit(request, Restricted.ALL)
        scopes = await self._sessions.scopes_of(request)
        session = await self._sessions.find(request)
        expires_at = None if session is None else session.expires_at
        user = None if session is None or has_keys(request.headers) else await self._sessions.user_of(session)
        return json_response(await self._session_body(admitted.org_id, expires_at, scopes, user))

    async def sign_out(self, request: Request) -> Response:
        session = await self._sessions.find(request)
        elsewhere = None
        if session is not None:
            _refuse_others(request)
            user = await self._sessions.user_of(session)
            await self._sessions.end(session)
            elsewhere = None if user is None else await self._sign_out_url(user, request)
        response = Response(status_code=204) if elsewhere is None else json_response(_SignedOut(elsewhere))
        for name in names(request):
            if name in request.cookies:
                is_host_cookie = name.startswith("__Host-")
                response.delete_cookie(name, secure=is_host_cookie, httponly=True, samesite="strict")
        return response

    async def make_link(self, request: Request) -> Response:
        token, link = await self._sessions.make_link(request.headers, partial(self._api.count, request))
        return json_response(_NewLink(token, link.expires_at), 201, {"cache-control": "no-store"})

    async def _session_body(
        self, org_id: int, expires_at: int | None, scopes: Collection[Scope], user: User | None
    ) -> _SignedIn:
        orgs = await self._thread.run(self._keys.orgs)
        name = next((org.name for org in orgs if org.id == org_id), str(org_id))
        who = ("", "") if user is None else (user.name, str(user.role))
        return _SignedIn(name, expires_at, tuple(sorted(scopes)), *who)

    def _log_attempt(
        self, level: int, event: str, message: str, address: str, error: Exception | None = None, **fields: object
    ) -> None:
        reason = {} if error is None else {"reason": str(error)}
        self._log.log(level, event, message, {"address": address, **reason, **fields})

    async def _begin(self, body: _Credentials) -> tuple[str, Session]:
        if body.application_key is not None and body.link is None:
            return await self._sessions.begin_by_key(body.application_key)
        if body.link is not None and body.application_key is None:
            return await self._sessions.begin_by_link(body.link)
        raise InvalidRequest("Sign in with either application_key or link")


def _refuse_others(request: Request) -> None:
    if is_cross_site(request):
        raise Forbidden("Only the page of this server may do this")


def set_cookie(response: Response, request: Request, token: str, session: Session, cookies: SessionCookies) -> None:
    """That names the session."""
    response.set_cookie(
        cookies.name(request),
        token,
        max_age=session.expires_at - session.created_at,
        path="/",
        secure=cookies.is_secure(request),
        httponly=True,
        samesite="strict",
    )
