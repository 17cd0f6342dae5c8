"""Results -> the bodies of answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from procession.analysis.process_metrics import SECOND, Unit
from procession.server.public.query.body import QueryRequest
from procession.server.public.query.numbers import Number
from procession.server.public.query.results import unit_of


def timeseries_answer(
    request: QueryRequest, times: Sequence[int], results: Sequence[Mapping[str, Sequence[Number]]]
) -> dict[str, Any]:
    series, values = [], []
    key = request.source.split_by
    for index, (wanted, found) in enumerate(zip(request.formulas, results, strict=True)):
        unit = _unit(unit_of(wanted.formula, request.queries))
        for group, numbers in found.items():
            series.append({"group_tags": [f"{key}:{group}"], "query_index": index, "unit": unit})
            values.append(numbers)
    # Where there is no series, Datadog says no times either.
    moments = [at * 1000 for at in times] if series else []
    return _answer("timeseries", {"series": series, "times": moments, "values": values})


def scalar_answer(request: QueryRequest, results: Sequence[Mapping[str, Number]]) -> dict[str, Any]:
    groups = list(dict.fromkeys(group for found in results for group in found))
    columns: list[dict[str, Any]] = []
    if groups:
        columns.append({"name": request.source.split_by, "type": "group", "values": [[group] for group in groups]})
    for wanted, found in zip(request.formulas, results, strict=True):
        columns.append(
            {
                "name": wanted.formula.text,
                "type": "number",
                "values": [found.get(group) for group in groups],
                "meta": {"unit": _unit(unit_of(wanted.formula, request.queries))},
            }
        )
    return _answer("scalar", {"columns": columns})


def _answer(kind: str, attributes: dict[str, Any]) -> dict[str, Any]:
    return {"data": {"id": "0", "type": f"{kind}_response", "attributes": attributes}}


def _unit(unit: Unit | None) -> list[dict[str, Any] | None] | None:
    """The unit, and by which it is divided."""
    if unit is None:
        return None
    return [_named(unit), _named(SECOND) if unit.is_each_second else None]


def _named(unit: Unit) -> dict[str, Any]:
    return {
        "family": unit.family,
        "name": unit.name,
        "plural": unit.plural,
        "scale_factor": unit.scale_factor,
        "short_name": unit.short_name,
    }
