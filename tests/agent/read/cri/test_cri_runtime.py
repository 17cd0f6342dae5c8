"""What containerd and CRI-O say, as the CRI is documented, through gRPC's own server; no runtime runs here."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import grpc  # type: ignore[import-untyped]
import pytest

from procession.agent.build import container_runtimes_of
from procession.agent.read import container_runtimes
from procession.agent.read.container_cache import ContainerCache
from procession.agent.read.container_runtimes import ContainerRuntimeError
from procession.agent.read.cri import cri_runtime
from procession.agent.read.cri.cri_runtime import CriRuntime
from procession.config import AgentSettings
from procession.wire.datadog import ContainerInfo
from tests.support.agents.cri_server import CriServer, a_container, a_pod, field

ID, OTHER, POD = "0123456789abcdef" * 4, "c" * 64, "d" * 64


@pytest.fixture
def server() -> Iterator[CriServer]:
    # The path of a socket has room for a hundred characters only.
    with tempfile.TemporaryDirectory(prefix="cri-") as folder:
        server = CriServer(Path(folder) / "containerd.sock")
        yield server
        server.close()


def ask(server: CriServer, labels: dict[str, str] | None = None) -> dict[str, ContainerInfo]:
    return CriRuntime(f"unix://{server.path}", labels).containers()


def test_a_container_has_its_name_image_and_pod_as_tags(server: CriServer) -> None:
    server.pods = [a_pod(POD, "shop-7d9f", "shop")]
    server.containers = [
        a_container(ID, POD, image="sha256:" + "a" * 64, specified="registry.example.com:5000/shop/nginx:1.25")
    ]

    found = ask(server)

    assert found[ID] == ContainerInfo(
        container_id=ID,
        runtime="containerd",
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
            "pod_name:shop-7d9f",
            "kube_namespace:shop",
        ),
    )
    assert found[POD].tags == (f"container_id:{POD}", "pod_name:shop-7d9f", "kube_namespace:shop")
    assert server.calls == ["ListPodSandbox b''", "ListContainers b''"]


def test_labels_of_the_container_and_of_its_pod_become_tags_where_somebody_says_so(server: CriServer) -> None:
    server.pods = [a_pod(POD, "shop-1", "shop", {"com.example.team": "of the pod", "app": "shop", "secret": "hunter2"})]
    labels = {"com.example.team": "a, b", "io.kubernetes.container.name": "web", "io.kubernetes.pod.name": "older"}
    server.containers = [a_container(ID, POD, labels=labels), a_container(OTHER, POD)]

    found = ask(server, {"com.example.team": "team", "app": "app"})

    assert {"team:a_b", "app:shop", "kube_container_name:web", "pod_name:shop-1"} <= set(found[ID].tags)
    assert "team:of_the_pod" in found[OTHER].tags
    assert "hunter2" not in repr(found)


def test_only_what_runs_is_named_and_an_image_by_the_first_name_that_it_has(server: CriServer) -> None:
    reference = "docker.io/library/redis@sha256:" + "b" * 64
    server.containers = [
        a_container(ID, image="a" * 64, image_ref=reference),
        a_container(OTHER, state=2),
        a_container("e" * 64, image="redis:7", created_at=-5),
    ]

    found = ask(server)

    assert set(found) == {ID, "e" * 64}
    assert found[ID].image == reference
    assert (found["e" * 64].image, found["e" * 64].created_at) == ("redis:7", 0)


def test_a_machine_without_containers_has_none(server: CriServer) -> None:
    assert ask(server) == {}


def test_thousands_of_containers_are_taken(server: CriServer) -> None:
    server.containers = [a_container(f"{number:064x}", labels={"x" * 40: "y" * 200}) for number in range(3000)]

    assert len(ask(server)) == 3000


def test_texts_may_be_anything_and_what_has_no_id_is_left_out(server: CriServer) -> None:
    hostile = field(1, ID) + field(3, field(1, b"\xff\x00\n, ")) + field(6, 1) + field(7, 2**63) + field(8, b"")
    server.containers = [hostile, a_container(""), field(1, 7) + field(6, 1) + field(6, b"x")]

    found = ask(server)

    assert list(found) == [ID]
    assert all(tag.isprintable() and " " not in tag and "," not in tag for tag in found[ID].tags)


def test_a_refusal_is_no_answer(server: CriServer) -> None:
    server.refusal = grpc.StatusCode.PERMISSION_DENIED

    with pytest.raises(ContainerRuntimeError, match="it refuses the call"):
        ask(server)


def test_a_runtime_that_does_not_answer_holds_nobody_up(server: CriServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cri_runtime, "TIMEOUT_SECONDS", 0.3)
    server.gate.clear()
    begin = time.monotonic()

    with pytest.raises(ContainerRuntimeError, match=r"no answer in 0\.3 s"):
        ask(server)

    assert time.monotonic() - begin < 20


def test_an_answer_beyond_all_bounds_is_refused(server: CriServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cri_runtime, "MAX_ANSWER_BYTES", 100_000)
    server.containers = [a_container(ID, labels={"a": "x" * 200_000})]

    with pytest.raises(ContainerRuntimeError, match="the answer has more than 100000 bytes"):
        ask(server)


def test_a_damaged_answer_is_refused(server: CriServer) -> None:
    server.containers = [field(1, ID) + b"\x1a\x7fcut off"]

    with pytest.raises(ContainerRuntimeError, match="the answer to ListContainers is damaged"):
        ask(server)


def test_it_is_called_by_its_socket() -> None:
    assert CriRuntime("unix:///run/containerd/containerd.sock").name == "containerd"
    assert CriRuntime("/var/run/crio/crio.sock").name == "cri-o"
    with pytest.raises(ContainerRuntimeError, match="No such file or directory"):
        CriRuntime("/nowhere/containerd.sock").containers()


def test_nobody_asks_it_who_was_not_told_to(server: CriServer) -> None:
    assert container_runtimes.TIMEOUT_SECONDS <= 3
    assert not any(isinstance(one, CriRuntime) for one in container_runtimes_of(AgentSettings()))
    chosen = AgentSettings(cri_socket=str(server.path), docker_socket="", podman_socket="")
    (runtime,) = container_runtimes_of(chosen)
    assert isinstance(runtime, CriRuntime)
    assert container_runtimes_of(AgentSettings(cri_socket=str(server.path), container_names=False)) == []


def test_a_new_container_has_its_name_from_the_beginning(server: CriServer) -> None:
    server.containers = [a_container(ID)]
    said: list[str] = []
    cache = ContainerCache([CriRuntime(str(server.path))], said.append)
    cache.start()

    try:
        deadline = time.monotonic() + 30
        while "container_name:web" not in cache.look_up(ID).tags and time.monotonic() < deadline:
            cache.expect([ID])
        assert "container_name:web" in cache.look_up(ID).tags
    finally:
        cache.close()
    assert said == []
