from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from procession.agent.read import lookups
from procession.agent.read.lookups import MAX_AT_ONCE, MAX_THREADS, Lookups
from tests.support.running import eventually

LONG = 30.0
"""Seconds that nobody waits in a test that passes."""


class Directory:
    """A directory server: answers at once, or, for those numbers that hang, when somebody lets it."""

    def __init__(self) -> None:
        self.names: dict[int, str] = {}
        self.hanging: set[int] = set()
        self.answers = threading.Event()
        self.asked: list[int] = []

    def ask(self, number: int) -> str:
        self.asked.append(number)
        if number in self.hanging:
            self.answers.wait(LONG)
        return self.names.get(number, "")


@pytest.fixture
def directory() -> Iterator[Directory]:
    directory = Directory()
    yield directory
    directory.answers.set()


def test_a_quick_answer_is_there_at_once(directory: Directory) -> None:
    directory.names = {7: "seven"}
    names = Lookups(directory.ask, wait_seconds=LONG)

    names.expect({7, 8}, 0.0)

    assert (names.get(7), names.get(8), names.get(9)) == ("seven", "", "")
    assert names.version == 1


def test_nobody_waits_for_a_slow_answer_and_it_is_known_when_it_comes(directory: Directory) -> None:
    directory.names, directory.hanging = {7: "seven"}, {7}
    names = Lookups(directory.ask, wait_seconds=0.01)

    begun = time.monotonic()
    for moment in range(100):
        names.expect({7}, float(moment))
    took = time.monotonic() - begun
    before = (names.get(7), names.version)
    directory.answers.set()

    assert took < 5
    assert before == ("", 0)
    eventually(lambda: names.get(7) == "seven")
    assert names.version == 1
    assert directory.asked == [7]


def test_it_is_waited_for_in_vain_once_only(directory: Directory) -> None:
    directory.hanging = set(range(50))
    names = Lookups(directory.ask, wait_seconds=0.2)

    begun = time.monotonic()
    for number in range(50):
        names.expect({number}, 0.0)
    took = time.monotonic() - begun

    assert took < 5  # and not 50 times 0.2 s


def test_those_that_hang_keep_nobody_from_being_asked_for(
    directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookups, "HANGS_AFTER", 0.0)
    directory.hanging = set(range(MAX_AT_ONCE * 2))
    directory.names = {100: "hundred"}
    names = Lookups(directory.ask, wait_seconds=0.0)

    names.expect(directory.hanging, 0.0)
    eventually(lambda: names.expect({100}, 0.0) or names.get(100) == "hundred")  # type: ignore[func-returns-value]

    assert not directory.answers.is_set()


def test_only_so_many_may_hang(directory: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookups, "HANGS_AFTER", 0.0)
    directory.hanging = set(range(200))
    directory.names = {number: f"user{number}" for number in range(200)}
    names = Lookups(directory.ask, wait_seconds=0.0)
    of_others = set(threading.enumerate())

    for _ in range(100):
        names.expect(range(200), 0.0)
    eventually(lambda: len(directory.asked) == MAX_THREADS)
    threads = sum(thread.name == "names" for thread in set(threading.enumerate()) - of_others)
    directory.answers.set()

    assert threads <= MAX_THREADS
    eventually(lambda: all(names.get(number) for number in range(200)))
    assert sorted(directory.asked) == list(range(200))


def test_a_name_is_asked_for_again_after_a_while_and_kept_meanwhile(directory: Directory) -> None:
    directory.names = {7: "seven"}
    names = Lookups(directory.ask, keep_seconds=100, wait_seconds=LONG)
    names.expect({7}, 0.0)
    directory.names = {7: "seben"}

    names.expect({7}, 99.0)
    still = names.get(7)
    names.expect({7}, 100.0)

    assert still == "seven"
    eventually(lambda: names.get(7) == "seben")
    directory.names = {}  # the directory cannot be reached, or has no such user any more
    names.expect({7}, 200.0)
    eventually(lambda: len(directory.asked) == 3)
    assert (names.get(7), names.version) == ("seben", 2)


def test_a_number_without_a_name_is_asked_for_less_and_less(directory: Directory) -> None:
    names = Lookups(directory.ask, keep_seconds=600, wait_seconds=LONG)
    asked_at = []

    for moment in range(0, 3000, 10):
        before = len(directory.asked)
        names.expect({7}, float(moment))
        eventually(lambda: not names._is_asking([7]))
        if len(directory.asked) > before:
            asked_at.append(moment)

    assert asked_at == [0, 60, 180, 420, 900, 1500, 2100, 2700]


def test_an_error_is_no_name(directory: Directory) -> None:
    def fail(number: int) -> str:
        raise OSError(number)

    names = Lookups(fail, wait_seconds=LONG)
    names.expect({7}, 0.0)

    assert names.get(7) == ""


def test_no_more_names_are_remembered_than_there_is_room_for(
    directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookups, "MAX_KNOWN", 10)
    directory.names = {number: f"user{number}" for number in range(30)}
    names = Lookups(directory.ask, wait_seconds=LONG)

    names.expect(range(8), 0.0)
    names.expect(range(8, 16), 0.0)
    names.expect(range(30), 0.0)  # more than there is room for, at one time

    assert sum(bool(names.get(number)) for number in range(30)) <= 10
    assert sum(bool(names.get(number)) for number in range(30)) >= 8


def test_a_slow_directory_is_said_once(directory: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookups, "SLOW_SECONDS", 0.0)
    directory.hanging = {7}
    said: list[str] = []
    names = Lookups(directory.ask, wait_seconds=0.0, say_slow=lambda: said.append("slow"))

    names.expect({7}, 0.0)
    for _ in range(5):
        time.sleep(0)
        names.expect({7}, 0.0)

    assert said == ["slow"]
