from __future__ import annotations

from pathlib import Path

import pytest

from procession.accounts.admission import AdmissionRules
from procession.accounts.users import Role
from procession.errors import UsageError
from procession.oidc.configuration import ProviderSettings, read_providers

PHRASE = "hunter2"
SMALLEST = """
[acme]
issuer = "https://login.acme.example"
client-id = "procession"
client-secret-file = "{secret}"
default-role = "viewer"
"""


def read(folder: Path, text: str) -> tuple[ProviderSettings, ...]:
    secret = folder / "secret"
    secret.write_text("hunter2\n")
    path = folder / "oidc.toml"
    path.write_text(text.replace("{secret}", str(secret)))
    return read_providers(str(path))


def test_no_file_has_no_providers() -> None:
    assert read_providers("") == ()


def test_the_smallest_table_lets_everybody_in_with_the_default_role(tmp_path: Path) -> None:
    assert read(tmp_path, SMALLEST) == (
        ProviderSettings(
            name="acme",
            title="acme",
            issuer="https://login.acme.example",
            client_id="procession",
            client_secret=PHRASE,
            scopes=("openid", "profile", "email"),
            rules=AdmissionRules(default_role=Role.VIEWER),
        ),
    )


def test_a_table_says_all_of_it_and_several_stay_in_order(tmp_path: Path) -> None:
    text = """
        [zeta]
        title = "Zeta & Sons"
        issuer = "http://127.0.0.1:9000/realms/zeta"
        client-id = "procession"
        client-secret-file = "{secret}"
        scopes = ["groups", "openid"]
        groups-claim = ["realm_access", "roles"]
        org-claim = "tenant"
        removed-users-return = true
        ca-file = "/etc/ca.pem"
        [zeta.roles]
        boss = "admin"
        writer = "editor"
        [zeta.orgs]
        T1 = "main"
    """
    (zeta, acme) = read(tmp_path, text + SMALLEST + '[acme.orgs]\n"ACME.example" = "other"\n')

    assert (zeta.title, zeta.scopes, zeta.ca_file) == ("Zeta & Sons", ("openid", "groups"), "/etc/ca.pem")
    assert zeta.removed_users_return
    assert list(zeta.rules.roles.items()) == [("boss", Role.ADMIN), ("writer", Role.EDITOR)]
    assert zeta.rules.groups_claim == ("realm_access", "roles")
    assert (zeta.rules.org_claim, zeta.rules.orgs) == (("tenant",), {"T1": "main"})
    assert (acme.rules.org_claim, acme.rules.orgs) == ((), {"acme.example": "other"})


def test_the_secret_is_not_shown(tmp_path: Path) -> None:
    assert "hunter2" not in repr(read(tmp_path, SMALLEST))


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        ("[acme]", "[Acme]", "is no name of a provider"),
        ("[acme]", '["a/b"]', "is no name of a provider"),
        ("[acme]", "acme", "is not TOML"),
        (SMALLEST, "", "has 0 providers"),
        (SMALLEST, "acme = 7", "[acme] is not right"),
        ("client-id", "client-name", "unknown field `client-name`"),
        ('"procession"', "7", "[acme] is not right"),
        ('"procession"', '""', "empty client-id"),
        ('"viewer"', '"root"', "[acme] is not right"),
        ('default-role = "viewer"', "", "would let nobody in"),
        ('default-role = "viewer"', 'roles = {x = "boss"}', "[acme] is not right"),
        ("https://login", "http://login", "does not begin with https://"),
        ("https://login", "ftp://login", "does not begin with https://"),
        ("https://login", "https://me:secret@login", "has a login"),
        ("https://login.acme.example", "login", "is no URL"),
        ('default-role = "viewer"', 'default-role = "viewer"\norg-claim = "t"', "no table of orgs"),
        ('default-role = "viewer"', 'default-role = "viewer"\norg = "a"\norgs = {x = "a"}', "both org and orgs"),
        ('default-role = "viewer"', 'default-role = "viewer"\ntitle = "a\\u0007"', "does not fit on a button"),
        ("{secret}", "/nowhere/secret", "cannot read /nowhere/secret"),
        ("{secret}", "/dev/null", "/dev/null is empty"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(tmp_path: Path, was: str, becomes: str, said: str) -> None:
    with pytest.raises(UsageError) as wrong:
        read(tmp_path, SMALLEST.replace(was, becomes, 1))

    assert said in str(wrong.value)
    assert "\n" not in str(wrong.value)
    assert "hunter2" not in str(wrong.value)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        read_providers(str(tmp_path / "nothing.toml"))
