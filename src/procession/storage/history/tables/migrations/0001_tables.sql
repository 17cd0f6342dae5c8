-- The first tables. After a release this file never changes: what changes the tables is a file with the next number.
--
-- Plain SQL of one embedded engine; a statement ends with a semicolon at the end of a line. `tables/ddl.py` makes of it
-- what servers and clusters run. Numbers stand here as they are, and not as constants of the code: a constant that
-- changes must not change what this file makes. `tests/storage/history/tables/test_constants.py` holds the two together.
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
CREATE TABLE snapshots (
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
) ENGINE = ReplacingMergeTree
ORDER BY (org, intDiv(at, 300), host, at, request)
PARTITION BY intDiv(at, 86400)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 32, ttl_only_drop_parts = 1;

-- A chunk of the numbers that an agent sends while somebody watches: how processes do right now.
CREATE TABLE live_numbers (
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
) ENGINE = ReplacingMergeTree
ORDER BY (org, intDiv(at, 300), host, at, request)
PARTITION BY intDiv(at, 86400)
SETTINGS index_granularity = 128, ttl_only_drop_parts = 1;

-- Process, version and hour: when it was there. Which processes a window holds, in the API's order.
-- A bit for each ten seconds of the hour, since agents take a snapshot so often: at which of the moments between first
-- and last it was really there. From slot 256 on the bits are in `high_slots`: no integer is as long as an hour.
-- A day that is over becomes one part, to be read from one place and not from six: six hours after the newest of it
-- came, since all of the day is written anew for it, when something comes late too.
CREATE TABLE presence (
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
PARTITION BY intDiv(hour, 24)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 1024, ttl_only_drop_parts = 1,
    min_age_to_force_merge_seconds = 21600, min_age_to_force_merge_on_partition_only = 1;

-- Fed in the same insert as `snapshots`.
CREATE MATERIALIZED VIEW presence_from_snapshots TO presence AS
SELECT org, intDiv(at, 3600) AS hour, start, host, pid, version, label_set, at AS first, at AS last,
    if(intDiv(at % 3600, 10) < 256, bitShiftLeft(toUInt256(1), intDiv(at % 3600, 10)), 0) AS low_slots,
    if(intDiv(at % 3600, 10) < 256, 0, bitShiftLeft(toUInt128(1), intDiv(at % 3600, 10) % 256)) AS high_slots
FROM snapshots ARRAY JOIN pid, start, version, label_set;

-- Process, version and hour: what the process is. What a page shows, and text search. A version is a hash of all of it.
-- A page takes a few rows from many places, and the engine reads whole compressed blocks: small ones halve the time, for
-- a fifth more bytes.
-- `argument_words`: see `procession.command_line.arguments`. Of most processes it is one number, if any.
CREATE TABLE descriptions (
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
) ENGINE = ReplacingMergeTree
ORDER BY (org, hour, start, host, pid, version)
PARTITION BY intDiv(hour, 24)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 256, min_compress_block_size = 8192,
    max_compress_block_size = 16384, ttl_only_drop_parts = 1, min_age_to_force_merge_seconds = 21600,
    min_age_to_force_merge_on_partition_only = 1;

-- An exit that an agent reported: when and how a process ended. All of it is its key: a pid may be used twice within a
-- second, and of two rows with one key a merge, whenever it comes, would leave one.
CREATE TABLE exits (
    org UInt32,
    host UInt64,
    pid UInt32,
    at UInt32 CODEC(Delta, ZSTD(1)),
    executed_at UInt32 COMMENT 'when it became the program that ended; 0: not known',
    exit_code Int32
) ENGINE = ReplacingMergeTree
ORDER BY (org, intDiv(at, 3600), host, pid, at, executed_at, exit_code)
PARTITION BY intDiv(at, 86400)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 1024, ttl_only_drop_parts = 1;

-- A distinct set of tags. Each container has a set of its own, of tags that many share: low cardinality halves the time
-- to look through them.
CREATE TABLE tag_sets (
    org UInt32,
    tag_set UInt64,
    day UInt32 COMMENT 'of the newest sighting that was written with it',
    tags Array(LowCardinality(String)),
    folded Array(LowCardinality(String))
) ENGINE = ReplacingMergeTree(day)
ORDER BY (org, tag_set)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- What processes have in common, for counting and summing by any of it.
CREATE TABLE label_sets (
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
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Process and hour: its numbers by the minute. Curves of days and months, earlier runs of a command. Those of one process
-- are read, so compressed blocks are small.
CREATE TABLE minutes (
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
PARTITION BY intDiv(hour, 24)
SETTINGS index_granularity = 256, min_compress_block_size = 8192, max_compress_block_size = 16384,
    ttl_only_drop_parts = 1;

-- Host and hour: up to when it is in `minutes`.
CREATE TABLE rollup_state (
    org UInt32,
    hour UInt32,
    host UInt64,
    received_at UInt32 COMMENT 'of the newest snapshot that is in the roll-up'
) ENGINE = ReplacingMergeTree(received_at)
ORDER BY (org, hour, host)
PARTITION BY intDiv(hour, 720)
SETTINGS ttl_only_drop_parts = 1;

-- A saved view of an org.
CREATE TABLE views (
    org UInt32,
    name String,
    state String,
    changed_at UInt32,
    is_deleted Bool,
    change UInt64
) ENGINE = ReplacingMergeTree(change)
ORDER BY (org, name)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- A host's name.
CREATE TABLE hosts (
    org UInt32,
    host UInt64,
    day UInt32,
    name String,
    folded String
) ENGINE = ReplacingMergeTree(day)
ORDER BY (org, host)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- A host and who says so: the tags that each of its processes is given, from then on.
CREATE TABLE host_tags (
    org UInt32,
    host String,
    source LowCardinality(String),
    tags Array(String),
    change UInt64
) ENGINE = ReplacingMergeTree(change)
ORDER BY (org, host, source)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- An org and host: until when it is watched, so that its agent sends numbers live.
CREATE TABLE leases (
    org UInt32,
    host String COMMENT 'empty: all hosts of the org',
    until UInt32
) ENGINE = ReplacingMergeTree(until)
ORDER BY (org, host);

-- Of several changes of one thing, the one with the greatest `change` holds.
CREATE TABLE orgs (
    id UInt32,
    name String,
    change UInt64
) ENGINE = ReplacingMergeTree(change)
ORDER BY id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Who may do what. Only the hash of a key is stored.
CREATE TABLE keys (
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
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Who is signed in to the page: the hash of a token.
CREATE TABLE sessions (
    token_hash String COMMENT 'hex',
    org UInt32,
    key_id String,
    created_at UInt32,
    expires_at UInt32,
    ended_at Nullable(UInt32),
    change UInt64
) ENGINE = ReplacingMergeTree(change)
ORDER BY token_hash
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- A link that signs in once.
CREATE TABLE links (
    token_hash String COMMENT 'hex',
    org UInt32,
    key_id String,
    expires_at UInt32
) ENGINE = ReplacingMergeTree
ORDER BY token_hash;

-- Each try to use a link.
CREATE TABLE link_uses (
    token_hash String,
    use UInt64 COMMENT 'tells those apart who tried',
    at UInt32
) ENGINE = ReplacingMergeTree
ORDER BY (token_hash, use)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
