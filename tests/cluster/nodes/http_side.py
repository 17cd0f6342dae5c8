"""ClickHouse's HTTP interface, as `clickhouse-connect` uses it."""

from __future__ import annotations

import base64
import gzip
import re
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.cluster.nodes.engine import NodeConfig, NodeEngine, as_this_engine_takes_it, code_of, insert
from tests.cluster.nodes.wire import Refused

_NOT_SETTINGS = {
    "query",
    "database",
    "default_format",
    "query_id",
    "user",
    "password",
    "compress",
    "decompress",
    "client_protocol_version",
    "wait_end_of_query",
    "send_progress_in_http_headers",
    "http_headers_progress_interval_ms",
    "enable_http_compression",
    "http_zlib_compression_level",
    "role",
}
_FORMAT = re.compile(rb"\s+FORMAT\s+(\w+)\s*;?\s*\Z", re.IGNORECASE)
_INSERT = re.compile(rb"\s*(INSERT\s+INTO\s+.+?)\s+FORMAT\s+(\w+)[ \t]*(?:\n|\Z)", re.IGNORECASE | re.DOTALL)
_MOST_OF_HEAD = 20_000


class HttpSide(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    engine: NodeEngine
    config: NodeConfig
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        if self.path.startswith("/ping"):
            self._send(200, b"Ok.\n", {})
        else:
            self.do_POST()

    def do_POST(self) -> None:
        body = (
            self.rfile.read(int(self.headers.get("Content-Length") or 0)) if not self._is_chunked() else self._chunks()
        )
        try:
            self._check_user()
            body = _decoded(body, self.headers.get("Content-Encoding", ""))
            parameters = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query, keep_blank_values=True))
            kind = self.headers.get("Content-Type", "")
            if kind.startswith("multipart/form-data"):
                # The client sends parameters so that are too long for an address.
                parameters |= _fields(kind, body)
                body = b""
            data, form = self._run(body, parameters)
        except Exception as error:
            code = error.code if isinstance(error, Refused) else code_of(str(error))
            status = 403 if code == 516 else 404 if code in (60, 81) else 500
            message = str(error)
            if not message.startswith("Code:"):
                message = f"Code: {code}. DB::Exception: {message}"
            self._send(status, message.encode(), {"X-ClickHouse-Exception-Code": str(code)})
        else:
            self._send(200, data, {"X-ClickHouse-Format": form})

    def _run(self, body: bytes, parameters: dict[str, str]) -> tuple[bytes, str]:
        settings = {
            name: value
            for name, value in parameters.items()
            if name not in _NOT_SETTINGS and not name.startswith("param_")
        }
        values = {name[6:]: value for name, value in parameters.items() if name.startswith("param_")}
        database = parameters.get("database", "")
        head = parameters.get("query", "").encode()
        statement = head + b"\n" + body if head else body
        if match := _INSERT.match(statement[:_MOST_OF_HEAD]):
            self._insert(match[1].decode(), match[2].decode(), statement[match.end() :], database, settings)
            return b"", "TabSeparated"
        form = _FORMAT.search(statement)
        name = form[1].decode() if form else parameters.get("default_format", "TabSeparated")
        text = (statement[: form.start()] if form else statement).decode()
        text, is_for_all = as_this_engine_takes_it(text)
        if is_for_all:
            self._tell_all(text, parameters)
            return b"", "TabSeparated"
        with self.engine.changing(text, database), self.engine.connection(database, settings) as connection:
            data = connection.query(text, name, params=values).bytes()
        return data or b"", name

    def _insert(self, statement: str, form: str, data: bytes, database: str, settings: dict[str, str]) -> None:
        with self.engine.connection(database, settings) as connection:
            insert(connection, self.config.folder, statement, form, data)

    def _tell_all(self, statement: str, parameters: dict[str, str]) -> None:
        """What Keeper would hand to every node. A node that is not there fails it, as it does in a server after a
        while."""
        kept = {name: value for name, value in parameters.items() if name != "query"}
        for port in self.config.peers:
            if port == self.config.http:
                database = parameters.get("database", "")
                with (
                    self.engine.changing(statement, database),
                    self.engine.connection(database, {}) as connection,
                ):
                    connection.query(statement, "TabSeparated")
                continue
            request = urllib.request.Request(
                f"http://127.0.0.1:{port}/?{urllib.parse.urlencode(kept)}", statement.encode(), _login(self.config)
            )
            try:
                with urllib.request.urlopen(request, timeout=60):
                    pass
            except urllib.error.HTTPError as error:
                raise Refused(error.read().decode(), int(error.headers["X-ClickHouse-Exception-Code"])) from None
            except OSError as error:
                raise Refused(f"node at port {port}: {error}", 159) from None

    def _check_user(self) -> None:
        kind, _, login = self.headers.get("Authorization", "").partition(" ")
        found = base64.b64decode(login).decode() if kind == "Basic" else "default:"
        if found != f"{self.config.user}:{self.config.password}":
            raise Refused(f"{found.partition(':')[0]}: Authentication failed", 516)

    def _is_chunked(self) -> bool:
        return self.headers.get("Transfer-Encoding", "").lower() == "chunked"

    def _chunks(self) -> bytes:
        found = bytearray()
        while size := int(self.rfile.readline(), 16):
            found += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return bytes(found)

    def _send(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in ({"X-ClickHouse-Timezone": "UTC", "Content-Length": str(len(data))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()  # head and body at once

    def log_message(self, *arguments: Any) -> None:
        pass


def _login(config: NodeConfig) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{config.user}:{config.password}".encode()).decode()}


def _fields(kind: str, body: bytes) -> dict[str, str]:
    boundary = b"--" + kind.partition("boundary=")[2].strip('"').encode()
    found = {}
    for part in body.split(boundary)[1:-1]:
        head, _, value = part.partition(b"\r\n\r\n")
        name = re.search(rb'name="([^"]*)"', head)
        if name is not None:
            found[name[1].decode()] = value.removesuffix(b"\r\n").decode()
    return found


def _decoded(body: bytes, encoding: str) -> bytes:
    if encoding in ("", "identity"):
        return body
    if encoding == "gzip":
        return gzip.decompress(body)
    if encoding == "lz4":
        import lz4.frame  # type: ignore[import-untyped]

        return bytes(lz4.frame.decompress(body))
    if encoding == "zstd":
        import cramjam

        return bytes(cramjam.zstd.decompress(body))
    raise Refused(f"this node does not know the encoding {encoding}")
