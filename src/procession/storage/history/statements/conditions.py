"""Conditions on the columns that several tables share, and the values that they bind."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from procession.process import ProcessKey
from procession.storage.history.engine.statement import bind
from procession.storage.history.tables.constants import BLOCK_SECONDS, HOUR_SECONDS
from procession.window import Window

_FEW_HOURS = 6
"""Up to so many are named one by one: the primary index makes more of a few values than of a range."""

_FEW_STARTS = 1000
"""Of so many the primary index looks each up; of more, it goes from the first to the last."""

_MASK = 2**64 - 1
_START_FACTOR, _PID_FACTOR, _MOMENT_FACTOR = 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
_KEY_SUM = f"host + start * toUInt64({_START_FACTOR}) + pid * toUInt64({_PID_FACTOR})"
"""Stands for the key of a process: to look one number up in a set costs a third of looking a tuple up."""


def hours_of(window: Window) -> range:
    """Those that a window touches, since 1970."""
    return range(window.from_at // HOUR_SECONDS, window.to_at // HOUR_SECONDS + 1)


class Where:
    """Conditions that all hold, the first being that of the org. Each method adds one and binds its values."""

    def __init__(self, org_id: int, parameters: Mapping[str, Any] | None = None) -> None:
        """`parameters`: what conditions bind that were made elsewhere and are to be added with `matches`."""
        self.parameters: dict[str, Any] = {**(parameters or {}), "org": org_id}
        self._conditions = ["org = {org:UInt32}"]

    def __str__(self) -> str:
        return " AND ".join(self._conditions)

    def bind(self, sql_type: str, value: Any) -> str:
        """Stands for a value in the text."""
        return bind(self.parameters, sql_type, value)

    def matches(self, condition: str) -> Where:
        self._conditions.append(condition)
        return self

    def taken_between(self, since: int, until: int) -> Where:
        """`at` is a moment of these, both within, in a table whose order begins with the blocks of time."""
        first, last = self.bind("Int64", since), self.bind("Int64", until)
        return self._moments(BLOCK_SECONDS, first, last)

    def reported_between(self, since: int, until: int) -> Where:
        """The same in a table whose order begins with hours."""
        first, last = self.bind("Int64", since), self.bind("Int64", until)
        return self._moments(HOUR_SECONDS, first, last)

    def taken_at(self, moments: Iterable[int]) -> Where:
        """`at` is one of these."""
        chosen = sorted(set(moments))
        blocks = self.bind("Array(UInt32)", sorted({at // BLOCK_SECONDS for at in chosen}))
        self.matches(f"intDiv(at, {BLOCK_SECONDS}) IN {blocks}")
        return self.matches(f"at IN {self.bind('Array(UInt32)', chosen)}")

    def in_hours(self, hours: range) -> Where:
        """`hour` is one of these, which follow each other. For tables whose order begins with hours."""
        if len(hours) > _FEW_HOURS:
            return self.within(hours)
        return self.matches(f"hour IN {self.bind('Array(UInt32)', list(hours))}")

    def within(self, hours: range) -> Where:
        """The same for tables whose order does not."""
        first, last = self.bind("UInt32", hours.start), self.bind("UInt32", hours.stop - 1)
        return self.matches(f"hour >= {first} AND hour <= {last}")

    def there_in(self, window: Window) -> Where:
        """From the `first` to the `last` moment is a time that touches a window."""
        since, until = self.bind("Int64", window.from_at), self.bind("Int64", window.to_at)
        return self.matches(f"last >= {since} AND first <= {until}")

    def on_hosts(self, hosts: Collection[int] | None) -> Where:
        """None: on any."""
        return self if hosts is None else self.matches(f"host IN {self.bind('Array(UInt64)', sorted(set(hosts)))}")

    def of_pids(self, keys: Sequence[ProcessKey]) -> Where:
        """Whatever has the host and pid of one of these."""
        hosts = self.bind("Array(UInt64)", [key.host_key for key in keys])
        pids = self.bind("Array(UInt32)", [key.pid for key in keys])
        return self.matches(f"(host, pid) IN (SELECT arrayJoin(arrayZip({hosts}, {pids})))")

    def of_process(self, key: ProcessKey) -> Where:
        host, pid = self.bind("UInt64", key.host_key), self.bind("UInt32", key.pid)
        return self.matches(f"host = {host} AND pid = {pid} AND start = {self.bind('UInt32', key.started_at)}")

    def among(self, keys: Sequence[ProcessKey]) -> Where:
        """One of these processes; a few others may fit, too."""
        distinct = sorted({key.started_at for key in keys})
        if len(distinct) <= _FEW_STARTS:
            self.matches(f"start IN {self.bind('Array(UInt32)', distinct)}")
        else:
            least, most = self.bind("UInt32", distinct[0]), self.bind("UInt32", distinct[-1])
            self.matches(f"start >= {least} AND start <= {most}")
        return self.matches(f"{_KEY_SUM} IN {self.bind('Array(UInt64)', [_key_sum(key) for key in keys])}")

    def among_sightings(self, sightings: Sequence[tuple[ProcessKey, int]]) -> Where:
        """One of these processes at its moment; a few others may fit, too."""
        sums = [_key_sum(key) + at * _MOMENT_FACTOR & _MASK for key, at in sightings]
        return self.matches(f"{_KEY_SUM} + at * toUInt64({_MOMENT_FACTOR}) IN {self.bind('Array(UInt64)', sums)}")

    def in_key_range(self, after: ProcessKey | None, upto: ProcessKey | None) -> Where:
        """After one key, up to another. The primary index understands single columns, so they are named too; where an
        end is that of a second, they say everything."""
        first = None if after is None else self._begin(after)
        last = None if upto is None else self._end(upto)
        if after is not None and upto is not None and after.started_at == upto.started_at:
            first = first or self.bind("UInt64", after.host_key)
            last = last or self.bind("UInt64", upto.host_key)
            self.matches(f"host >= {first} AND host <= {last}")
        return self

    def _begin(self, after: ProcessKey) -> str | None:
        """What stands for its host, if it is bound."""
        start = self.bind("UInt32", after.started_at)
        if after.is_last_of_second:
            self.matches(f"start > {start}")
            return None
        host, pid = self.bind("UInt64", after.host_key), self.bind("UInt32", after.pid)
        self.matches(f"start >= {start} AND (start, host, pid) > ({start}, {host}, {pid})")
        return host

    def _end(self, upto: ProcessKey) -> str | None:
        start = self.bind("UInt32", upto.started_at)
        self.matches(f"start <= {start}")
        if upto.is_last_of_second:
            return None
        host, pid = self.bind("UInt64", upto.host_key), self.bind("UInt32", upto.pid)
        self.matches(f"(start, host, pid) <= ({start}, {host}, {pid})")
        return host

    def _moments(self, unit_seconds: int, first: str, last: str) -> Where:
        return self.matches(
            f"intDiv(at, {unit_seconds}) >= intDiv({first}, {unit_seconds})"
            f" AND intDiv(at, {unit_seconds}) <= intDiv({last}, {unit_seconds})"
            f" AND at >= {first} AND at <= {last}"
        )


def _key_sum(key: ProcessKey) -> int:
    return key.host_key + key.started_at * _START_FACTOR + key.pid * _PID_FACTOR & _MASK
