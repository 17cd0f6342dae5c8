from __future__ import annotations

import logging

import pytest

from procession.server.http import connection_limit
from procession.server.http.connection_limit import OpenConnections


class FakeClient:
    def __init__(self, connections: OpenConnections, unread: int = 0) -> None:
        self.unread = unread
        self.is_gone = False
        self._connections = connections

    def leave(self) -> None:
        self.is_gone = True
        self._connections.end(self)

    def abort(self) -> None:
        self.leave()

    def unread_bytes(self) -> int:
        return self.unread


def begun(connections: OpenConnections) -> FakeClient:
    assert connections.begin()
    return FakeClient(connections)


def test_there_are_never_more_than_may_be() -> None:
    connections = OpenConnections(2)
    first, _ = begun(connections), begun(connections)

    assert not connections.begin()
    connections.end(first)

    assert connections.begin()
    assert connections.count == 2
    assert connections.closed == {"full": 1}


def test_whoever_was_silent_for_longest_makes_room() -> None:
    connections = OpenConnections(3)
    busy, early, late = (begun(connections) for _ in range(3))
    for client in (busy, early, late):
        connections.falls_silent(client)
    connections.speaks(busy)
    connections.speaks(early)
    connections.falls_silent(early)

    begun(connections)
    assert (busy.is_gone, early.is_gone, late.is_gone) == (False, False, True)
    begun(connections)
    assert (busy.is_gone, early.is_gone) == (False, True)
    assert not connections.begin()
    assert connections.count == 3


def test_a_handshake_that_failed_leaves_its_place() -> None:
    connections = OpenConnections(1)
    assert connections.begin()
    connections.end()

    assert connections.begin()


def test_those_who_stopped_reading_first_go_where_too_much_is_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_limit, "MAX_UNREAD_BYTES", 100)
    connections = OpenConnections(9)
    clients = [begun(connections) for _ in range(5)]
    for client in clients[:4]:
        client.unread = 25
        connections.stops_reading(client)
    connections.reads(clients[0])
    clients[1].unread = 10  # it has read some since

    clients[4].unread = 60
    connections.stops_reading(clients[4])

    assert [client.is_gone for client in clients] == [False, True, True, False, False]
    assert connections.closed == {"unread": 2}


def test_what_is_closed_is_counted_and_said_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    now, told = [0.0], list[str]()
    connections = OpenConnections(1, on_closed=told.append, clock=lambda: now[0])
    with caplog.at_level(logging.WARNING):
        for second in range(121):
            now[0] = float(second)
            connections.count_closed("body")

    assert connections.closed == {"body": 121}
    assert told == ["body"] * 121
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        f"the body of a request arrives too slowly: closed {count} connections for it" for count in (1, 60, 60)
    ]
