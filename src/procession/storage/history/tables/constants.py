"""Numbers that statements share with the tables. The migrations do not read them: a test holds the two together."""

from __future__ import annotations

BLOCK_SECONDS = 300
"""A block of time, in which the snapshots of one host lie together."""

HOUR_SECONDS = 3600
"""`presence` and `descriptions` keep a row for each process and hour."""

SLOT_SECONDS = 10
"""`presence` keeps a bit for each slot of its hour."""

LOW_SLOTS = 256
"""Slots from here on have their bits in `presence.high_slots`."""

DAY_SECONDS = 86400

GRANULE = 1024
"""Rows of `presence` between two marks of its primary index."""

TRUTHS = {None: 0, False: 1, True: 2}
"""How what may not be known is kept: `oom_killed` of an exit."""

NO_NICE = 127
"""In `descriptions.nice`, where it is not known: it is from -20 to 19."""

ROLLUP_GRACE_SECONDS = 120
"""After the end of an hour, for what is under way: then the hour may be rolled up."""

MOST_AHEAD_SECONDS = DAY_SECONDS
"""A roll-up that is dated further in the future than this is left as it is."""


def is_to_come(received_at: int, now: int) -> bool:
    """Whether a roll-up was made by a clock that was ahead."""
    return 0 < received_at - now <= MOST_AHEAD_SECONDS
