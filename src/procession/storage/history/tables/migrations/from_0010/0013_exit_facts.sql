-- What agents know of exits besides moment and code: whether the kernel's OOM killer did it, and what the process used
-- in all.
-- How a file is written: `0001_tables.sql`.

-- None of it is in the key: of one exit that two agents of a host report alike, a merge leaves one. Of what a process
-- used, what is not known is -1.
-- @table exits
ALTER TABLE {local}.exits{on_cluster}
    ADD COLUMN IF NOT EXISTS oom_killed UInt8 CODEC(ZSTD(1)) COMMENT '0: not known, 1: no, 2: yes',
    ADD COLUMN IF NOT EXISTS oom_cgroup String CODEC(ZSTD(1)) COMMENT 'which was out of memory; empty: not known',
    ADD COLUMN IF NOT EXISTS cpu_user_seconds Float64 DEFAULT -1 CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS cpu_system_seconds Float64 DEFAULT -1 CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS peak_rss_bytes Int64 DEFAULT -1 CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS read_bytes Int64 DEFAULT -1 CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS written_bytes Int64 DEFAULT -1 CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS is_cost_final Bool COMMENT 'false: times and bytes are those of the last snapshot';

-- @cluster
ALTER TABLE {database}.exits{on_cluster}
    ADD COLUMN IF NOT EXISTS oom_killed UInt8,
    ADD COLUMN IF NOT EXISTS oom_cgroup String,
    ADD COLUMN IF NOT EXISTS cpu_user_seconds Float64 DEFAULT -1,
    ADD COLUMN IF NOT EXISTS cpu_system_seconds Float64 DEFAULT -1,
    ADD COLUMN IF NOT EXISTS peak_rss_bytes Int64 DEFAULT -1,
    ADD COLUMN IF NOT EXISTS read_bytes Int64 DEFAULT -1,
    ADD COLUMN IF NOT EXISTS written_bytes Int64 DEFAULT -1,
    ADD COLUMN IF NOT EXISTS is_cost_final Bool;
