from __future__ import annotations

import numpy as np

from procession.lifecycle.completeness import NEVER_COMPLETE, is_complete


def test_a_snapshot_is_complete_once_all_its_chunks_have_arrived() -> None:
    assert [is_complete(arrived, 3) for arrived in (0, 1, 2, 3, 4)] == [False, False, False, True, True]


def test_a_snapshot_that_does_not_say_how_many_chunks_it_has_is_never_complete() -> None:
    assert not is_complete(0, NEVER_COMPLETE)
    assert not is_complete(7, NEVER_COMPLETE)


def test_columns_are_judged_row_by_row() -> None:
    found = is_complete(np.array([1, 1, 2]), np.array([1, 2, 0]))

    assert found.tolist() == [True, False, False]
