from __future__ import annotations

from typing import Any

import numpy as np

from procession.process import ProcessKey
from procession.storage.resolve import Columns, complete_before, newest_of


def rows(*tuples: tuple[int, int, int, int, int, int, bool]) -> Columns:
    """(source, start, host, pid, version, known, is_open) each."""
    names = ("source", "start", "host", "pid", "version", "known", "is_open")
    kinds: tuple[Any, ...] = (np.uint8, np.uint32, np.uint64, np.uint32, np.uint64, np.int64, np.uint8)
    columns = list(zip(*tuples, strict=True)) or [()] * 7
    return {name: np.array(values, kind) for name, values, kind in zip(names, columns, kinds, strict=True)}


def test_all_rows_are_complete_where_no_source_reached_its_limit() -> None:
    given = rows((0, 5, 1, 1, 9, 100, False), (1, 6, 1, 1, 9, 100, False))

    kept, last = complete_before(given, limit=2)

    assert last is None
    assert len(kept["start"]) == 2


def test_a_source_that_has_more_hides_what_comes_at_and_after_its_end() -> None:
    given = rows(
        (0, 5, 1, 1, 9, 100, False), (0, 6, 2, 7, 9, 100, False), (1, 6, 2, 6, 9, 100, False), (1, 7, 1, 1, 9, 1, False)
    )

    kept, last = complete_before(given, limit=2)

    assert kept["start"].tolist() == [5, 6]
    assert kept["pid"].tolist() == [1, 6]
    assert last == ProcessKey(6, 2, 6)


def test_going_on_before_a_pid_of_zero_steps_to_the_host_before() -> None:
    _, last = complete_before(rows((0, 5, 2**64 - 1, 0, 9, 100, False)), limit=1)

    assert last == ProcessKey(5, 2**64 - 2, 2**32 - 1)


def test_the_newest_proved_sighting_wins_and_brings_its_version() -> None:
    given = rows((0, 5, 1, 1, 11, 100, False), (1, 5, 1, 1, 12, 300, False), (0, 5, 1, 1, 13, 200, True))

    (candidate,) = newest_of(given)

    assert (candidate.version, candidate.known, candidate.is_open) == (12, 300, True)


def test_processes_come_in_key_order_and_apart() -> None:
    given = rows(
        (0, 6, 1, 1, 1, 1, False),
        (0, 5, 2**64 - 1, 9, 1, 1, False),
        (1, 5, 3, 9, 1, 1, True),
        (1, 5, 3, 8, 1, 1, False),
    )

    candidates = newest_of(given)

    assert [candidate.key for candidate in candidates] == [
        ProcessKey(5, 3, 8),
        ProcessKey(5, 3, 9),
        ProcessKey(5, 2**64 - 1, 9),
        ProcessKey(6, 1, 1),
    ]
    assert [candidate.is_open for candidate in candidates] == [False, True, False, False]


def test_no_rows_give_no_processes() -> None:
    assert newest_of(rows()) == []
