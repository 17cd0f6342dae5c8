"""How many processes began and ended, step by step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from procession.analysis.over_time.trends import TrendSteps

MAX_EXIT_CODES = 5
"""Other than 0, the most frequent ones."""


class ExitCode(msgspec.Struct, frozen=True):
    exit_code: int
    """As a shell has it: 128 and the signal."""
    ends: tuple[int, ...]
    """An item for each of `Turnover.times`."""


class Turnover(msgspec.Struct, frozen=True):
    """An item for each of `times`."""

    step: int
    """Seconds."""
    times: tuple[int, ...]
    """When each step begins, ascending."""
    starts: tuple[int, ...]
    """Processes that began and were seen within a minute."""
    ends: tuple[int, ...]
    """That agents reported."""
    failures: tuple[int, ...]
    """Of the ends those with an exit code other than 0, as a signal has it, too."""
    exit_codes: tuple[ExitCode, ...]
    """Of the failures, those with the most frequent codes, the most frequent first."""


def turnover_of(steps: TrendSteps, starts: Mapping[int, int], ends: Iterable[tuple[int, int, int]]) -> Turnover:
    """`starts`: how many, by when the step begins; `ends`: the same with an exit code and how many."""
    by_code: dict[int, dict[int, int]] = {}
    for at, code, count in ends:
        of_code = by_code.setdefault(code, {})
        of_code[at] = of_code.get(at, 0) + count

    def column(*some: Mapping[int, int]) -> tuple[int, ...]:
        return tuple(sum(one.get(at, 0) for one in some) for at in steps.times)

    failed = {code: counts for code, counts in by_code.items() if code}
    most = sorted(failed, key=lambda code: (-sum(failed[code].values()), code))[:MAX_EXIT_CODES]
    return Turnover(
        steps.seconds,
        steps.times,
        column(starts),
        column(*by_code.values()),
        column(*failed.values()),
        tuple(ExitCode(code, column(failed[code])) for code in most),
    )
