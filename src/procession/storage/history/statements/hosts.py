"""Names of hosts: the table `hosts`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from procession.search.pattern import Pattern
from procession.storage.history.engine.statement import Select, Statement
from procession.storage.history.statements.conditions import Where
from procession.storage.history.statements.search_conditions import any_of, is_host


class HostName(NamedTuple):
    number: int
    name: str


def names_of_hosts(org_id: int, hosts: Iterable[int]) -> Select[HostName]:
    where = Where(org_id)
    where.matches(f"host IN {where.bind('Array(UInt64)', list(hosts))}")
    return Select(
        f"SELECT host, any(name) FROM hosts WHERE {where} GROUP BY host", where.parameters, row=HostName._make
    )


def hosts_with_tag(org_id: int, patterns: Iterable[Pattern]) -> Statement:
    """Hosts whose `host:` tag fits any of the patterns: `host`."""
    where = Where(org_id)
    where.matches(any_of([is_host(pattern, where.parameters) for pattern in patterns]))
    return Statement(f"SELECT DISTINCT host FROM hosts WHERE {where}", where.parameters)


def is_named_host(where: Where, alternatives: Sequence[Sequence[Sequence[Pattern]]]) -> str:
    """A condition on `host`: its `host:` tag fits a pattern of each group of one of these."""
    of_one = (
        " AND ".join(any_of([is_host(pattern, where.parameters) for pattern in patterns]) for patterns in groups)
        for groups in alternatives
    )
    fits = " OR ".join(f"({one})" for one in dict.fromkeys(of_one))
    return f"host IN (SELECT host FROM hosts WHERE org = {{org:UInt32}} AND ({fits}))"
