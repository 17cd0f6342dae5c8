from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send

from procession.server.http.exchange import WHEN_LEFT
from procession.server.runtime.disconnect import StopOnDisconnect, while_connected


class Answering:
    """An application that answers when it is let, and remembers how it ended."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.may_end = asyncio.Event()
        self.ended = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 (as applications are called)
        self.begun.set()
        try:
            await self.may_end.wait()
            await send({"type": "http.response.start", "status": 200})
            self.ended = "answered"
        except asyncio.CancelledError:
            self.ended = "dropped"
            raise


class Connection:
    def __init__(self) -> None:
        self.messages: asyncio.Queue[Message] = asyncio.Queue()
        self.messages.put_nowait({"type": "http.request", "body": b"", "more_body": False})
        self.sent: list[Message] = []

    def close(self) -> None:
        self.messages.put_nowait({"type": "http.disconnect"})

    async def receive(self) -> Message:
        return await self.messages.get()

    async def send(self, message: Message) -> None:
        self.sent.append(message)


async def begun(method: str) -> tuple[Answering, Connection, asyncio.Task[None]]:
    app, connection = Answering(), Connection()
    scope = {"type": "http", "method": method}

    async def call() -> None:
        await StopOnDisconnect(app)(scope, connection.receive, connection.send)

    task = asyncio.create_task(call())
    await asyncio.wait_for(app.begun.wait(), 30)
    return app, connection, task


def test_a_question_is_dropped_when_nobody_is_there_to_hear_the_answer() -> None:
    async def main() -> None:
        app, connection, task = await begun("GET")
        connection.close()
        with pytest.raises(ClientDisconnect):
            await asyncio.wait_for(task, 30)
        await asyncio.sleep(0)

        assert app.ended == "dropped"
        assert connection.sent == []

    asyncio.run(main())


def test_what_is_posted_is_seen_to_whoever_has_gone() -> None:
    async def main() -> None:
        app, connection, task = await begun("POST")
        connection.close()
        app.may_end.set()
        await asyncio.wait_for(task, 30)

        assert app.ended == "answered"

    asyncio.run(main())


def test_a_question_is_answered_to_whoever_is_there() -> None:
    async def main() -> None:
        app, connection, task = await begun("GET")
        app.may_end.set()
        await asyncio.wait_for(task, 30)

        assert [message["type"] for message in connection.sent] == ["http.response.start"]

    asyncio.run(main())


def test_a_stop_of_the_server_stops_both() -> None:
    async def main() -> None:
        app, _, task = await begun("GET")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0)

        assert app.ended == "dropped"
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


def test_what_goes_wrong_comes_through() -> None:
    async def fail(scope: Scope, receive: Receive, send: Send) -> None:
        raise ValueError("no")

    async def main() -> None:
        connection = Connection()
        with pytest.raises(ValueError, match="no"):
            await StopOnDisconnect(fail)({"type": "http", "method": "GET"}, connection.receive, connection.send)

    asyncio.run(main())


class Telling:
    """Who tells that a client leaves, as the server of a request does."""

    def __init__(self) -> None:
        self.call: Callable[[], None] | None = None
        self.scope = {"type": "http", "method": "GET", WHEN_LEFT: self._when_left}

    def _when_left(self, call: Callable[[], None] | None) -> bool:
        self.call = call
        return True


async def never() -> Message:
    raise AssertionError("nobody has to listen")


def test_who_is_told_of_the_end_need_not_listen_for_it() -> None:
    async def main() -> None:
        telling = Telling()
        task = asyncio.create_task(while_connected(telling.scope, never, asyncio.sleep(3600)))
        await asyncio.sleep(0)
        assert telling.call is not None
        telling.call()
        telling.call()
        with pytest.raises(ClientDisconnect):
            await asyncio.wait_for(task, 30)

        assert telling.call is None
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


def test_an_end_that_is_told_too_late_stops_nothing() -> None:
    async def main() -> str:
        telling = Telling()
        given = await while_connected(telling.scope, never, asyncio.sleep(0, "done"))
        assert telling.call is None
        return given

    assert asyncio.run(main()) == "done"
