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
from procession.agent.read.container_engines import Engine
from procession.wire.datadog import ContainerInfo
from tests.support.engine import FakeEngine, a_container
from tests.support.running import eventually

ID = "a" * 64
OTHER = "b" * 64


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def book(engine: FakeEngine, said: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[ContainerCache]:
    monkeypatch.setattr(container_cache, "WAIT_SECONDS", 10.0)
    monkeypatch.setattr(container_cache, "AGAIN_SECONDS", 0.0)
    nobody = Engine("podman", str(engine.path.with_name("nobody.sock")))
    book = ContainerCache([nobody, Engine("docker", str(engine.path))], said.append)
    book.start()
    yield book
    book.close()


def names(book: ContainerCache, *ids: str) -> list[str]:
    return [book.look_up(one).name for one in ids]


def test_a_new_container_has_its_name_from_the_beginning(engine: FakeEngine, book: ContainerCache) -> None:
    engine.containers = [a_container(ID, "web")]
    book.expect({ID})
    first = book.look_up(ID)
    engine.containers.append(a_container(OTHER, "db"))
    book.expect({ID, OTHER})

    assert names(book, ID, OTHER) == ["web", "db"]
    assert book.look_up(ID) is first


def test_engines_are_not_asked_again_about_what_they_said(engine: FakeEngine, book: ContainerCache) -> None:
    engine.containers = [a_container(ID)]
    for _ in range(5):
        book.expect({ID})

    assert len(engine.requests) == 1


def test_engines_are_asked_a_few_times_about_what_they_do_not_know(engine: FakeEngine, book: ContainerCache) -> None:
    for _ in range(10):
        book.expect({ID})

    assert len(engine.requests) == MAX_QUESTIONS
    assert book.look_up(ID) == ContainerInfo(container_id=ID, tags=(f"container_id:{ID}",))
    assert book.look_up(ID) is book.look_up(ID)


def test_without_containers_nobody_is_asked(engine: FakeEngine, said: list[str]) -> None:
    book = ContainerCache([Engine("docker", str(engine.path))], said.append)
    book.start()
    book.expect(set())
    book.close()

    assert engine.requests == []


def test_a_renamed_container_is_heard_of(
    engine: FakeEngine, book: ContainerCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container_cache, "RENAMED_SECONDS", 0.0)
    engine.containers = [a_container(ID, "web")]
    book.expect({ID})
    engine.containers = [a_container(ID, "shop")]
    book.expect({ID})

    eventually(lambda: names(book, ID) == ["shop"])


def test_an_engine_that_fails_is_said_once_and_what_it_said_holds(
    engine: FakeEngine, book: ContainerCache, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container_cache, "RENAMED_SECONDS", 0.0)
    engine.containers = [a_container(ID, "web")]
    book.expect({ID})
    engine.status = 500
    for count in range(2, 5):
        book.expect({ID})
        eventually(lambda count=count: len(engine.requests) >= count)  # type: ignore[misc]

    eventually(lambda: bool(said))
    assert names(book, ID) == ["web"]
    assert said == ["docker does not say what its containers are: it answers 500"]


def test_a_snapshot_does_not_wait_long_for_a_slow_engine(
    engine: FakeEngine, book: ContainerCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container_cache, "WAIT_SECONDS", 0.01)
    engine.containers = [a_container(ID, "web")]
    engine.gate.clear()
    begun = time.monotonic()
    book.expect({ID})
    waited = time.monotonic() - begun
    assert names(book, ID) == [""]
    engine.gate.set()

    assert waited < 2
    eventually(lambda: names(book, ID) == ["web"])


def test_an_engine_that_is_not_there_is_asked_less_and_less(
    tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container_cache, "WAIT_SECONDS", 10.0)
    book = ContainerCache([Engine("docker", str(tmp_path / "none"))], said.append)
    book.start()
    book.expect({ID})
    begun = time.monotonic()
    book.expect({OTHER})  # not due: nobody is asked, and nobody waited for
    waited = time.monotonic() - begun
    book.close()

    assert waited < 5
    assert said == []
    assert not any(thread.name == "containers" for thread in threading.enumerate())


def test_an_engine_that_never_answers_keeps_no_other_from_being_asked(
    engine: FakeEngine, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container_cache, "WAIT_SECONDS", 10.0)
    monkeypatch.setattr(container_cache, "AGAIN_SECONDS", 0.0)
    with tempfile.TemporaryDirectory(prefix="silent-") as folder:
        silent = socket.socket(socket.AF_UNIX)
        silent.bind(f"{folder}/s")
        silent.listen()  # the kernel takes the connection, and nobody answers
        book = ContainerCache([Engine("podman", f"{folder}/s"), Engine("docker", str(engine.path))], said.append)
        book.start()
        engine.containers = [a_container(ID, "web")]
        begun = time.monotonic()
        book.expect({ID})
        engine.containers.append(a_container(OTHER, "db"))
        book.expect({ID, OTHER})
        took = time.monotonic() - begun
        found = names(book, ID, OTHER)
        book.close()
        silent.close()

    assert found == ["web", "db"]
    assert took < 2  # and not the three seconds that the other is given
