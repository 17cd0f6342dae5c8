"""`/api/procession/v1/session`: sign in to the page, see who is, sign out; and links that sign in once."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Callable

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from procession.errors import Forbidden, InvalidRequest, TooManyRequests
from procession.server.access.rate_limit import PERIOD_SECONDS
from procession.server.access.sessions import Sessions, cookie_names, is_from_elsewhere, is_secure
from procession.server.api.routes import PREFIX, ApiRouter
from procession.server.http.json_body import parsed_body
from procession.server.http.responses import add_headers, json_response
from procession.server.runtime.fair_pool import Threads
from procession.server.runtime.throttled_log import ThrottledLog
from procession.sessions import Session
from procession.storage import KeyStore

_log = logging.getLogger(__name__)

LINES_PER_MINUTE = 20
"""Of the log, of each event."""
ADDRESSES = 30
"""So many addresses may try as often as they may, within a minute; then nobody may."""


class SignInThrottle:
    """Counts who tries to sign in, by client address and in total, in the minute of the clock that is under way.

    It remembers no more than the tries it allows.
    """

    def __init__(self, limit: int, now: Callable[[], int]) -> None:
        self._limit = limit
        self._now = now
        self._minute = 0
        self._total = 0
        self._counts: dict[str, int] = {}

    def count(self, address: str) -> None:
        """Raises TooManyRequests where it is one too many; that is then not counted, so that who goes on trying shuts
        out nobody else."""
        if self._limit <= 0:
            return
        minute, _ = divmod(self._now(), PERIOD_SECONDS)
        if minute != self._minute:
            self._minute, self._total, self._counts = minute, 0, {}
        of_address = self._counts.get(address, 0)
        if of_address >= self._limit:
            raise TooManyRequests(f"Too many tries to sign in from {address}; {self._how_long()}")
        if self._total >= self._limit * ADDRESSES:
            raise TooManyRequests(f"Too many tries to sign in; {self._how_long()}")
        self._counts[address] = of_address + 1
        self._total += 1

    @property
    def reset_seconds(self) -> int:
        return PERIOD_SECONDS - self._now() % PERIOD_SECONDS

    def _how_long(self) -> str:
        return f"try again in {self.reset_seconds} s"


class _SignIn(msgspec.Struct, forbid_unknown_fields=True):
    application_key: str | None = None
    link: str | None = None


class _SignedIn(msgspec.Struct):
    org: str
    expires_at: int | None


class _NewLink(msgspec.Struct):
    token: str
    expires_at: int


def sign_in_routes(
    *, api: ApiRouter, sessions: Sessions, keys: KeyStore, throttle: SignInThrottle, thread: Threads
) -> list[Route]:
    async def who(org_id: int, session: Session | None) -> _SignedIn:
        orgs = await thread.run(keys.orgs)
        name = next((org.name for org in orgs if org.id == org_id), str(org_id))
        return _SignedIn(name, None if session is None else session.expires_at)

    throttled_log = ThrottledLog(_log, LINES_PER_MINUTE)

    def say(
        level: int, event: str, message: str, address: str, error: Exception | None = None, **fields: object
    ) -> None:
        reason = {} if error is None else {"reason": str(error)}
        throttled_log.log(level, event, message, {"address": address, **reason, **fields})

    async def begin(body: _SignIn) -> tuple[str, Session]:
        if body.application_key is not None and body.link is None:
            return await sessions.begin_by_key(body.application_key)
        if body.link is not None and body.application_key is None:
            return await sessions.begin_by_link(body.link)
        raise InvalidRequest("Sign in with either application_key or link")

    async def sign_in(request: Request) -> Response:
        # Else another page could sign somebody in to an org of its own.
        if "origin" in request.headers or "sec-fetch-site" in request.headers:
            _refuse_others(request)
        address = client_address(request)
        try:
            throttle.count(address)
        except TooManyRequests as error:
            add_headers(request, {"retry-after": str(throttle.reset_seconds)})
            say(logging.WARNING, "sign-in-throttled", "nobody may sign in from %(address)s for now", address, error)
            raise
        body = await parsed_body(request, _SignIn)
        try:
            token, session = await begin(body)
        except Forbidden as error:
            say(logging.WARNING, "sign-in-refused", "did not sign in whoever tried from %(address)s", address, error)
            raise
        say(logging.INFO, "signed-in", "signed in to org %(org_id)d from %(address)s", address, org_id=session.org_id)
        response = json_response(await who(session.org_id, session), 201, {"cache-control": "no-store"})
        _set_cookie(response, request, token, session.expires_at - session.created_at)
        return response

    async def show(request: Request) -> Response:
        admitted = await api.admit(request)
        return json_response(await who(admitted.org_id, await sessions.find(request)))

    async def sign_out(request: Request) -> Response:
        session = await sessions.find(request)
        if session is not None:
            _refuse_others(request)
            await sessions.end(session)
        response = Response(status_code=204)
        for name in cookie_names(request):
            if name in request.cookies:
                is_host_cookie = name.startswith("__Host-")
                response.delete_cookie(name, secure=is_host_cookie, httponly=True, samesite="strict")
        return response

    async def make_link(request: Request) -> Response:
        token, link = await sessions.make_link(request.headers)
        api.count(request, link.org_id)
        return json_response(_NewLink(token, link.expires_at), 201, {"cache-control": "no-store"})

    path = f"{PREFIX}/session"
    return [
        Route(path, sign_in, methods=["POST"]),
        Route(path, show, methods=["GET"]),
        Route(path, sign_out, methods=["DELETE"]),
        Route(f"{path}/link", make_link, methods=["POST"]),
    ]


def client_address(request: Request) -> str:
    """Who is counted as one: an address, or the network of 64 bits that one customer is given of IPv6."""
    text = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return "?"
    if address.version == 6:
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return text


def _refuse_others(request: Request) -> None:
    if is_from_elsewhere(request):
        raise Forbidden("Only the page of this server may do this")


def _set_cookie(response: Response, request: Request, token: str, seconds: int) -> None:
    under_https, name = cookie_names(request)
    secure = is_secure(request)
    response.set_cookie(
        under_https if secure else name,
        token,
        max_age=seconds,
        path="/",
        secure=secure,
        httponly=True,
        samesite="strict",
    )
