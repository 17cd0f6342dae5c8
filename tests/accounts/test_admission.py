from __future__ import annotations

from typing import Any

import pytest

from procession.accounts.admission import AdmissionRules, is_named, name_from
from procession.accounts.users import Role, user_name
from procession.errors import Forbidden

BY_GROUP = AdmissionRules(roles={"admins": Role.ADMIN, "editors": Role.EDITOR, "auditors": Role.AUDITOR})
BY_DOMAIN = AdmissionRules(default_role=Role.VIEWER, orgs={"acme.example": "main", "other.example": "other"})


@pytest.mark.parametrize(
    ("groups", "role"),
    [
        (["editors"], Role.EDITOR),
        (["auditors", "editors", "admins"], Role.ADMIN),
        (["auditors", "whatever", "editors"], Role.EDITOR),
        ("auditors", Role.AUDITOR),
        (["nobody", 7, None, ["admins"], {"admins": True}, "editors"], Role.EDITOR),
    ],
)
def test_the_first_group_of_the_rules_that_somebody_is_in_gives_the_role(groups: Any, role: Role) -> None:
    assert BY_GROUP.role_of({"groups": groups}) is role


@pytest.mark.parametrize(
    "groups",
    [
        None,
        [],
        "",
        7,
        True,
        {"admins": True},
        {"0": "admins"},
        "admins,editors",
        "admins editors",
        "editors\nadmins",
        ["admins "],
        ["Admins"],
        ["admins,editors"],
        ["admin"],
        ["*"],
        [["admins"]],
        ["аdmins"],
        ["x"] * 10_000 + ["admins"],
    ],
)
def test_what_is_not_the_name_of_a_group_as_a_whole_gives_no_role(groups: Any) -> None:
    with pytest.raises(Forbidden, match="in no group that may sign in"):
        BY_GROUP.role_of({"groups": groups})


def test_who_is_in_no_group_gets_the_default_role_where_there_is_one() -> None:
    rules = AdmissionRules(roles={"admins": Role.ADMIN}, default_role=Role.VIEWER)

    assert rules.role_of({}) is Role.VIEWER
    assert rules.role_of({"groups": ["admins"]}, Role.VIEWER) is Role.ADMIN
    assert rules.role_of({"groups": ["others"]}, Role.ADMIN) is Role.VIEWER


def test_a_role_stays_where_no_group_gives_any() -> None:
    rules = AdmissionRules(default_role=Role.VIEWER)

    assert rules.role_of({"groups": ["admins"]}) is Role.VIEWER
    assert rules.role_of({}, Role.ADMIN) is Role.ADMIN


def test_groups_may_lie_within_a_claim() -> None:
    rules = AdmissionRules(roles={"admins": Role.ADMIN}, groups_claim=("realm_access", "roles"))

    assert rules.role_of({"realm_access": {"roles": ["admins"]}}) is Role.ADMIN
    for claims in ({"realm_access": ["admins"]}, {"realm_access.roles": ["admins"]}, {"roles": ["admins"]}, {}):
        with pytest.raises(Forbidden):
            rules.role_of(claims)


def test_one_org_is_that_of_everybody_where_nothing_chooses() -> None:
    assert AdmissionRules(default_role=Role.VIEWER).org_of({}) == ""
    assert AdmissionRules(default_role=Role.VIEWER, org="other").org_of({"email": "a@acme.example"}) == "other"


def test_the_domain_of_a_verified_mail_address_chooses_the_org() -> None:
    assert BY_DOMAIN.org_of({"email": "Anna@ACME.example", "email_verified": True}) == "main"
    assert BY_DOMAIN.org_of({"email": "bob@other.example", "email_verified": True}) == "other"


@pytest.mark.parametrize("verified", [False, None, "true", 1, "yes", [True]])
def test_a_mail_address_that_nobody_has_verified_chooses_nothing(verified: Any) -> None:
    with pytest.raises(Forbidden, match="of no domain that may sign in"):
        BY_DOMAIN.org_of({"email": "anna@acme.example", "email_verified": verified})
    with pytest.raises(Forbidden):
        BY_DOMAIN.org_of({"email": "anna@acme.example"})


@pytest.mark.parametrize(
    "mail",
    [
        None,
        "",
        "acme.example",
        "anna@evil.test",
        "anna@sub.acme.example",
        "anna@acme.example.evil.test",
        "anna@evil.test@acme.example",
        '"anna@acme.example"@evil.test',
        "anna@acme.example ",
        "anna@acme.example\n",
        ["anna@acme.example"],
    ],
)
def test_a_mail_address_of_another_domain_chooses_nothing(mail: Any) -> None:
    with pytest.raises(Forbidden):
        BY_DOMAIN.org_of({"email": mail, "email_verified": True})


def test_a_claim_chooses_the_org_by_its_whole_value() -> None:
    rules = AdmissionRules(default_role=Role.VIEWER, org_claim=("tenant",), orgs={"t-1": "main", "t-2": "other"})

    assert rules.org_of({"tenant": "t-2"}) == "other"
    assert rules.org_of({"tenant": ["x", "t-1"]}) == "main"
    for tenant in (None, "", "t-1 t-2", "T-1", ["t-1,"], 1, {"t-1": True}):
        with pytest.raises(Forbidden, match="names no org for you"):
            rules.org_of({"tenant": tenant, "email": "anna@t-1", "email_verified": True})


@pytest.mark.parametrize(
    ("rules", "names"),
    [
        (AdmissionRules(default_role=Role.VIEWER), ()),
        (BY_GROUP, ("groups",)),
        (BY_DOMAIN, ("email", "email_verified")),
        (AdmissionRules(roles={"a": Role.ADMIN}, org_claim=("t", "id"), orgs={"x": "main"}), ("groups", "t")),
    ],
)
def test_rules_say_what_they_have_to_know(rules: AdmissionRules, names: tuple[str, ...]) -> None:
    assert rules.claims_needed == names


@pytest.mark.parametrize(
    ("claims", "named"),
    [
        ({"sub": "372041"}, False),
        ({"sub": "372041", "preferred_username": None, "email": 5}, False),
        ({"sub": "372041", "preferred_username": "anna"}, True),
        ({"sub": "372041", "email": "anna@acme.example"}, True),
    ],
)
def test_a_subject_alone_is_no_name_for_people(claims: dict[str, Any], named: bool) -> None:
    assert is_named(claims) is named


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"preferred_username": "Anna.B", "email": "x@y", "sub": "1"}, "anna.b"),
        ({"email": "Anna@Acme.Example", "sub": "1"}, "anna@acme.example"),
        ({"sub": "auth0|42"}, "auth0-42"),
        ({"preferred_username": "Änne Müller", "sub": "1"}, "-nne-m-ller"),
        ({"preferred_username": "王", "email": ["x"], "sub": "7"}, "7"),
        ({"preferred_username": "../../etc", "sub": "7"}, "etc"),
        ({"preferred_username": "x" * 500, "sub": "7"}, "x" * 80),
        ({"sub": "我"}, "user"),
        ({"preferred_username": {"a": 1}}, "user"),
    ],
)
def test_a_name_is_made_of_what_a_user_may_be_called(claims: dict[str, Any], name: str) -> None:
    found = name_from(claims)

    assert found == name.lstrip("-")
    assert user_name(found) == found
