-- How many CPUs hosts have, by which queries divide what their processes use.
-- How a file is written: `0001_tables.sql`.

-- @table host_notices
ALTER TABLE {local}.host_notices{on_cluster}
    ADD COLUMN IF NOT EXISTS cpus UInt32 COMMENT '0: it does not say';

-- @cluster
ALTER TABLE {database}.host_notices{on_cluster}
    ADD COLUMN IF NOT EXISTS cpus UInt32;
