-- What processes receive and send together, and connections a second, where a Datadog Agent says so.
-- How a file is written: `0001_tables.sql`.

-- As the other numbers of sightings. Chunks from before know nothing of it: -1 for each process.
-- @table snapshots
ALTER TABLE {local}.snapshots{on_cluster}
    ADD COLUMN IF NOT EXISTS net_bytes_per_second Array(Float32)
        DEFAULT arrayWithConstant(length(state), toFloat32(-1)) CODEC(ZSTD(3)),
    ADD COLUMN IF NOT EXISTS net_connections_per_second Array(Float32)
        DEFAULT arrayWithConstant(length(state), toFloat32(-1)) CODEC(ZSTD(3));

-- @cluster
ALTER TABLE {database}.snapshots{on_cluster}
    ADD COLUMN IF NOT EXISTS net_bytes_per_second Array(Float32)
        DEFAULT arrayWithConstant(length(state), toFloat32(-1)),
    ADD COLUMN IF NOT EXISTS net_connections_per_second Array(Float32)
        DEFAULT arrayWithConstant(length(state), toFloat32(-1));

-- @table live_numbers
ALTER TABLE {local}.live_numbers{on_cluster}
    ADD COLUMN IF NOT EXISTS net_bytes_per_second Array(Float32)
        DEFAULT arrayWithConstant(length(state), toFloat32(-1)) CODEC(ZSTD(3)),
    ADD COLUMN IF NOT EXISTS net_connections_per_second Array(Float32)
        DEFAULT arrayWithConstant(length(state), toFloat32(-1)) CODEC(ZSTD(3));

-- @cluster
ALTER TABLE {database}.live_numbers{on_cluster}
    ADD COLUMN IF NOT EXISTS net_bytes_per_second Array(Float32)
        DEFAULT arrayWithConstant(length(state), toFloat32(-1)),
    ADD COLUMN IF NOT EXISTS net_connections_per_second Array(Float32)
        DEFAULT arrayWithConstant(length(state), toFloat32(-1));
