"""The page as it is served: its headers, its parts, and what is said where it was not built."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware

from procession.errors import NotFound
from procession.server.http.compression import Compress
from procession.server.http.responses import AnswerHeaders, error_response
from procession.server.web.assets import page_routes
from tests.support.served import Client

SCRIPT = b"console.log(1)\n" * 100


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text('<meta name="csp-nonce" content="__CSP_NONCE__"><script src="/assets/a-1.js">')
    (tmp_path / "icon.svg").write_text("<svg/>")
    (tmp_path / "assets" / "a-1.js").write_bytes(SCRIPT)
    (tmp_path / "assets" / "a-1.js.gz").write_bytes(gzip.compress(SCRIPT, 9))
    (tmp_path / "assets" / "a-1.css").write_text("a{}")
    (tmp_path / "account" / "assets").mkdir(parents=True)
    (tmp_path / "account" / "account.html").write_text('<script src="/assets/account-1.js">')
    (tmp_path / "account" / "assets" / "account-1.js").write_bytes(SCRIPT)
    (tmp_path / "secret").write_text("secret")
    return tmp_path


@pytest.fixture
def page(folder: Path) -> Iterator[Client]:
    client = served(folder)
    yield client
    client.close()


def served(folder: Path) -> Client:
    app = Starlette(
        routes=page_routes(folder),
        middleware=[Middleware(AnswerHeaders), Middleware(Compress)],
        exception_handlers={NotFound: lambda _, error: error_response(404, str(error))},
    )
    return Client(app)


def test_nothing_runs_in_the_page_but_its_own_script(page: Client) -> None:
    answer = page.get("/")

    nonce = re.search('content="([A-Za-z0-9_-]{22})"', answer.text)
    assert nonce is not None
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; ")) == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": f"'self' 'nonce-{nonce[1]}'",
        "img-src": "'self'",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert "camera=()" in answer.headers["permissions-policy"]


def test_each_answer_has_a_nonce_of_its_own_and_is_not_kept(page: Client) -> None:
    first, second = page.get("/"), page.get("/")

    assert first.headers["content-security-policy"] != second.headers["content-security-policy"]
    assert first.headers["cache-control"] == "no-cache"


def test_parts_with_a_hash_in_their_name_are_kept_for_ever(page: Client) -> None:
    script, style = page.get("/assets/a-1.js"), page.get("/assets/a-1.css")

    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert style.headers["content-type"] == "text/css; charset=utf-8"
    assert (script.content, style.text) == (SCRIPT, "a{}")


def test_what_was_compressed_by_the_build_is_sent_so_to_who_takes_it(page: Client, folder: Path) -> None:
    packed = page.get("/assets/a-1.js", headers={"accept-encoding": "gzip"})
    plain = page.get("/assets/a-1.js", headers={"accept-encoding": "identity"})

    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["content-length"] == str((folder / "assets" / "a-1.js.gz").stat().st_size)
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content == SCRIPT
    for answer in (packed, plain):
        assert "accept-encoding" in answer.headers["vary"].lower()


@pytest.mark.parametrize(
    "path", ["/assets/a-1.js.gz", "/assets/..%2Fsecret", "/assets/../secret", "/secret", "/assets/", "/index.html"]
)
def test_nothing_else_is_there(page: Client, path: str) -> None:
    answer = page.get(path)

    assert answer.status_code == 404
    assert "secret" not in answer.text


def test_a_running_server_keeps_the_page_that_it_started_with(page: Client, folder: Path) -> None:
    (folder / "index.html").write_text("<script src=/assets/b-2.js>")
    (folder / "assets" / "a-1.js").unlink()

    assert "a-1.js" in page.get("/").text
    assert page.get("/assets/a-1.js").content == SCRIPT


def test_a_page_that_was_not_built_says_how(tmp_path: Path) -> None:
    client = served(tmp_path)

    answer = client.get("/")

    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/plain")
    assert "make page" in answer.text
    assert client.get("/account").status_code == 404
    assert client.get("/assets/a-1.js").status_code == 404
    assert client.get("/icon.svg").status_code == 404
    client.close()


def test_the_small_page_has_the_same_headers_and_parts_of_its_own(page: Client) -> None:
    large, small = page.get("/"), page.get("/account")

    assert "/assets/account-1.js" in small.text
    assert small.headers["content-type"] == "text/html; charset=utf-8"
    same = [
        {name: re.sub("nonce-[^']+", "nonce", value) for name, value in one.headers.items() if name != "content-length"}
        for one in (large, small)
    ]
    assert same[0] == same[1]
    assert page.get("/assets/account-1.js").content == SCRIPT
