"""`/signin/oidc/{provider}`: to a provider and back, which makes a user and begins a session; and which providers there
are."""

from __future__ import annotations

import asyncio
import html
import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from procession.accounts.admission import Claims, name_from
from procession.accounts.orgs import Key, KeyKind
from procession.accounts.provider_users import admit, user_with
from procession.accounts.sessions import Session
from procession.accounts.users import USER_PREFIX, Identity, Role, User, end_sessions
from procession.config import ServerSettings
from procession.errors import Forbidden, NotFound, RequestError, TooManyRequests
from procession.oidc import Attempt, Provider, ProviderSettings
from procession.oidc.attempt import ATTEMPT_SECONDS
from procession.oidc.exchange import is_error_code
from procession.server.access.sessions import Sessions
from procession.server.access.sign_in_throttle import SignInThrottle, client_address
from procession.server.access.trusted_proxies import TrustedProxies
from procession.server.api.routes import PREFIX
from procession.server.api.session import LINES_PER_MINUTE, set_cookie
from procession.server.audit.audited_routes import SIGN_IN_BY_PROVIDER
from procession.server.audit.note import identified
from procession.server.http.responses import add_headers, json_response
from procession.server.runtime.change_recorder import ChangeRecorder
from procession.server.runtime.thread_pools import ThreadPool
from procession.server.runtime.throttled_log import ThrottledLog
from procession.storage import KeyStore, UserStore

_log = logging.getLogger(__name__)

PATH = "/signin/oidc/{provider}"
_ATTEMPT = "attempt"

_PAGE = """\
<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Not signed in</title>
<h1>Not signed in</h1>
<p>{reason}</p>
<p><a href="/">Back to the sign-in page</a></p></html>
"""


class _ProviderItem(msgspec.Struct):
    name: str
    title: str
    problem: str
    """Why nobody can sign in by it now, in one sentence; empty if nothing is wrong."""


class ProviderSignIn:
    """For who comes from the page, and who comes back to it."""

    def __init__(
        self,
        providers: tuple[ProviderSettings, ...],
        *,
        settings: ServerSettings,
        sessions: Sessions,
        users: UserStore,
        orgs: KeyStore,
        changes: ChangeRecorder,
        throttle: SignInThrottle,
        thread: ThreadPool,
        asking: ThreadPool,
        now: Callable[[], int],
    ) -> None:
        """`thread` has to be a single one: users are changed one after the other. `asking`: where a provider is asked.
        Raises UsageError for a provider's file of certificates that is of no use."""
        self._providers = {one.name: Provider(one, now) for one in providers}
        self._asking = asking
        self._settings = settings
        self._sessions = sessions
        self._cookies = sessions.cookies
        self._users = users
        self._orgs = orgs
        self._changes = changes
        self._throttle = throttle
        self._proxies = TrustedProxies(settings.trusted_proxies)
        self._thread = thread
        self._now = now
        self._log = ThrottledLog(_log, LINES_PER_MINUTE)

    @property
    def routes(self) -> list[Route]:
        return [
            Route(f"{PREFIX}/sign-in", self.list_providers, methods=["GET"]),
            Route(PATH, self.begin, methods=["GET"]),
            Route(SIGN_IN_BY_PROVIDER, self.finish, methods=["GET"]),
        ]

    async def list_providers(self, _: Request) -> Response:
        """In the order of the file, for whoever is not signed in yet."""
        problems = await asyncio.gather(*(self._asking.run(one.problem) for one in self._providers.values()))
        items = [
            _ProviderItem(name, provider.settings.title, problem)
            for (name, provider), problem in zip(self._providers.items(), problems, strict=True)
        ]
        return json_response({"providers": items}, headers={"cache-control": "no-store"})

    async def begin(self, request: Request) -> Response:
        """Sends the browser to the provider."""
        name, provider = self._named(request)
        base = self._base_of(request)
        redirect_uri = base + SIGN_IN_BY_PROVIDER.replace("{provider}", name)
        to = request.query_params.get("to", "/")
        try:
            url, attempt = await self._asking.run(lambda: provider.begin(redirect_uri, to))
        except RequestError as error:
            return self._not_signed_in(request, name, error)
        response = RedirectResponse(url, 303, {"cache-control": "no-store"})
        self._set_attempt(response, request, attempt.signed(provider.cookie_key))
        return response

    async def sign_out_url(self, user: User, request: Request) -> str | None:
        """Where who signs out here signs out of the provider as well; None where there is no such place."""
        issuer = None if user.identity is None else user.identity.issuer
        provider = next((one for one in self._providers.values() if one.settings.issuer == issuer), None)
        if provider is None:
            return None
        back_to = f"{self._base_of(request)}/"
        return await self._asking.run(lambda: provider.sign_out_url(back_to))

    async def finish(self, request: Request) -> Response:
        """Signs in whom the provider names, and sends the browser to where it was on the page."""
        name, provider = self._named(request)
        try:
            self._throttle.count(client_address(request, self._proxies))
            attempt, code = self._came_back(request, provider)
            issuer = _said_once(request, "iss")
            claims = await self._asking.run(lambda: provider.claims(attempt, code, issuer))
            user = await self._admitted(provider, claims)
            token, session = await self._sessions.begin_by_provider(user)
        except RequestError as error:
            return self._not_signed_in(request, name, error)
        self._log_attempt(
            logging.INFO, "signed-in", "signed in to org %(org_id)d from %(address)s", request, name, org_id=user.org_id
        )
        return self._signed_in(request, attempt, token, session)

    def _signed_in(self, request: Request, attempt: Attempt, token: str, session: Session) -> Response:
        response = RedirectResponse(attempt.to, 303, {"cache-control": "no-store"})
        set_cookie(response, request, token, session, self._cookies)
        self._set_attempt(response, request, None)
        return response

    def _not_signed_in(self, request: Request, name: str, error: RequestError) -> Response:
        """A person is there, and no script: so it is said on a page."""
        if isinstance(error, TooManyRequests):
            add_headers(request, {"retry-after": str(self._throttle.reset_seconds)})
        is_ours = error.status >= 500
        event = "sign-in-failed" if is_ours else "sign-in-refused"
        self._log_attempt(
            logging.WARNING, event, "did not sign in whoever tried from %(address)s", request, name, reason=str(error)
        )
        page = _PAGE.format(reason=html.escape(str(error)))
        response = Response(page, error.status, {"cache-control": "no-store"}, "text/html; charset=utf-8")
        self._set_attempt(response, request, None)
        return response

    def _came_back(self, request: Request, provider: Provider) -> tuple[Attempt, str]:
        """The attempt and the code that it was given. Raises Forbidden."""
        state = _said_once(request, "state") or ""
        cookie = request.cookies.get(self._cookies.name(request, _ATTEMPT), "")
        attempt = Attempt.opened(cookie, provider.cookie_key, provider.settings.name, state, self._now())
        error = _said_once(request, "error")
        if error is not None:
            shown = error if is_error_code(error) else "an error"
            raise Forbidden(f"{provider.settings.title} did not sign you in: {shown}")
        code = _said_once(request, "code")
        if not code:
            raise Forbidden(f"{provider.settings.title} did not sign you in: it gave no code")
        return attempt, code

    async def _admitted(self, provider: Provider, claims: Claims) -> User:
        """Who is in the store by now, as the provider's word and our rules have it. Raises Forbidden."""
        settings = provider.settings
        rules = settings.rules
        identity = Identity(settings.issuer, str(claims["sub"]))
        present = await self._thread.run(lambda: user_with(self._users, identity))
        try:
            org_id = await self._org_named(rules.org_of(claims))
            role = rules.role_of(claims, present.role if present is not None and present.org_id == org_id else None)
        except Forbidden:
            await self._shut_out(present)
            raise

        def role_of(present: Role | None) -> Role:
            """Again, as the user may have got another role meanwhile."""
            nonlocal role
            role = rules.role_of(claims, present)
            return role

        name = name_from(claims)
        # Before anything is changed, so that it is recorded who is about to.
        await identified(self._newcomer(settings, identity, org_id) if present is None else present.as_key())
        call = partial(
            admit,
            self._users,
            identity,
            name,
            settings.name,
            org_id,
            role_of,
            self._now(),
            may_return=settings.removed_users_return,
            record=self._record,
        )
        user = await self._thread.run(call)
        await identified(user.as_key())
        if (user.org_id, user.role) != (org_id, role):
            why = "is the last admin of the org" if user.is_admin_of(user.org_id) else "is restricted"
            what = "org" if user.role is role else "role %(role)s"
            message = f"gave %(name)s, who {why}, not the {what} that %(provider)s gives"
            fields = {"name": user.name, "org_id": user.org_id, "role": str(role), "provider": settings.name}
            self._log.log(logging.WARNING, "role-withheld", message, fields, subject=user.name)
        return user

    def _newcomer(self, settings: ProviderSettings, identity: Identity, org_id: int) -> Key:
        """Who is no user yet, for the audit trail. No user can have this id: the name that a provider gives may be that
        of somebody else here."""
        name = f"{settings.name}:{identity.subject}"
        return Key(f"{USER_PREFIX}?{name}", org_id, KeyKind.APPLICATION, name, b"", self._now())

    async def _shut_out(self, user: User | None) -> None:
        """The sessions of one whom the provider's word lets in no more end with it."""
        if user is None:
            return
        await identified(user.as_key())
        await self._thread.run(lambda: end_sessions(self._users, user.name))
        await self._sessions.reload_users()

    def _record(self, before: User | None, after: User) -> None:
        self._changes.record_user(after.as_key(), before, after)

    async def _org_named(self, name: str) -> int:
        orgs = await self._thread.run(self._orgs.orgs)
        found = next((org.id for org in orgs if name in ("", org.name)), None)
        if found is None:
            raise Forbidden("The org that the settings choose for you does not exist here")
        return found

    def _named(self, request: Request) -> tuple[str, Provider]:
        name = request.path_params["provider"]
        provider = self._providers.get(name)
        if provider is None:
            raise NotFound("There is no such provider of sign-ins")
        return name, provider

    def _base_of(self, request: Request) -> str:
        """Our address as the browser has it."""
        if self._settings.page_url:
            return self._settings.page_url.rstrip("/")
        is_https = request.url.scheme == "https" or self._settings.behind_proxy
        return f"{'https' if is_https else 'http'}://{request.headers.get('host', '')}"

    def _set_attempt(self, response: Response, request: Request, value: str | None) -> None:
        """None takes it away. Other sites send nobody here with it, but a provider has to: `lax`, and not `strict`."""
        name = self._cookies.name(request, _ATTEMPT)
        cookie: Mapping[str, Any] = {
            "path": "/",
            "secure": self._cookies.is_secure(request),
            "httponly": True,
            "samesite": "lax",
        }
        if value is None:
            response.delete_cookie(name, **cookie)
        else:
            response.set_cookie(name, value, max_age=ATTEMPT_SECONDS, **cookie)

    def _log_attempt(
        self, level: int, event: str, message: str, request: Request, provider: str, **fields: object
    ) -> None:
        address = client_address(request, self._proxies)
        self._log.log(level, event, message, {"address": address, "provider": provider, **fields})


def _said_once(request: Request, name: str) -> str | None:
    """None where it is not said. Raises Forbidden where it is said twice: two parties could each take another one."""
    found = request.query_params.getlist(name)
    if len(found) > 1:
        raise Forbidden("The provider's answer has a parameter twice")
    return found[0] if found else None
