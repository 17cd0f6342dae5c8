from __future__ import annotations

import threading
import time

from procession.agent.send.handoff import MOST_WAITING, Handoff
from tests.support.running import eventually


def test_everything_is_taken_in_order_and_the_end_comes_last() -> None:
    taken: list[object] = []
    handoff: Handoff[object] = Handoff(taken.append, lambda: taken.append("end"))
    handoff.start()

    for number in range(1000):
        handoff.put(number)
    handoff.close()
    handoff.join(30)

    assert taken == [*range(1000), "end"]
    assert handoff.left_out == 0
    assert handoff.is_empty


def test_whoever_gives_does_not_wait_for_one_who_hangs() -> None:
    taken: list[int] = []
    disk = threading.Event()

    def write(number: int) -> None:
        assert disk.wait(60)
        taken.append(number)

    handoff = Handoff(write, lambda: None)
    handoff.start()
    begun = time.monotonic()
    for number in range(100):
        handoff.put(number)
    took = time.monotonic() - begun
    is_behind = not handoff.is_empty
    disk.set()
    eventually(lambda: handoff.is_empty)

    assert took < 5
    assert is_behind
    assert taken == [0, *range(100 - MOST_WAITING, 100)]
    assert handoff.left_out == 99 - MOST_WAITING
    handoff.close()


def test_a_bug_is_kept_for_who_asks() -> None:
    ended = threading.Event()

    def fail(number: int) -> None:
        raise ZeroDivisionError(number)

    handoff = Handoff(fail, ended.set)
    handoff.start()
    handoff.put(1)

    assert ended.wait(30)
    assert isinstance(handoff.failure, ZeroDivisionError)
