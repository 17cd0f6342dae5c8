"""What Docker and Podman say, over a real socket. The answers are as their API is documented; no runtime runs here."""

from __future__ import annotations

import contextlib
import json
import socket
import tempfile
import threading
import time
from pathlib import Path

import pytest

from procession.agent.read import container_runtimes
from procession.agent.read.container_runtimes import ContainerRuntime, ContainerRuntimeError, image_tags
from procession.wire.datadog import ContainerInfo
from tests.support.agents.container_runtime import FakeContainerRuntime, a_container

ID = "0123456789abcdef" * 4


def ask(runtime: FakeContainerRuntime, labels: dict[str, str] | None = None) -> dict[str, ContainerInfo]:
    return ContainerRuntime("docker", str(runtime.path), labels).containers()


def test_a_container_has_its_name_and_image_as_tags(runtime: FakeContainerRuntime) -> None:
    runtime.containers = [a_container(ID, "web", "registry.example.com:5000/shop/nginx:1.25")]

    assert ask(runtime) == {
        ID: ContainerInfo(
            container_id=ID,
            runtime="docker",
            name="web",
            image="registry.example.com:5000/shop/nginx:1.25",
            created_at=1_700_000_000,
            tags=(
                f"container_id:{ID}",
                "container_name:web",
                "docker_image:registry.example.com:5000/shop/nginx:1.25",
                "image_name:registry.example.com:5000/shop/nginx",
                "short_image:nginx",
                "image_tag:1.25",
            ),
        )
    }
    assert runtime.requests == ["/containers/json"]


def test_labels_become_tags_where_somebody_says_so(runtime: FakeContainerRuntime) -> None:
    labels = {"com.datadoghq.tags.service": "shop", "com.example.team": "a, b", "secret": "hunter2"}
    runtime.containers = [a_container(ID, **labels)]

    tags = ask(runtime, {"com.example.team": "team"})[ID].tags

    assert "service:shop" in tags
    assert "team:a_b" in tags
    assert "hunter2" not in repr(tags)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("redis", ["docker_image:redis", "image_name:redis", "short_image:redis", "image_tag:latest"]),
        ("a/b/c:d", ["docker_image:a/b/c:d", "image_name:a/b/c", "short_image:c", "image_tag:d"]),
        ("h:5/c", ["docker_image:h:5/c", "image_name:h:5/c", "short_image:c", "image_tag:latest"]),
        ("c:1@sha256:" + "a" * 64, ["docker_image:c:1", "image_name:c", "short_image:c", "image_tag:1"]),
        ("c@sha256:" + "a" * 64, ["docker_image:c", "image_name:c", "short_image:c"]),
        ("sha256:" + "a" * 64, []),
        ("a" * 12, []),
        ("", []),
    ],
)
def test_the_parts_of_an_image_are_tags(image: str, expected: list[str]) -> None:
    assert [tag for tag in image_tags(image) if tag] == expected


def test_an_answer_with_odd_values_is_taken_as_far_as_it_goes(runtime: FakeContainerRuntime) -> None:
    odd = [
        {"Id": ID, "Names": None, "Image": 7, "Labels": [], "Created": "x"},
        {"Id": 5},
        {"Names": ["/x"]},
        {"Id": "b" * 64, "Names": ["/other/alias", "/own", 3], "Created": 2**40, "Image": "sha256:" + "c" * 64},
    ]
    runtime.body = json.dumps(odd).encode()

    found = ask(runtime)

    assert found[ID].tags == (f"container_id:{ID}",)
    assert found["b" * 64] == ContainerInfo(
        container_id="b" * 64, runtime="docker", name="own", tags=(f"container_id:{'b' * 64}", "container_name:own")
    )
    assert len(found) == 2


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b"<html>", b"\xff", b"[" * 100_000])
def test_an_answer_that_is_no_list_of_containers_is_an_error(runtime: FakeContainerRuntime, body: bytes) -> None:
    runtime.body = body

    with pytest.raises(ContainerRuntimeError, match="the answer is no list of containers"):
        ask(runtime)


def test_a_runtime_that_refuses_is_an_error(runtime: FakeContainerRuntime) -> None:
    runtime.status = 500

    with pytest.raises(ContainerRuntimeError, match="it answers 500"):
        ask(runtime)


def test_a_runtime_that_does_not_answer_is_given_up(
    runtime: FakeContainerRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container_runtimes, "TIMEOUT_SECONDS", 0.1)
    runtime.gate.clear()

    with pytest.raises(ContainerRuntimeError, match=r"no answer in 0\.1 s"):
        ask(runtime)


def test_an_answer_that_never_ends_is_given_up(runtime: FakeContainerRuntime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container_runtimes, "MAX_ANSWER_BYTES", 100_000)
    runtime.body = b" " * 200_000

    with pytest.raises(ContainerRuntimeError, match="the answer has more than 100000 bytes"):
        ask(runtime)


def test_where_no_runtime_is_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    for path, reason in ((tmp_path / "none", "No such file"), (tmp_path / "file", "refused"), ("x" * 200, "too long")):
        with pytest.raises(ContainerRuntimeError, match=reason):
            ContainerRuntime("podman", f"unix://{path}").containers()


class Silent:
    """A socket that takes connections: it never answers, or says a head without end, byte by byte."""

    def __init__(self, path: Path, dribble: bytes = b"") -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(path))
        self._socket.listen()
        self._dribble = dribble
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(10)

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            connection, _ = self._socket.accept()
            with connection:
                connection.sendall(self._dribble)
                while self._dribble:
                    connection.sendall(b"x")
                    time.sleep(0.01)
                while connection.recv(4096):
                    pass


@pytest.mark.parametrize("dribble", [b"", b"HTTP/1.1 200 OK\r\n"], ids=["says nothing", "says a head without end"])
def test_a_runtime_that_takes_its_time_is_given_up(monkeypatch: pytest.MonkeyPatch, dribble: bytes) -> None:
    monkeypatch.setattr(container_runtimes, "TIMEOUT_SECONDS", 0.2)
    with tempfile.TemporaryDirectory(prefix="silent-") as folder:
        silent = Silent(Path(folder) / "s", dribble)
        begun = time.monotonic()
        with pytest.raises(ContainerRuntimeError, match=r"no answer in 0\.2 s"):
            ContainerRuntime("docker", str(Path(folder) / "s")).containers()
        took = time.monotonic() - begun
        silent.close()

    assert took < 5
