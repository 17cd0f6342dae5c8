-- Who changed monitors, channels, downtimes and keys. How a file is written: `0001_tables.sql`.

-- @table changes
CREATE TABLE IF NOT EXISTS {local}.changes{on_cluster} (
    org UInt32,
    at UInt32,
    id String,
    kind LowCardinality(String),
    subject String,
    body String COMMENT 'JSON' CODEC(ZSTD(3))
) ENGINE = {engine:ReplacingMergeTree}
ORDER BY (org, at, id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- @cluster
CREATE TABLE IF NOT EXISTS {database}.changes{on_cluster} AS {local}.changes
ENGINE = Distributed('{cluster}', '{local}', 'changes', org);

-- @retention
toDateTime(at) + toIntervalHour({retention_hours} + 2);
