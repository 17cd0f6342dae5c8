from __future__ import annotations

import pytest

from procession.accounts.orgs import KeyKind, new_secret
from procession.scrubbing.redaction import without_login, without_secrets


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://user:hunter2@host:8443/db", "https://********@host:8443/db"),
        ("https://user@host:8443/db", "https://user@host:8443/db"),
        ("http://:hunter2@host", "http://********@host"),
        ("https://host/path?api_key=hunter2&x=", "https://host/path?api_key=********&x="),
        ("https://user:a@b@host", "https://********@host"),
        ("https://0123456789abcdef0123@host", "https://********@host"),
        ("/var/lib/procession", "/var/lib/procession"),
    ],
)
def test_an_address_keeps_its_place_and_loses_its_login(address: str, shown: str) -> None:
    assert without_login(address) == shown


@pytest.mark.parametrize("kind", KeyKind)
def test_a_key_is_hidden_wherever_it_stands(kind: KeyKind) -> None:
    for _ in range(50):
        key = new_secret(kind)
        for line in (key, f"refused {key!r}: x", f"key={key}", f"({key})", f"a/{key}/b", f"first\nBearer {key}\nlast"):
            assert key not in without_secrets(line)


@pytest.mark.parametrize(
    "line",
    [
        "2026-03-01 12:00:00 WARNING procession.server.app: cannot answer /api/v2/processes: The store is behind",
        '  File "/usr/lib/python3.11/site-packages/starlette/routing.py", line 76, in app',
        "refused a payload of 'web-1.example.org' with 403: Forbidden; no more of this host for a minute",
    ],
)
def test_what_is_no_secret_stays(line: str) -> None:
    assert without_secrets(line) == line
