"""The numbers that searches compare and lists are sorted by, as columns."""

from __future__ import annotations

import numpy as np

from procession.lifecycle.signals import signal_number
from procession.search.field_columns import measured
from procession.search.tree import Comparison
from procession.storage.live.candidates import NO_CODE, Candidates
from procession.storage.live.columns import Array, pids_of, starts_of
from procession.storage.live.matching.window_endings import endings_of

_COMPARE = {"<": np.less, "<=": np.less_equal, "=": np.equal, ">=": np.greater_equal, ">": np.greater}

_SIGNALS = np.array([signal_number(code) or 0 for code in range(256)], "i8")


def compared(candidates: Candidates, comparison: Comparison) -> Array:
    """Which of them are in this relation."""
    values, is_known = numbers_of_field(candidates, comparison.field)
    found: Array = _COMPARE[comparison.operator](values, comparison.number) & is_known
    return found


def numbers_of_field(candidates: Candidates, field: str) -> tuple[Array, Array]:
    """The numbers, and which of them are known. Raises NotKept where the table does not know them any more."""
    everywhere = np.ones(len(candidates), bool)
    match field:
        case "pid":
            return pids_of(candidates.column("key")).astype("f8"), everywhere
        case "ppid":
            return candidates.column("ppid").astype("f8"), everywhere
        case "age":
            starts = starts_of(candidates.column("key")).astype("i8")
            return np.maximum(candidates.seen.astype("i8") - starts, 0).astype("f8"), everywhere
        case "ended" | "ended:oom" | "exit_code" | "signal" | "lifetime":
            return _of_ending(candidates, field)
    return measured(field, candidates.numbers)


def _of_ending(candidates: Candidates, field: str) -> tuple[Array, Array]:
    endings = endings_of(candidates)
    has_ended, codes = endings.at >= 0, endings.exit_codes
    if field == "ended":
        return has_ended.astype("f8"), np.ones(len(candidates), bool)
    if field == "ended:oom":
        return endings.oom_killed.astype("f8"), endings.oom_killed >= 0
    if field == "lifetime":
        starts = starts_of(candidates.column("key")).astype("i8")
        return np.maximum(endings.at - starts, 0).astype("f8"), has_ended
    if field == "exit_code":
        return codes.astype("f8"), codes != NO_CODE
    is_signal = (codes >= 0) & (codes < len(_SIGNALS))
    signals = _SIGNALS[np.where(is_signal, codes, 0)]
    return signals.astype("f8"), signals > 0
