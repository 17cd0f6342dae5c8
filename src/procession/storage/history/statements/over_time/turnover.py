"""How many processes began and ended by the step: from the young of `snapshots`, and from `exits`."""

from __future__ import annotations

from typing import NamedTuple

from procession.analysis import Selection
from procession.storage.history.engine.statement import Select, ShardSelect, TableNames
from procession.storage.history.statements.conditions import Where
from procession.storage.history.statements.search_conditions import filters_of
from procession.storage.history.tables.constants import HOUR_SECONDS

YOUNG_SECONDS = 60
"""A process is among the young of a snapshot that was taken less than this after its start."""


class StartsOfStep(NamedTuple):
    """Of some of the hosts."""

    step: int
    processes: int


class EndsOfStep(NamedTuple):
    step: int
    exit_code: int
    processes: int


def starts_by_step(selection: Selection, since: int, until: int, step: int) -> Select[StartsOfStep]:
    """Of processes that began from `since` to before `until`; each once."""
    filters = filters_of(selection.org_id, selection.search, selection.tags)
    where = Where(selection.org_id, filters.parameters).taken_between(since, until + YOUNG_SECONDS - 1)
    first, end, seconds = where.bind("Int64", since), where.bind("Int64", until), where.bind("UInt32", step)
    hours = _hours(where, since, until)

    def select(names: TableNames) -> str:
        # By its name alone it would be the start of a process that is not young.
        young = (
            "SELECT host, at, begun, of_version, of_pid FROM"
            f" (SELECT host, at, young_pid, young_start, young_version FROM {names('snapshots')}"
            f" WHERE {where} AND notEmpty(young_pid))"
            " ARRAY JOIN young_pid AS of_pid, young_start AS begun, young_version AS of_version"
            f" WHERE begun >= {first} AND begun < {end}"
        )
        fits = "" if filters.is_any else (
            f" WHERE (host, of_version) IN (SELECT host, version FROM {names('descriptions')}"
            f" WHERE org = {{org:UInt32}} AND {hours} AND {filters.condition.text(names)})"
        )  # fmt: skip
        count = "uniqExact(host, of_pid, begun)"
        return f"SELECT intDiv(begun, {seconds}) AS step, {count} FROM ({young}){fits} GROUP BY step"

    shards = ShardSelect(select)
    return Select(shards.text, where.parameters, shards, row=lambda row: StartsOfStep(row[0] * step, row[1]))


def ends_by_step(selection: Selection, since: int, until: int, step: int) -> Select[EndsOfStep]:
    """Reported from `since` to before `until`, each once. Where not all processes are meant, an exit is that of the
    last process that had begun under its pid."""
    filters = filters_of(selection.org_id, selection.search, selection.tags)
    where = Where(selection.org_id, filters.parameters).reported_between(since, until - 1)
    seconds, hours = where.bind("UInt32", step), _hours(where, since, until)

    def select(names: TableNames) -> str:
        reported = f"SELECT DISTINCT host, pid, at, executed_at, exit_code FROM {names('exits')} WHERE {where}"
        if not filters.is_any:
            known = (
                f"SELECT host, pid, start, max({filters.condition.text(names)}) AS fits FROM {names('descriptions')}"
                f" WHERE org = {{org:UInt32}} AND {hours} GROUP BY host, pid, start"
            )
            reported = (
                f"SELECT at, exit_code FROM ({reported}) AS ended ASOF JOIN ({known}) AS begun"
                " ON ended.host = begun.host AND ended.pid = begun.pid AND ended.at >= begun.start WHERE fits"
            )
        return f"SELECT intDiv(at, {seconds}) AS step, exit_code, count() FROM ({reported}) GROUP BY step, exit_code"

    shards = ShardSelect(select)
    return Select(shards.text, where.parameters, shards, row=lambda row: EndsOfStep(row[0] * step, row[1], row[2]))


def _hours(where: Where, since: int, until: int) -> str:
    """In which a process was described that began or ended then."""
    first, last = where.bind("Int64", since // HOUR_SECONDS - 1), where.bind("Int64", until // HOUR_SECONDS + 1)
    return f"hour >= {first} AND hour <= {last}"
