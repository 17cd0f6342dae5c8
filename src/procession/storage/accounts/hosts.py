"""Tags of hosts, and until when hosts are watched, in the tables."""

from __future__ import annotations

from typing import NamedTuple

from procession.accounts.hosts import HostTags, TagSource, WatchLease
from procession.storage.accounts.tables import AccountTables


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
        # Not the newest change: of two servers, one may have a clock that is behind.
        versions = self._tables.rows("SELECT sum(cityHash64(change)) FROM host_tags")
        return sum(int(version) for (version,) in versions)  # one from each shard that was asked

    def put_host_tags(self, entry: HostTags) -> None:
        self._tables.change(
            "host_tags WHERE org = {org:UInt32} AND host = {host:String} AND source = {source:String}",
            "INSERT INTO host_tags SELECT {org:UInt32}, {host:String}, {source:String}, {tags:Array(String)},"
            " {change:UInt64}",
            {"org": entry.org_id, "host": entry.host, "source": entry.source.value, "tags": list(entry.tags)},
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
