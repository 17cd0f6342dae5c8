"""The tables, as numbered migrations: applied in order at start, each once, never edited after a release.

| table | a row | read for |
| --- | --- | --- |
| `snapshots` | a chunk of a snapshot: arrays over its processes | the truth: who was seen when, with which numbers |
| `live_numbers` | a chunk of the numbers that an agent sends while it is watched | how processes do right now |
| `presence` | process, version and hour: when it was there | which processes a window holds, in the API's order |
| `descriptions` | process, version and hour: what the process is | what a page shows, and text search |
| `exits` | an exit that an agent reported | when and how a process ended |
| `tag_sets`, `hosts` | a distinct set of tags; a host's name | dictionaries for `descriptions` and `presence` |
| `label_sets` | what processes have in common: command, user, container, tags | counting and summing by any of these |
| `minutes` | process and hour: its numbers by the minute | curves of days and months, earlier runs of a command |
| `rollup_state` | host and hour, up to when it is in `minutes` | what is left to be rolled up, see `write/rollup.py` |
| `host_tags` | a host and who says so: its tags | what each of its processes is given, from then on |
| `leases` | an org and host: until when it is watched | whether agents are to send numbers live |
| `orgs`, `keys` | an org; a key's hash | who may do what |
| `sessions` | who is signed in to the page: the hash of a token | the same |
| `links`, `link_uses` | a link that signs in once; each try to use it | signing in |
| `views` | a saved view of an org | the page |

A *version* is a hash of a `ProcessDescription`, so that rows say themselves what a process was at each sighting: any
server may write any chunk, again and in any order, and nothing but the rows has to be remembered. `presence` is fed by
a materialized view, in the same insert as `snapshots`. `descriptions` is written before `snapshots`: a sighting never
lacks its text.
"""

from __future__ import annotations

from dataclasses import dataclass

from procession.packed import NUMBERS

BLOCK_SECONDS = 300
"""Snapshots of one host lie together inside such a stretch, so that what did not change costs next to nothing: a
sighting in `snapshots` takes 6.7 bytes in stretches of a minute, 5.0 of two, 3.9 of five, 3.5 of ten. To look at an
instant for the first time takes a fifth longer in five than in one or two, since all of the stretch is read."""

HOUR_SECONDS = 3600
"""`presence` and `descriptions` keep a row per process and such a stretch."""

SLOT_SECONDS = 10
"""`presence` keeps a bit for each of these of its hour, since agents take a snapshot so often: which of the moments
between first and last a process was really there."""

LOW_SLOTS = 256
"""Slots from here on have their bits in `presence.high_slots`: no integer of the engine is as long as an hour."""

DAY_SECONDS = 86400

GRANULE = 1024
"""Rows of `presence` between two marks of its primary index."""

NO_NICE = 127
"""In `descriptions.nice`, where it is not known: it is from -20 to 19."""

# An acknowledged payload must survive a power cut, not only the end of the process.
_DURABLE = "fsync_after_insert = 1, fsync_part_directory = 1"

_KINDS = {"f4": "Float32", "i4": "Int32", "i8": "Int64"}

NUMBER_COLUMNS = tuple((name, _KINDS[kind]) for name, kind in NUMBERS)
"""Fields of `ProcessNumbers` as arrays of `snapshots`. What is absent is stored as -1; none of them can be negative."""

# A page takes a few rows from many places, and the engine reads whole blocks: small ones halve the time, for a fifth
# more bytes.
_SMALL_BLOCKS = "min_compress_block_size = 8192, max_compress_block_size = 16384"

# A day that is over becomes one part: what is asked of it is read from one place, and not from six. Six hours after the
# newest of it came, since all of the day is written anew for it, when something comes late too.
_MERGED_WHEN_OVER = "min_age_to_force_merge_seconds = 21600, min_age_to_force_merge_on_partition_only = 1"

_SLOT = f"intDiv(at % {HOUR_SECONDS}, {SLOT_SECONDS})"
# ZSTD(3) finds a process again in the next snapshot, kilobytes on, where (1) misses half of what moved. It takes
# a fifth fewer bytes, as much time to write, and less to read.
_SNAP_NUMBERS = "".join(f"    {name} Array({kind}) CODEC(ZSTD(3)),\n" for name, kind in NUMBER_COLUMNS)


@dataclass(frozen=True, slots=True)
class Migration:
    number: int
    name: str
    statements: tuple[str, ...]


MIGRATIONS = (
    Migration(
        1,
        "first tables",
        (
            f"""CREATE TABLE snapshots (
    org UInt32,
    at UInt32 CODEC(Delta, ZSTD(1)),
    host UInt64,
    request UInt64 COMMENT 'tells the chunks of one snapshot apart',
    split_id Int32,
    chunk_count UInt32,
    pid Array(UInt32) CODEC(Delta(4), ZSTD(3)),
    start Array(UInt32) CODEC(ZSTD(3)),
    version Array(UInt64) CODEC(ZSTD(3)),
    label_set Array(UInt64) CODEC(ZSTD(3)),
    state Array(UInt8) CODEC(ZSTD(3)),
{_SNAP_NUMBERS}    received_at UInt32 CODEC(Delta, ZSTD(3))
) ENGINE = ReplacingMergeTree
ORDER BY (org, intDiv(at, {BLOCK_SECONDS}), host, at, request)
PARTITION BY intDiv(at, {DAY_SECONDS})
SETTINGS {_DURABLE}, index_granularity = 32, ttl_only_drop_parts = 1""",
            f"""CREATE TABLE live_numbers (
    org UInt32,
    at UInt32 CODEC(Delta, ZSTD(3)),
    host UInt64,
    request UInt64,
    pid Array(UInt32) CODEC(Delta(4), ZSTD(3)),
    start Array(UInt32) CODEC(ZSTD(3)),
    state Array(UInt8) CODEC(ZSTD(3)),
{_SNAP_NUMBERS}    received_at UInt32 CODEC(Delta, ZSTD(3))
) ENGINE = ReplacingMergeTree
ORDER BY (org, intDiv(at, {BLOCK_SECONDS}), host, at, request)
PARTITION BY intDiv(at, {DAY_SECONDS})
SETTINGS index_granularity = 128, ttl_only_drop_parts = 1""",
            f"""CREATE TABLE presence (
    org UInt32,
    hour UInt32,
    start UInt32 CODEC(Delta, ZSTD(1)),
    host UInt64,
    pid UInt32,
    version UInt64,
    label_set SimpleAggregateFunction(any, UInt64) CODEC(ZSTD(1)),
    first SimpleAggregateFunction(min, UInt32),
    last SimpleAggregateFunction(max, UInt32),
    low_slots SimpleAggregateFunction(groupBitOr, UInt256) CODEC(ZSTD(1)),
    high_slots SimpleAggregateFunction(groupBitOr, UInt128) CODEC(ZSTD(1))
) ENGINE = AggregatingMergeTree
ORDER BY (org, hour, start, host, pid, version)
PARTITION BY intDiv(hour, {DAY_SECONDS // HOUR_SECONDS})
SETTINGS {_DURABLE}, index_granularity = {GRANULE}, ttl_only_drop_parts = 1, {_MERGED_WHEN_OVER}""",
            f"""CREATE MATERIALIZED VIEW presence_from_snapshots TO presence AS
SELECT org, intDiv(at, {HOUR_SECONDS}) AS hour, start, host, pid, version, label_set, at AS first, at AS last,
    if({_SLOT} < {LOW_SLOTS}, bitShiftLeft(toUInt256(1), {_SLOT}), 0) AS low_slots,
    if({_SLOT} < {LOW_SLOTS}, 0, bitShiftLeft(toUInt128(1), {_SLOT} % {LOW_SLOTS})) AS high_slots
FROM snapshots ARRAY JOIN pid, start, version, label_set""",
            f"""CREATE TABLE descriptions (
    org UInt32,
    hour UInt32,
    start UInt32 CODEC(Delta, ZSTD(1)),
    host UInt64,
    pid UInt32,
    version UInt64,
    cmdline String CODEC(ZSTD(1)),
    exe String CODEC(ZSTD(1)),
    cwd String CODEC(ZSTD(1)),
    root LowCardinality(String),
    comm String CODEC(ZSTD(1)),
    command String CODEC(ZSTD(1)),
    user LowCardinality(String),
    uid Int64,
    gid Int64,
    group_name LowCardinality(String),
    ppid UInt32,
    namespace_pid Int64,
    nice Int8 COMMENT '127: not known',
    container_id String CODEC(ZSTD(1)),
    is_zombie Bool,
    tag_set UInt64,
    text String CODEC(ZSTD(1)) COMMENT 'folded command line, executable and user, for search',
    own_tags Array(LowCardinality(String)) COMMENT 'folded user:, command: and state_zombie:',
    INDEX text_ngrams text TYPE text(tokenizer = ngrams(3), posting_list_codec = 'bitpacking'),
    INDEX hosts host TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = ReplacingMergeTree
ORDER BY (org, hour, start, host, pid, version)
PARTITION BY intDiv(hour, {DAY_SECONDS // HOUR_SECONDS})
SETTINGS {_DURABLE}, index_granularity = 256, {_SMALL_BLOCKS}, ttl_only_drop_parts = 1, {_MERGED_WHEN_OVER}""",
            f"""CREATE TABLE exits (
    org UInt32,
    host UInt64,
    pid UInt32,
    at UInt32 CODEC(Delta, ZSTD(1)),
    executed_at UInt32 COMMENT 'when it became the program that ended; 0: not known',
    exit_code Int32
) ENGINE = ReplacingMergeTree
ORDER BY (org, intDiv(at, {HOUR_SECONDS}), host, pid, at)
PARTITION BY intDiv(at, {DAY_SECONDS})
SETTINGS {_DURABLE}, index_granularity = 1024, ttl_only_drop_parts = 1""",
            f"""CREATE TABLE tag_sets (
    org UInt32,
    tag_set UInt64,
    day UInt32 COMMENT 'of the newest sighting that was written with it',
    tags Array(String) CODEC(ZSTD(1)),
    folded Array(String) CODEC(ZSTD(1))
) ENGINE = ReplacingMergeTree(day)
ORDER BY (org, tag_set)
SETTINGS {_DURABLE}""",
            f"""CREATE TABLE label_sets (
    org UInt32,
    label_set UInt64,
    day UInt32,
    command String,
    user String,
    container_id String,
    is_zombie Bool,
    tag_set UInt64,
    own_tags Array(LowCardinality(String)) COMMENT 'as in `descriptions`'
) ENGINE = ReplacingMergeTree(day)
ORDER BY (org, label_set)
SETTINGS {_DURABLE}""",
            f"""CREATE TABLE minutes (
    org UInt32,
    host UInt64,
    pid UInt32,
    start UInt32,
    hour UInt32,
    version UInt64 COMMENT 'its newest in the hour',
    label_set UInt64,
    first UInt32,
    last UInt32,
    minute Array(UInt8) CODEC(ZSTD(1)) COMMENT 'of the hour, in which it was seen',
    cpu_total_percent Array(Float32) CODEC(ZSTD(1)) COMMENT 'mean; -1: not known, in all of them',
    cpu_total_percent_max Array(Float32) CODEC(ZSTD(1)),
    rss_bytes Array(Int64) CODEC(ZSTD(1)) COMMENT 'greatest',
    threads Array(Int32) CODEC(ZSTD(1)) COMMENT 'greatest',
    open_files Array(Int32) CODEC(ZSTD(1)) COMMENT 'greatest',
    read_bytes_per_second Array(Float32) CODEC(ZSTD(1)) COMMENT 'mean',
    write_bytes_per_second Array(Float32) CODEC(ZSTD(1)) COMMENT 'mean',
    rolled_up_at UInt32
) ENGINE = ReplacingMergeTree(rolled_up_at)
ORDER BY (org, host, pid, start, hour)
PARTITION BY intDiv(hour, {DAY_SECONDS // HOUR_SECONDS})
SETTINGS index_granularity = 256, ttl_only_drop_parts = 1""",
            f"""CREATE TABLE rollup_state (
    org UInt32,
    hour UInt32,
    host UInt64,
    received_at UInt32 COMMENT 'of the newest snapshot that is in the roll-up'
) ENGINE = ReplacingMergeTree(received_at)
ORDER BY (org, hour, host)
PARTITION BY intDiv(hour, {DAY_SECONDS // HOUR_SECONDS * 30})
SETTINGS ttl_only_drop_parts = 1""",
            f"""CREATE TABLE views (
    org UInt32,
    name String,
    state String,
    changed_at UInt32,
    is_deleted Bool,
    change UInt64
) ENGINE = ReplacingMergeTree(change)
ORDER BY (org, name)
SETTINGS {_DURABLE}""",
            f"""CREATE TABLE hosts (
    org UInt32,
    host UInt64,
    day UInt32,
    name String,
    folded String
) ENGINE = ReplacingMergeTree(day)
ORDER BY (org, host)
SETTINGS {_DURABLE}""",
            f"""CREATE TABLE host_tags (
    org UInt32,
    host String,
    source LowCardinality(String),
    tags Array(String),
    change UInt64
) ENGINE = ReplacingMergeTree(change)
ORDER BY (org, host, source)
SETTINGS {_DURABLE}""",
            """CREATE TABLE leases (
    org UInt32,
    host String COMMENT 'empty: all hosts of the org',
    until UInt32
) ENGINE = ReplacingMergeTree(until)
ORDER BY (org, host)""",
            f"""CREATE TABLE orgs (
    id UInt32,
    name String,
    change UInt64
) ENGINE = ReplacingMergeTree(change)
ORDER BY id
SETTINGS {_DURABLE}""",
            f"""CREATE TABLE keys (
    id String,
    org UInt32,
    kind LowCardinality(String),
    name String,
    secret_hash String COMMENT 'hex',
    created_at Int64,
    revoked_at Nullable(Int64),
    change UInt64
) ENGINE = ReplacingMergeTree(change)
ORDER BY id
SETTINGS {_DURABLE}""",
            f"""CREATE TABLE sessions (
    token_hash String COMMENT 'hex',
    org UInt32,
    key_id String,
    created_at UInt32,
    expires_at UInt32,
    ended_at Nullable(UInt32),
    change UInt64
) ENGINE = ReplacingMergeTree(change)
ORDER BY token_hash
SETTINGS {_DURABLE}""",
            """CREATE TABLE links (
    token_hash String COMMENT 'hex',
    org UInt32,
    key_id String,
    expires_at UInt32
) ENGINE = ReplacingMergeTree
ORDER BY token_hash""",
            f"""CREATE TABLE link_uses (
    token_hash String,
    use UInt64 COMMENT 'tells those apart who tried',
    at UInt32
) ENGINE = ReplacingMergeTree
ORDER BY (token_hash, use)
SETTINGS {_DURABLE}""",
        ),
    ),
    Migration(
        2,
        "tags by number, minutes in small blocks",
        # Each container has a set of its own, of tags that many share: looked through in half the time. And of minutes,
        # those of one process are read. (In `snapshots`, small blocks cost 28 % more bytes.)
        (
            "ALTER TABLE tag_sets MODIFY COLUMN tags Array(LowCardinality(String))",
            "ALTER TABLE tag_sets MODIFY COLUMN folded Array(LowCardinality(String))",
            f"ALTER TABLE minutes MODIFY SETTING {_SMALL_BLOCKS}",
        ),
    ),
    Migration(
        3,
        "where arguments end",
        # See `procession.command_line.arguments`. Of most processes it is one number, if any: next to no bytes.
        ("ALTER TABLE descriptions ADD COLUMN IF NOT EXISTS argument_words Array(UInt32) CODEC(ZSTD(1))",),
    ),
)

MIGRATIONS_TABLE = f"""CREATE TABLE IF NOT EXISTS migrations (
    number UInt32,
    name String,
    applied_at UInt32
) ENGINE = ReplacingMergeTree
ORDER BY number
SETTINGS {_DURABLE}"""


_MOST_HOURS = 24 * 365 * 40
"""Moments of the engine's `DateTime` go to the year 2106; one after that would be long ago."""

_CHANGED_AT = "toDateTime(intDiv(change, 1000000000))"


def retention_rules(
    *, retention_hours: int, sighting_retention_hours: int, live_retention_hours: int
) -> dict[str, str]:
    """Table -> its TTL for the retention settings, with grace: queries cut exactly, the engine in whole parts."""
    retention_hours = min(retention_hours, _MOST_HOURS)
    sighting_retention_hours = min(sighting_retention_hours, _MOST_HOURS)
    live_retention_hours = min(live_retention_hours, _MOST_HOURS)
    whole = retention_hours + 2
    of_hour = f"toDateTime(hour * {HOUR_SECONDS}) + toIntervalHour({whole})"
    of_day = f"toDateTime(day * {DAY_SECONDS}) + toIntervalHour({whole + 24})"
    return {
        "snapshots": f"toDateTime(at) + toIntervalHour({sighting_retention_hours + 1})",
        "live_numbers": f"toDateTime(at) + toIntervalHour({live_retention_hours + 1})",
        "presence": of_hour,
        "descriptions": of_hour,
        "minutes": of_hour,
        "rollup_state": of_hour,
        "exits": f"toDateTime(at) + toIntervalHour({whole})",
        "sessions": "toDateTime(expires_at) + toIntervalHour(1)",
        "links": "toDateTime(expires_at) + toIntervalHour(1)",
        "link_uses": "toDateTime(at) + toIntervalHour(24)",
        "leases": f"toDateTime(until) + toIntervalHour({live_retention_hours + 1})",
        "tag_sets": of_day,
        "label_sets": of_day,
        "hosts": of_day,
        # What users say stays; what agents say is written anew each day.
        "host_tags": f"{_CHANGED_AT} + toIntervalHour({whole + 48}) WHERE source = 'agent'",
    }
