-- What notifications need: settings of an org by kind and name, the outbox, the newest state of each group.
-- How a file is written: `0001_tables.sql`.

-- A channel, a variable or a downtime of an org, as JSON.
-- @table notification_settings
CREATE TABLE IF NOT EXISTS {local}.notification_settings{on_cluster} (
    org UInt32,
    kind LowCardinality(String),
    name String,
    body String,
    is_deleted Bool,
    change UInt64
) ENGINE = {engine:ReplacingMergeTree, change}
ORDER BY (org, kind, name)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- @cluster
CREATE TABLE IF NOT EXISTS {database}.notification_settings{on_cluster} AS {local}.notification_settings
ENGINE = Distributed('{cluster}', '{local}', 'notification_settings', org);

-- The outbox: one message to one channel, and how far it has come. Written anew with each try.
-- @table notifications
CREATE TABLE IF NOT EXISTS {local}.notifications{on_cluster} (
    org UInt32,
    id String,
    created_at UInt32,
    channel String,
    transition String CODEC(ZSTD(3)) COMMENT 'JSON',
    is_digest Bool,
    delivery LowCardinality(String),
    attempts UInt16,
    next_at UInt32,
    changed_at UInt32,
    error String,
    change UInt64
) ENGINE = {engine:ReplacingMergeTree, change}
ORDER BY (org, created_at, id)
PARTITION BY intDiv(created_at, 604800)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 256;

-- @cluster
CREATE TABLE IF NOT EXISTS {database}.notifications{on_cluster} AS {local}.notifications
ENGINE = Distributed('{cluster}', '{local}', 'notifications', org);

-- @retention
toDateTime(created_at) + toIntervalHour({retention_hours} + 2);

-- A group of a monitor: its newest transition, and the downtime that kept it from being sent, if any.
-- @table notified_states
CREATE TABLE IF NOT EXISTS {local}.notified_states{on_cluster} (
    org UInt32,
    monitor_id Int64,
    group_key String COMMENT 'JSON',
    at UInt32,
    transition String CODEC(ZSTD(3)) COMMENT 'JSON',
    muted_by String,
    change UInt64
) ENGINE = {engine:ReplacingMergeTree, change}
ORDER BY (org, monitor_id, group_key)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- @cluster
CREATE TABLE IF NOT EXISTS {database}.notified_states{on_cluster} AS {local}.notified_states
ENGINE = Distributed('{cluster}', '{local}', 'notified_states', org);

-- @retention
toDateTime(at) + toIntervalHour({retention_hours} + 2);

-- Which server sends, and until when: of several, one at a time.
-- @table notification_leases
CREATE TABLE IF NOT EXISTS {local}.notification_leases{on_cluster} (
    name String,
    owner String,
    until UInt32,
    change UInt64
) ENGINE = {engine:ReplacingMergeTree, change}
ORDER BY name
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- @cluster
CREATE TABLE IF NOT EXISTS {database}.notification_leases{on_cluster} AS {local}.notification_leases
ENGINE = Distributed('{cluster}', '{local}', 'notification_leases', cityHash64(name));

-- @retention
toDateTime(until) + toIntervalHour(1);
