-- What agents have found out about processes: languages, services, ports on which they listen.
-- How a file is written: `0001_tables.sql`.

-- What our own searches and facets look at, and Datadog's endpoint does not. The number of a set is a hash of both.
-- @table tag_sets
ALTER TABLE {local}.tag_sets{on_cluster}
    ADD COLUMN IF NOT EXISTS discovered Array(LowCardinality(String)) COMMENT 'folded';

-- @cluster
ALTER TABLE {database}.tag_sets{on_cluster}
    ADD COLUMN IF NOT EXISTS discovered Array(LowCardinality(String));

-- All of it. Few processes have any, and many have the same.
-- @table descriptions
ALTER TABLE {local}.descriptions{on_cluster}
    ADD COLUMN IF NOT EXISTS discovery String CODEC(ZSTD(1)) COMMENT 'JSON; empty where nothing is known';

-- @cluster
ALTER TABLE {database}.descriptions{on_cluster}
    ADD COLUMN IF NOT EXISTS discovery String;
