"""What a part of the processes of an org, or each group of them, sums up to by the minute: from arrays of `snapshots`.

All is as in `totals`: of each host the mean over its snapshots in a minute, those of several chunks counting as one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from procession.analysis.over_time.trends import MINUTE_SECONDS
from procession.lifecycle.completeness import NEVER_COMPLETE
from procession.packed import DEAD, STATE_NUMBERS
from procession.storage.history.engine.statement import Select, ShardSelect, Statement, TableNames
from procession.storage.history.statements.conditions import Where
from procession.storage.history.statements.search_conditions import Filters
from procession.storage.history.tables.constants import HOUR_SECONDS

Texts = Callable[[TableNames], str]
"""Of a SELECT, by how the tables are named."""


class SightingsOfMinute(NamedTuple):
    minute: int
    """When it begins."""
    sightings: int


def sightings_by_minute(
    org_id: int, since: int, until: int, hosts: Collection[int] | None
) -> Select[SightingsOfMinute]:
    """Of these hosts, whatever is asked for."""
    where = _whole_snapshots(Where(org_id), since, until, hosts)
    return Select(
        f"SELECT intDiv(at, {MINUTE_SECONDS}) AS minute, sum(pid.size0) FROM snapshots WHERE {where} GROUP BY minute",
        where.parameters,
        row=lambda row: SightingsOfMinute(row[0] * MINUTE_SECONDS, row[1]),
    )


def label_sets_between(org_id: int, since: int, until: int, hosts: Collection[int] | None) -> Statement:
    """`label_set`: those of all sightings, each once on each shard."""
    where = _whole_snapshots(Where(org_id), since, until, hosts)
    shards = ShardSelect(
        lambda names: (
            f"SELECT arrayJoin(groupUniqArrayArray(label_set)) AS label_set FROM {names('snapshots')} WHERE {where}"
        )
    )
    return Statement(shards.text, where.parameters, shards)


@dataclass(frozen=True, slots=True)
class MinuteSums:
    """What is asked for: of the minutes from `since` to before `until`."""

    filters: Filters
    since: int
    until: int
    measures: Sequence[str]
    hosts: Collection[int] | None
    """The only ones that can have what fits; None: any."""
    code: str | None = None
    """A column that tells the group of a process; None: all are one."""
    codes: tuple[Sequence[int], Sequence[int]] = ((), ())
    """Of the column, what stands for what; nothing: each value for itself."""

    def of_groups(self) -> Statement:
        """`minute, code, processes`, and of each measure `NAME_total, NAME_is_known`."""
        where = self._where()
        parts, weights = self._parts(where), self._weights(where)

        def select(names: TableNames) -> str:
            numbers = "".join(
                f", sumIf({name}_sum / {name}_snapshots, {name}_snapshots > 0) AS {name}_total,"
                f" sum({name}_known) > 0 AS {name}_is_known"
                for name in self.measures
            )
            return (
                f"SELECT minute, code, sum(seen / snapshots) AS processes{numbers} FROM ({parts(names)}) AS parts"
                f" JOIN ({weights(names)}) AS weights USING (host, minute) GROUP BY minute, code"
            )

        return _statement(select, where)

    def of_hosts(self) -> Statement:
        """The same host by host: `host, minute, code, seen`, and of each measure `NAME_sum, NAME_known`."""
        where = self._where()
        return _statement(self._parts(where), where)

    def snapshots_of_hosts(self) -> Statement:
        """`host, minute, snapshots`, and of each measure `NAME_snapshots`, those in which it is known."""
        where = _whole_snapshots(Where(self.filters.org_id), self.since, self.until, self.hosts)
        return _statement(self._weights(where), where)

    def _where(self) -> Where:
        where = Where(self.filters.org_id, self.filters.parameters)
        return _whole_snapshots(where, self.since, self.until, self.hosts)

    def _parts(self, where: Where) -> Texts:
        fits, code = self._fits(where), self._code(where)
        # Each column once, and in the sums by another name: theirs would stand for the column.
        columns = dict.fromkeys(
            ("state", *(() if self.filters.is_any else ("version",)), *self._code_column(), *self.measures)
        )
        listed = ", ".join(columns)
        numbers = "".join(
            f", sumIf({name}, {name} >= 0) AS {name}_sum, countIf({name} >= 0) AS {name}_known"
            for name in self.measures
        )

        def select(names: TableNames) -> str:
            chunks = f"SELECT host, at, {listed} FROM {names('snapshots')} FINAL WHERE {where}"
            return (
                f"SELECT host, intDiv(at, {MINUTE_SECONDS}) AS minute, {code} AS code, count() AS seen{numbers}"
                f" FROM ({chunks}) ARRAY JOIN {listed} WHERE state != {STATE_NUMBERS[DEAD]}{fits(names)}"
                " GROUP BY host, minute, code"
            )

        return select

    def _weights(self, where: Where) -> Texts:
        numbers = "".join(f", sumIf(1 / chunk_count, sum_of_{name} >= 0) AS {name}_snapshots" for name in self.measures)
        return lambda names: (
            f"SELECT host, intDiv(at, {MINUTE_SECONDS}) AS minute, sum(1 / chunk_count) AS snapshots{numbers}"
            f" FROM {names('snapshots')} FINAL WHERE {where} GROUP BY host, minute"
        )

    def _fits(self, where: Where) -> Texts:
        if self.filters.is_any:
            return lambda _: ""
        first, last = (where.bind("Int64", at // HOUR_SECONDS) for at in (self.since, self.until - 1))
        condition = self.filters.condition
        return lambda names: (
            f" AND (host, version) IN (SELECT host, version FROM {names('descriptions')}"
            f" WHERE org = {{org:UInt32}} AND hour >= {first} AND hour <= {last} AND {condition.text(names)})"
        )

    def _code(self, where: Where) -> str:
        keys, codes = self.codes
        if self.code is None or not keys:
            return "toUInt64(0)" if self.code is None else f"toUInt64({self.code})"
        named, numbers = where.bind("Array(UInt64)", list(keys)), where.bind("Array(UInt64)", list(codes))
        return f"transform({self.code}, {named}, {numbers}, toUInt64(0))"

    def _code_column(self) -> tuple[str, ...]:
        return () if self.code in (None, "host") else (str(self.code),)


def _whole_snapshots(where: Where, since: int, until: int, hosts: Collection[int] | None) -> Where:
    where.taken_between(since, until - 1).on_hosts(hosts)
    return where.matches(f"chunk_count > {NEVER_COMPLETE}")


def _statement(select: Texts, where: Where) -> Statement:
    shards = ShardSelect(select)
    return Statement(shards.text, where.parameters, shards)
