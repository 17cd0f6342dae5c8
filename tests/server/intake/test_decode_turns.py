from __future__ import annotations

import asyncio

from procession.server.intake.decode_turns import DecodeTurns

GREEDY, MODEST = 1, 2


def test_pieces_of_orgs_come_in_turn_with_a_round_of_the_loop_for_each() -> None:
    order: list[int] = []
    rounds: list[int] = []

    async def main() -> None:
        turns, loop = DecodeTurns(), asyncio.get_running_loop()
        number = 0

        def count_rounds() -> None:
            nonlocal number
            number += 1
            if len(order) < 14:
                loop.call_soon(count_rounds)

        async def piece(org_id: int) -> None:
            await turns.wait(org_id)
            order.append(org_id)
            rounds.append(number)

        loop.call_soon(count_rounds)
        greedy = [asyncio.create_task(piece(GREEDY)) for _ in range(12)]
        modest = [asyncio.create_task(piece(MODEST)) for _ in range(2)]
        await asyncio.wait_for(asyncio.gather(*greedy, *modest), 30)

    asyncio.run(main())

    assert order == [GREEDY, GREEDY, MODEST, GREEDY, MODEST] + [GREEDY] * 9
    assert len(set(rounds)) == 14


def test_a_lone_piece_does_not_wait_and_one_that_is_gone_holds_up_nobody() -> None:
    async def main() -> None:
        turns = DecodeTurns()
        await asyncio.wait_for(turns.wait(GREEDY), 30)
        gone = [asyncio.create_task(turns.wait(GREEDY)) for _ in range(3)]
        last = asyncio.create_task(turns.wait(GREEDY))
        await asyncio.sleep(0)
        for task in gone:
            task.cancel()
        await asyncio.wait_for(last, 30)

    asyncio.run(main())
