from __future__ import annotations

import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from procession.agent.read import container_cache
from procession.agent.read.container_cache import MAX_QUESTIONS, ContainerCache
from procession.agent.read.container_runtimes import ContainerRuntime
from procession.wire.datadog import ContainerInfo
from tests.support.agents.container_runtime import FakeContainerRuntime, a_container
from tests.support.running import eventually

ID = "a" * 64
OTHER = "b" * 64


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def cache(runtime: FakeContainerRuntime, said: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[ContainerCache]:
    monkeypatch.setattr(container_cache, "WAIT_SECONDS", 10.0)
    monkeypatch.setattr(container_cache, "AGAIN_SECONDS", 0.0)
    nobody = ContainerRuntime("podman", str(runtime.path.with_name("nobody.sock")))
    cache = ContainerCache([nobody, ContainerRuntime("docker", str(runtime.path))], said.append)
    cache.start()
    yield cache
    cache.close()


def names(cache: ContainerCache, *ids: str) -> list[str]:
    return [cache.look_up(one).name for one in ids]


def test_a_new_container_has_its_name_from_the_beginning(runtime: FakeContainerRuntime, cache: ContainerCache) -> None:
    runtime.containers = [a_container(ID, "web")]
    cache.expect({ID})
    first = cache.look_up(ID)
    runtime.containers.append(a_container(OTHER, "db"))
    cache.expect({ID, OTHER})

    assert names(cache, ID, OTHER) == ["web", "db"]
    assert cache.look_up(ID) is first


def test_runtimes_are_not_asked_again_about_what_they_said(
    runtime: FakeContainerRuntime, cache: ContainerCache
) -> None:
    runtime.containers = [a_container(ID)]
    for _ in range(5):
        cache.expect({ID})

    assert len(runtime.requests) == 1


def test_runtimes_are_asked_a_few_times_about_what_they_do_not_know(
    runtime: FakeContainerRuntime, cache: ContainerCache
) -> None:
    for _ in range(10):
        cache.expect({ID})

    assert len(runtime.requests) == MAX_QUESTIONS
    assert cache.look_up(ID) == ContainerInfo(container_id=ID, tags=(f"container_id:{ID}",))
    assert cache.look_up(ID) is cache.look_up(ID)


def test_without_containers_nobody_is_asked(runtime: FakeContainerRuntime, said: list[str]) -> None:
    cache = ContainerCache([ContainerRuntime("docker", str(runtime.path))], said.append)
    cache.start()
    cache.expect(set())
    cache.close()

    assert runtime.requests == []


def test_a_renamed_container_is_heard_of(
    runtime: FakeContainerRuntime, cache: ContainerCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container_cache, "RENAMED_SECONDS", 0.0)
    runtime.containers = [a_container(ID, "web")]
    cache.expect({ID})
    runtime.containers = [a_container(ID, "shop")]
    cache.expect({ID})

    eventually(lambda: names(cache, ID) == ["shop"])


def test_a_runtime_that_fails_is_said_once_and_what_it_said_holds(
    runtime: FakeContainerRuntime, cache: ContainerCache, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container_cache, "RENAMED_SECONDS", 0.0)
    runtime.containers = [a_container(ID, "web")]
    cache.expect({ID})
    runtime.status = 500
    for count in range(2, 5):
        cache.expect({ID})
        eventually(lambda count=count: len(runtime.requests) >= count)  # type: ignore[misc]

    eventually(lambda: bool(said))
    assert names(cache, ID) == ["web"]
    assert said == ["docker does not say what its containers are: it answers 500"]


def test_a_snapshot_does_not_wait_long_for_a_slow_runtime(
    runtime: FakeContainerRuntime, cache: ContainerCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container_cache, "WAIT_SECONDS", 0.01)
    runtime.containers = [a_container(ID, "web")]
    runtime.gate.clear()
    begun = time.monotonic()
    cache.expect({ID})
    waited = time.monotonic() - begun
    assert names(cache, ID) == [""]
    runtime.gate.set()

    assert waited < 2
    eventually(lambda: names(cache, ID) == ["web"])


def test_a_runtime_that_is_not_there_is_asked_less_and_less(
    tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container_cache, "WAIT_SECONDS", 10.0)
    cache = ContainerCache([ContainerRuntime("docker", str(tmp_path / "none"))], said.append)
    cache.start()
    cache.expect({ID})
    begun = time.monotonic()
    cache.expect({OTHER})  # not due: nobody is asked, and nobody waited for
    waited = time.monotonic() - begun
    cache.close()

    assert waited < 5
    assert said == []
    assert not any(thread.name == "containers" for thread in threading.enumerate())


def test_a_runtime_that_never_answers_keeps_no_other_from_being_asked(
    runtime: FakeContainerRuntime, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container_cache, "WAIT_SECONDS", 10.0)
    monkeypatch.setattr(container_cache, "AGAIN_SECONDS", 0.0)
    with tempfile.TemporaryDirectory(prefix="silent-") as folder:
        silent = socket.socket(socket.AF_UNIX)
        silent.bind(f"{folder}/s")
        silent.listen()  # the kernel takes the connection, and nobody answers
        cache = ContainerCache(
            [ContainerRuntime("podman", f"{folder}/s"), ContainerRuntime("docker", str(runtime.path))], said.append
        )
        cache.start()
        runtime.containers = [a_container(ID, "web")]
        begun = time.monotonic()
        cache.expect({ID})
        runtime.containers.append(a_container(OTHER, "db"))
        cache.expect({ID, OTHER})
        took = time.monotonic() - begun
        found = names(cache, ID, OTHER)
        cache.close()
        silent.close()

    assert found == ["web", "db"]
    assert took < 2  # and not the three seconds that the other is given
