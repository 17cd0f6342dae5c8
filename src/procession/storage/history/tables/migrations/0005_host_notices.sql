-- What the agent of a host says of itself: how often it takes a snapshot, and that its machine is being shut down.
-- @table host_notices
CREATE TABLE IF NOT EXISTS {local}.host_notices{on_cluster} (
    org UInt32,
    host String,
    interval_seconds UInt32 COMMENT '0: it does not say',
    shut_down_at UInt32 COMMENT '0: not since it told of processes',
    change UInt64
) ENGINE = {engine:ReplacingMergeTree, change}
ORDER BY (org, host)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- @cluster
CREATE TABLE IF NOT EXISTS {database}.host_notices{on_cluster} AS {local}.host_notices
ENGINE = Distributed('{cluster}', '{local}', 'host_notices', org);

-- Written anew each day.
-- @retention
toDateTime(intDiv(change, 1000000000)) + toIntervalHour({retention_hours} + 50);
