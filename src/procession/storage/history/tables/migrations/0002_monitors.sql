-- What an application key may do besides reading processes.
-- @table keys
ALTER TABLE {local}.keys{on_cluster} ADD COLUMN IF NOT EXISTS scopes Array(String);

-- @cluster
ALTER TABLE {database}.keys{on_cluster} ADD COLUMN IF NOT EXISTS scopes Array(String);

-- A monitor of an org.
-- @table monitors
CREATE TABLE IF NOT EXISTS {local}.monitors{on_cluster} (
    org UInt32,
    monitor UInt64,
    definition String COMMENT 'JSON',
    is_deleted Bool,
    change UInt64
) ENGINE = {engine:ReplacingMergeTree, change}
ORDER BY (org, monitor)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- @cluster
CREATE TABLE IF NOT EXISTS {database}.monitors{on_cluster} AS {local}.monitors
ENGINE = Distributed('{cluster}', '{local}', 'monitors', org);

-- The state of one group of a monitor, with the transitions that nobody was told of yet: one row is one record, so that
-- a server that is killed loses none.
-- @table monitor_groups
CREATE TABLE IF NOT EXISTS {local}.monitor_groups{on_cluster} (
    org UInt32,
    monitor UInt64,
    name String COMMENT 'JSON; empty: the monitor itself',
    state String COMMENT 'JSON; empty: the group is kept no longer',
    change UInt64
) ENGINE = {engine:ReplacingMergeTree, change}
ORDER BY (org, monitor, name)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- @cluster
CREATE TABLE IF NOT EXISTS {database}.monitor_groups{on_cluster} AS {local}.monitor_groups
ENGINE = Distributed('{cluster}', '{local}', 'monitor_groups', org);

-- The monitor is gone, and its groups with it, or the group is: of those that are still there nothing goes.
-- @retention
toDateTime(intDiv(change, 1000000000)) + toIntervalHour({retention_hours} + 2) WHERE state = '';

-- What happened to a group, with the processes that were behind it.
-- @table monitor_transitions
CREATE TABLE IF NOT EXISTS {local}.monitor_transitions{on_cluster} (
    org UInt32,
    at UInt32,
    monitor UInt64,
    name String COMMENT 'JSON',
    kind LowCardinality(String),
    transition String COMMENT 'JSON' CODEC(ZSTD(3))
) ENGINE = {engine:ReplacingMergeTree}
ORDER BY (org, at, monitor, name, kind)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- @cluster
CREATE TABLE IF NOT EXISTS {database}.monitor_transitions{on_cluster} AS {local}.monitor_transitions
ENGINE = Distributed('{cluster}', '{local}', 'monitor_transitions', org);

-- @retention
toDateTime(at) + toIntervalHour({retention_hours} + 2);

-- Which server evaluates monitors, and up to which minute it has.
-- @table evaluation_leases
CREATE TABLE IF NOT EXISTS {local}.evaluation_leases{on_cluster} (
    owner String,
    since UInt64 COMMENT 'nanoseconds; of several that hold, the first',
    until UInt32,
    evaluated_at UInt32,
    change UInt64
) ENGINE = {engine:ReplacingMergeTree, change}
ORDER BY owner
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- All of them on one shard: a server asks for all.
-- @cluster
CREATE TABLE IF NOT EXISTS {database}.evaluation_leases{on_cluster} AS {local}.evaluation_leases
ENGINE = Distributed('{cluster}', '{local}', 'evaluation_leases', 0);

-- @retention
toDateTime(until) + toIntervalHour(24);
