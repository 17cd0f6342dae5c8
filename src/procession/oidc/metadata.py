"""What a provider says of itself: where to go, and how it signs."""

from __future__ import annotations

from typing import Any

import msgspec

from procession.oidc.exchange import ProviderFails, checked_url

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
"""With which a provider may sign: those where only it has the key. Never `none`, and never a secret that is shared."""

WELL_KNOWN = "/.well-known/openid-configuration"


class Metadata(msgspec.Struct, frozen=True):
    """Of a provider; the addresses are safe to talk to."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    end_session_endpoint: str | None = None
    id_token_signing_alg_values_supported: list[str] = msgspec.field(default_factory=lambda: ["RS256"])
    token_endpoint_auth_methods_supported: list[str] = msgspec.field(default_factory=lambda: ["client_secret_basic"])
    authorization_response_iss_parameter_supported: bool = False

    @classmethod
    def of(cls, document: Any, issuer: str) -> Metadata:
        """Raises ProviderFails unless it is that of this issuer, to the letter."""
        try:
            found = msgspec.convert(document, cls)
        except msgspec.ValidationError as error:
            raise ProviderFails(f"its description is not right: {error}") from None
        if found.issuer != issuer:
            raise ProviderFails(f"it calls itself {found.issuer[:200]!r} and not {issuer!r}")
        for name in (
            "authorization_endpoint",
            "token_endpoint",
            "jwks_uri",
            "userinfo_endpoint",
            "end_session_endpoint",
        ):
            url = getattr(found, name)
            try:
                if url is not None:
                    checked_url(url)
            except ValueError as error:
                raise ProviderFails(f"its {name} {error}") from None
        if not found.algorithms:
            raise ProviderFails("it offers no signature algorithm that is safe")
        return found

    @property
    def algorithms(self) -> tuple[str, ...]:
        return tuple(one for one in ALGORITHMS if one in self.id_token_signing_alg_values_supported)

    @property
    def takes_basic(self) -> bool:
        """Whether the secret of the client may go into the header, which a log shows less often than a body."""
        methods = self.token_endpoint_auth_methods_supported
        return "client_secret_basic" in methods or "client_secret_post" not in methods


def document_address(issuer: str) -> str:
    return issuer.rstrip("/") + WELL_KNOWN
