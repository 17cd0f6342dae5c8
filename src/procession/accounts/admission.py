"""What a provider's word is worth here: of a person's claims the role, the org and the name. Claims are hostile input;
only what is written down beforehand, compared as a whole, opens anything."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from procession.accounts.users import Role
from procession.errors import Forbidden

Claims = Mapping[str, Any]
ClaimPath = tuple[str, ...]
"""The name of a claim, and where it is an object, names within it."""

MAX_GROUPS = 10_000
MAX_NAME_CHARACTERS = 80

_UNFIT = re.compile(r"[^a-z0-9._@+-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionRules:
    """Of one provider."""

    roles: Mapping[str, Role] = field(default_factory=dict)
    """By group; the first that somebody is in counts."""
    groups_claim: ClaimPath = ("groups",)
    default_role: Role | None = None
    """Of who is in none of these groups; None: they are not let in."""
    org: str = ""
    """Of everybody, where nothing chooses it; empty: the first org."""
    orgs: Mapping[str, str] = field(default_factory=dict)
    """By domain of the mail address, or by value of `org_claim` where that is given. Nobody else is let in."""
    org_claim: ClaimPath = ()

    def role_of(self, claims: Claims, present: Role | None = None) -> Role:
        """`present`: the role that the person has in the org already; it stays where groups decide nothing. Raises
        Forbidden."""
        if not self.roles and present is not None:
            return present
        groups = _texts(claim_at(claims, self.groups_claim))
        role = next((role for group, role in self.roles.items() if group in groups), self.default_role)
        if role is None:
            raise Forbidden("You are in no group that may sign in here")
        return role

    def org_of(self, claims: Claims) -> str:
        """The name of the org, or empty for the first one. Raises Forbidden."""
        if not self.orgs:
            return self.org
        if self.org_claim:
            found = next((org for value, org in self.orgs.items() if value in self._chosen_by(claims)), None)
            if found is None:
                raise Forbidden("The provider names no org for you that may sign in here")
            return found
        found = self.orgs.get(_verified_domain(claims))
        if found is None:
            raise Forbidden("Your mail address is of no domain that may sign in here")
        return found

    @property
    def claims_needed(self) -> tuple[str, ...]:
        """Names of claims without which these rules decide nothing."""
        by_groups = self.groups_claim[:1] if self.roles else ()
        by_org = () if not self.orgs else (self.org_claim[:1] or ("email", "email_verified"))
        return (*by_groups, *by_org)

    def _chosen_by(self, claims: Claims) -> frozenset[str]:
        return _texts(claim_at(claims, self.org_claim))


def claim_at(claims: Claims, path: ClaimPath) -> Any:
    """None where there is none."""
    found: Any = claims
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def is_named(claims: Claims) -> bool:
    """Whether they say what to call the person, other than by a subject that nobody can read."""
    return any(isinstance(claims.get(name), str) for name in ("preferred_username", "email"))


def name_from(claims: Claims) -> str:
    """What to call the person here, in the characters of a user's name. It says nothing of who they are."""
    verified = claims.get("email") if claims.get("email_verified") is True else None
    for said in (claims.get("preferred_username"), verified, claims.get("email"), claims.get("sub")):
        name = _UNFIT.sub("-", said.lower()).lstrip("._@+-") if isinstance(said, str) else ""
        if name.rstrip("-"):
            return name[:MAX_NAME_CHARACTERS].rstrip("-")
    return "user"


def _texts(value: Any) -> frozenset[str]:
    """One text is one, whatever is in it: nothing is split."""
    if isinstance(value, str):
        return frozenset((value,))
    found = value[:MAX_GROUPS] if isinstance(value, list) else ()
    return frozenset(one for one in found if isinstance(one, str))


def _verified_domain(claims: Claims) -> str:
    """Empty unless the provider has made sure of it: else anybody could write any address into a profile."""
    mail = claims.get("email")
    if claims.get("email_verified") is not True or not isinstance(mail, str) or mail.count("@") != 1:
        return ""
    return mail.rpartition("@")[2].lower()
