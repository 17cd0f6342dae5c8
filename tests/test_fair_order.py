from __future__ import annotations

from procession.fair_order import RoundRobin

GREEDY, MODEST = 1, 2


def filled(*items: tuple[int, str]) -> RoundRobin[str]:
    queue: RoundRobin[str] = RoundRobin()
    for org_id, item in items:
        queue.put(org_id, item)
    return queue


def turns_of(queue: RoundRobin[str]) -> list[str]:
    found = []
    while (turn := queue.take_turn()) is not None:
        found.append(turn[1])
    return found


def test_orgs_take_turns_and_what_came_first_of_an_org_goes_first() -> None:
    queue = filled((GREEDY, "a"), (GREEDY, "b"), (GREEDY, "c"), (MODEST, "x"), (3, "z"))

    assert turns_of(queue) == ["a", "x", "z", "b", "c"]
    assert not queue


def test_an_org_that_comes_anew_has_the_last_turn() -> None:
    queue = filled((GREEDY, "a"), (MODEST, "x"), (MODEST, "y"))

    assert queue.take_turn() == (GREEDY, "a")
    queue.put(GREEDY, "b")

    assert list(queue) == [MODEST, GREEDY]
    assert turns_of(queue) == ["x", "b", "y"]


def test_an_org_that_may_take_nothing_keeps_its_turn() -> None:
    queue = filled((GREEDY, "a"), (GREEDY, "b"), (MODEST, "x"), (MODEST, "y"))

    assert queue.take_turn(lambda org_id: org_id != GREEDY) == (MODEST, "x")
    assert queue.take_turn(lambda _: False) is None

    assert turns_of(queue) == ["a", "y", "b"]


def test_items_are_taken_out_of_turn_from_both_ends() -> None:
    queue = filled((GREEDY, "a"), (GREEDY, "b"), (GREEDY, "c"), (MODEST, "x"))

    assert queue.take_newest(GREEDY) == "c"
    assert queue.first(GREEDY) == "a"
    assert queue.take(GREEDY) == "a"
    assert list(queue) == [GREEDY, MODEST]
    queue.end_turn(GREEDY)
    queue.end_turn(3)

    assert turns_of(queue) == ["x", "b"]


def test_what_is_removed_waits_no_more_and_an_org_without_any_is_forgotten() -> None:
    queue = filled((GREEDY, "a"), (GREEDY, "b"), (MODEST, "x"))

    assert queue.remove(GREEDY, "a")
    assert not queue.remove(GREEDY, "a")
    assert queue.remove(MODEST, "x")
    assert not queue.remove(MODEST, "x")

    assert (queue.count(GREEDY), queue.count(MODEST)) == (1, 0)
    assert GREEDY in queue
    assert MODEST not in queue
