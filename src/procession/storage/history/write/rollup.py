"""From every sighting to one point a minute, for each process and hour: what is kept for months.

Nothing has to be remembered for it. The snapshots say when they came; `rollup_state` says of each host and hour when
the newest came that is in the roll-up. Where snapshots came later than that, the hour of that host is rolled up anew
and as a whole, and the newer rows replace the older ones. So it may be interrupted, repeated and done by several
servers at once.

While a clock is ahead, hours are taken for over that are not. What was rolled up so does not count until the time has
come that it is of: until then, the hour is rolled up again and again, with what came since.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from procession.storage.history.engine.connection import ConnectionPool, rows_of
from procession.storage.history.engine.errors import unavailable_on_failure
from procession.storage.history.statements.minutes import rolled_up_hours
from procession.storage.history.statements.rollup import (
    days_of_snapshots,
    newest_roll_up,
    note_rolled_up,
    roll_up,
    to_roll_up,
)
from procession.storage.history.tables.constants import DAY_SECONDS, HOUR_SECONDS, ROLLUP_GRACE_SECONDS, is_to_come

MAX_SIGHTINGS = 1_000_000
"""In one statement, so that it stays well within its bounds of time and memory, on a busy machine too: with three times
as many, one took more than its half minute."""


class Due(NamedTuple):
    """A host whose hour has to be rolled up."""

    hour: int
    host: int
    received_at: int
    sightings: int
    is_ahead: bool = False
    """Whether it was rolled up at a moment that is still to come."""


class ClickHouseRollup:
    """A RollupStore."""

    def __init__(self, engine: ConnectionPool, *, now: Callable[[], int], sighting_retention_hours: int) -> None:
        self._engine = engine
        self._now = now
        self._retention_seconds = sighting_retention_hours * HOUR_SECONDS
        self._checked: dict[int, tuple[int, int]] = {}
        """Org -> up to when what came has been looked at, and up to which hour."""

    def roll_up(self, orgs: Sequence[int]) -> int:
        now = self._now()
        with unavailable_on_failure():
            return sum(self._roll_up(org_id, now) for org_id in orgs)

    def _roll_up(self, org_id: int, now: int) -> int:
        end = (now - ROLLUP_GRACE_SECONDS) // HOUR_SECONDS
        count = 0
        for some in _slices(self._due(org_id, end, now)):
            with self._engine.connection() as connection:
                hosts, rolled_up_at = [one.host for one in some], now
                if any(one.is_ahead for one in some):
                    found = rows_of(connection)(newest_roll_up(org_id, some[0].hour))
                    rolled_up_at = max(now, 1 + max((newest.at for newest in found), default=0))
                connection.write(roll_up(org_id, some[0].hour, hosts, rolled_up_at))
                connection.write(note_rolled_up(org_id, some[0].hour, hosts, [one.received_at for one in some]))
            count += len(some)
        self._checked[org_id] = now, end
        return count

    def _due(self, org_id: int, end: int, now: int) -> list[Due]:
        """Hosts and hours before `end`, of which something came that is not in the roll-up."""
        received, looked_to = self._checked.get(org_id, (0, 0))
        if received > now:  # the clock was set back
            received = looked_to = 0
        oldest = max(now - self._retention_seconds, 0)
        found: list[Due] = []
        with self._engine.connection() as connection:
            rows = rows_of(connection)
            # Day by day: each is a part of its own. What has been looked at before is only asked for news.
            days = {day.number for day in rows(days_of_snapshots())}
            for since, until in _days(oldest, end * HOUR_SECONDS, days):
                news_only = until <= looked_to * HOUR_SECONDS
                statement = to_roll_up(org_id, since, until, received - ROLLUP_GRACE_SECONDS if news_only else 0)
                due = [Due(*row) for row in rows(statement)]
                if not due:
                    continue
                hours = [one.hour for one in due]
                rolled = {
                    (one.hour, one.host): one.received_at
                    for one in rows(rolled_up_hours(org_id, min(hours), max(hours)))
                }
                for one in due:
                    received_before = rolled.get((one.hour, one.host), -1)
                    is_ahead = is_to_come(received_before, now)
                    if is_ahead or one.received_at > received_before:
                        found.append(one._replace(is_ahead=is_ahead))
        return sorted(found)


def _days(since: int, until: int, days: Iterable[int]) -> Iterator[tuple[int, int]]:
    """These days, within bounds; the last hour by itself, since it is the one that nobody has looked at yet."""
    turn = until - HOUR_SECONDS
    for day in sorted(days):
        for first, last in ((since, turn), (max(since, turn), until)):
            first, last = max(first, day * DAY_SECONDS), min(last, (day + 1) * DAY_SECONDS)
            if first < last:
                yield first, last


def _slices(due: Sequence[Due]) -> Iterator[list[Due]]:
    """Of one hour each, and not too much at once."""
    some: list[Due] = []
    for one in due:
        if some and (one.hour != some[0].hour or sum(item.sightings for item in some) + one.sightings > MAX_SIGHTINGS):
            yield some
            some = []
        some.append(one)
    if some:
        yield some
