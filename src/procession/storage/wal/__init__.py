"""A write-ahead log: what was taken is on disk before it is acknowledged, and is read again after a start.

It lies in a folder of its own in the data folder, and whoever opens it holds the lock of the data folder.
"""

from procession.storage.wal.damage import DamagedLog
from procession.storage.wal.limits import LogLimits
from procession.storage.wal.log import LogStatus, WriteAheadLog
from procession.storage.wal.record import MAX_KIND, ORG_REMOVED, Entry, Record
from procession.storage.wal.record import VERSION as RECORD_VERSION
from procession.storage.wal.segment import FORMAT_VERSION, newest_format_in

__all__ = [
    "FORMAT_VERSION",
    "MAX_KIND",
    "ORG_REMOVED",
    "RECORD_VERSION",
    "DamagedLog",
    "Entry",
    "LogLimits",
    "LogStatus",
    "Record",
    "WriteAheadLog",
    "newest_format_in",
]
