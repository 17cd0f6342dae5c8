"""What is said where a server is named in a wrong way, by real servers that speak http, TLS, or something else."""

from __future__ import annotations

import http.server
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme

from procession.cli.local.data_folder import LocalFiles
from tests.cli.conftest import Command, RunningServer
from tests.support.served import API_KEY, APPLICATION_KEY, Served, a_store, serving

KEYS = ("--api-key", API_KEY, "--application-key", APPLICATION_KEY)
COMMANDS = (["ps"], ["top", "--once"], ["tree"], ["diff", "--at", "-1h"], ["status"], ["link"])


class _Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """What its callers do wrong is what is tried here."""


@contextmanager
def a_server(handler: type[http.server.BaseHTTPRequestHandler], context: ssl.SSLContext | None = None) -> Iterator[str]:
    with _Server(("127.0.0.1", 0), handler) as server:
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class _Quiet(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


class _Page(_Quiet):
    """What is no Procession."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(b"<html>")

    def do_POST(self) -> None:
        self.do_GET()


class _SendsOn(_Quiet):
    def do_GET(self) -> None:
        self.send_response(301)
        self.send_header("location", "https://procession.example.org/\x1b[2J")
        self.end_headers()

    def do_POST(self) -> None:
        self.do_GET()


@pytest.fixture
def context(tmp_path: Path) -> ssl.SSLContext:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda arguments: arguments[0])
def test_https_to_a_server_that_speaks_http_says_so(
    procession: Command, server: RunningServer, arguments: list[str]
) -> None:
    url = server.url.replace("http:", "https:")

    result = procession(*arguments, "--url", url, *KEYS)

    assert (result.code, result.out) == (2 if arguments[0] == "diff" else 1, "")
    assert result.err == f"procession: what answers at {url} speaks http; name it as {server.url}\n"


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda arguments: arguments[0])
def test_http_to_a_server_that_speaks_tls_says_so(
    procession: Command, context: ssl.SSLContext, arguments: list[str]
) -> None:
    with a_server(_Page, context) as address:
        result = procession(*arguments, "--url", f"http://{address}", *KEYS)

    assert result.code == (2 if arguments[0] == "diff" else 1)
    assert result.err == f"procession: what answers at http://{address} speaks https; name it as https://{address}\n"


def test_a_certificate_that_is_not_trusted_is_said_to_be_and_no_other_protocol_is_proposed(
    procession: Command, context: ssl.SSLContext, tmp_path: Path
) -> None:
    with a_server(_Page, context) as address:
        result = procession("ps", "--url", f"https://{address}", *KEYS)
        trusted = procession("ps", "--url", f"https://{address}", *KEYS, "--tls-ca", str(tmp_path / "ca.pem"))

    assert result.err.startswith(f"procession: cannot reach https://{address}: ")
    assert "certificate" in result.err
    assert "speaks" not in result.err
    assert (
        trusted.err == f"procession: what answers at https://{address} is not Procession; name the server with --url\n"
    )


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda arguments: arguments[0])
@pytest.mark.parametrize("keys", [(), KEYS], ids=["without keys", "with keys"])
@pytest.mark.parametrize("address", ["127.0.0.1:7391", "localhost:7171", "[::1]:80", "procession.example.org", "h:1/"])
def test_an_address_without_a_scheme_is_told_how_it_should_look_before_anything_of_keys(
    procession: Command, address: str, keys: tuple[str, ...], arguments: list[str]
) -> None:
    result = procession(*arguments, "--url", address, *keys)

    assert result.err == (
        f"procession: {address.rstrip('/')!r} is not the address of a server; "
        f"it should look like http://{address.rstrip('/')}\n"
    )


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/v2/processes", "/api/procession/v1", "/docs", "/login/x"])
@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda arguments: arguments[0])
def test_a_path_that_no_server_is_below_is_named_with_the_address_without_it(
    procession: Command, server: RunningServer, arguments: list[str], path: str
) -> None:
    result = procession(*arguments, "--url", server.url + path, *KEYS)

    assert result.out == ""
    assert result.err == (
        f"procession: there is no Procession below {(server.url + path).rstrip('/')}; name the server as {server.url}\n"
    )


def test_below_the_path_of_a_proxy_what_is_not_found_is_what_was_asked_for(
    procession: Command, local: LocalFiles
) -> None:
    app = Served(a_store()).app()

    async def below_a_path(scope, receive, send):  # type: ignore[no-untyped-def]
        if scope["type"] == "http":
            assert scope["path"].startswith("/procession/")
            scope = scope | {"path": scope["path"].removeprefix("/procession")}
        await app(scope, receive, send)

    with serving(below_a_path) as url:
        result = procession("tree", "--id", "00", "--url", f"{url}/procession", *KEYS)

    assert result.err == "procession: Not found\n"


def test_a_server_that_sends_on_is_said_to(procession: Command) -> None:
    with a_server(_SendsOn) as address:
        result = procession("ps", "--url", f"http://{address}", *KEYS)

    assert result.err == (
        f"procession: what answers at http://{address} sends its callers on to "
        "https://procession.example.org/\\x1b[2J; name that with --url\n"
    )
