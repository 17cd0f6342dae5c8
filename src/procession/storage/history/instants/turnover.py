"""How many processes began and ended by the step."""

from __future__ import annotations

from procession.analysis import Selection
from procession.analysis.over_time.trends import TrendSteps
from procession.analysis.over_time.turnover import Turnover, turnover_of
from procession.storage.history.instants.query_context import QueryContext
from procession.storage.history.statements.over_time.turnover import ends_by_step, starts_by_step


def turnover(context: QueryContext, selection: Selection, steps: TrendSteps) -> Turnover:
    since, until = steps.times[0], steps.times[-1] + steps.seconds
    ends = context.submit(ends_by_step(selection, since, until, steps.seconds))
    try:
        starts: dict[int, int] = {}
        for row in context.rows(starts_by_step(selection, since, until, steps.seconds)):
            starts[row.step] = starts.get(row.step, 0) + row.processes
    finally:
        ended = ends.result()
    return turnover_of(steps, starts, ended)
