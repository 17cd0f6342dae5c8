-- What a chunk sums up to, so that a graph of days reads a row for each chunk and not a number for each process.
-- How a file is written: `0001_tables.sql`.

-- The engine makes them of the arrays when a chunk is written; of chunks from before it makes them when they are asked
-- for. A process that was seen dead (6) counts for nothing; -1: not known of any process. `young` are the processes that
-- had begun less than a minute before: who asks which have begun looks at these few.
-- @table snapshots
ALTER TABLE {local}.snapshots{on_cluster}
    ADD COLUMN IF NOT EXISTS living UInt32 MATERIALIZED length(state) - countEqual(state, 6) CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS sum_of_cpu_total_percent Float64 MATERIALIZED
        if(length(state) > countEqual(state, 6) AND NOT arrayExists((x, s) -> x >= 0 AND s != 6, cpu_total_percent, state), -1,
            arraySum((x, s) -> if(x < 0 OR s = 6, 0, x), cpu_total_percent, state)) CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS sum_of_rss_bytes Float64 MATERIALIZED
        if(length(state) > countEqual(state, 6) AND NOT arrayExists((x, s) -> x >= 0 AND s != 6, rss_bytes, state), -1,
            arraySum((x, s) -> if(x < 0 OR s = 6, 0, x), rss_bytes, state)) CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS sum_of_read_bytes_per_second Float64 MATERIALIZED
        if(length(state) > countEqual(state, 6) AND NOT arrayExists((x, s) -> x >= 0 AND s != 6, read_bytes_per_second, state), -1,
            arraySum((x, s) -> if(x < 0 OR s = 6, 0, x), read_bytes_per_second, state)) CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS sum_of_write_bytes_per_second Float64 MATERIALIZED
        if(length(state) > countEqual(state, 6) AND NOT arrayExists((x, s) -> x >= 0 AND s != 6, write_bytes_per_second, state), -1,
            arraySum((x, s) -> if(x < 0 OR s = 6, 0, x), write_bytes_per_second, state)) CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS young_pid Array(UInt32) MATERIALIZED
        arrayFilter((one, s) -> s + 60 > at, pid, start) CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS young_start Array(UInt32) MATERIALIZED arrayFilter(s -> s + 60 > at, start) CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS young_version Array(UInt64) MATERIALIZED
        arrayFilter((one, s) -> s + 60 > at, version, start) CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS young_label_set Array(UInt64) MATERIALIZED
        arrayFilter((one, s) -> s + 60 > at, label_set, start) CODEC(ZSTD(1));

-- So that they are found by the way to all shards; each shard makes its own.
-- @cluster
ALTER TABLE {database}.snapshots{on_cluster}
    ADD COLUMN IF NOT EXISTS living UInt32 MATERIALIZED 0,
    ADD COLUMN IF NOT EXISTS sum_of_cpu_total_percent Float64 MATERIALIZED 0,
    ADD COLUMN IF NOT EXISTS sum_of_rss_bytes Float64 MATERIALIZED 0,
    ADD COLUMN IF NOT EXISTS sum_of_read_bytes_per_second Float64 MATERIALIZED 0,
    ADD COLUMN IF NOT EXISTS sum_of_write_bytes_per_second Float64 MATERIALIZED 0,
    ADD COLUMN IF NOT EXISTS young_pid Array(UInt32) MATERIALIZED [],
    ADD COLUMN IF NOT EXISTS young_start Array(UInt32) MATERIALIZED [],
    ADD COLUMN IF NOT EXISTS young_version Array(UInt64) MATERIALIZED [],
    ADD COLUMN IF NOT EXISTS young_label_set Array(UInt64) MATERIALIZED [];
