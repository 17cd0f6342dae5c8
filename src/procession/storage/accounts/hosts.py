"""Tags of hosts, what their agents say of themselves, and until when hosts are watched, in the tables."""

from __future__ import annotations

from collections.abc import Sequence
from time import time_ns
from typing import NamedTuple

import pyarrow as pa

from procession.accounts.hosts import HostNotice, HostTags, TagSource, WatchLease
from procession.storage.accounts.changes import next_change
from procession.storage.accounts.tables import AccountTables

_NOTICES = 200
"""Of one insert: a server takes no more than 128 KiB for a parameter."""

_ENTRIES = 100
"""Of one insert: each name of a host may have a thousand bytes."""


class _HostTagsRow(NamedTuple):
    org: int
    host: str
    source: str
    tags: list[str]
    said_at: int


class ClickHouseHosts:
    """A HostStore."""

    def __init__(self, tables: AccountTables) -> None:
        self._tables = tables

    def host_tags(self) -> tuple[HostTags, ...]:
        rows = map(
            _HostTagsRow._make,
            self._tables.rows(
                "SELECT org, host, source, tags, intDiv(change, 1000000000) FROM host_tags FINAL WHERE notEmpty(tags)"
            ),
        )
        return tuple(
            HostTags(row.org, row.host, TagSource(row.source), tuple(row.tags), row.said_at) for row in sorted(rows)
        )

    def host_tags_version(self) -> int:
        # Not the newest change: of two servers, one may have a clock that is behind. FINAL, because a merge drops rows
        # that were replaced, and that is no change.
        versions = self._tables.rows("SELECT sum(cityHash64(change)) FROM host_tags FINAL")
        return sum(int(version) for (version,) in versions)  # one from each shard that was asked

    def put_host_tags(self, *entries: HostTags) -> None:
        newest = list({(one.org_id, one.host, one.source): one for one in entries}.values())
        for first in range(0, len(newest), _ENTRIES):
            some = newest[first : first + _ENTRIES]
            hosts = [one.host for one in some]
            change = next_change(self._tables.rows, "host_tags WHERE host IN {host:Array(String)}", {"host": hosts})
            columns = {
                "org": pa.array([one.org_id for one in some], pa.uint32()),
                "host": pa.array(hosts, pa.string()),
                "source": pa.array([one.source.value for one in some], pa.string()),
                "tags": pa.array([list(one.tags) for one in some], pa.list_(pa.string())),
                "change": pa.repeat(pa.scalar(change, pa.uint64()), len(some)),
            }
            self._tables.insert("host_tags", pa.table(columns))

    def host_notices(self, org_id: int) -> tuple[HostNotice, ...]:
        rows = self._tables.rows(
            "SELECT org, host, interval_seconds, shut_down_at, cpus FROM host_notices FINAL WHERE org = {org:UInt32}",
            {"org": org_id},
        )
        return tuple(HostNotice(*row) for row in sorted(rows))

    def put_host_notices(self, notices: Sequence[HostNotice]) -> None:
        for first in range(0, len(notices), _NOTICES):
            some = notices[first : first + _NOTICES]
            self._tables.write(
                "INSERT INTO host_notices (org, host, interval_seconds, shut_down_at, cpus, change)"
                " SELECT one.1, one.2, one.3, one.4, one.5, {change:UInt64} FROM (SELECT arrayJoin(arrayZip("
                "{org:Array(UInt32)}, {host:Array(String)}, {interval:Array(UInt32)}, {down:Array(UInt32)},"
                " {cpus:Array(UInt32)})) AS one)",
                {
                    "org": [one.org_id for one in some],
                    "host": [one.host for one in some],
                    "interval": [one.interval_seconds for one in some],
                    "down": [one.shut_down_at for one in some],
                    "cpus": [one.cpus for one in some],
                    "change": time_ns(),
                },
            )

    def leases(self, now: int) -> tuple[WatchLease, ...]:
        rows = self._tables.rows(
            "SELECT org, host, max(until) FROM leases WHERE until > {now:Int64} GROUP BY org, host", {"now": now}
        )
        return tuple(WatchLease(*row) for row in rows)

    def put_lease(self, lease: WatchLease) -> None:
        self._tables.write(
            "INSERT INTO leases SELECT {org:UInt32}, {host:String}, {until:UInt32}",
            {"org": lease.org_id, "host": lease.host, "until": lease.until},
        )
