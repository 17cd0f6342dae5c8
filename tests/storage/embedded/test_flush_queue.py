"""What waits for its flush."""

from __future__ import annotations

import threading

import msgspec
import pytest

from procession.errors import Unavailable
from procession.lifecycle.events import ProcessExit, ProcessExits
from procession.packed import Listing, PackedSnapshot, pack
from procession.process import LiveSnapshot, ProcessDescription, Sighting, Snapshot
from procession.storage.embedded.flush_queue import FlushQueue
from procession.window import Window

AT = 1_700_000_000
ORG, OTHER = 1, 2


def a_queue(max_weight: int = 1000) -> FlushQueue:
    return FlushQueue(max_weight=max_weight, max_characters=10_000)


def a_chunk(at: int = AT, sightings: int = 10) -> PackedSnapshot:
    described = ProcessDescription(cmdline="sleep 9")
    return pack(
        Snapshot(host="web-1", taken_at=at, sightings=tuple(Sighting(n + 1, at, described) for n in range(sightings)))
    )


def exits(at: int) -> ProcessExits:
    return ProcessExits("web-1", (ProcessExit(pid=1, at=at, exit_code=0, description=ProcessDescription()),))


def concerned(queue: FlushQueue, since: int, until: int, org_id: int = ORG) -> bool:
    return queue.concerns(org_id, Window(since, until), queue.put_count)


def test_a_question_concerns_what_waits_of_its_org_and_of_its_time() -> None:
    queue = a_queue()
    queue.put(1, ORG, a_chunk(AT))
    queue.put(2, ORG, exits(AT - 100))

    assert concerned(queue, 0, AT)
    assert concerned(queue, 0, AT - 100)
    assert not concerned(queue, 0, AT - 101)
    assert not concerned(queue, AT - 99, AT - 1)
    assert not concerned(queue, AT + 1, AT + 9)
    assert not concerned(queue, 0, AT, OTHER)


def test_a_question_concerns_nothing_that_came_after_it() -> None:
    queue = a_queue()
    queue.put(1, ORG, a_chunk(AT - 50))
    asked = queue.put_count
    queue.put(2, ORG, a_chunk(AT))

    assert not queue.concerns(ORG, Window(AT, AT), asked)
    queue.drop(queue.first(15, 10_000, until=1).items)
    assert not queue.concerns(ORG, Window(0, AT), asked)
    assert queue.concerns(ORG, Window(0, AT), queue.put_count)


def test_what_comes_late_is_remembered_though_it_was_flushed() -> None:
    queue = a_queue()
    asked = queue.put_count
    queue.put(1, ORG, a_chunk(AT))
    assert not queue.has_come_late(ORG, AT - 1, asked)

    queue.put(2, ORG, a_chunk(AT - 50))
    queue.drop(queue.first(100, 10_000, until=2).items)

    assert queue.has_come_late(ORG, AT - 1, asked)
    assert not queue.has_come_late(OTHER, AT - 1, asked)
    assert not queue.has_come_late(ORG, AT - 1, queue.put_count)


def test_after_very_much_has_come_something_of_it_may_have_been_late() -> None:
    queue = a_queue()
    for sequence in range(1, 10_003):
        queue.put(sequence, ORG, exits(AT))

    assert queue.has_come_late(ORG, AT - 1, 0)
    assert not queue.has_come_late(ORG, AT - 1, 2)


def test_what_was_flushed_concerns_nobody() -> None:
    queue = a_queue()
    queue.put(1, ORG, a_chunk(AT - 50))
    queue.put(2, ORG, a_chunk(AT))

    queue.drop(queue.first(15, 10_000, until=2).items)

    assert not concerned(queue, 0, AT - 1)
    assert concerned(queue, 0, AT)


def test_pieces_come_in_order_and_hold_no_more_than_was_asked_for() -> None:
    queue = a_queue()
    for sequence in range(1, 8):
        queue.put(sequence, ORG, a_chunk(AT + sequence))
    taken: list[list[int]] = []

    while (piece := queue.first(40, 10_000, until=6)).items:
        taken.append([one.sequence for one in piece.items])
        queue.drop(piece.items)

    assert taken == [[1, 2], [3, 4], [5, 6]]
    assert concerned(queue, 0, AT + 7)


def test_a_piece_holds_one_item_however_large() -> None:
    queue = a_queue()
    queue.put(1, ORG, a_chunk(sightings=500))

    assert len(queue.first(1, 1, until=1).items) == 1


def test_a_piece_is_told_by_what_it_holds() -> None:
    queue = a_queue()
    live = LiveSnapshot(host="web-1", taken_at=AT, processes=())
    queue.put(1, ORG, a_chunk())
    queue.put(2, OTHER, exits(AT))
    queue.put_live(ORG, live)

    piece = queue.first(1000, 10_000, until=2)

    assert piece.snapshots == [(ORG, a_chunk())]
    assert piece.exits == [(OTHER, exits(AT))]
    assert piece.live == [(ORG, live)]


def test_too_much_of_it_is_refused() -> None:
    queue = a_queue(max_weight=20)
    queue.put(1, ORG, a_chunk())
    queue.check_space()
    queue.put(2, ORG, a_chunk())

    with pytest.raises(Unavailable):
        queue.check_space()


def test_who_waits_is_woken_by_weight_and_by_the_end() -> None:
    queue = a_queue()
    woken: list[bool] = []
    waiter = threading.Thread(target=lambda: woken.append(queue.wait(3600, 12, longest=3600)))
    waiter.start()
    queue.put(1, ORG, a_chunk())
    waiter.join(30)
    queue.drop(queue.first(100, 1000, until=1).items)

    closer = threading.Thread(target=lambda: woken.append(queue.wait(3600, 12, longest=3600)))
    closer.start()
    queue.close()
    closer.join(30)

    assert woken == [True, False]


def test_nobody_waits_longer_than_what_came_first_may() -> None:
    queue = a_queue()
    queue.put(1, ORG, a_chunk(sightings=0))

    assert queue.wait(0.01, 1000, longest=3600)
    assert a_queue().wait(3600, 1000, longest=0.01)


@pytest.mark.parametrize(
    ("pid", "exit_at", "pieces"),
    [
        pytest.param(1, AT - 1, [[1, 2], [3, 4]], id="its process was seen after it"),
        pytest.param(1, AT + 15, [[1, 2, 3, 4]], id="after all that was seen"),
        pytest.param(99, AT - 1, [[1, 2, 3, 4]], id="of another process"),
    ],
)
def test_exits_do_not_overtake_a_later_sighting_under_their_pid(
    pid: int, exit_at: int, pieces: list[list[int]]
) -> None:
    queue = a_queue()
    ended = ProcessExit(pid=pid, at=exit_at, exit_code=0, description=ProcessDescription())
    queue.put(1, ORG, a_chunk(AT - 10))
    queue.put(2, ORG, a_chunk(AT))
    queue.put(3, ORG, ProcessExits("web-1", (ended,)))
    queue.put(4, ORG, a_chunk(AT + 10))

    taken: list[list[int]] = []
    while items := queue.first(1000, 10_000, until=4).items:
        queue.drop(items)
        taken.append([item.sequence for item in items])

    assert taken == pieces


@pytest.mark.parametrize("moments", [(AT - 1, AT + 15), (AT + 15, AT - 1)])
def test_the_earliest_of_several_exits_under_a_pid_does_not_overtake_a_later_sighting(moments: tuple[int, ...]) -> None:
    queue = a_queue()
    queue.put(1, ORG, a_chunk(AT))
    ended = (ProcessExit(pid=1, at=at, exit_code=0, description=ProcessDescription()) for at in moments)
    queue.put(2, ORG, ProcessExits("web-1", tuple(ended)))

    assert [item.sequence for item in queue.first(1000, 10_000, until=2).items] == [1]


def test_exits_overtake_a_later_sighting_under_their_pid_on_another_host_or_of_another_org() -> None:
    queue = a_queue()
    queue.put(1, ORG, msgspec.structs.replace(a_chunk(AT), host="web-2"))
    queue.put(2, OTHER, a_chunk(AT))
    queue.put(3, ORG, exits(AT - 1))

    assert [item.sequence for item in queue.first(1000, 10_000, until=3).items] == [1, 2, 3]


def test_a_piece_looks_at_each_snapshot_once_however_many_exits_come_between_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks: list[Listing] = []
    pids = Listing.pids.__get__

    def counted(listing: Listing) -> object:
        looks.append(listing)
        return pids(listing)

    monkeypatch.setattr(Listing, "pids", property(counted))
    queue = FlushQueue(max_weight=10**6, max_characters=10**6)
    of_another = ProcessExit(pid=99, at=AT - 1, exit_code=0, description=ProcessDescription())
    for number in range(100):
        queue.put(2 * number, ORG, a_chunk(AT + number, sightings=3))
        queue.put(2 * number + 1, ORG, ProcessExits("web-1", (of_another,)))

    assert len(queue.first(10**6, 10**6, until=200).items) == 200
    assert len(looks) == 100


def test_who_hurries_ends_one_wait_and_no_other() -> None:
    queue = a_queue()
    queue.hurry()

    assert queue.wait(60, 1000, longest=60)

    waiting = threading.Thread(target=queue.wait, args=(60, 1000), kwargs={"longest": 60})
    waiting.start()
    assert waiting.is_alive()
    queue.hurry()
    waiting.join(30)
    assert not waiting.is_alive()
