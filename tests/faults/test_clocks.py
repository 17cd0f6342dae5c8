"""Clocks that jump by an hour either way while agent and server run: all is kept, and once."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from procession.process import host_key
from tests.faults.machines.clock import JumpingClock, library
from tests.faults.machines.hosts import NO_DIFFERENCE, PIDS, Host, difference
from tests.faults.machines.servers import Server
from tests.faults.machines.stored import chunks_of
from tests.support.running import eventually
from tests.support.torture import is_full, quoted, record

HOUR = 3600
JUMPS = (HOUR, 0, -HOUR, 0) * (3 if is_full() else 1)
SLACK = 60
"""Seconds that a clock may be ahead and is believed."""


@pytest.fixture
def clock(tmp_path: Path) -> JumpingClock:
    found = library()
    if found is None:
        pytest.skip("libfaketime is not installed (Debian: faketime)")
    return JumpingClock(tmp_path / "clock", found)


def test_what_a_host_sends_is_kept_once_whatever_its_clock_does(
    server: Server, a_host: Callable[..., Host], clock: JumpingClock
) -> None:
    server.start()
    host = a_host("web-1", server.url, interval_seconds=0.5, environment=clock.environment)
    begin = int(time.time())
    host.start()
    host.wait_for_snapshots(2)
    for seconds in JUMPS:
        clock.jump_to(seconds)
        # The first ones may be from before: it takes a second to be seen.
        host.wait_for_snapshots(4)
    host.wait_until_delivered()
    host.stop()
    end = int(time.time())
    listed = server.times_listed(from_=begin - 2 * HOUR, to=end + SLACK)
    server.stop()

    stored = [chunk for chunk in chunks_of(server.data_dir) if chunk.host_key == host_key(host.name)]
    found, taken = difference(host, stored), host.taken()
    ahead = {number for number, one in taken.items() if one.taken_at > end + SLACK}
    behind = {number for number, one in taken.items() if one.taken_at < begin - SLACK}
    assert min(len(ahead), len(behind)) >= len(JUMPS) // 4 * 2
    assert len(taken) > 4 * len(JUMPS)
    # Those from the future are kept as of their arrival, all others when they were taken.
    assert replace(found, moved=frozenset()) == NO_DIFFERENCE
    assert found.moved == ahead & {chunk.request_id for chunk in stored}
    assert all(begin <= chunk.taken_at <= end + 1 for chunk in stored if chunk.request_id in ahead)
    assert {count for key, count in listed.items() if key[0] == host.name} == {1}
    assert len(listed) == len(PIDS)
    (said,) = [line for line in server.output if "the clock of 'web-1' is" in line]
    assert "s ahead of this server's: what it sends is kept as of its arrival" in said
    assert not any("Traceback" in line for line in server.output + host.output)
    record(
        "clock of a host an hour ahead, right, an hour behind, right",
        times=len(JUMPS),
        lost=len(found.lost),
        answered=_spoken(said),
    )


def test_a_server_keeps_what_it_is_sent_once_whatever_its_clock_does(
    tmp_path: Path, ending: ExitStack, a_host: Callable[..., Host], clock: JumpingClock
) -> None:
    server = Server(tmp_path / "data", environment=clock.environment)
    ending.callback(server.close)
    server.start()
    host = a_host("web-1", server.url, interval_seconds=0.5)
    begin = int(time.time())
    host.start()
    host.wait_for_snapshots(2)
    own = _Own(server)
    own.put_view("search=java")
    key_id, secret = own.make_key()
    for number, seconds in enumerate(JUMPS):
        clock.jump_to(seconds)
        eventually(lambda seconds=seconds: abs(own.clock() - time.time() - seconds) < 5, what="the jump")  # type: ignore[misc]
        host.wait_for_snapshots(2)
        host.wait_until_delivered()
        # What an answer of the moment shows, and what is said of one thing before and after.
        now = own.clock()
        assert set(server.times_listed(from_=now - 3 * HOUR, to=now).values()) == {1}
        own.put_view(f"search=java {number}")
        assert own.views() == [f"search=java {number}"]
        if seconds == HOUR:
            key_id, secret = own.make_key()
            assert own.opens(secret)
        else:
            own.revoke(key_id)
            eventually(lambda secret=secret: not own.opens(secret), seconds=10, what="the end of a key")  # type: ignore[misc]
    host.stop()
    end = int(time.time())
    listed = server.times_listed(from_=begin - 2 * HOUR, to=end + SLACK)
    server.stop()

    stored = [chunk for chunk in chunks_of(server.data_dir) if chunk.host_key == host_key(host.name)]
    found = difference(host, stored)
    # To a clock that is an hour behind all hosts are ahead: what they send then is kept as of its arrival.
    assert replace(found, moved=frozenset()) == NO_DIFFERENCE
    assert found.moved
    moved = [chunk.taken_at for chunk in stored if chunk.request_id in found.moved]
    assert all(begin - HOUR <= at <= end - HOUR + 1 for at in moved)
    assert {count for key, count in listed.items() if key[0] == host.name} == {1}
    assert len(listed) == len(PIDS)
    (said,) = [line for line in server.output if "the clock of 'web-1' is" in line]
    assert "3600 s ahead of this server's" in said or "3599 s ahead" in said or "3601 s ahead" in said
    assert not any("Traceback" in line for line in server.output + host.output)
    record(
        "clock of the server an hour ahead, right, an hour behind, right",
        times=len(JUMPS),
        lost=len(found.lost),
        answered=f"{_spoken(said)}; revoked keys stay revoked",
    )


def _spoken(line: str) -> str:
    """Without the log's own words before it."""
    return quoted(line[line.index("the clock of") :].partition(";")[0])


class _Own:
    """What people change in a server."""

    VIEW = "/api/procession/v1/views/mine"

    def __init__(self, server: Server) -> None:
        self._url = server.url
        keys = server.data_dir / "keys"
        self._admin = {"authorization": f"Bearer {(keys / 'admin-key').read_text().strip()}"}
        self._reader = {"authorization": f"Bearer {(keys / 'application-key').read_text().strip()}"}

    def _ask(self, method: str, path: str, headers: dict[str, str], **options: Any) -> httpx.Response:
        return httpx.request(method, self._url + path, headers=headers, timeout=60, **options)

    def clock(self) -> int:
        """The server's."""
        answer = self._ask("GET", "/api/procession/v1/hosts", self._reader)
        return int(answer.json()["meta"]["at"])

    def put_view(self, state: str) -> None:
        assert self._ask("PUT", self.VIEW, self._reader, json={"state": state}).status_code == 200

    def views(self) -> list[str]:
        answer = self._ask("GET", "/api/procession/v1/views", self._reader)
        return [view["state"] for view in answer.json()["views"]]

    def make_key(self) -> tuple[str, str]:
        """Id and secret."""
        body = {"org_id": 1, "kind": "application", "name": "short-lived"}
        answer = self._ask("POST", "/api/procession/v1/admin/keys", self._admin, json=body).json()
        return answer["key"]["id"], answer["secret"]

    def revoke(self, key_id: str) -> None:
        path = f"/api/procession/v1/admin/keys/{key_id}/revoke"
        assert self._ask("POST", path, self._admin).status_code == 200

    def opens(self, secret: str) -> bool:
        answer = self._ask("GET", "/api/procession/v1/views", {"authorization": f"Bearer {secret}"})
        return answer.status_code == 200
