"""One moment without writers: who writes is waited for, who comes waits."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from procession.storage.history.engine.write_gate import WriteGate

SECONDS = 30


def test_the_gate_waits_for_writers_and_writers_for_the_gate() -> None:
    gate, order = WriteGate(), list[str]()
    is_written, is_writing, is_shut, may_open = (threading.Event() for _ in range(4))

    def write_first() -> None:
        with gate.writing():
            is_writing.set()
            assert is_written.wait(SECONDS)
            order.append("first")

    def shut() -> None:
        with gate.shut():
            order.append("shut")
            is_shut.set()
            assert may_open.wait(SECONDS)
            order.append("open")

    def write_second() -> None:
        with gate.writing():
            order.append("second")

    with ThreadPoolExecutor(3) as threads:
        first = threads.submit(write_first)
        assert is_writing.wait(SECONDS)
        shutting = threads.submit(shut)
        is_written.set()
        assert is_shut.wait(SECONDS)
        second = threads.submit(write_second)
        may_open.set()
        for one in (first, shutting, second):
            one.result(SECONDS)

    assert order == ["first", "shut", "open", "second"]


def test_who_has_shut_it_writes_and_may_shut_it_again() -> None:
    gate = WriteGate()

    with gate.shut(), gate.shut(), gate.writing():
        pass

    with ThreadPoolExecutor(1) as threads:
        threads.submit(gate.writing().__enter__).result(SECONDS)


def test_an_error_leaves_it_open() -> None:
    gate = WriteGate()

    for enter in (gate.shut, gate.writing):
        with pytest.raises(ValueError, match="no reason"), enter():
            raise ValueError("no reason")

    with gate.shut(), gate.writing():
        pass
