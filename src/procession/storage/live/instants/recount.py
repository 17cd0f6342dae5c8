"""Processes that somebody else has counted up to a moment, and that were seen again since."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from procession.analysis import Selection
from procession.process import MAX_UINT32
from procession.storage.live.candidates import Candidates, all_in_window, in_window
from procession.storage.live.columns import starts_of
from procession.storage.live.org_table import EARLY_SECONDS, OrgTable
from procession.storage.live.row_filter import RowFilter
from procession.window import Window


class Recount(NamedTuple):
    """Those that fit a selection."""

    since: Candidates
    """Of all that were seen since the moment."""
    twice: Candidates
    """Of the same, as they were seen last before it."""


def recount(table: OrgTable, selection: Selection, cut: int, until: int) -> Recount | None:
    """None where the table does not know whether one of them was seen before it reaches: of a host that was away."""
    if cut <= table.since:
        return None
    again = all_in_window(table, Window(max(cut, 0), min(until, MAX_UINT32)))
    twice = in_window(table, again.rows, Window(max(table.since, 1), cut - 1))
    unseen = np.setdiff1d(again.rows, twice.rows, assume_unique=True)
    if (starts_of(table.rows.key[unseen]).astype("i8") - EARLY_SECONDS < table.since).any():
        return None
    row_filter = RowFilter(table, selection.search, selection.tags)
    return Recount(row_filter.accepted(again), row_filter.accepted(twice))
