"""What agents send while somebody watches: the table `live_numbers`."""

from __future__ import annotations

from collections.abc import Collection, Sequence

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


def live_numbers_with_dead(org_id: int, since: int, until: int, hosts: Collection[int] | None = None) -> Statement:
    """Columns of the live numbers that tell of the dead, both ends within: `host, at`, and `pid, start, state`, which
    are arrays over all their processes: to look through these costs the engine a third more."""
    where = Where(org_id).taken_between(since, until).on_hosts(hosts)
    where.matches(f"has(state, {where.bind('UInt8', STATE_NUMBERS[DEAD])})")
    return Statement(f"SELECT host, at, pid, start, state FROM live_numbers PREWHERE {where}", where.parameters)
