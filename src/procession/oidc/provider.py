"""One provider: where it sends a browser, and whom it has named when the browser comes back."""

from __future__ import annotations

import base64
import ssl
import threading
from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar
from urllib.parse import quote_plus, urlencode

from procession.accounts.admission import is_named
from procession.errors import Forbidden, Unavailable
from procession.http_client import tls_context
from procession.oidc.attempt import Attempt
from procession.oidc.configuration import ProviderSettings
from procession.oidc.exchange import Exchange, ProviderFails, ProviderRefuses
from procession.oidc.id_token import verified_claims
from procession.oidc.metadata import Metadata, document_address
from procession.oidc.signing_keys import SigningKeys

T = TypeVar("T")

FRESH_SECONDS = 60
"""Within this time its description is not asked for again, so that a provider that is gone is soon known to be."""
FAILED_SECONDS = 10
"""So long it is not asked again after it has failed."""


class Provider:
    """All of it blocks, and is safe for threads."""

    def __init__(self, settings: ProviderSettings, now: Callable[[], int]) -> None:
        """Raises UsageError for a file of certificates that is of no use. Asks nothing yet."""
        self.settings = settings
        self._now = now
        if settings.ca_file:
            self._context  # noqa: B018 (now, while somebody can be told)
        self._exchange = Exchange(lambda: self._context)
        self._keys = SigningKeys(self._fetch_keys, now)
        self._lock = threading.Lock()
        self._metadata: Metadata | None = None
        self._read_at = 0
        self._failure: ProviderFails | None = None
        self._failed_at = 0

    @property
    def cookie_key(self) -> bytes:
        """What all servers have that know this provider, and nobody else but the provider."""
        return self.settings.client_secret.encode()

    def problem(self) -> str:
        """Why nobody can sign in by it now, in one sentence; empty if nothing is known to be wrong."""
        try:
            self._fresh_metadata()
        except ProviderFails as failure:
            return self._sentence(failure)
        return ""

    def begin(self, redirect_uri: str, to: str) -> tuple[str, Attempt]:
        """The address to send the browser to, and what it has to keep meanwhile. Raises Unavailable."""
        from authlib.oauth2.rfc7636 import create_s256_code_challenge

        metadata = self._or_unavailable(self._fresh_metadata)
        attempt = Attempt.begun(self.settings.name, redirect_uri, to, self._now())
        parameters = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(self.settings.scopes),
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": create_s256_code_challenge(attempt.verifier),
            "code_challenge_method": "S256",
        }
        return _with_parameters(metadata.authorization_endpoint, parameters), attempt

    def claims(self, attempt: Attempt, code: str, issuer: str | None) -> dict[str, Any]:
        """What it says of whom it gave this code. `issuer`: who says to have given it, where that was said. Raises
        Forbidden for what is not to be believed, and Unavailable."""
        return self._or_unavailable(lambda: self._claims(attempt, code, issuer))

    def sign_out_url(self, back_to: str) -> str | None:
        """Where one signs out of the provider as well; None where it has no such place, or does not say so now."""
        try:
            metadata = self._metadata or self._fresh_metadata()
        except ProviderFails:
            return None
        if metadata.end_session_endpoint is None:
            return None
        parameters = {"client_id": self.settings.client_id, "post_logout_redirect_uri": back_to}
        return _with_parameters(metadata.end_session_endpoint, parameters)

    def _claims(self, attempt: Attempt, code: str, issuer: str | None) -> dict[str, Any]:
        metadata = self._metadata or self._fresh_metadata()
        expects_issuer = metadata.authorization_response_iss_parameter_supported
        if issuer != metadata.issuer and (issuer is not None or expects_issuer):
            raise Forbidden("This answer comes from another provider than the one that was asked")
        tokens = self._tokens(metadata, attempt, code)
        id_token, access_token = tokens.get("id_token"), tokens.get("access_token")
        if not isinstance(id_token, str):
            raise ProviderFails("its answer has no ID token")
        access_token = access_token if isinstance(access_token, str) else None
        claims = verified_claims(
            id_token,
            self._keys.for_header,
            algorithms=metadata.algorithms,
            issuer=metadata.issuer,
            client_id=self.settings.client_id,
            nonce=attempt.nonce,
            access_token=access_token,
            now=self._now(),
        )
        return self._completed(metadata, claims, access_token)

    def _tokens(self, metadata: Metadata, attempt: Attempt, code: str) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": attempt.redirect_uri,
            "code_verifier": attempt.verifier,
        }
        headers = {}
        if metadata.takes_basic:
            headers["authorization"] = _basic(self.settings.client_id, self.settings.client_secret)
        else:
            form |= {"client_id": self.settings.client_id, "client_secret": self.settings.client_secret}
        try:
            tokens = self._exchange.post(metadata.token_endpoint, form, headers)
        except ProviderRefuses as error:
            if error.code == "invalid_grant":
                raise Forbidden("This sign-in was used before, or took too long; try again from the page") from None
            raise ProviderFails(f"it does not take our code ({error})") from None
        if not isinstance(tokens, dict):
            raise ProviderFails("its answer is no set of tokens")
        return tokens

    def _completed(self, metadata: Metadata, claims: dict[str, Any], access_token: str | None) -> dict[str, Any]:
        """With what the rules need, and a name, where the token does not say it: some providers keep it short."""
        suffices = all(name in claims for name in self.settings.rules.claims_needed)
        if (suffices and is_named(claims)) or metadata.userinfo_endpoint is None or not access_token:
            return claims
        try:
            said = self._exchange.get(metadata.userinfo_endpoint, {"authorization": f"Bearer {access_token}"})
        except (ProviderFails, ProviderRefuses) as error:
            if suffices:
                return claims  # The subject is a name, too.
            if isinstance(error, ProviderFails):
                raise
            raise ProviderFails(f"it does not say more of a user ({error})") from None
        if not isinstance(said, dict) or said.get("sub") != claims["sub"]:
            raise Forbidden("What the provider says of you is not believed: it is about somebody else")
        return {**said, **claims}

    def _fresh_metadata(self) -> Metadata:
        with self._lock:
            now = self._now()
            if self._metadata is not None and now - self._read_at < FRESH_SECONDS and self._failure is None:
                return self._metadata
            if self._failure is not None and now - self._failed_at < FAILED_SECONDS:
                raise self._failure
            try:
                document = self._exchange.get(document_address(self.settings.issuer))
                self._metadata = Metadata.of(document, self.settings.issuer)
            except (ProviderFails, ProviderRefuses) as error:
                self._failed_at = now
                self._failure = error if isinstance(error, ProviderFails) else ProviderFails(f"it answered {error}")
                raise self._failure from None
            self._read_at, self._failure = now, None
            return self._metadata

    def _fetch_keys(self) -> Any:
        metadata = self._metadata or self._fresh_metadata()
        try:
            return self._exchange.get(metadata.jwks_uri)
        except ProviderRefuses as error:
            raise ProviderFails(f"it does not show its keys ({error})") from None

    def _or_unavailable(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except ProviderFails as failure:
            raise Unavailable(self._sentence(failure)) from None

    def _sentence(self, failure: ProviderFails) -> str:
        return f"{self.settings.title} cannot sign anybody in now: {failure}."

    @cached_property
    def _context(self) -> ssl.SSLContext:
        """Made once it is needed: to read all that a system trusts takes 30 ms."""
        return tls_context(self.settings.ca_file)


def _with_parameters(url: str, parameters: dict[str, str]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(parameters)}"


def _basic(name: str, secret: str) -> str:
    """As RFC 6749 has it, section 2.3.1."""
    return "Basic " + base64.b64encode(f"{quote_plus(name)}:{quote_plus(secret)}".encode()).decode()
