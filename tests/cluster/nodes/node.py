"""A node of a test cluster: an embedded engine that answers as a ClickHouse server would, in a process of its own.

It stands in for a server in tests, and is none: there is no Keeper, so `ON CLUSTER` is handed to the other nodes over
HTTP, and `Replicated…MergeTree` becomes the plain engine; a table is replicated by writing it to all replicas.

Started with its configuration as JSON. It says `http` once it answers over HTTP; a line on its standard input lets it
take part in the cluster, and it says `native`. The end of its standard input ends it.
"""

from __future__ import annotations

import os
import socket
import socketserver
import sys
import threading
from typing import Any

import msgspec

from tests.cluster.nodes.engine import NodeConfig, NodeEngine
from tests.cluster.nodes.http_side import HttpSide
from tests.cluster.nodes.native import Conversation


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    allow_reuse_port = True
    request_queue_size = 128

    def handle_error(self, *arguments: Any) -> None:
        """Whoever asked may be gone."""


def main() -> None:
    config = msgspec.json.decode(sys.argv[1], type=NodeConfig)
    engine = NodeEngine(config)
    handler = type("Handler", (HttpSide,), {"engine": engine, "config": config})
    _serve(_Server(("127.0.0.1", config.http), handler))
    _say("http")
    if not sys.stdin.readline():
        os._exit(0)

    class Native(socketserver.BaseRequestHandler):
        request: socket.socket

        def handle(self) -> None:
            Conversation(engine, config, self.request).run()

    _serve(_Server(("127.0.0.1", config.native), Native))
    _say("native")
    sys.stdin.read()
    # Threads may still be in the engine, which does not like to be closed under them.
    os._exit(0)


def _say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def _serve(server: _Server) -> None:
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()


if __name__ == "__main__":
    main()
