"""A container runtime's answers, over HTTP on a Unix socket."""

from __future__ import annotations

import json
import socketserver
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any


def a_container(container_id: str, name: str = "web", image: str = "nginx:1.25", **labels: str) -> dict[str, Any]:
    """An item of `GET /containers/json`, with all the keys that Docker's API is documented to have."""
    return {
        "Id": container_id,
        "Names": [f"/{name}"],
        "Image": image,
        "ImageID": "sha256:" + "e" * 64,
        "Command": "/docker-entrypoint.sh nginx -g 'daemon off;'",
        "Created": 1_700_000_000,
        "Ports": [{"PrivatePort": 80, "Type": "tcp"}],
        "Labels": labels,
        "State": "running",
        "Status": "Up 3 hours",
        "HostConfig": {"NetworkMode": "default"},
        "NetworkSettings": {"Networks": {"bridge": {"IPAddress": "172.17.0.2"}}},
        "Mounts": [],
    }


class FakeContainerRuntime:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.containers: list[dict[str, Any]] = []
        self.status = 200
        self.body: bytes | None = None
        """Instead of the containers."""
        self.requests: list[str] = []
        self.gate = threading.Event()
        """No answer while it is closed."""
        self.gate.set()
        runtime = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                runtime.requests.append(self.path)
                runtime.gate.wait()
                body = json.dumps(runtime.containers).encode() if runtime.body is None else runtime.body
                if self.path != "/containers/json":
                    runtime.status, body = 404, b'{"message":"page not found"}'
                self.send_response(runtime.status)
                self.send_header("Content-Type", "application/json")
                # As Docker does for what is long.
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                for begin in range(0, len(body), 10_000):
                    part = body[begin : begin + 10_000]
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
                self.wfile.write(b"0\r\n\r\n")

            def address_string(self) -> str:
                return "a client"

            def log_message(self, *arguments: object) -> None:
                pass

        class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
            daemon_threads = True

            def handle_error(self, *arguments: object) -> None:
                """Whoever asked may be gone."""

        self._server = Server(str(path), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def close(self) -> None:
        self.gate.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
