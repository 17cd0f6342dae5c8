from __future__ import annotations

import asyncio
import gzip
from dataclasses import replace

import pytest

from procession.accounts.visibility import Visibility
from procession.errors import Unavailable
from procession.server.access.shared_answers import (
    MOST_KEPT,
    MOST_KEPT_BYTES,
    MOST_SECONDS,
    EncodedAnswer,
    SharedAnswers,
    SharedQuestion,
    accepted_age,
)

QUESTION = SharedQuestion(Visibility(1), "/processes", b"sort=pid")


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


async def an_answer(body: bytes = b"{}") -> EncodedAnswer:
    return EncodedAnswer.of(body)


async def a_failure() -> EncodedAnswer:
    raise Unavailable("no")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("", 0.0),
        ("max-age=1", 1.0),
        ("max-age=0", 0.0),
        ("private, Max-Age=1", 1.0),
        ("max-age=600", MOST_SECONDS),
        ("max-age=1, no-cache", 0.0),
        ("no-store,max-age=1", 0.0),
        ("s-max-age=1", 0.0),
        ("max-age=1e9", 0.0),
        ("max-age=-1", 0.0),
        ("max-age=" + "9" * 500, 0.0),
    ],
)
def test_a_reader_says_how_old_an_answer_may_be(header: str, seconds: float) -> None:
    assert accepted_age(header) == seconds


def test_an_answer_is_shared_by_those_who_take_its_age_and_may_see_the_same() -> None:
    async def share() -> None:
        clock = Clock()
        answers = SharedAnswers(clock)
        begun = answers.begin(QUESTION, an_answer)
        assert answers.find(QUESTION, 1.0) is begun
        assert answers.find(SharedQuestion(Visibility(2), "/processes", b"sort=pid"), 1.0) is None
        assert answers.find(SharedQuestion(Visibility(1), "/processes", b"sort=ppid"), 1.0) is None
        assert answers.find(SharedQuestion(Visibility(1), "/tree", b"sort=pid"), 1.0) is None
        clock.now += 1.5
        assert answers.find(QUESTION, 1.0) is None
        assert answers.find(QUESTION, 2.0) is begun
        clock.now += 1.0
        assert answers.find(QUESTION, 1000.0) is None
        assert gzip.decompress((await begun).compressed) == (await begun).body == b"{}"

    asyncio.run(share())


def test_a_failure_and_what_is_too_long_are_for_those_who_wait_and_for_nobody_else() -> None:
    async def fail() -> None:
        answers = SharedAnswers(Clock())
        failing = answers.begin(QUESTION, a_failure)
        assert answers.find(QUESTION, 1.0) is failing
        with pytest.raises(Unavailable):
            await failing
        assert answers.find(QUESTION, 1.0) is None

        long = answers.begin(QUESTION, lambda: an_answer(b"x" * (MOST_KEPT_BYTES + 1)))
        await long
        assert answers.find(QUESTION, 1.0) is None

    asyncio.run(fail())


def test_an_old_failure_does_not_drop_a_newer_answer() -> None:
    async def overtake() -> None:
        answers = SharedAnswers(Clock())
        failing = answers.begin(QUESTION, a_failure)
        newer = answers.begin(QUESTION, an_answer)
        with pytest.raises(Unavailable):
            await failing
        await newer
        assert answers.find(QUESTION, 1.0) is newer

    asyncio.run(overtake())


def test_who_asks_for_ever_other_things_fills_no_memory() -> None:
    async def fill() -> None:
        answers = SharedAnswers(Clock())
        questions = [replace(QUESTION, query=str(number).encode()) for number in range(MOST_KEPT + 1)]
        for question in questions:
            await answers.begin(question, an_answer)
        assert answers.find(questions[0], 1.0) is None
        assert answers.find(questions[1], 1.0) is not None

    asyncio.run(fill())
