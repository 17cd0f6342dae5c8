from __future__ import annotations

import asyncio
import gc
from contextlib import ExitStack

import pytest
from starlette.requests import Request
from starlette.responses import Response

from procession.errors import PayloadTooLarge, TooManyRequests, Unavailable
from procession.server.intake import quota
from procession.server.intake.quota import MemoryQuota, refusing_slowly

GREEDY, MODEST = 1, 2
A_REQUEST = Request({"type": "http"})


def filled(memory: MemoryQuota, org_id: int, stack: ExitStack, size: int = 1) -> int:
    """How much an org gets in, in small reservations."""
    count = 0
    while True:
        reservation = stack.enter_context(memory.reserve(org_id))
        try:
            reservation.hold(size)
        except (TooManyRequests, Unavailable):
            return count
        count += size


def test_one_org_gets_half_and_others_that_come_then_get_half_of_what_is_left() -> None:
    memory = MemoryQuota(1000)
    with ExitStack() as stack:
        assert [filled(memory, org_id, stack) for org_id in (1, 2, 3)] == [500, 250, 125]
        assert memory.held_bytes == 875

    assert memory.held_bytes == 0


def test_who_has_its_share_is_told_so_and_others_that_it_is_full() -> None:
    memory = MemoryQuota(100 * 2**20)
    with ExitStack() as stack, memory.reserve(MODEST) as reservation:
        filled(memory, GREEDY, stack, 2**20)

        with pytest.raises(TooManyRequests, match=r"50\.0 MiB that this org has posted .* its share") as refused:
            stack.enter_context(memory.reserve(GREEDY)).hold(2**20)
        with pytest.raises(Unavailable, match="The intake is full") as full:
            reservation.hold(60 * 2**20)

    assert (refused.value.retry_after_seconds, full.value.retry_after_seconds) == (2, 2)


def test_a_single_payload_is_let_in_however_large_and_grows() -> None:
    memory = MemoryQuota(1000)

    with memory.reserve(GREEDY) as reservation:
        reservation.hold(600)
        reservation.hold(5000)
        assert memory.held_bytes == 5000


def test_a_reservation_that_was_refused_more_keeps_what_it_had_and_gives_it_back() -> None:
    memory = MemoryQuota(1000)
    with memory.reserve(MODEST) as reservation, memory.reserve(GREEDY) as other:
        reservation.hold(300)
        other.hold(300)
        with pytest.raises(TooManyRequests):
            other.hold(900)
        assert memory.held_bytes == 600
        other.hold(100)
        assert memory.held_bytes == 400

    assert memory.held_bytes == 0


def test_what_will_not_fit_once_it_is_decoded_is_refused_before() -> None:
    memory = MemoryQuota(1000)
    with memory.reserve(GREEDY) as first, memory.reserve(GREEDY) as second, memory.reserve(MODEST) as other:
        first.hold_to_decode(10)
        assert memory.held_bytes == 10, "nothing is known of it yet"
        first.hold_decoded(10, 400)

        with pytest.raises(TooManyRequests):
            second.hold_to_decode(10)
        second.hold_to_decode(2)
        assert memory.held_bytes == 480
        other.hold_to_decode(10)
        assert memory.held_bytes == 490

    with memory.reserve(GREEDY) as later:
        for _ in range(100):
            later.hold_decoded(10, 20)
        later.hold_to_decode(10)
        assert memory.held_bytes == pytest.approx(20, abs=1)


class Large:
    """Something that shows when it is let go."""


def test_whoever_is_to_come_later_hears_so_slowly_and_nothing_of_it_is_kept_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slept: list[float] = []
    held: list[object] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        held.extend(one for one in gc.get_objects() if isinstance(one, Large))

    async def endpoint(request: Request) -> Response:
        body = Large()
        assert body
        try:
            int("")
        except ValueError:
            raise TooManyRequests("Beyond its share", retry_after_seconds=2)  # noqa: B904 (as it may come)
        return Response()

    async def main() -> None:
        with pytest.raises(TooManyRequests, match="Beyond its share"):
            await refusing_slowly(endpoint)(A_REQUEST)

    monkeypatch.setattr(quota, "sleep", sleep)
    asyncio.run(main())

    assert slept == [1.0]
    assert held == []


def test_what_is_refused_for_good_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def sleep(seconds: float) -> None:
        raise AssertionError

    async def endpoint(request: Request) -> Response:
        raise PayloadTooLarge("no")

    async def main() -> None:
        with pytest.raises(PayloadTooLarge):
            await refusing_slowly(endpoint)(A_REQUEST)

    monkeypatch.setattr(quota, "sleep", sleep)
    asyncio.run(main())
