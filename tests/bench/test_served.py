"""What a server costs, as the benchmark counts it."""

from __future__ import annotations

import os
import threading
import time

import pytest

from bench.served import cpu_seconds_of


def test_the_time_of_all_threads_counts_also_once_they_have_ended() -> None:
    before, least = cpu_seconds_of(os.getpid()), time.process_time()
    worker = threading.Thread(target=lambda: sum(range(300_000)))
    worker.start()
    worker.join()
    most_begin = time.process_time()
    spent = cpu_seconds_of(os.getpid()) - before

    assert most_begin - least <= spent + 0.001
    assert 0 < spent <= time.process_time() - least + 0.001


def test_who_is_not_there_has_no_time() -> None:
    with pytest.raises(OSError, match="No such process"):
        cpu_seconds_of(2**22 + 1)  # greater than any
