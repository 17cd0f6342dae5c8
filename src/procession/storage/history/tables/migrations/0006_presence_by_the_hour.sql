-- Presence out of many snapshots at once.
-- How a file is written: `0001_tables.sql`. Besides:
--   @embedded   is for the embedded engine only, where one process alone writes to the tables

-- With each snapshot it is a row for each sighting, which costs more than all else that is stored of it. The embedded
-- store writes it out of `snapshots` when the hour is over, and knows meanwhile what it lacks; only what comes an hour
-- late or more is still written by the view: whoever writes the past may write more than can wait.
-- @table presence
-- @embedded
ALTER TABLE {local}.presence_from_snapshots MODIFY QUERY
SELECT org, intDiv(at, 3600) AS hour, start, host, pid, version, label_set, at AS first, at AS last,
    if(intDiv(at % 3600, 10) < 256, bitShiftLeft(toUInt256(1), intDiv(at % 3600, 10)), 0) AS low_slots,
    if(intDiv(at % 3600, 10) < 256, 0, bitShiftLeft(toUInt128(1), intDiv(at % 3600, 10) % 256)) AS high_slots
FROM (
    SELECT org, at, host, pid, start, version, label_set FROM {local}.snapshots WHERE at + 3600 <= received_at
) ARRAY JOIN pid, start, version, label_set;
