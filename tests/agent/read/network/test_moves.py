"""Who has gone to another network namespace, and how many are asked to know that."""

from __future__ import annotations

from typing import Any

from procession.agent.read.network.moves import MOST_AT_ONCE, NetworkMoves


class FakeHandle:
    def __init__(self, pid: int, namespace: str = "net:[1]") -> None:
        self.pid, self.namespace = pid, namespace
        self.asked = 0

    def link(self, name: str) -> str:
        assert name == "ns/net"
        self.asked += 1
        return self.namespace


def moves_of(*handles: Any) -> NetworkMoves:
    moves = NetworkMoves()
    for handle in handles:
        moves.note(handle)
        handle.asked = 0
    return moves


def run(moves: NetworkMoves, *handles: Any) -> list[Any]:
    for handle in handles:
        moves.see(handle)
    return list(moves.look())


def test_one_that_has_gone_is_told_once() -> None:
    one, other = FakeHandle(1), FakeHandle(2)
    moves = moves_of(one, other)
    one.namespace = "net:[2]"

    assert run(moves, one, other) == [one]
    assert run(moves, one, other) == []


def test_one_that_has_not_run_is_not_asked() -> None:
    one, other = FakeHandle(1), FakeHandle(2)
    moves = moves_of(one, other)

    run(moves, one)
    run(moves)

    assert (one.asked, other.asked) == (1, 0)


def test_one_that_cannot_be_seen_any_more_is_told_and_so_is_one_that_can() -> None:
    gone, come = FakeHandle(1), FakeHandle(2, "")
    moves = moves_of(gone, come)
    gone.namespace, come.namespace = "", "net:[1]"

    assert run(moves, gone, come) == [gone, come]


def test_those_for_whom_there_was_no_time_are_asked_first_in_the_next_look() -> None:
    handles = [FakeHandle(pid) for pid in range(1, MOST_AT_ONCE + 3)]
    moves = moves_of(*handles)
    for handle in handles:
        handle.namespace = "net:[2]"

    assert run(moves, *handles) == handles[:MOST_AT_ONCE]
    assert run(moves, *handles[: MOST_AT_ONCE - 1]) == handles[MOST_AT_ONCE:]
    assert sum(handle.asked for handle in handles) == 2 * MOST_AT_ONCE


def test_one_that_is_gone_is_not_asked() -> None:
    one = FakeHandle(1)
    moves = moves_of(one)
    moves.see(one)  # type: ignore[arg-type]
    moves.forget(1)

    assert moves.look() == []
    assert one.asked == 0
