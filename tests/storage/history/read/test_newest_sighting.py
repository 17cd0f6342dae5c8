from __future__ import annotations

from typing import Any

import numpy as np

from procession.process import ProcessKey
from procession.storage.history.read.newest_sighting import (
    Candidate,
    Columns,
    deciding_span,
    newest_of,
    resolve_by_slots,
)
from procession.window import Window

HOUR = 360_000_000
"""The begin of a hour."""

WINDOW = Window(HOUR - 900, HOUR + 500)


def rows(*tuples: tuple[int, int, int, int, int, int], slots: dict[int, int] | None = None) -> Columns:
    """(start, host, pid, version, first, last) each, and the slots of some."""
    names = ("start", "host", "pid", "version", "first", "last")
    kinds: tuple[Any, ...] = (np.uint32, np.uint64, np.uint32, np.uint64, np.uint32, np.uint32)
    columns = list(zip(*tuples, strict=True)) or [()] * 6
    found = {name: np.array(values, kind) for name, values, kind in zip(names, columns, kinds, strict=True)}
    if slots is not None:
        as_bytes = [slots.get(row, 0).to_bytes(48, "little") for row in range(len(tuples))]
        found["low_slots"] = np.array([value[:32] for value in as_bytes], object)
        found["high_slots"] = np.array([value[32:] for value in as_bytes], object)
    return found


def test_the_newest_proved_sighting_wins_and_brings_its_version() -> None:
    given = rows(
        (5, 1, 1, 11, HOUR - 800, HOUR - 100),
        (5, 1, 1, 12, HOUR, HOUR + 300),
        (5, 1, 1, 13, HOUR + 200, HOUR + 900),
        slots={2: 1 << 20 | 1 << 90},
    )

    (candidate,) = newest_of(given, WINDOW)

    assert (candidate.version, candidate.seen_at) == (12, HOUR + 300)
    assert candidate.open_slots == ((13, 1 << 20 | 1 << 90),)


def test_the_first_sighting_is_proved_where_the_last_lies_after_the_window() -> None:
    given = rows((5, 1, 1, 11, HOUR + 400, HOUR + 900), slots={0: 1 << 40 | 1 << 90})

    (candidate,) = newest_of(given, WINDOW)

    assert candidate.seen_at == HOUR + 400


def test_slots_beyond_the_low_ones_count() -> None:
    window = Window(HOUR + 3000, HOUR + 3500)
    given = rows((5, 1, 1, 11, HOUR, HOUR + 3590), slots={0: 1 | 1 << 310 | 1 << 359})

    (candidate,) = newest_of(given, window)

    assert candidate.open_slots == ((11, 1 | 1 << 310 | 1 << 359),)


def test_processes_come_in_key_order_and_apart() -> None:
    given = rows(
        (6, 1, 1, 1, HOUR, HOUR),
        (5, 2**64 - 1, 9, 1, HOUR, HOUR),
        (5, 3, 9, 1, HOUR, HOUR + 600),
        (5, 3, 8, 1, HOUR, HOUR),
        slots={2: 1},
    )

    candidates = newest_of(given, WINDOW)

    assert [candidate.key for candidate in candidates] == [
        ProcessKey(5, 3, 8),
        ProcessKey(5, 3, 9),
        ProcessKey(5, 2**64 - 1, 9),
        ProcessKey(6, 1, 1),
    ]
    assert [candidate.open_slots for candidate in candidates] == [(), ((1, 1),), (), ()]


def test_no_rows_give_no_processes() -> None:
    assert newest_of(rows(), WINDOW) == []


def an_open(seen_at: int = 0, **slots: int) -> Candidate:
    return Candidate(5, 1, 1, 99, seen_at, tuple((int(version[1:]), bits) for version, bits in slots.items()))


def test_the_newest_slot_inside_the_window_gives_its_snapshot() -> None:
    window = Window(HOUR, HOUR + 25)

    closed = resolve_by_slots(an_open(v7=0b1110), window, {1: [HOUR + 13], 2: [HOUR + 23], 3: [HOUR + 33]})

    assert closed == Candidate(5, 1, 1, 7, HOUR + 23)


def test_a_snapshot_after_the_window_hands_over_to_the_slot_before() -> None:
    window = Window(HOUR, HOUR + 22)

    closed = resolve_by_slots(an_open(v7=0b1110), window, {1: [HOUR + 13], 2: [HOUR + 23]})

    assert closed == Candidate(5, 1, 1, 7, HOUR + 13)


def test_a_process_seen_only_around_the_window_is_not_in_it() -> None:
    window = Window(HOUR + 15, HOUR + 22)

    closed = resolve_by_slots(an_open(v7=0b1010), window, {1: [HOUR + 13], 3: [HOUR + 33]})

    assert closed == Candidate(5, 1, 1, 99, 0)


def test_what_is_proved_already_stays_where_the_slots_name_nothing_newer() -> None:
    window = Window(HOUR, HOUR + 22)

    closed = resolve_by_slots(an_open(HOUR + 15, v7=0b1010), window, {1: [HOUR + 13], 3: [HOUR + 33]})

    assert closed == Candidate(5, 1, 1, 99, HOUR + 15)


def test_two_snapshots_in_one_slot_say_nothing_for_sure() -> None:
    window = Window(HOUR, HOUR + 25)

    assert resolve_by_slots(an_open(v7=0b1100), window, {2: [HOUR + 20, HOUR + 24]}) is None


def test_two_versions_in_one_slot_say_nothing_for_sure() -> None:
    window = Window(HOUR, HOUR + 25)

    assert resolve_by_slots(an_open(v7=0b1100, v8=0b1100), window, {2: [HOUR + 24]}) is None


def test_where_snapshots_are_gone_the_slot_stands_for_them() -> None:
    assert resolve_by_slots(an_open(v7=0b1100), Window(HOUR, HOUR + 25), {}) == Candidate(5, 1, 1, 7, HOUR + 25)
    assert resolve_by_slots(an_open(v7=0b1010), Window(HOUR, HOUR + 25), {}) == Candidate(5, 1, 1, 7, HOUR + 19)


def test_snapshots_are_wanted_from_the_slot_before_the_newest_to_the_end_of_the_last() -> None:
    window = Window(HOUR, HOUR + 42)

    assert deciding_span([an_open(v7=0b10110), an_open(v7=0b11000)], window) == (HOUR + 20, HOUR + 49)
