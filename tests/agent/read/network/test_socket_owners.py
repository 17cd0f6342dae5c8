"""Who has which socket, and how many files are looked at to know that."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from procession.agent.read.network.socket_owners import AGAIN_EVERY, FILES_AT_ONCE, SocketOwners


class FakeHandle:
    def __init__(self, pid: int, *sockets: int, files: int = 10) -> None:
        self.pid = pid
        self.ran_at = 0
        self.held: frozenset[int] | None = frozenset(sockets)
        self.files = self.open_files = files
        self.looks = 0

    def sockets(self, most: int) -> tuple[int, frozenset[int] | None]:
        assert most > 0
        self.looks += 1
        return self.files, self.held


def owners_of(*handles: FakeHandle) -> SocketOwners:
    owners = SocketOwners()
    for handle in handles:
        owners.note(_as_handle(handle))
    return owners


def _as_handle(handle: FakeHandle) -> Any:
    return handle


def test_a_process_that_is_new_is_looked_at_once() -> None:
    one, other = FakeHandle(1, 11, 12), FakeHandle(2)
    owners = owners_of(one, other)
    assert not owners.is_known(1)

    for number in (1, 2, 3):
        owners.look([11, 12], number)

    assert (owners.of(11), owners.of(12), owners.of(13)) == ((1,), (1,), ())
    assert owners.is_known(1)
    assert owners.is_known(2)
    assert (one.looks, other.looks) == (1, 1)


def test_a_new_socket_is_searched_for_among_those_that_have_run() -> None:
    one, other = FakeHandle(1, 11), FakeHandle(2, 21)
    owners = owners_of(one, other)
    owners.look([11, 21], 1)
    other.held, other.ran_at = frozenset({21, 22}), 2

    owners.look([11, 21, 22], 2)

    assert owners.of(22) == (2,)
    assert (one.looks, other.looks) == (1, 2)


def test_what_a_process_had_before_it_was_a_connection_is_known_without_a_search() -> None:
    one = FakeHandle(1, 11)
    owners = owners_of(one)
    owners.look([], 1)
    one.ran_at = 2

    owners.look([11], 2)

    assert owners.of(11) == (1,)
    assert one.looks == 1


def test_a_socket_of_several_belongs_to_each_until_they_are_gone() -> None:
    owners = owners_of(FakeHandle(1, 11), FakeHandle(2, 11))
    owners.look([11], 1)
    assert sorted(owners.of(11)) == [1, 2]

    owners.forget(1)
    assert owners.of(11) == (2,)
    owners.forget(2)

    assert owners.of(11) == ()
    assert not owners.is_known(2)


def test_a_socket_of_nobody_is_searched_for_twice_and_no_more() -> None:
    one = FakeHandle(1)
    owners = owners_of(one)
    for number in range(1, 10):
        one.ran_at = number
        owners.look([99], number)

    assert one.looks == 2  # the first as a new one


def test_another_socket_with_the_inode_of_one_that_is_gone_is_searched_for() -> None:
    one, other = FakeHandle(1, 11), FakeHandle(2)
    owners = owners_of(one, other)
    owners.look([11], 1)
    other.held, other.ran_at = frozenset({11}), 2

    owners.forget_socket(11)
    assert owners.of(11) == ()
    owners.look([11], 2)

    assert owners.of(11) == (2,)


def test_a_process_whose_files_are_not_to_be_seen_is_not_known() -> None:
    one = FakeHandle(1)
    one.held = None
    owners = owners_of(one)

    owners.look([11], 1)

    assert not owners.is_known(1)


def test_a_process_that_has_run_is_looked_at_again_after_a_while() -> None:
    one, other = FakeHandle(1, 11), FakeHandle(2, 11)
    owners = owners_of(one, other)
    owners.look([11], 1)
    one.held = frozenset()
    for number in range(2, AGAIN_EVERY + 3):
        one.ran_at = number
        owners.look([11], number)

    assert owners.of(11) == (2,)


def test_processes_of_very_many_files_do_not_keep_those_with_few_from_being_looked_at() -> None:
    whales = [FakeHandle(pid, pid, files=16 * FILES_AT_ONCE) for pid in range(1, 5)]
    others = [FakeHandle(pid, pid, files=20) for pid in range(5, 65)]
    owners = owners_of(*whales, *others)
    inodes = range(1, 66)

    owners.look(inodes, 1)
    owners.look(inodes, 2)
    known = [owners.is_known(handle.pid) for handle in (*whales, *others)]
    others[0].held, others[0].ran_at = frozenset({5, 65}), 3
    owners.look(inodes, 3)

    assert known == [True, False, False, False, *[True] * 60]
    assert owners.of(65) == (5,)
    for number in range(4, 4 * 32 + 1):
        owners.look(inodes, number)
    assert all(owners.is_known(handle.pid) for handle in whales)


@given(st.lists(st.integers(1, 3 * FILES_AT_ONCE), min_size=1, max_size=12))
@example([3 * FILES_AT_ONCE - 1] * 12)
def test_over_all_looks_no_more_files_are_looked_at_than_allowed(sizes: list[int]) -> None:
    handles = [FakeHandle(pid, pid, files=size) for pid, size in enumerate(sizes, 1)]
    owners = owners_of(*handles)
    looks = 0
    while not all(owners.is_known(handle.pid) for handle in handles):
        looks += 1
        owners.look([handle.pid for handle in handles], looks)
        files = sum(handle.files * handle.looks for handle in handles)
        # One that has more than are left is looked at whole.
        assert files < looks * FILES_AT_ONCE + max(sizes)

    # Once each, and once more whose turn it is again meanwhile.
    assert all(1 <= handle.looks <= 1 + (looks + handle.pid) // AGAIN_EVERY for handle in handles)
    assert looks <= sum(handle.files * handle.looks for handle in handles) // FILES_AT_ONCE + 1
