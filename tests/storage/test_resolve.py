from __future__ import annotations

from typing import Any

import numpy as np

from procession.process import ProcessKey
from procession.storage.resolve import Candidate, Columns, newest_of, newest_tick, ticks_span
from procession.window import Window


def rows(*tuples: tuple[int, int, int, int, int, int, str]) -> Columns:
    """(source, start, host, pid, version, known, slots) each."""
    names = ("source", "start", "host", "pid", "version", "known", "slots")
    kinds: tuple[Any, ...] = (np.uint8, np.uint32, np.uint64, np.uint32, np.uint64, np.int64, object)
    columns = list(zip(*tuples, strict=True)) or [()] * 7
    return {name: np.array(values, kind) for name, values, kind in zip(names, columns, kinds, strict=True)}


def test_the_newest_proved_sighting_wins_and_brings_its_version() -> None:
    given = rows((0, 5, 1, 1, 11, 100, ""), (1, 5, 1, 1, 12, 300, ""), (0, 5, 1, 1, 13, 200, "5"))

    (candidate,) = newest_of(given)

    assert (candidate.version, candidate.known, candidate.open_slots) == (12, 300, ((13, 0b101),))


def test_processes_come_in_key_order_and_apart() -> None:
    given = rows(
        (0, 6, 1, 1, 1, 1, ""),
        (0, 5, 2**64 - 1, 9, 1, 1, ""),
        (1, 5, 3, 9, 1, 1, "1"),
        (1, 5, 3, 8, 1, 1, ""),
    )

    candidates = newest_of(given)

    assert [candidate.key for candidate in candidates] == [
        ProcessKey(5, 3, 8),
        ProcessKey(5, 3, 9),
        ProcessKey(5, 2**64 - 1, 9),
        ProcessKey(6, 1, 1),
    ]
    assert [candidate.open_slots for candidate in candidates] == [(), ((1, 1),), (), ()]


def test_no_rows_give_no_processes() -> None:
    assert newest_of(rows()) == []


HOUR = 360_000_000
"""The begin of a bucket."""


def an_open(known: int = 0, **slots: int) -> Candidate:
    return Candidate(5, 1, 1, 99, known, tuple((int(version[1:]), bits) for version, bits in slots.items()))


def test_the_newest_slot_inside_the_window_gives_its_snapshot() -> None:
    window = Window(HOUR, HOUR + 25)

    closed = newest_tick(an_open(v7=0b1110), window, {1: [HOUR + 13], 2: [HOUR + 23], 3: [HOUR + 33]})

    assert closed == Candidate(5, 1, 1, 7, HOUR + 23)


def test_a_snapshot_after_the_window_hands_over_to_the_slot_before() -> None:
    window = Window(HOUR, HOUR + 22)

    closed = newest_tick(an_open(v7=0b1110), window, {1: [HOUR + 13], 2: [HOUR + 23]})

    assert closed == Candidate(5, 1, 1, 7, HOUR + 13)


def test_a_process_seen_only_around_the_window_is_not_in_it() -> None:
    window = Window(HOUR + 15, HOUR + 22)

    closed = newest_tick(an_open(v7=0b1010), window, {1: [HOUR + 13], 3: [HOUR + 33]})

    assert closed == Candidate(5, 1, 1, 99, 0)


def test_what_is_proved_already_stays_where_the_slots_name_nothing_newer() -> None:
    window = Window(HOUR, HOUR + 22)

    closed = newest_tick(an_open(HOUR + 15, v7=0b1010), window, {1: [HOUR + 13], 3: [HOUR + 33]})

    assert closed == Candidate(5, 1, 1, 99, HOUR + 15)


def test_two_snapshots_in_one_slot_say_nothing_for_sure() -> None:
    window = Window(HOUR, HOUR + 25)

    assert newest_tick(an_open(v7=0b1100), window, {2: [HOUR + 20, HOUR + 24]}) is None


def test_two_versions_in_one_slot_say_nothing_for_sure() -> None:
    window = Window(HOUR, HOUR + 25)

    assert newest_tick(an_open(v7=0b1100, v8=0b1100), window, {2: [HOUR + 24]}) is None


def test_where_snapshots_are_gone_the_slot_stands_for_them() -> None:
    assert newest_tick(an_open(v7=0b1100), Window(HOUR, HOUR + 25), {}) == Candidate(5, 1, 1, 7, HOUR + 25)
    assert newest_tick(an_open(v7=0b1010), Window(HOUR, HOUR + 25), {}) == Candidate(5, 1, 1, 7, HOUR + 19)


def test_snapshots_are_wanted_from_the_slot_before_the_newest_to_the_end_of_the_last() -> None:
    window = Window(HOUR, HOUR + 42)

    assert ticks_span([an_open(v7=0b10110), an_open(v7=0b11000)], window) == (HOUR + 20, HOUR + 49)
