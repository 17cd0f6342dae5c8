"""What somebody does to a server, and how the others fare meanwhile and after."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from tests.overload.others import Others, Samples
from tests.support.torture import is_full

QUIET_SECONDS = 20.0 if is_full() else 3.0
STORM_SECONDS = 30.0 if is_full() else 5.0

SHARE, MOST_TIMES = (0.99, 2) if is_full() else (0.9, 4)
"""The share of answers that may take so many times what it took before. In a few seconds there are too few answers, and
on a machine that runs other tests too much else goes on, for what holds in the long form, on a machine of its own."""

LEAST_SECONDS = 0.25
"""What is faster than this is as good: a tenth of a second is nobody's fault."""

RECOVERY_SECONDS = 10.0
_LOOK_SECONDS = 1.5


@dataclass
class Trial:
    others: Others
    before: Samples = field(init=False)
    during: Samples = field(init=False)
    after: Samples = field(init=False)
    recovery_seconds: float = field(init=False)

    def __post_init__(self) -> None:
        # The first ones find caches that are empty.
        self.others.within(1.0)
        self.before = self.others.within(QUIET_SECONDS)

    def storm(self, seconds: float = STORM_SECONDS) -> None:
        """Once it has begun."""
        self.during = self.others.within(seconds)

    def calm(self) -> None:
        """Once it is over: wait until all is as it was before."""
        begun = time.monotonic()
        while True:
            self.after = self.others.within(_LOOK_SECONDS)
            self.recovery_seconds = time.monotonic() - begun - _LOOK_SECONDS
            if not self.complaints(self.after):
                return
            assert self.recovery_seconds < RECOVERY_SECONDS, f"not as before: {self.complaints(self.after)}"

    def assert_others_hardly_noticed(self) -> None:
        assert not self.complaints(self.during), f"before {self.before}; during {self.during}; after {self.after}"

    def complaints(self, samples: Samples) -> list[str]:
        """What others have to bear that they should not."""
        found = []
        for kind in ("post", "ask"):
            before, now = self.before.of(kind), samples.of(kind)
            if now.failed:
                found.append(f"{len(now.failed)} of {len(now.all)} {kind}s failed: {sorted(set(now.failed))}")
            bound = MOST_TIMES * max(before.quantile(SHARE), LEAST_SECONDS)
            if now.quantile(SHARE) > bound:
                found.append(f"{kind} took {now.quantile(SHARE):.2f} s, and not {bound:.2f}")
        return found

    def __str__(self) -> str:
        def p99(samples: Samples) -> str:
            return " and ".join(f"{samples.of(kind).quantile(0.99) * 1000:.0f}" for kind in ("post", "ask"))

        return (
            f"p99 of others to post and to ask: {p99(self.before)} ms before, {p99(self.during)} ms during;"
            f" as before after {self.recovery_seconds:.0f} s"
        )
