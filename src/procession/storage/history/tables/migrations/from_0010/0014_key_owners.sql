-- Whose a key is, until when it is good, and when it was used last. How a file is written: `../0001_tables.sql`.

-- Keys of before are those of a service account.
-- @table keys
ALTER TABLE {local}.keys{on_cluster}
    ADD COLUMN IF NOT EXISTS owner String DEFAULT 'service' COMMENT 'user:NAME, or the name of a service account',
    ADD COLUMN IF NOT EXISTS expires_at Nullable(Int64);

-- @cluster
ALTER TABLE {database}.keys{on_cluster}
    ADD COLUMN IF NOT EXISTS owner String DEFAULT 'service',
    ADD COLUMN IF NOT EXISTS expires_at Nullable(Int64);

-- Beside the keys: whoever notes a use must not write anew what another server has just revoked.
-- @table key_uses
CREATE TABLE IF NOT EXISTS {local}.key_uses{on_cluster} (
    id String,
    org UInt32,
    used_at UInt32
) ENGINE = {engine:ReplacingMergeTree, used_at}
ORDER BY id;

-- @cluster
CREATE TABLE IF NOT EXISTS {database}.key_uses{on_cluster} AS {local}.key_uses
ENGINE = Distributed('{cluster}', '{local}', 'key_uses', org);
