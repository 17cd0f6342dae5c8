"""Numbers of queries -> those of formulas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from procession.analysis.formula import Formula, Operator
from procession.analysis.process_metrics import Unit
from procession.errors import InvalidRequest
from procession.server.public.query.body import MetricQuery, QueryRequest, WantedFormula
from procession.server.public.query.numbers import Number, QueryNumbers, in_order

MAX_OPERATIONS = 2_000_000
"""Of formulas, for one answer."""


def formulas_over_time(request: QueryRequest, found: QueryNumbers) -> list[dict[str, list[Number]]]:
    """For each formula by command: of the commands that all of its queries have."""
    _bound(request, found.of_queries, len(found.times))
    return [
        {
            command: _values(one.formula, command, found.of_queries, len(found.times))
            for command in _commands(one.formula, found.of_queries)
        }
        for one in request.formulas
    ]


def formulas_of_window(request: QueryRequest, found: Mapping[str, Mapping[str, Number]]) -> list[dict[str, Number]]:
    """For each formula by command, in its order, as many as its limit says."""
    _bound(request, found, 1)
    return [_of_window(one, request.queries, found) for one in request.formulas]


def unit_of(formula: Formula, queries: Sequence[MetricQuery]) -> Unit | None:
    """None where it has none, or one without a name."""
    units = {query.name: query.metric.unit for query in queries}

    def result(operator: Operator, left: Any, right: Any) -> Any:
        if left is _NUMBER and operator.sign != "/":
            return right
        if right is _NUMBER or (left == right and operator.sign in "+-"):
            return left
        return None

    unit = formula.evaluated(lambda step: units[step] if isinstance(step, str) else _NUMBER, result)
    return unit if isinstance(unit, Unit) else None


_NUMBER = object()
"""In place of the unit of what has none, and takes that of the other side."""


def _of_window(
    wanted: WantedFormula, queries: Sequence[MetricQuery], found: Mapping[str, Mapping[str, Number]]
) -> dict[str, Number]:
    formula = wanted.formula
    values = {}
    for command in _commands(formula, found):
        one = {name: [found[name][command]] for name in formula.names}
        (values[command],) = _evaluated(formula, one, 1)
    is_descending = wanted.is_descending
    if is_descending is None:
        is_descending = next(query.is_descending for query in queries if query.name == formula.names[0])
    return {command: values[command] for command in in_order(values, is_descending)[: wanted.limit]}


def _values(
    formula: Formula, command: str, found: Mapping[str, Mapping[str, Sequence[Number]]], length: int
) -> list[Number]:
    return _evaluated(formula, {name: found[name][command] for name in formula.names}, length)


def _evaluated(formula: Formula, numbers: Mapping[str, Sequence[Number]], length: int) -> list[Number]:
    def result(operator: Operator, left: Sequence[Number], right: Sequence[Number]) -> Sequence[Number]:
        return [operator.result(one, other) for one, other in zip(left, right, strict=True)]

    def value(step: str | float) -> Sequence[Number]:
        return numbers[step] if isinstance(step, str) else [step] * length

    found: Sequence[Number] = formula.evaluated(value, result)
    return list(found)


def _commands(formula: Formula, found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """In the order of the query that it names first."""
    first, *others = (found[name] for name in formula.names)
    return [command for command in first if all(command in other for other in others)]


def _bound(request: QueryRequest, found: Mapping[str, Mapping[str, Any]], length: int) -> None:
    operations = sum(one.formula.operators * len(_commands(one.formula, found)) * length for one in request.formulas)
    if operations > MAX_OPERATIONS:
        raise InvalidRequest(
            f"The formulas take {operations} operations for all commands and instants, which is more than"
            f" {MAX_OPERATIONS}; ask for fewer"
        )
