"""Decides which payload is decoded next on the event loop."""

from __future__ import annotations

import asyncio

from procession.fair_order import RoundRobin


class DecodeTurns:
    """Lets one payload be decoded in each iteration of the loop, of each org in turn, so that other work gets on."""

    def __init__(self) -> None:
        self._waiting: RoundRobin[asyncio.Future[None]] = RoundRobin()
        self._is_taken = False

    async def wait(self, org_id: int) -> None:
        """Returns when it is the caller's turn, which ends with the next thing that the caller awaits."""
        loop = asyncio.get_running_loop()
        if not self._is_taken:
            self._is_taken = True
            loop.call_soon(self._give_next, loop)
            return
        turn: asyncio.Future[None] = loop.create_future()
        self._waiting.put(org_id, turn)
        await turn

    def _give_next(self, loop: asyncio.AbstractEventLoop) -> None:
        self._is_taken = False
        while not self._is_taken and (found := self._waiting.take_turn()) is not None:
            _, turn = found
            if not turn.done():  # its caller may have been cancelled
                turn.set_result(None)
                self._is_taken = True
                loop.call_soon(self._give_next, loop)
