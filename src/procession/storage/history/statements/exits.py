"""Exits that agents reported: the table `exits`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple, TypeVar

from procession.process import ExitCost, ExitFacts, ProcessKey
from procession.storage.history.engine.statement import Select, Statement
from procession.storage.history.statements.conditions import Where
from procession.storage.history.tables.constants import TRUTHS


class ExitRow(NamedTuple):
    host: int
    pid: int
    at: int
    executed_at: int
    """0: not known."""
    exit_code: int
    oom_killed: int
    """As TRUTHS has it."""
    oom_cgroup: str
    cpu_user_seconds: float
    """Below 0: not known, as the next ones."""
    cpu_system_seconds: float
    peak_rss_bytes: int
    read_bytes: int
    written_bytes: int
    is_cost_final: bool

    @property
    def facts(self) -> ExitFacts:
        return ExitFacts(_TRUTHS.get(self.oom_killed), self.oom_cgroup, self._cost())

    def _cost(self) -> ExitCost | None:
        cost = ExitCost(
            cpu_user_seconds=_known(self.cpu_user_seconds),
            cpu_system_seconds=_known(self.cpu_system_seconds),
            peak_rss_bytes=_known(self.peak_rss_bytes),
            read_bytes=_known(self.read_bytes),
            written_bytes=_known(self.written_bytes),
            is_final=bool(self.is_cost_final),
        )
        return None if cost == _UNKNOWN_COST else cost


_UNKNOWN_COST = ExitCost(is_final=False)

_Number = TypeVar("_Number", int, float)


def _known(number: _Number) -> _Number | None:
    return None if number < 0 else number


_TRUTHS = {number: truth for truth, number in TRUTHS.items()}


def exits_of_pids(org_id: int, since: int, until: int, keys: Sequence[ProcessKey]) -> Select[ExitRow]:
    """Of whatever had the pids of these processes, both ends within, by moment."""
    where = Where(org_id).reported_between(since, until).on_hosts({key.host_key for key in keys}).of_pids(keys)
    return Select(
        f"SELECT {', '.join(ExitRow._fields)} FROM exits WHERE {where} ORDER BY at, exit_code",
        where.parameters,
        row=ExitRow._make,
    )


def exits_on_hosts(org_id: int, since: int, until: int, hosts: Collection[int] | None = None) -> Statement:
    """Columns of all that was reported, both ends within: `host, pid, at, executed_at`."""
    where = Where(org_id).reported_between(since, until).on_hosts(hosts)
    # To say what is read first saves the engine a fifth of the time, which goes mostly into planning.
    return Statement(f"SELECT host, pid, at, executed_at FROM exits PREWHERE {where}", where.parameters)
