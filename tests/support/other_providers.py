"""Providers of sign-ins that others wrote, each a process of its own on the loopback address, with one user."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import IO
from urllib.parse import urljoin

import httpx
import pytest

from tests.support.oidc_provider import CLIENT_ID, CLIENT_PHRASE
from tests.support.running import START_SECONDS, clean_environment, eventually

ZITADEL = Path(__file__).parent / "zitadel"
BUILD_SECONDS = 1800
SUBJECT = "anna-1"
PHRASE = "correct horse"


@dataclass(frozen=True)
class OtherProvider:
    url: str
    answers: Mapping[str, str]
    """What its form wants to know, by the names of the fields."""
    send_back_to: Callable[[str], None] = lambda _: None
    """Where it may send browsers; to be said before the first comes."""


@contextlib.contextmanager
def mock_provider(folder: Path) -> Iterator[OtherProvider]:
    """oidc-provider-mock: it believes everybody, and sends browsers anywhere."""
    claims = json.dumps({"sub": SUBJECT, "preferred_username": "anna"})
    command = (sys.executable, "-m", "oidc_provider_mock", "--port", "0", "--user-claims", claims)
    with _started(command, folder / "mock.log", r"running on (http://127\.0\.0\.1:\d+)") as (url, _):
        yield OtherProvider(url, {"sub": SUBJECT})


@contextlib.contextmanager
def zitadel_provider(folder: Path) -> Iterator[OtherProvider]:
    """The example of zitadel/oidc: it asks for a password, and knows its client and where that one's browsers go."""
    if shutil.which("go") is None:
        pytest.skip("there is no Go here, which builds the provider of zitadel")
    users = folder / "users.json"
    about = {"ID": SUBJECT, "Username": "anna", "Password": PHRASE, "FirstName": "Anna", "PreferredLanguage": "en"}
    users.write_text(json.dumps({SUBJECT: about}))
    command = (str(_zitadel_program()), str(users), CLIENT_ID, CLIENT_PHRASE)
    with _started(command, folder / "zitadel.log", r"issuer (http://127\.0\.0\.1:\d+)") as (url, say):
        yield OtherProvider(url, {"username": "anna", "password": PHRASE}, say)


def _zitadel_program() -> Path:
    """Kept outside of the checkout, by its sources: a clean clone need not build it again."""
    sources = b"".join((ZITADEL / name).read_bytes() for name in ("go.mod", "go.sum", "main.go"))
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    program = caches / "procession" / f"zitadel-{hashlib.sha256(sources).hexdigest()[:16]}"
    if not program.exists():
        program.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=program.parent) as folder:
            new = Path(folder) / "provider"
            command = ("go", "build", "-mod=readonly", "-ldflags=-s -w", "-o", str(new), ".")
            subprocess.run(command, cwd=ZITADEL, check=True, timeout=BUILD_SECONDS)
            new.replace(program)
    return program


OTHER_PROVIDERS: Mapping[str, Callable[[Path], AbstractContextManager[OtherProvider]]] = {
    "oidc-provider-mock": mock_provider,
    "zitadel": zitadel_provider,
}


@contextlib.contextmanager
def _started(command: tuple[str, ...], log: Path, ready: str) -> Iterator[tuple[str, Callable[[str], None]]]:
    """Its address, once it has written so, and what says a line to it."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, env=clean_environment(), stdin=subprocess.PIPE, stdout=out, stderr=subprocess.STDOUT
        )

    def address() -> str | None:
        text = log.read_text()
        assert process.poll() is None, text
        found = re.search(rf"{ready}\b", text)
        return found and found[1]

    try:
        assert process.stdin is not None
        yield eventually(address, seconds=START_SECONDS, what=f"the start of {command[0]}"), _speaker(process.stdin)
    finally:
        process.kill()
        process.communicate()


def _speaker(stdin: IO[bytes]) -> Callable[[str], None]:
    def say(text: str) -> None:
        stdin.write(f"{text}\n".encode())
        stdin.flush()

    return say


def filled(browser: httpx.Client, shown: httpx.Response, answers: Mapping[str, str]) -> httpx.Request:
    """What a browser posts when somebody fills the first form of a page."""
    assert shown.status_code == 200, shown.text
    form = _FirstForm()
    form.feed(shown.text)
    assert answers.keys() <= form.fields.keys(), shown.text
    return browser.build_request("POST", urljoin(str(shown.url), form.action), data={**form.fields, **answers})


@dataclass(eq=False)
class _FirstForm(HTMLParser):
    action: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    forms: int = 0

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.forms += tag == "form"
        if self.forms == 1 and tag == "form":
            self.action = attributes.get("action", "")
        elif self.forms == 1 and tag == "input" and "name" in attributes:
            self.fields[attributes["name"]] = attributes.get("value", "")
