"""A provider of sign-ins on the loopback address, with keys of its own, that can be told to misbehave; and a browser
that goes to it and comes back."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import RSAKey

from procession.accounts.admission import AdmissionRules
from procession.accounts.users import Role
from procession.oidc import ProviderSettings
from tests.support.builders import NOON
from tests.support.people import OURS
from tests.support.served import Client

CLIENT_ID = "procession"
CLIENT_PHRASE = "s3cret: with a +sign & more"

Answer = tuple[int, Any]


@dataclass
class Grant:
    """What a code was given for."""

    parameters: Mapping[str, str]
    claims: dict[str, Any]
    is_used: bool = False


def a_key(kid: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig", "alg": "RS256"})


@dataclass
class FakeProvider:
    """It believes everybody to be whoever `claims` says, without asking."""

    url: str = ""
    claims: dict[str, Any] = field(default_factory=lambda: {"sub": "anna-1", "preferred_username": "anna"})
    keys: list[RSAKey] = field(default_factory=lambda: [a_key("first")])
    """The first signs; all are shown."""
    now: Callable[[], int] = lambda: NOON
    document: dict[str, Any] = field(default_factory=dict)
    """Instead of what its description says otherwise."""
    sign: Callable[[dict[str, Any]], str] | None = None
    """Makes the id token of its claims."""
    in_userinfo: dict[str, Any] = field(default_factory=dict)
    """What is not in the token."""
    is_down: bool = False
    asked: list[str] = field(default_factory=list)
    """The paths of all requests."""
    forms: list[dict[str, str]] = field(default_factory=list)
    """What was posted for tokens."""
    grants: dict[str, Grant] = field(default_factory=dict)

    def describe(self) -> Answer:
        return 200, {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize?from=description",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "end_session_endpoint": f"{self.url}/leave",
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            **self.document,
        }

    def show_keys(self) -> Answer:
        return 200, {"keys": [key.as_dict(private=False) for key in self.keys]}

    def grant(self, query: str) -> str:
        """A code for a browser that has come with this query."""
        code = secrets.token_urlsafe(16)
        self.grants[code] = Grant({name: values[0] for name, values in parse_qs(query).items()}, dict(self.claims))
        return code

    def give_tokens(self, form: dict[str, str], authorization: str) -> Answer:
        self.forms.append(form)
        if _login_of(authorization) != (CLIENT_ID, CLIENT_PHRASE):
            return 401, {"error": "invalid_client"}
        grant = self.grants.get(form.get("code", ""))
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if (
            grant is None
            or grant.is_used
            or grant.parameters["code_challenge_method"] != "S256"
            or grant.parameters["code_challenge"] != challenge
            or grant.parameters["redirect_uri"] != form.get("redirect_uri")
        ):
            return 400, {"error": "invalid_grant", "error_description": "<script>alert(1)</script>"}
        grant.is_used = True
        claims = self.standard_claims(grant.parameters["nonce"]) | grant.claims
        return 200, {"id_token": self.signed(claims), "access_token": "access", "token_type": "Bearer"}

    def standard_claims(self, nonce: str) -> dict[str, Any]:
        now = self.now()
        return {"iss": self.url, "aud": CLIENT_ID, "exp": now + 300, "iat": now, "nonce": nonce}

    def signed(self, claims: dict[str, Any]) -> str:
        if self.sign is not None:
            return self.sign(claims)
        key = self.keys[0]
        return jwt.encode({"alg": "RS256", "kid": key.kid}, claims, key)

    def settings(self, name: str = "acme", title: str = "Acme", **rules: Any) -> ProviderSettings:
        return ProviderSettings(
            name=name,
            title=title,
            issuer=self.url,
            client_id=CLIENT_ID,
            client_secret=CLIENT_PHRASE,
            scopes=("openid", "profile", "email"),
            rules=AdmissionRules(**({"default_role": Role.VIEWER} | rules)),
        )


def _login_of(authorization: str) -> tuple[str, str]:
    name, _, secret = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
    return unquote_plus(name), unquote_plus(secret)


@contextlib.contextmanager
def running_provider(**given: Any) -> Iterator[FakeProvider]:
    provider = FakeProvider(**given)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, query = urlsplit(self.path).path, urlsplit(self.path).query
            provider.asked.append(path)
            if path == "/authorize":
                parameters = {name: values[0] for name, values in parse_qs(query).items()}
                back = urlencode({"code": provider.grant(query), "state": parameters["state"]})
                self._redirect(f"{parameters['redirect_uri']}?{back}")
            elif path == "/leave":
                self._redirect(parse_qs(query)["post_logout_redirect_uri"][0])
            elif path.endswith("/.well-known/openid-configuration"):
                self._say(*provider.describe())
            elif path == "/keys":
                self._say(*provider.show_keys())
            elif path == "/userinfo" and self.headers["authorization"] == "Bearer access":
                self._say(200, {"sub": provider.claims["sub"], **provider.in_userinfo})
            else:
                self._say(404, {})

        def do_POST(self) -> None:
            provider.asked.append(self.path)
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            self._say(*provider.give_tokens(form, self.headers["authorization"] or ""))

        def _redirect(self, url: str) -> None:
            self.send_response(302)
            self.send_header("location", url)
            self.send_header("content-length", "0")
            self.end_headers()

        def _say(self, status: int, document: Any) -> None:
            body = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.send_response(503 if provider.is_down else status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join(30)


@dataclass(frozen=True)
class Begun:
    """A browser on its way to the provider."""

    location: str
    """Where it is sent."""
    cookie: str

    @property
    def parameters(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.location).query).items()}


def begin(client: Client, name: str = "acme", **query: str) -> Begun:
    answer = client.get(f"/signin/oidc/{name}", params=query)
    assert answer.status_code == 303, answer.text
    client.forget_cookies()
    ((cookie, morsel),) = SimpleCookie(answer.headers["set-cookie"]).items()
    return Begun(answer.headers["location"], f"{cookie}={morsel.value}")


def approve(begun: Begun) -> str:
    """The path, with its query, to which the provider sends the browser back."""
    answer = httpx.get(begun.location)
    assert answer.status_code == 302, answer.text
    back = urlsplit(answer.headers["location"])
    return f"{back.path}?{back.query}"


def finish(client: Client, begun: Begun, back: str) -> httpx.Response:
    """The browser is back, by a link of another site."""
    headers = {"cookie": begun.cookie, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    answer = client.get(back, headers=headers)
    client.forget_cookies()
    return answer


def sign_in_by(client: Client, name: str = "acme", **query: str) -> httpx.Response:
    begun = begin(client, name, **query)
    return finish(client, begun, approve(begun))


def page_by(client: Client, name: str = "acme") -> dict[str, str]:
    """The headers of a page on which one has signed in by the provider."""
    return page_after(sign_in_by(client, name))


def page_after(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 303, answer.text
    morsel = cookies_of(answer)["procession_session"]
    return OURS | {"cookie": f"{morsel.key}={morsel.value}"}


def cookies_of(answer: httpx.Response) -> SimpleCookie:
    jar = SimpleCookie()
    for header in answer.headers.get_list("set-cookie"):
        jar.load(header)
    return jar
