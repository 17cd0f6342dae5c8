"""What has to hold of a token before anything in it is believed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from procession.errors import Forbidden

if TYPE_CHECKING:
    from procession.oidc.signing_keys import SigningKey

LEEWAY_SECONDS = 60
MAX_CHARACTERS = 64 * 1024
MAX_SUBJECT_CHARACTERS = 255

KeysFor = Callable[[Mapping[str, Any]], "Sequence[SigningKey]"]


def verified_claims(
    token: str,
    keys_for: KeysFor,
    *,
    algorithms: Sequence[str],
    issuer: str,
    client_id: str,
    nonce: str,
    access_token: str | None,
    now: int,
) -> dict[str, Any]:
    """The claims of an id token. Raises Forbidden unless the issuer has signed it for this client and this attempt, and
    not too long ago."""
    from authlib.oidc.core import CodeIDToken
    from joserfc import jwt
    from joserfc.errors import JoseError

    header = _header_of(token)
    if header.get("alg") not in algorithms:
        raise _refused(f"it is signed by {str(header.get('alg'))[:20]!r}")
    failure: Exception = ValueError("its key is none of the provider's")
    for key in keys_for(header):
        try:
            claims = CodeIDToken(
                jwt.decode(token, key, algorithms=list(algorithms)).claims,
                header,
                {
                    "iss": {"essential": True, "value": issuer},
                    "sub": {"essential": True},
                    "aud": {"essential": True, "value": client_id},
                    "exp": {"essential": True},
                    "nonce": {"essential": True, "value": nonce},
                },
                {"nonce": nonce, "client_id": client_id, "access_token": access_token},
            )
            claims.validate(now, LEEWAY_SECONDS)
        except (JoseError, ValueError, TypeError, RecursionError) as error:
            failure = error
        else:
            return _with_subject(dict(claims))
    raise _refused(str(failure)[:200])


def _header_of(token: str) -> Mapping[str, Any]:
    from joserfc import jws
    from joserfc.errors import JoseError

    if len(token) > MAX_CHARACTERS:
        raise _refused("it is too long")
    try:
        return jws.extract_compact(token.encode()).headers()
    except (JoseError, ValueError, TypeError, RecursionError, AttributeError):
        raise _refused("it is not a token") from None


def _with_subject(claims: dict[str, Any]) -> dict[str, Any]:
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT_CHARACTERS or not subject.isprintable():
        raise _refused("it names no user")
    return claims


def _refused(reason: str) -> Forbidden:
    return Forbidden(f"What the provider says of you is not believed: {reason}")
