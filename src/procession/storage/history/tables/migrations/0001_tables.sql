-- The first tables. After a release this file never changes: what changes the tables is a file with the next number.
--
-- A statement ends with a semicolon at the end of a line. Lines that begin with `-- @` say what the next statement is:
--   @table NAME   makes or changes this table, as does all up to the next such line
--   @cluster      is for clusters only, where each table is there twice: with the rows of a shard, and, under the same
--                 name, as the way to those of all shards, by the key that says on which of them a row lives
--   @retention    is no statement, but the table's TTL: set anew where a setting changes it
-- What differs from store to store has a name: {database}, that statements read and write; {local}, that has the rows,
-- on one server the same; {on_cluster}; {cluster}; {engine:FAMILY, ARGUMENTS}, replicated on a cluster; and for TTLs
-- {retention_hours}, {sighting_retention_hours}, {live_retention_hours}. TTLs leave some hours of grace: queries cut
-- exactly, the engine in whole parts.
--
-- Numbers stand here as they are, and not as constants of the code: a constant that changes must not change what this
-- file makes. `tests/storage/history/tables/test_constants.py` holds the two together.
--
-- Moments are Unix seconds; an hour is 3600 of them, and `hour` its number. Rows say themselves what a process was at
-- each sighting: any server may write any chunk, again and in any order, and nothing but the rows has to be remembered.
-- `descriptions` is written before `snapshots`: a sighting never lacks its text.

-- A chunk of a snapshot: arrays over its processes. The truth: who was seen when, with which numbers.
-- What is not known is -1, as no number can be negative. Snapshots of one host lie together for five minutes, so that
-- what did not change costs next to nothing: a sighting takes 6.7 bytes in blocks of a minute, 5.0 of two, 3.9 of five,
-- 3.5 of ten. To look at an instant for the first time takes a fifth longer in blocks of five minutes than of one or
-- two, since all of the block is read. ZSTD(3) finds a process again in the next snapshot, kilobytes on, where (1)
-- misses half of what moved: a fifth fewer bytes, as much time to write, and less to read. Small compressed blocks would
-- cost 28 % more bytes here.
-- An acknowledged payload must survive a power cut, not only the end of the process: hence the fsync of this table and
-- of those that others refer to.
-- @table snapshots
CREATE TABLE IF NOT EXISTS {local}.snapshots{on_cluster} (
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
    cpu_total_percent Array(Float32) CODEC(ZSTD(3)),
    cpu_user_percent Array(Float32) CODEC(ZSTD(3)),
    cpu_system_percent Array(Float32) CODEC(ZSTD(3)),
    rss_bytes Array(Int64) CODEC(ZSTD(3)),
    vms_bytes Array(Int64) CODEC(ZSTD(3)),
    shared_bytes Array(Int64) CODEC(ZSTD(3)),
    swap_bytes Array(Int64) CODEC(ZSTD(3)),
    threads Array(Int32) CODEC(ZSTD(3)),
    open_files Array(Int32) CODEC(ZSTD(3)),
    read_bytes_per_second Array(Float32) CODEC(ZSTD(3)),
    write_bytes_per_second Array(Float32) CODEC(ZSTD(3)),
    read_operations_per_second Array(Float32) CODEC(ZSTD(3)),
    write_operations_per_second Array(Float32) CODEC(ZSTD(3)),
    voluntary_switches Array(Int64) CODEC(ZSTD(3)),
    involuntary_switches Array(Int64) CODEC(ZSTD(3)),
    received_at UInt32 CODEC(Delta, ZSTD(3))
) ENGINE = {engine:ReplacingMergeTree}
ORDER BY (org, intDiv(at, 300), host, at, request)
PARTITION BY intDiv(at, 86400)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 32, ttl_only_drop_parts = 1;

-- By the hash of (org, host), as everything that a host reports: `host` is a hash itself.
-- @cluster
CREATE TABLE IF NOT EXISTS {database}.snapshots{on_cluster} AS {local}.snapshots
ENGINE = Distributed('{cluster}', '{local}', 'snapshots', host + org * toUInt64(11400714819323198485));

-- @retention
toDateTime(at) + toIntervalHour({sighting_retention_hours} + 1);

-- A chunk of the numbers that an agent sends while somebody watches: how processes do right now.
-- @table live_numbers
CREATE TABLE IF NOT EXISTS {local}.live_numbers{on_cluster} (
    org UInt32,
    at UInt32 CODEC(Delta, ZSTD(3)),
    host UInt64,
    request UInt64,
    pid Array(UInt32) CODEC(Delta(4), ZSTD(3)),
    start Array(UInt32) CODEC(ZSTD(3)),
    state Array(UInt8) CODEC(ZSTD(3)),
    cpu_total_percent Array(Float32) CODEC(ZSTD(3)),
    cpu_user_percent Array(Float32) CODEC(ZSTD(3)),
    cpu_system_percent Array(Float32) CODEC(ZSTD(3)),
    rss_bytes Array(Int64) CODEC(ZSTD(3)),
    vms_bytes Array(Int64) CODEC(ZSTD(3)),
    shared_bytes Array(Int64) CODEC(ZSTD(3)),
    swap_bytes Array(Int64) CODEC(ZSTD(3)),
    threads Array(Int32) CODEC(ZSTD(3)),
    open_files Array(Int32) CODEC(ZSTD(3)),
    read_bytes_per_second Array(Float32) CODEC(ZSTD(3)),
    write_bytes_per_second Array(Float32) CODEC(ZSTD(3)),
    read_operations_per_second Array(Float32) CODEC(ZSTD(3)),
    write_operations_per_second Array(Float32) CODEC(ZSTD(3)),
    voluntary_switches Array(Int64) CODEC(ZSTD(3)),
    involuntary_switches Array(Int64) CODEC(ZSTD(3)),
    received_at UInt32 CODEC(Delta, ZSTD(3))
) ENGINE = {engine:ReplacingMergeTree}
ORDER BY (org, intDiv(at, 300), host, at, request)
PARTITION BY intDiv(at, 86400)
SETTINGS index_granularity = 128, ttl_only_drop_parts = 1;

-- @cluster
CREATE TABLE IF NOT EXISTS {database}.live_numbers{on_cluster} AS {local}.live_numbers
ENGINE = Distributed('{cluster}', '{local}', 'live_numbers', host + org * toUInt64(11400714819323198485));

-- @retention
toDateTime(at) + toIntervalHour({live_retention_hours} + 1);

-- Process, version and hour: when it was there. Which processes a window holds, in the API's order.
-- A bit for each ten seconds of the hour, since agents take a snapshot so often: at which of the moments between first
-- and last it was really there. From slot 256 on the bits are in `high_slots`: no integer is as long as an hour.
-- A day that is over becomes one part, to be read from one place and not from six: six hours after the newest of it
-- came, since all of the day is written anew for it, when something comes late too.
-- @table presence
CREATE TABLE IF NOT EXISTS {local}.presence{on_cluster} (
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
) ENGINE = {engine:AggregatingMergeTree}
ORDER BY (org, hour, start, host, pid, version)
PARTITION BY intDiv(hour, 24)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 1024, ttl_only_drop_parts = 1,
    min_age_to_force_merge_seconds = 21600, min_age_to_force_merge_on_partition_only = 1;

-- @cluster
CREATE TABLE IF NOT EXISTS {database}.presence{on_cluster} AS {local}.presence
ENGINE = Distributed('{cluster}', '{local}', 'presence', host + org * toUInt64(11400714819323198485));

-- @retention
toDateTime(hour * 3600) + toIntervalHour({retention_hours} + 2);

-- Fed in the same insert as `snapshots`.
CREATE MATERIALIZED VIEW IF NOT EXISTS {local}.presence_from_snapshots{on_cluster} TO {local}.presence AS
SELECT org, intDiv(at, 3600) AS hour, start, host, pid, version, label_set, at AS first, at AS last,
    if(intDiv(at % 3600, 10) < 256, bitShiftLeft(toUInt256(1), intDiv(at % 3600, 10)), 0) AS low_slots,
    if(intDiv(at % 3600, 10) < 256, 0, bitShiftLeft(toUInt128(1), intDiv(at % 3600, 10) % 256)) AS high_slots
FROM {local}.snapshots ARRAY JOIN pid, start, version, label_set;

-- Process, version and hour: what the process is. What a page shows, and text search. A version is a hash of all of it.
-- A page takes a few rows from many places, and the engine reads whole compressed blocks: small ones halve the time, for
-- a fifth more bytes.
-- `argument_words`: see `procession.command_line.arguments`. Of most processes it is one number, if any.
-- @table descriptions
CREATE TABLE IF NOT EXISTS {local}.descriptions{on_cluster} (
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
    argument_words Array(UInt32) CODEC(ZSTD(1)),
    tag_set UInt64,
    text String CODEC(ZSTD(1)) COMMENT 'folded command line, executable and user, for search',
    own_tags Array(LowCardinality(String)) COMMENT 'folded user:, command: and state_zombie:',
    INDEX text_ngrams text TYPE text(tokenizer = ngrams(3), posting_list_codec = 'bitpacking'),
    INDEX hosts host TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = {engine:ReplacingMergeTree}
ORDER BY (org, hour, start, host, pid, version)
PARTITION BY intDiv(hour, 24)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 256, min_compress_block_size = 8192,
    max_compress_block_size = 16384, ttl_only_drop_parts = 1, min_age_to_force_merge_seconds = 21600,
    min_age_to_force_merge_on_partition_only = 1;

-- @cluster
CREATE TABLE IF NOT EXISTS {database}.descriptions{on_cluster} AS {local}.descriptions
ENGINE = Distributed('{cluster}', '{local}', 'descriptions', host + org * toUInt64(11400714819323198485));

-- @retention
toDateTime(hour * 3600) + toIntervalHour({retention_hours} + 2);

-- An exit that an agent reported: when and how a process ended. All of it is its key: a pid may be used twice within a
-- second, and of two rows with one key a merge, whenever it comes, would leave one.
-- @table exits
CREATE TABLE IF NOT EXISTS {local}.exits{on_cluster} (
    org UInt32,
    host UInt64,
    pid UInt32,
    at UInt32 CODEC(Delta, ZSTD(1)),
    executed_at UInt32 COMMENT 'when it became the program that ended; 0: not known',
    exit_code Int32
) ENGINE = {engine:ReplacingMergeTree}
ORDER BY (org, intDiv(at, 3600), host, pid, at, executed_at, exit_code)
PARTITION BY intDiv(at, 86400)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 1024, ttl_only_drop_parts = 1;

-- @cluster
CREATE TABLE IF NOT EXISTS {database}.exits{on_cluster} AS {local}.exits
ENGINE = Distributed('{cluster}', '{local}', 'exits', host + org * toUInt64(11400714819323198485));

-- @retention
toDateTime(at) + toIntervalHour({retention_hours} + 2);

-- A distinct set of tags. Each container has a set of its own, of tags that many share: low cardinality halves the time
-- to look through them.
-- On a cluster it is written to each shard whose hosts need it, by the shard's number: without a key nothing else can
-- write there, nor can a reader be led to leave a shard out. So it is with `label_sets`.
-- @table tag_sets
CREATE TABLE IF NOT EXISTS {local}.tag_sets{on_cluster} (
    org UInt32,
    tag_set UInt64,
    day UInt32 COMMENT 'of the newest sighting that was written with it',
    tags Array(LowCardinality(String)),
    folded Array(LowCardinality(String))
) ENGINE = {engine:ReplacingMergeTree, day}
ORDER BY (org, tag_set)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- @cluster
CREATE TABLE IF NOT EXISTS {database}.tag_sets{on_cluster} AS {local}.tag_sets
ENGINE = Distributed('{cluster}', '{local}', 'tag_sets');

-- @retention
toDateTime(day * 86400) + toIntervalHour({retention_hours} + 26);

-- What processes have in common, for counting and summing by any of it.
-- @table label_sets
CREATE TABLE IF NOT EXISTS {local}.label_sets{on_cluster} (
    org UInt32,
    label_set UInt64,
    day UInt32,
    command String,
    user String,
    container_id String,
    is_zombie Bool,
    tag_set UInt64,
    own_tags Array(LowCardinality(String)) COMMENT 'as in `descriptions`'
) ENGINE = {engine:ReplacingMergeTree, day}
ORDER BY (org, label_set)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- @cluster
CREATE TABLE IF NOT EXISTS {database}.label_sets{on_cluster} AS {local}.label_sets
ENGINE = Distributed('{cluster}', '{local}', 'label_sets');

-- @retention
toDateTime(day * 86400) + toIntervalHour({retention_hours} + 26);

-- Process and hour: its numbers by the minute. Curves of days and months, earlier runs of a command. Those of one process
-- are read, so compressed blocks are small.
-- @table minutes
CREATE TABLE IF NOT EXISTS {local}.minutes{on_cluster} (
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
) ENGINE = {engine:ReplacingMergeTree, rolled_up_at}
ORDER BY (org, host, pid, start, hour)
PARTITION BY intDiv(hour, 24)
SETTINGS index_granularity = 256, min_compress_block_size = 8192, max_compress_block_size = 16384,
    ttl_only_drop_parts = 1;

-- @cluster
CREATE TABLE IF NOT EXISTS {database}.minutes{on_cluster} AS {local}.minutes
ENGINE = Distributed('{cluster}', '{local}', 'minutes', host + org * toUInt64(11400714819323198485));

-- @retention
toDateTime(hour * 3600) + toIntervalHour({retention_hours} + 2);

-- Host and hour: up to when it is in `minutes`.
-- @table rollup_state
CREATE TABLE IF NOT EXISTS {local}.rollup_state{on_cluster} (
    org UInt32,
    hour UInt32,
    host UInt64,
    received_at UInt32 COMMENT 'of the newest snapshot that is in the roll-up'
) ENGINE = {engine:ReplacingMergeTree, received_at}
ORDER BY (org, hour, host)
PARTITION BY intDiv(hour, 720)
SETTINGS ttl_only_drop_parts = 1;

-- @cluster
CREATE TABLE IF NOT EXISTS {database}.rollup_state{on_cluster} AS {local}.rollup_state
ENGINE = Distributed('{cluster}', '{local}', 'rollup_state', host + org * toUInt64(11400714819323198485));

-- @retention
toDateTime(hour * 3600) + toIntervalHour({retention_hours} + 2);

-- A saved view of an org.
-- @table views
CREATE TABLE IF NOT EXISTS {local}.views{on_cluster} (
    org UInt32,
    name String,
    state String,
    changed_at UInt32,
    is_deleted Bool,
    change UInt64
) ENGINE = {engine:ReplacingMergeTree, change}
ORDER BY (org, name)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- @cluster
CREATE TABLE IF NOT EXISTS {database}.views{on_cluster} AS {local}.views
ENGINE = Distributed('{cluster}', '{local}', 'views', org);

-- A host's name.
-- @table hosts
CREATE TABLE IF NOT EXISTS {local}.hosts{on_cluster} (
    org UInt32,
    host UInt64,
    day UInt32,
    name String,
    folded String
) ENGINE = {engine:ReplacingMergeTree, day}
ORDER BY (org, host)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- @cluster
CREATE TABLE IF NOT EXISTS {database}.hosts{on_cluster} AS {local}.hosts
ENGINE = Distributed('{cluster}', '{local}', 'hosts', host + org * toUInt64(11400714819323198485));

-- @retention
toDateTime(day * 86400) + toIntervalHour({retention_hours} + 26);

-- A host and who says so: the tags that each of its processes is given, from then on.
-- @table host_tags
CREATE TABLE IF NOT EXISTS {local}.host_tags{on_cluster} (
    org UInt32,
    host String,
    source LowCardinality(String),
    tags Array(String),
    change UInt64
) ENGINE = {engine:ReplacingMergeTree, change}
ORDER BY (org, host, source)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- @cluster
CREATE TABLE IF NOT EXISTS {database}.host_tags{on_cluster} AS {local}.host_tags
ENGINE = Distributed('{cluster}', '{local}', 'host_tags', org);

-- What users say stays; what agents say is written anew each day.
-- @retention
toDateTime(intDiv(change, 1000000000)) + toIntervalHour({retention_hours} + 50) WHERE source = 'agent';

-- An org and host: until when it is watched, so that its agent sends numbers live.
-- @table leases
CREATE TABLE IF NOT EXISTS {local}.leases{on_cluster} (
    org UInt32,
    host String COMMENT 'empty: all hosts of the org',
    until UInt32
) ENGINE = {engine:ReplacingMergeTree, until}
ORDER BY (org, host);

-- @cluster
CREATE TABLE IF NOT EXISTS {database}.leases{on_cluster} AS {local}.leases
ENGINE = Distributed('{cluster}', '{local}', 'leases', org);

-- @retention
toDateTime(until) + toIntervalHour({live_retention_hours} + 1);

-- Of several changes of one thing, the one with the greatest `change` holds.
-- @table orgs
CREATE TABLE IF NOT EXISTS {local}.orgs{on_cluster} (
    id UInt32,
    name String,
    change UInt64
) ENGINE = {engine:ReplacingMergeTree, change}
ORDER BY id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- @cluster
CREATE TABLE IF NOT EXISTS {database}.orgs{on_cluster} AS {local}.orgs
ENGINE = Distributed('{cluster}', '{local}', 'orgs', id);

-- Who may do what. Only the hash of a key is stored.
-- @table keys
CREATE TABLE IF NOT EXISTS {local}.keys{on_cluster} (
    id String,
    org UInt32,
    kind LowCardinality(String),
    name String,
    secret_hash String COMMENT 'hex',
    created_at Int64,
    revoked_at Nullable(Int64),
    change UInt64
) ENGINE = {engine:ReplacingMergeTree, change}
ORDER BY id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- @cluster
CREATE TABLE IF NOT EXISTS {database}.keys{on_cluster} AS {local}.keys
ENGINE = Distributed('{cluster}', '{local}', 'keys', org);

-- Who is signed in to the page: the hash of a token.
-- @table sessions
CREATE TABLE IF NOT EXISTS {local}.sessions{on_cluster} (
    token_hash String COMMENT 'hex',
    org UInt32,
    key_id String,
    created_at UInt32,
    expires_at UInt32,
    ended_at Nullable(UInt32),
    change UInt64
) ENGINE = {engine:ReplacingMergeTree, change}
ORDER BY token_hash
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- @cluster
CREATE TABLE IF NOT EXISTS {database}.sessions{on_cluster} AS {local}.sessions
ENGINE = Distributed('{cluster}', '{local}', 'sessions', cityHash64(token_hash));

-- @retention
toDateTime(expires_at) + toIntervalHour(1);

-- A link that signs in once.
-- @table links
CREATE TABLE IF NOT EXISTS {local}.links{on_cluster} (
    token_hash String COMMENT 'hex',
    org UInt32,
    key_id String,
    expires_at UInt32
) ENGINE = {engine:ReplacingMergeTree}
ORDER BY token_hash;

-- @cluster
CREATE TABLE IF NOT EXISTS {database}.links{on_cluster} AS {local}.links
ENGINE = Distributed('{cluster}', '{local}', 'links', cityHash64(token_hash));

-- @retention
toDateTime(expires_at) + toIntervalHour(1);

-- Each try to use a link.
-- @table link_uses
CREATE TABLE IF NOT EXISTS {local}.link_uses{on_cluster} (
    token_hash String,
    use UInt64 COMMENT 'tells those apart who tried',
    at UInt32
) ENGINE = {engine:ReplacingMergeTree}
ORDER BY (token_hash, use)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- @cluster
CREATE TABLE IF NOT EXISTS {database}.link_uses{on_cluster} AS {local}.link_uses
ENGINE = Distributed('{cluster}', '{local}', 'link_uses', cityHash64(token_hash));

-- @retention
toDateTime(at) + toIntervalHour(24);
