"""`python -m tests.storage.wal.appender FOLDER NUMBER`: appends until it is killed, and says what was acknowledged."""

from __future__ import annotations

import itertools
import os
import random
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from procession.storage.wal import Entry, LogLimits, WriteAheadLog

THREADS = 6
LIMITS = LogLimits(segment_bytes=200_000, total_bytes=2**30)
KEPT = 500
"""Records that are not released."""


def payload_of(number: int) -> bytes:
    chance = random.Random(number)
    return number.to_bytes(8, "big") + chance.randbytes(chance.randrange(6000))


def number_of(payload: bytes) -> int:
    return int.from_bytes(payload[:8], "big")


def append_for_ever(log: WriteAheadLog, numbers: Iterator[int]) -> None:
    for number in numbers:
        sequence = log.append(Entry(1, 1, 0, payload_of(number))).result()
        # One write, so that the lines of two threads do not mix.
        os.write(1, b"%d %d\n" % (sequence, number))
        if sequence % 100 == 0:
            os.write(1, b"released %d\n" % (sequence - KEPT))
            log.release(sequence - KEPT)


def main(folder: str, first_number: str) -> None:
    log = WriteAheadLog(Path(folder), LIMITS)
    for thread in range(THREADS):
        numbers = itertools.count(int(first_number) + thread, THREADS)
        threading.Thread(target=append_for_ever, args=(log, numbers)).start()


if __name__ == "__main__":
    main(*sys.argv[1:])
