"""A server that takes payloads as told, and remembers them."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from procession.process import LiveSnapshot, Snapshot
from procession.wire.columns.offer import OFFER_HEADER
from procession.wire.datadog import Answer, MessageType, SnapshotDecoder, decode_live, encode_answer, frame
from tests.support.stores.unpacked import unpack


@dataclass(frozen=True)
class Reply:
    status: int = 200
    body: bytes = encode_answer(Answer())
    content_type: str = "application/x-protobuf"
    location: str = ""
    columns: str = ""
    """What it says of columns that it takes."""
    closes: bool = False
    """Whether the connection ends after it without a word."""


TAKEN = Reply()
WATCHED = Reply(body=encode_answer(Answer(active_clients=1)))


@dataclass(frozen=True)
class Posted:
    path: str
    headers: dict[str, str]
    body: bytes
    client: tuple[str, int]

    @property
    def is_live(self) -> bool:
        return frame.message_type(self.body) is MessageType.REAL_TIME

    @property
    def live(self) -> LiveSnapshot:
        return decode_live(frame.decode(self.body), taken_at=int(self.headers["x-dd-agent-timestamp"]))

    @property
    def snapshot(self) -> Snapshot:
        return unpack(
            SnapshotDecoder().decode(
                frame.decode(self.body),
                taken_at=int(self.headers["x-dd-agent-timestamp"]),
                request_id=int(self.headers["x-dd-request-id"]),
            )
        )


class FakeIntake:
    def __init__(self, port: int = 0) -> None:
        self.posted: list[Posted] = []
        self.about_hosts: list[Posted] = []
        """What came to `/intake/`, which is taken and not counted."""
        self.replies: deque[Reply] = deque()
        """For the next payloads; then it is the usual one."""
        self.usual = TAKEN
        self.unknown_paths: set[str] = set()
        self.gate = threading.Event()
        """No answer while it is closed."""
        self.gate.set()
        self._changed = threading.Condition()
        intake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                reply = intake.take(Posted(self.path, headers, body, self.client_address))
                if self.path != "/intake/":
                    intake.gate.wait()
                self.send_response(reply.status)
                self.send_header("Content-Type", reply.content_type)
                self.send_header("Content-Length", str(len(reply.body)))
                if reply.columns:
                    self.send_header(OFFER_HEADER, reply.columns)
                if reply.location:
                    self.send_header("Location", reply.location)
                self.end_headers()
                self.wfile.write(reply.body)
                self.close_connection = reply.closes

            def log_message(self, *arguments: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, *arguments: object) -> None:
                """Agents that are stopped go in the middle of a word."""

        self._server = Server(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def take(self, posted: Posted) -> Reply:
        with self._changed:
            if posted.path == "/intake/":
                self.about_hosts.append(posted)
                self._changed.notify_all()
                return Reply(202, b"{}", "application/json")
            self.posted.append(posted)
            self._changed.notify_all()
            if posted.path in self.unknown_paths:
                return Reply(404, b"not here", "text/plain")
            return self.replies.popleft() if self.replies else self.usual

    def wait_for(self, count: int, timeout: float = 30.0) -> list[Posted]:
        """The first so many payloads."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.posted) >= count, timeout), f"only {len(self.posted)} came"
            return self.posted[:count]

    def close(self) -> None:
        self.gate.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
