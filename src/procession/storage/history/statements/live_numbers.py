"""What agents send while somebody watches: the table `live_numbers`."""

from __future__ import annotations

from collections.abc import Sequence

from procession.lifecycle.endings import START_TOLERANCE
from procession.packed import DEAD, STATE_NUMBERS
from procession.process import ProcessKey
from procession.storage.history.engine.statement import Select, Statement
from procession.storage.history.statements.conditions import Where
from procession.storage.history.statements.snapshots import NUMBER_NAMES, SightingNumbers


def newest_live_numbers(org_id: int, since: int, until: int, keys: Sequence[ProcessKey]) -> Select[SightingNumbers]:
    """Under the pids of these processes, with a start that may be theirs, both ends within."""
    starts = [key.started_at for key in keys]
    where = Where(org_id).taken_between(since, until).on_hosts({key.host_key for key in keys})
    least, most = (
        where.bind("Int64", start) for start in (min(starts) - START_TOLERANCE, max(starts) + START_TOLERANCE)
    )
    where.matches(f"start >= {least} AND start <= {most}").of_pids(keys)
    return Select(
        f"SELECT at, host, pid, start, {NUMBER_NAMES} FROM live_numbers ARRAY JOIN pid, start, {NUMBER_NAMES}"
        f" WHERE {where} ORDER BY at DESC",
        where.parameters,
        limit_by="start, host, pid",
        row=SightingNumbers.of,
    )


def dead_among_live_numbers(org_id: int, since: int, until: int, hosts: Sequence[int] | None = None) -> Statement:
    """Columns of last looks at the dead, both ends within: `host, pid, at, start`."""
    where = Where(org_id).taken_between(since, until).on_hosts(hosts)
    dead = where.bind("UInt8", STATE_NUMBERS[DEAD])
    where.matches(f"has(state, {dead})").matches(f"one_state = {dead}")
    return Statement(
        "SELECT host, one_pid AS pid, at, one_start AS start FROM live_numbers"
        f" ARRAY JOIN pid AS one_pid, start AS one_start, state AS one_state WHERE {where}",
        where.parameters,
    )
