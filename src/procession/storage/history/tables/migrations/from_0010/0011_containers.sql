-- Containers of hosts, by the minute: what each was, and what it used, when it was told of last in that minute.
-- How a file is written: `0001_tables.sql`.

-- What is not known is -1. `definition` is the same for hours, and rows of one container lie together for an hour.
-- @table containers
CREATE TABLE IF NOT EXISTS {local}.containers{on_cluster} (
    org UInt32,
    minute UInt32 CODEC(Delta, ZSTD(1)),
    host String CODEC(ZSTD(1)),
    container String CODEC(ZSTD(1)) COMMENT 'its id',
    at UInt32 CODEC(Delta, ZSTD(1)),
    definition String CODEC(ZSTD(3)) COMMENT 'what it is, without its numbers: JSON',
    cpu_total_percent Float32 CODEC(ZSTD(1)),
    cpu_user_percent Float32 CODEC(ZSTD(1)),
    cpu_system_percent Float32 CODEC(ZSTD(1)),
    cpu_limit_percent Float32 CODEC(ZSTD(1)),
    cpu_throttled_percent Float32 CODEC(ZSTD(1)),
    net_received_bytes_per_second Float32 CODEC(ZSTD(1)),
    net_sent_bytes_per_second Float32 CODEC(ZSTD(1)),
    net_received_packets_per_second Float32 CODEC(ZSTD(1)),
    net_sent_packets_per_second Float32 CODEC(ZSTD(1)),
    read_bytes_per_second Float32 CODEC(ZSTD(1)),
    write_bytes_per_second Float32 CODEC(ZSTD(1)),
    memory_usage_bytes Int64 CODEC(ZSTD(1)),
    memory_limit_bytes Int64 CODEC(ZSTD(1)),
    memory_rss_bytes Int64 CODEC(ZSTD(1)),
    memory_cache_bytes Int64 CODEC(ZSTD(1)),
    threads Int64 CODEC(ZSTD(1)),
    thread_limit Int64 CODEC(ZSTD(1)),
    open_files Int64 CODEC(ZSTD(1)),
    oom_kills Int64 CODEC(ZSTD(1))
) ENGINE = {engine:ReplacingMergeTree, at}
ORDER BY (org, intDiv(minute, 60), host, container, minute)
PARTITION BY intDiv(minute, 1440)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 1024, ttl_only_drop_parts = 1;

-- @cluster
CREATE TABLE IF NOT EXISTS {database}.containers{on_cluster} AS {local}.containers
ENGINE = Distributed('{cluster}', '{local}', 'containers', cityHash64(org, host));

-- @retention
toDateTime(minute * 60) + toIntervalHour({retention_hours} + 1);
