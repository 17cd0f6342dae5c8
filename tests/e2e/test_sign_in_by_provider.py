"""A server that was started with a file of providers, and one whose file is of no use."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.oidc_provider import CLIENT_ID, CLIENT_PHRASE, FakeProvider, running_provider
from tests.support.running import PROCESSION, clean_environment, running
from tests.support.stores.folders import quick_folder


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    with running_provider(now=lambda: int(time.time())) as provider:
        yield provider


def oidc_file(folder: Path, issuer: str) -> Path:
    secret, path = folder / "secret", folder / "oidc.toml"
    secret.write_text(CLIENT_PHRASE)
    path.write_text(
        f"""
        [acme]
        title = "Acme"
        issuer = "{issuer}"
        client-id = "{CLIENT_ID}"
        client-secret-file = "{secret}"
        default-role = "viewer"
        """
    )
    return path


def test_one_signs_in_by_a_provider_and_is_listed_as_a_user(provider: FakeProvider, tmp_path: Path) -> None:
    options = ("--listen", "127.0.0.1:0", "--oidc-file", str(oidc_file(tmp_path, provider.url)))
    with quick_folder(tmp_path / "data") as data, running("serve", "--data-dir", str(data), *options) as started:
        url = started.line_with("Procession listens at").split()[-1]
        with httpx.Client(base_url=url, follow_redirects=True, timeout=60) as browser:
            browser.get("/signin/oidc/acme?to=/?s=nginx")
            session = browser.get("/api/procession/v1/session", headers={"sec-fetch-site": "same-origin"}).json()
        command = [*PROCESSION, "users", "list", "--data-dir", str(data)]
        listed = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, check=True).stdout
        trail = [*PROCESSION, "audit", "show", "--data-dir", str(data), "--json"]
        seen = subprocess.run(trail, env=clean_environment(), capture_output=True, text=True, check=True).stdout

    assert session.items() >= {"user": "anna", "role": "viewer", "org": "main"}.items()
    assert "anna" in listed
    assert ("anna" in seen, "/signin/oidc/{provider}/callback" in seen) == (True, True)
    assert next(iter(provider.grants)) not in seen


def test_a_file_that_is_of_no_use_is_said_at_the_start(tmp_path: Path) -> None:
    path = oidc_file(tmp_path, "http://login.acme.example")
    command = [*PROCESSION, "serve", "--listen", "127.0.0.1:0", "--data-dir", str(tmp_path), "--oidc-file", str(path)]

    done = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "[acme] issuer = 'http://login.acme.example' does not begin with https://" in done.stderr
    assert not (tmp_path / "wal").exists()
