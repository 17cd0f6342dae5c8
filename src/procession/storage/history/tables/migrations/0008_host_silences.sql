-- Hosts that do not tell of their processes, until what they sent late has been evaluated again.
-- How a file is written: `0001_tables.sql`.

-- @table host_silences
CREATE TABLE IF NOT EXISTS {local}.host_silences{on_cluster} (
    org UInt32,
    host String,
    since UInt32 COMMENT 'the last snapshot before',
    ended_at UInt32 COMMENT 'the evaluated minute in which it told again; 0: not yet',
    is_over Bool COMMENT 'nothing is left to be evaluated again',
    change UInt64
) ENGINE = {engine:ReplacingMergeTree, change}
ORDER BY (org, host, since)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- @cluster
CREATE TABLE IF NOT EXISTS {database}.host_silences{on_cluster} AS {local}.host_silences
ENGINE = Distributed('{cluster}', '{local}', 'host_silences', org);

-- A host that is silent for more than a day is forgotten.
-- @retention
toDateTime(since) + toIntervalHour({retention_hours} + 50);
