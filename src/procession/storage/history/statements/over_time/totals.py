"""What all processes of an org sum up to, by the minute: from what the chunks in `snapshots` sum up to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from procession.analysis.over_time.trends import MINUTE_SECONDS, Amount, HostMinute
from procession.lifecycle.completeness import NEVER_COMPLETE
from procession.storage.history.engine.statement import Select, ShardSelect, TableNames
from procession.storage.history.statements.conditions import Where


class TotalsOfMinute(NamedTuple):
    """Of some of the hosts."""

    minute: int
    """When it begins."""
    processes: float
    numbers: Mapping[str, float | None]


class OldestSnapshot(NamedTuple):
    at: int
    """0: there is none."""


class StoredBlock(NamedTuple):
    """What changes where anything is stored in a block of time, or goes: what comes has a newer `received_at` than what
    goes has."""

    since: int
    """When it begins."""
    chunks: int
    received_sum: int
    newest: int
    """When the last chunk of it was received."""


def oldest_snapshot(org_id: int) -> Select[OldestSnapshot]:
    where = Where(org_id)
    return Select(f"SELECT min(at) FROM snapshots WHERE {where}", where.parameters, row=OldestSnapshot._make)


def stored_blocks(org_id: int, since: int, until: int, seconds: int) -> Select[StoredBlock]:
    """Of moments from `since` to before `until`, blocks of so many seconds in which there is anything."""
    where = Where(org_id).taken_between(since, until - 1)
    block = f"intDiv(at, {seconds:d}) * {seconds:d}"
    text = (
        f"SELECT {block} AS block, count(), sum(received_at), max(received_at) FROM snapshots WHERE {where}"
        " GROUP BY block"
    )
    return Select(text, where.parameters, row=StoredBlock._make)


def totals_by_minute(org_id: int, since: int, until: int, measures: Sequence[str]) -> Select[TotalsOfMinute]:
    """Of minutes from `since` to before `until`, once for each shard of a cluster, which has each host as a whole."""
    where = _whole_snapshots(org_id, since, until)

    def select(names: TableNames) -> str:
        means = ", ".join(
            f"if({name}_snapshots = 0, -1, {name}_sum / {name}_snapshots) AS {name}_mean" for name in measures
        )
        by_host = (
            f"SELECT minute, count_sum / count_snapshots AS processes{_listed(means)}"
            f" FROM ({_by_host(names, where, measures)})"
        )
        sums = ", ".join(f"sumIf({name}_mean, {name}_mean >= 0), countIf({name}_mean >= 0)" for name in measures)
        return f"SELECT minute, sum(processes){_listed(sums)} FROM ({by_host}) GROUP BY minute"

    def row(values: Sequence[Any]) -> TotalsOfMinute:
        pairs = zip(measures, values[2::2], values[3::2], strict=True)
        numbers = {name: value if hosts else None for name, value, hosts in pairs}
        return TotalsOfMinute(values[0] * MINUTE_SECONDS, values[1], numbers)

    shards = ShardSelect(select)
    return Select(shards.text, where.parameters, shards, row=row)


def totals_by_host(org_id: int, since: int, until: int, measures: Sequence[str]) -> Select[HostMinute]:
    """The same host by host, for whoever knows of more snapshots."""
    where = _whole_snapshots(org_id, since, until)
    shards = ShardSelect(lambda names: _by_host(names, where, measures))

    def row(values: Sequence[Any]) -> HostMinute:
        host, minute, count, snapshots, *numbers = values
        pairs = zip(measures, numbers[::2], numbers[1::2], strict=True)
        amounts = {name: Amount(total, number) for name, total, number in pairs}
        return HostMinute(host, minute * MINUTE_SECONDS, Amount(count, snapshots), amounts)

    return Select(shards.text, where.parameters, shards, row=row)


def _whole_snapshots(org_id: int, since: int, until: int) -> Where:
    return Where(org_id).taken_between(since, until - 1).matches(f"chunk_count > {NEVER_COMPLETE}")


def _by_host(names: TableNames, where: Where, measures: Sequence[str]) -> str:
    # A chunk of three is a third of a snapshot. One that was stored twice counts once, whether the engine has put both
    # together yet or not.
    sums = ", ".join(
        f"sumIf(sum_of_{name}, sum_of_{name} >= 0) AS {name}_sum,"
        f" sumIf(1 / chunk_count, sum_of_{name} >= 0) AS {name}_snapshots"
        for name in measures
    )
    return (
        f"SELECT host, intDiv(at, {MINUTE_SECONDS}) AS minute, sum(living) AS count_sum,"
        f" sum(1 / chunk_count) AS count_snapshots{_listed(sums)}"
        f" FROM {names('snapshots')} FINAL WHERE {where} GROUP BY host, minute"
    )


def _listed(columns: str) -> str:
    return columns and f", {columns}"
