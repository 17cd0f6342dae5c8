"""Flushes: what fails stays, and what can never be stored holds up nothing else."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

import pytest

from procession.containers.container import ContainerSnapshot
from procession.errors import Unavailable
from procession.lifecycle.events import ProcessExit, ProcessExits
from procession.packed import AnySnapshot, pack
from procession.process import LiveSnapshot, ProcessDescription, Sighting, Snapshot
from procession.storage.embedded.flush_queue import FlushQueue
from procession.storage.embedded.flusher import Flusher
from procession.window import Window
from tests.support.stores.oracle import OracleStore

AT = 1_700_000_000
ORG = 1


class Target(OracleStore):
    """Keeps what it is given in order, and refuses what it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.order: list[str] = []
        self.is_down = False
        self.poison = ""
        """A host whose chunks cannot be stored."""

    def add(self, snapshots: Sequence[tuple[int, AnySnapshot]]) -> None:
        if self.is_down or any(snapshot.host == self.poison for _, snapshot in snapshots):
            raise Unavailable("The store cannot do this now")
        self.order.append("snapshots")
        super().add(snapshots)

    def add_exits(self, exits: Sequence[tuple[int, ProcessExits]]) -> None:
        if any(of_host.host == self.poison for _, of_host in exits):
            raise TypeError("what is this?")
        self.order.append("exits")
        super().add_exits(exits)

    def add_live(self, live: Sequence[tuple[int, LiveSnapshot]]) -> None:
        self.order.append("live")
        super().add_live(live)

    def add_containers(self, snapshots: Sequence[tuple[int, ContainerSnapshot]]) -> None:
        self.order.append("containers")
        self.containers.add(snapshots)


class Room:
    def __init__(self) -> None:
        self.queue = FlushQueue(max_weight=10**6, max_characters=10**9)
        self.target = Target()
        self.flushed: list[int] = []
        self.clock = 1000.0
        self.flusher = Flusher(self.queue, self.target, self.flushed.append, lambda: self.clock)
        self._sequence = 0

    def put(self, host: str = "web-1") -> None:
        self._sequence += 1
        snapshot = Snapshot(
            host=host, taken_at=AT, sightings=(Sighting(7, AT, ProcessDescription()),), request_id=self._sequence
        )
        self.queue.put(self._sequence, ORG, pack(snapshot))

    def put_exits(self, host: str = "web-1") -> None:
        self._sequence += 1
        one = ProcessExit(pid=7, at=AT, exit_code=0, description=ProcessDescription())
        self.queue.put(self._sequence, ORG, ProcessExits(host, (one,)))

    def stored_hosts(self) -> set[str]:
        return {snapshot.host for snapshot in self.target.snapshots(ORG)}


def test_all_that_waited_is_stored_and_told_once() -> None:
    room = Room()
    room.put("web-1")
    room.put("web-2")

    room.flusher.flush()
    room.flusher.flush()

    assert room.stored_hosts() == {"web-1", "web-2"}
    assert room.flushed == [2]


def test_exits_are_stored_before_the_snapshots_that_came_with_them() -> None:
    room = Room()
    room.put()
    room.put_exits()

    room.flusher.flush()

    assert room.target.order == ["exits", "snapshots"]


def test_what_fails_stays_and_is_stored_later(caplog: pytest.LogCaptureFixture) -> None:
    room = Room()
    room.target.is_down = True
    room.put()
    with pytest.raises(Unavailable):
        room.flusher.flush()
    assert not room.flusher.flush_in_background()
    assert [one.msg for one in caplog.records if one.levelno >= logging.WARNING]
    assert (room.flushed, room.stored_hosts()) == ([], set())

    room.target.is_down = False

    assert room.flusher.flush_in_background()
    assert (room.flushed, room.stored_hosts()) == ([1], {"web-1"})


def test_a_store_that_is_down_for_long_loses_nothing() -> None:
    room = Room()
    room.target.is_down = True
    for host in "abcdefg":
        room.put(host)
    for _ in range(10):
        assert not room.flusher.flush_in_background()

    room.target.is_down = False
    room.flusher.flush()

    assert room.stored_hosts() == set("abcdefg")


def test_a_chunk_that_cannot_be_stored_does_not_hold_up_the_others(caplog: pytest.LogCaptureFixture) -> None:
    room = Room()
    room.target.poison = "bad"
    for host in ("good", "bad", "better"):
        room.put(host)
    while not room.flusher.flush_in_background():
        pass

    assert room.stored_hosts() == {"good", "better"}
    assert room.flushed == [3]
    assert "chunk-lost" in [
        getattr(one, "args", {}).get("event") for one in caplog.records if isinstance(one.args, dict)
    ]


def test_exits_that_cannot_be_stored_hold_up_nothing_either(caplog: pytest.LogCaptureFixture) -> None:
    room = Room()
    room.target.poison = "bad"
    room.put_exits("bad")
    room.put_exits("good")
    room.put("web-1")

    assert room.flusher.flush_in_background()

    assert room.stored_hosts() == {"web-1"}
    assert room.target.order == ["exits", "snapshots"]
    assert room.flushed == [3]
    assert "chunk-lost" in [one.args.get("event") for one in caplog.records if isinstance(one.args, dict)]


def test_a_failure_that_nobody_expects_ends_no_thread() -> None:
    room = Room()
    room.target.poison = "bad"
    room.put_exits("bad")

    assert not room.flusher.flush_in_background()
    assert room.flushed == []

    room.target.poison = ""
    assert room.flusher.flush_in_background()
    assert room.flushed == [1]


WHOLE = Window(0, AT)


def test_a_question_flushes_only_what_it_is_about() -> None:
    room = Room()
    room.put()

    room.flusher.flush_what_concerns(ORG, Window(0, AT - 1))
    room.flusher.flush_what_concerns(ORG, Window(AT + 1, AT + 60))
    room.flusher.flush_what_concerns(ORG + 1, WHOLE)
    assert room.flushed == []

    room.flusher.flush_what_concerns(ORG, WHOLE)
    room.flusher.flush_what_concerns(ORG, WHOLE)
    assert room.flushed == [1]
    assert room.flusher.counts.forced_count == 1


class Hurrying(FlushQueue):
    """Whoever waits for a flush waits by the clock of the room, and not in vain."""

    room: Room
    waited: float = 0.0

    def wait_for_flush(self, seconds: float) -> None:
        self.waited += seconds
        self.room.clock += seconds


def hurried() -> tuple[Room, Hurrying]:
    room = Room()
    queue = Hurrying(max_weight=10**6, max_characters=10**9)
    queue.room = room
    room.queue = queue
    room.flusher = Flusher(queue, room.target, room.flushed.append, lambda: room.clock)
    return room, queue


def test_questions_cause_no_more_than_one_flush_in_ten_seconds() -> None:
    room, queue = hurried()
    begun_at = room.clock

    for _ in range(50):
        room.put()
        room.flusher.flush_what_concerns(ORG, WHOLE)
        assert not queue.concerns(ORG, WHOLE, queue.put_count), "the answer has all that was acknowledged"
        room.clock += 0.5

    assert room.clock - begun_at >= 49 * 10
    assert room.flusher.counts.forced_count <= (room.clock - begun_at) / 10 + 1


def test_questions_that_are_seldom_wait_for_nothing() -> None:
    room, queue = hurried()
    for _ in range(5):
        room.put()
        room.flusher.flush_what_concerns(ORG, WHOLE)
        room.clock += 10

    assert room.flusher.counts.forced_count == 5
    assert queue.waited == 0


def test_a_question_that_waits_goes_on_when_the_next_flush_is_over() -> None:
    room = Room()
    room.put()
    room.flusher.flush_what_concerns(ORG, WHOLE)
    room.put()
    is_waiting, flushed = threading.Event(), room.queue.wait_for_flush

    def wait(seconds: float) -> None:
        is_waiting.set()
        flushed(seconds)

    room.queue.wait_for_flush = wait  # type: ignore[method-assign]
    asking = threading.Thread(target=room.flusher.flush_what_concerns, args=(ORG, WHOLE))
    asking.start()
    assert is_waiting.wait(10)
    while asking.is_alive():
        room.flusher.flush()
        room.put()
        asking.join(0.01)

    assert room.flusher.counts.forced_count == 1


def test_a_question_does_not_wait_for_a_history_that_takes_nothing() -> None:
    room = Room()
    room.target.is_down = True
    room.put()

    for _ in range(3):
        with pytest.raises(Unavailable):
            room.flusher.flush_what_concerns(ORG, WHOLE)
    assert room.flusher.counts.forced_count == 1
    room.clock += 10
    room.target.is_down = False
    room.flusher.flush_what_concerns(ORG, WHOLE)
    assert room.flushed == [1]
