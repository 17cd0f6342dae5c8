"""Which providers there are: a TOML file with a table for each."""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from procession.accounts.admission import AdmissionRules, ClaimPath
from procession.accounts.users import Role
from procession.errors import UsageError
from procession.oidc.exchange import checked_url

MAX_PROVIDERS = 20
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_TITLE_CHARACTERS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSettings:
    """Of one provider."""

    name: str
    """In addresses."""
    title: str
    """On the page."""
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    scopes: tuple[str, ...]
    rules: AdmissionRules
    removed_users_return: bool = False
    """Whether one who was removed here is made anew when signing in again."""
    ca_file: str = ""


class _Table(msgspec.Struct, rename="kebab", forbid_unknown_fields=True):
    issuer: str
    client_id: str
    client_secret_file: str
    title: str = ""
    scopes: list[str] = msgspec.field(default_factory=lambda: ["openid", "profile", "email"])
    groups_claim: str | list[str] = "groups"
    roles: dict[str, Role] = msgspec.field(default_factory=dict)
    default_role: Role | None = None
    org: str = ""
    org_claim: str | list[str] = ""
    orgs: dict[str, str] = msgspec.field(default_factory=dict)
    removed_users_return: bool = False
    ca_file: str = ""


def read_providers(path: str) -> tuple[ProviderSettings, ...]:
    """In the order of the file; none where `path` is empty. Raises UsageError."""
    if not path:
        return ()
    try:
        tables: dict[str, Any] = tomllib.loads(_text_of(path))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"cannot read the providers in {path}: it is not TOML: {error}") from None
    if not 0 < len(tables) <= MAX_PROVIDERS:
        raise UsageError(f"{path} has {len(tables)} providers; it takes a table for each, of 1 to {MAX_PROVIDERS}")
    return tuple(_provider(path, name, table) for name, table in tables.items())


def _provider(path: str, name: str, table: Any) -> ProviderSettings:
    def wrong(what: str) -> UsageError:
        return UsageError(f"{path}: [{name}] {what}")

    if not _NAME.fullmatch(name):
        raise wrong("is no name of a provider: it has 1 to 40 of a-z, 0-9 and -")
    try:
        given = msgspec.convert(table, _Table)
    except msgspec.ValidationError as error:
        raise wrong(f"is not right: {error}") from None
    try:
        checked_url(given.issuer)
    except ValueError as error:
        raise wrong(f"issuer = {given.issuer!r} {error}") from None
    if not given.client_id:
        raise wrong("has an empty client-id")
    title = given.title or name
    if len(title) > _TITLE_CHARACTERS or not title.isprintable():
        raise wrong(
            f"has a title that does not fit on a button: at most {_TITLE_CHARACTERS} characters that can be seen"
        )
    if not given.roles and given.default_role is None:
        raise wrong("would let nobody in: it needs default-role, or a table of roles by group")
    if given.org_claim and not given.orgs:
        raise wrong("has org-claim, but no table of orgs by its values")
    if given.org and given.orgs:
        raise wrong("has both org and orgs; one of them chooses")
    return ProviderSettings(
        name=name,
        title=title,
        issuer=given.issuer,
        client_id=given.client_id,
        client_secret=_secret_of(given.client_secret_file),
        scopes=tuple(dict.fromkeys(("openid", *given.scopes))),
        rules=AdmissionRules(
            roles=given.roles,
            groups_claim=_claim_path(given.groups_claim),
            default_role=given.default_role,
            org=given.org,
            orgs=given.orgs if given.org_claim else {domain.lower(): org for domain, org in given.orgs.items()},
            org_claim=_claim_path(given.org_claim),
        ),
        removed_users_return=given.removed_users_return,
        ca_file=given.ca_file,
    )


def _claim_path(given: str | list[str]) -> ClaimPath:
    return tuple(given) if isinstance(given, list) else ((given,) if given else ())


def _secret_of(path: str) -> str:
    secret = _text_of(path).strip()
    if not secret:
        raise UsageError(f"{path} is empty; it should hold the secret that the provider gave for the client")
    return secret


def _text_of(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot read {path}: {os.strerror(error.errno or 0).lower()}") from None
    except UnicodeDecodeError:
        raise UsageError(f"cannot read {path}: it is not UTF-8") from None
