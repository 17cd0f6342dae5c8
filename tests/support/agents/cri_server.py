"""A CRI server: gRPC's own, on a Unix socket, with answers made of field numbers as `runtime.v1` has them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]

CREATED_AT = 1_700_000_000_000_000_000
"""In nanoseconds."""


def field(number: int, value: int | str | bytes) -> bytes:
    """One field of a message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def varint(number: int) -> bytes:
    number &= 2**64 - 1
    data = bytearray()
    while number > 0x7F:
        data.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*data, number))


def labels_of(number: int, labels: dict[str, str]) -> bytes:
    return b"".join(field(number, field(1, key) + field(2, value)) for key, value in labels.items())


def a_container(container_id: str, pod: str = "", name: str = "web", **fields: Any) -> bytes:
    """A Container, with all of the fields that runtimes fill."""
    given: dict[str, Any] = {"image": "", "specified": "", "image_ref": "", "state": 1, "created_at": CREATED_AT}
    given |= fields
    return b"".join(
        (
            field(1, container_id),
            field(2, pod),
            field(3, field(1, name) + field(2, 3)),
            field(
                4, field(1, given["image"]) + field(2, field(1, "a") + field(2, "b")) + field(18, given["specified"])
            ),
            field(5, given["image_ref"]),
            field(6, given["state"]),
            field(7, given["created_at"]),
            labels_of(8, given.get("labels", {})),
            labels_of(9, {"io.kubernetes.container.hash": "1f"}),
            field(10, "sha256:" + "e" * 64),
        )
    )


def a_pod(pod_id: str, name: str = "", namespace: str = "", labels: dict[str, str] | None = None) -> bytes:
    metadata = field(1, name) + field(2, "9e8d-uid") + field(3, namespace) + field(4, 0)
    head = field(1, pod_id) + field(2, metadata) + field(3, 0) + field(4, CREATED_AT)
    return head + labels_of(5, labels or {}) + labels_of(6, {"seccomp": "x"}) + field(7, "runc")


class CriServer:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.containers: list[bytes] = []
        self.pods: list[bytes] = []
        self.calls: list[str] = []
        self.refusal: grpc.StatusCode | None = None
        self.gate = threading.Event()
        """No answer while it is closed."""
        self.gate.set()
        self._server = grpc.server(ThreadPoolExecutor(4))
        calls = {"ListContainers": lambda: self.containers, "ListPodSandbox": lambda: self.pods}
        handlers = {
            name: grpc.unary_unary_rpc_method_handler(self._handler(name, listed)) for name, listed in calls.items()
        }
        self._server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("runtime.v1.RuntimeService", handlers),)
        )
        self._server.add_insecure_port(f"unix://{path}")
        self._server.start()

    def _handler(self, name: str, listed: Any) -> Any:
        def answer(request: bytes, context: Any) -> bytes:
            self.calls.append(f"{name} {request!r}")
            self.gate.wait(30)
            if self.refusal is not None:
                context.abort(self.refusal, "no")
            return b"".join(field(1, one) for one in listed())

        return answer

    def close(self) -> None:
        self.gate.set()
        self._server.stop(None).wait(10)
