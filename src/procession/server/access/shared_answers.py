"""The same question of several readers who may see the same: found and encoded once, for all that ask within a second
or two. So a view that many look at live costs about as much as one."""

from __future__ import annotations

import asyncio
import gzip
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from procession.accounts.visibility import Visibility

MOST_SECONDS = 2.0
"""No answer is given that is older, whatever a reader would take."""
MOST_KEPT_BYTES = 4 * 2**20
"""A longer answer is only for those that wait for it already."""
MOST_KEPT = 500
LEVEL = 6

_MAX_AGE = re.compile(r"(?:^|[\s,])max-age=([0-9]{1,9})(?:$|[\s,;])", re.IGNORECASE)


@dataclass(frozen=True)
class SharedQuestion:
    """Two readers who may not see the same never share."""

    visibility: Visibility
    path: str
    query: bytes


@dataclass(frozen=True)
class EncodedAnswer:
    body: bytes
    compressed: bytes
    rows: int | None = None
    """How many are in it, where that is known."""

    @classmethod
    def of(cls, body: bytes, rows: int | None = None) -> EncodedAnswer:
        return cls(body, gzip.compress(body, LEVEL, mtime=0), rows)


@dataclass(frozen=True)
class _Shared:
    begun_at: float
    answer: asyncio.Future[EncodedAnswer]


class SharedAnswers:
    """Kept by the event loop alone."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._answers: OrderedDict[SharedQuestion, _Shared] = OrderedDict()
        """The oldest first."""

    def find(self, question: SharedQuestion, seconds: float) -> asyncio.Future[EncodedAnswer] | None:
        """The answer that was begun at most `seconds` ago; it may not be there yet."""
        self._drop_old()
        shared = self._answers.get(question)
        if shared is None or self._clock() - shared.begun_at > seconds:
            return None
        return shared.answer

    def begin(
        self, question: SharedQuestion, make: Callable[[], Awaitable[EncodedAnswer]]
    ) -> asyncio.Future[EncodedAnswer]:
        """Find the answer for everybody who asks from now on. It goes on when the first of them goes away."""
        answer = asyncio.ensure_future(make())
        self._answers[question] = shared = _Shared(self._clock(), answer)
        self._answers.move_to_end(question)
        while len(self._answers) > MOST_KEPT:
            self._answers.popitem(last=False)

        def when_done(_: object) -> None:
            is_worth_keeping = (
                not answer.cancelled() and answer.exception() is None and len(answer.result().body) <= MOST_KEPT_BYTES
            )
            if not is_worth_keeping and self._answers.get(question) is shared:
                del self._answers[question]

        answer.add_done_callback(when_done)
        return answer

    def _drop_old(self) -> None:
        oldest = self._clock() - MOST_SECONDS
        while self._answers and (first := next(iter(self._answers.items())))[1].begun_at < oldest:
            del self._answers[first[0]]


def accepted_age(cache_control: str) -> float:
    """How old an answer may be in seconds, as the header `Cache-Control` of a request says; 0 without one."""
    found = _MAX_AGE.search(cache_control)
    is_refused = "no-cache" in cache_control.lower() or "no-store" in cache_control.lower()
    return min(float(found[1]), MOST_SECONDS) if found and not is_refused else 0.0
