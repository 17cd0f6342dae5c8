-- Orgs that were removed: from the moment of the row none of their keys is good, and all that is theirs goes.
-- How a file is written: `0001_tables.sql`.

-- A row stays for ever, so that no other org gets the number.
-- @table removed_orgs
CREATE TABLE IF NOT EXISTS {local}.removed_orgs{on_cluster} (
    org UInt32,
    name String,
    removed_at UInt32,
    is_erased Bool COMMENT 'nothing of it is left',
    change UInt64
) ENGINE = {engine:ReplacingMergeTree, change}
ORDER BY org
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- @cluster
CREATE TABLE IF NOT EXISTS {database}.removed_orgs{on_cluster} AS {local}.removed_orgs
ENGINE = Distributed('{cluster}', '{local}', 'removed_orgs', org);
