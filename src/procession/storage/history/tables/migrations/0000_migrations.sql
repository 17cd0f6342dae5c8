-- What comes before all migrations: the databases, and which migrations were applied. Done again until the first is.

CREATE DATABASE IF NOT EXISTS {database}{on_cluster};

-- @cluster
CREATE DATABASE IF NOT EXISTS {local}{on_cluster};

-- @table migrations
CREATE TABLE IF NOT EXISTS {local}.migrations{on_cluster} (
    number UInt32,
    name String,
    applied_at UInt32
) ENGINE = {engine:ReplacingMergeTree}
ORDER BY number
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- @cluster
CREATE TABLE IF NOT EXISTS {database}.migrations{on_cluster} AS {local}.migrations
ENGINE = Distributed('{cluster}', '{local}', 'migrations', number);
