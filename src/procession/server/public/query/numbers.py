"""What the store has for the queries of a request: a number for each command or container at each instant."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from procession.analysis import Selection, Series, TimeSeries
from procession.analysis.all_cpus import CpusOfHosts
from procession.analysis.process_metrics import COUNT
from procession.errors import InvalidRequest
from procession.server.public.query.body import Aggregator, DataSource, MetricQuery, QueryRequest
from procession.window import Window

MAX_COMMANDS = 2000
"""Those that have the most over the whole time; no others are looked at."""

NOT_KNOWN: CpusOfHosts = {}

Number = float | None


class SeriesStore(Protocol):
    """Of processes an AnalysisStore, of containers a ContainerSeries."""

    def timeseries(
        self,
        selection: Selection,
        window: Window,
        by: str | None,
        measures: Sequence[str],
        rank: str,
        limit: int,
        points: int,
        cpus: CpusOfHosts | None,
        /,
    ) -> TimeSeries:
        """As that of an AnalysisStore."""


@dataclass(frozen=True, slots=True)
class QueryNumbers:
    """All lists of numbers have one for each of `times`."""

    step: int
    times: tuple[int, ...]
    of_queries: Mapping[str, Mapping[str, Sequence[Number]]]
    """By the name of a query and by command, in the order of the query. None: not known, or none was there."""


def numbers_over_time(store: SeriesStore, request: QueryRequest, cpus: CpusOfHosts = NOT_KNOWN) -> QueryNumbers:
    """Of the commands that have the most or the least over the whole time. `cpus`: for those that are normalized."""

    def most(query: MetricQuery, numbers: Mapping[str, Sequence[Number]]) -> Mapping[str, Sequence[Number]]:
        totals = {command: math.fsum(filter(None, those)) for command, those in numbers.items()}
        return {command: numbers[command] for command in in_order(totals, query.is_descending)[: query.limit]}

    found = _numbers(store, request, cpus)
    limited = {query.name: most(query, found.of_queries[query.name]) for query in request.queries}
    return QueryNumbers(found.step, found.times, limited)


def numbers_of_window(
    store: SeriesStore, request: QueryRequest, cpus: CpusOfHosts = NOT_KNOWN
) -> Mapping[str, Mapping[str, Number]]:
    """Put together to one for each command, by the name of a query; those that are the greatest or the least."""
    found = _numbers(store, request, cpus)
    together: dict[str, Mapping[str, Number]] = {}
    for query in request.queries:
        those = {
            command: aggregated(query.aggregator, numbers, found.step)
            for command, numbers in found.of_queries[query.name].items()
        }
        together[query.name] = {
            command: those[command] for command in in_order(those, query.is_descending)[: query.limit]
        }
    return together


def aggregated(how: Aggregator, numbers: Sequence[Number], step: int) -> Number:
    """Of those that are known."""
    known = [number for number in numbers if number is not None]
    if not known:
        return None
    if how is Aggregator.LAST:
        return known[-1]
    if how in (Aggregator.MIN, Aggregator.MAX):
        return (min if how is Aggregator.MIN else max)(known)
    if how is Aggregator.L2NORM:
        return math.sqrt(math.fsum(number * number for number in known))
    total = math.fsum(known)
    if how is Aggregator.SUM:
        return total
    return total * step if how is Aggregator.AREA else total / len(known)


def in_order(numbers: Mapping[str, Number], is_descending: bool) -> list[str]:
    """Commands by their number, ties by name; those without one come last."""

    def key(command: str) -> tuple[bool, float, str]:
        number = numbers[command]
        if number is None:
            return True, 0.0, command
        return False, -number if is_descending else number, command

    return sorted(numbers, key=key)


def _numbers(store: SeriesStore, request: QueryRequest, cpus: CpusOfHosts) -> QueryNumbers:
    """Of all commands of which anything is known."""
    if request.window is None:
        return QueryNumbers(1, (), {query.name: {} for query in request.queries})
    found = _at_the_same_instants(store, request, request.window, cpus)
    times = sorted(set(found[0].times).intersection(*(one.times for one in found)))
    of_queries = {}
    for query, series in zip(request.queries, found, strict=True):
        if not query.is_descending:
            _refuse_too_many(query, series, request.source)
        is_wanted = [at in set(times) for at in series.times]
        numbers = {
            one.value: [number for number, wanted in zip(_of(query, one), is_wanted, strict=True) if wanted]
            for one in series.series
            if one.value is not None
        }
        of_queries[query.name] = {
            command: those for command, those in numbers.items() if any(number is not None for number in those)
        }
    return QueryNumbers(found[0].step, tuple(times), of_queries)


def _at_the_same_instants(
    store: SeriesStore, request: QueryRequest, window: Window, cpus: CpusOfHosts
) -> list[TimeSeries]:
    """Where there are too many processes for as many instants as were asked for, all queries have fewer."""
    found = _asked(store, request, window, request.points, cpus)
    times = max(found, key=lambda one: one.step).times
    if all(one.times == times for one in found):
        return found
    return _asked(store, request, Window(times[0], times[-1]), max(len(times) - 1, 1), cpus)


def _asked(
    store: SeriesStore, request: QueryRequest, window: Window, points: int, cpus: CpusOfHosts
) -> list[TimeSeries]:
    """Of each query. Those over the same processes are asked at once, unless there are so many commands that each has
    to be asked for those with the most of its own."""

    def ask(query: MetricQuery, together: Sequence[MetricQuery]) -> TimeSeries:
        measures = sorted({one.metric.measure for one in together} - {COUNT})
        return store.timeseries(
            query.selection,
            window,
            request.source.split_by,
            measures,
            query.metric.measure,
            MAX_COMMANDS,
            points,
            cpus if query.is_normalized else None,
        )

    def may_be_asked_with(query: MetricQuery, other: MetricQuery) -> bool:
        return (query.selection, query.is_normalized) == (other.selection, other.is_normalized)

    answers: list[tuple[MetricQuery, TimeSeries]] = []
    found = []
    for query in request.queries:
        first, series = next((one for one in answers if may_be_asked_with(one[0], query)), (query, None))
        if series is None:
            series = ask(query, [one for one in request.queries if may_be_asked_with(one, query)])
            answers.append((query, series))
        elif len(series.series) > MAX_COMMANDS and first.metric != query.metric:
            series = ask(query, [query])
        found.append(series)
    return found


def _of(query: MetricQuery, series: Series) -> Sequence[Number]:
    return series.count if query.metric.measure == COUNT else series.numbers[query.metric.measure]


def _refuse_too_many(query: MetricQuery, found: TimeSeries, source: DataSource) -> None:
    """The least of them are not among those that the store gives, which are the greatest."""
    if len(found.series) > MAX_COMMANDS:
        noun = "commands" if source is DataSource.PROCESS else "names of containers"
        raise InvalidRequest(
            f"Invalid query {query.name}: there are more than {MAX_COMMANDS} {noun} to look for the least of;"
            " choose by text_filter or tag_filters"
        )
