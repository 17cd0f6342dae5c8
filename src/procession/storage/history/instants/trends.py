"""What all processes sum up to, by the minute."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from procession.analysis.over_time.trends import Amount, HostMinute, MinuteTotals
from procession.storage.history.instants.query_context import QueryContext
from procession.storage.history.instants.totals_cache import TotalsCache
from procession.storage.history.statements.over_time.totals import totals_by_host


def minute_totals(
    context: QueryContext,
    cache: TotalsCache,
    minutes: range,
    measures: Sequence[str],
    more_since: int | None = None,
    more: Iterable[HostMinute] = (),
) -> dict[int, MinuteTotals]:
    """Of those of these minutes of which anything is known, by when they begin. `more`: of snapshots that are not in
    the tables yet, all since the minute `more_since`."""
    until = minutes.stop if more_since is None else max(minutes.start, min(more_since, minutes.stop))
    found: dict[int, MinuteTotals] = {}
    if minutes.start < until:
        found.update(cache.minutes(context.rows, context.org_id, minutes.start, until, measures, context.now))
    if until < minutes.stop:
        stored = context.rows(totals_by_host(context.org_id, until, minutes.stop, measures))
        for minute, count, numbers in _of_hosts([*stored, *(one for one in more if one.minute in minutes)]):
            found.setdefault(minute, MinuteTotals()).add(count, numbers)
    return found


def _of_hosts(rows: Iterable[HostMinute]) -> Iterable[tuple[int, float, dict[str, float | None]]]:
    """Put together by host and minute: a snapshot that is in both counts twice, and so does not move the mean."""
    together: dict[tuple[int, int], tuple[Amount, dict[str, Amount]]] = {}
    for row in rows:
        count, numbers = together.get((row.host, row.minute), (Amount(), {}))
        sums = {name: amount.plus(numbers.get(name, Amount())) for name, amount in row.numbers.items()}
        together[row.host, row.minute] = count.plus(row.processes), sums
    for (_, minute), (count, numbers) in together.items():
        if count.mean is not None:
            yield minute, count.mean, {name: amount.mean for name, amount in numbers.items()}
