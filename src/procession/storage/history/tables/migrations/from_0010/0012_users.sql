-- People who sign in with a password. How a file is written: `0001_tables.sql`.

-- A row stays when its user is removed, without the password: so that of two changes the later one holds.
-- @table users
CREATE TABLE IF NOT EXISTS {local}.users{on_cluster} (
    name String,
    org UInt32,
    role LowCardinality(String),
    password_hash String COMMENT 'argon2',
    created_at Int64,
    generation String COMMENT 'sessions of an earlier one have ended',
    removed_at Nullable(Int64),
    change UInt64
) ENGINE = {engine:ReplacingMergeTree, change}
ORDER BY name
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- @cluster
CREATE TABLE IF NOT EXISTS {database}.users{on_cluster} AS {local}.users
ENGINE = Distributed('{cluster}', '{local}', 'users', cityHash64(name));
