"""How Python runs in a process that serves: tuned to answer soon, whatever else it does."""

from __future__ import annotations

import gc
import sys

SWITCH_SECONDS = 0.0005
"""How long a thread that works in Python keeps others from it. Every answer passes between threads some ten times:
next to one that renders a page of 10,000 it took 124 ms instead of 36 with the usual 5 ms, and takes 63 now."""

GARBAGE_THRESHOLDS = 50_000, 10, 20
"""New objects before the young are looked through for cycles; how many times that is done before the next older are.
A page of 10,000 makes more objects than the usual 700 by far, and all of the store's memory was looked through, with
every thread halted for a tenth of a second, several times a second. Cycles are rare: exceptions, mostly."""


def tune() -> None:
    """To be called once all is set up."""
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)
