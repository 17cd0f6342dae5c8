from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from procession.agent.send.api_key import ApiKey
from procession.agent.send.client import IntakeClient
from procession.agent.send.outbox import Outbox
from procession.agent.send.payload import Payload
from procession.agent.send.sender import Backoff, Sender
from procession.wire.datadog import Answer, encode_answer
from tests.support.agents.intake import FakeIntake, Reply

HURRY = Backoff(base_seconds=0.005, max_seconds=0.02)
ANSWER = encode_answer(Answer())


class Sending:
    """A sender at work, and what it said."""

    def __init__(self, url: str, backoff: Backoff = HURRY) -> None:
        self.lines: list[str] = []
        self.outbox = Outbox(10_000)
        self.stop = threading.Event()
        self.client = IntakeClient(url)
        self.sender = Sender(
            self.client, self.outbox, api_key=ApiKey("k" * 32), report=self._report, stop=self.stop, backoff=backoff,
            refused_key_seconds=0.01,
        )  # fmt: skip
        self._said = threading.Condition()
        self._thread = threading.Thread(target=self.sender.run)

    def _report(self, line: str) -> None:
        with self._said:
            self.lines.append(line)
            self._said.notify_all()

    def put(self, *bodies: bytes) -> None:
        self.outbox.put([Payload(body, {"X-Dd-Hostname": "web-1"}) for body in bodies])

    def wait_for_line(self, part: str) -> str:
        with self._said:
            assert self._said.wait_for(lambda: any(part in line for line in self.lines), 10), self.lines
            return next(line for line in self.lines if part in line)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self.stop.set()
        self.outbox.close()
        self.sender.end(None)
        self.client.abort()
        self._thread.join(5)
        assert not self._thread.is_alive()
        if self.sender.failure is not None:
            raise self.sender.failure


@contextmanager
def sending(url: str, *bodies: bytes, backoff: Backoff = HURRY) -> Iterator[Sending]:
    """Each body is a snapshot."""
    made = Sending(url, backoff)
    for body in bodies:
        made.put(body)
    made.start()
    try:
        yield made
    finally:
        made.end()


def test_sender_delivers_in_order_and_says_once_where_to(intake: FakeIntake) -> None:
    with sending(intake.url, b"1", b"2", b"3") as sender:
        posted = intake.wait_for(3)

    assert [post.body for post in posted] == [b"1", b"2", b"3"]
    assert posted[0].headers["dd-api-key"] == "k" * 32
    assert posted[0].headers["x-dd-agent-attempts"] == "1"
    assert sender.lines == [f"sending the processes of web-1 to {intake.url}"]


@pytest.mark.parametrize("status", [401, 404, 429, 500, 503, 301, 409])
def test_sender_tries_again_in_order_after_most_errors(intake: FakeIntake, status: int) -> None:
    intake.replies += [Reply(), Reply(status, b"no"), Reply(status, b"no")]

    with sending(intake.url, b"1", b"2", b"3") as sender:
        posted = intake.wait_for(5)
        sender.wait_for_line("takes payloads again")

    assert [post.body for post in posted] == [b"1", b"2", b"2", b"2", b"3"]
    assert [post.headers["x-dd-agent-attempts"] for post in posted] == ["1", "1", "2", "3", "1"]
    assert f"{intake.url} answers {status}" in sender.lines[1]
    assert "keeping 2 snapshots, next try in " in sender.lines[1]


@pytest.mark.parametrize("status", [400, 413])
def test_sender_drops_what_will_never_be_taken(intake: FakeIntake, status: int) -> None:
    body = b'{"errors":["too\x1b[31m odd"]}'
    intake.replies += [Reply(status, body, "application/json"), Reply(status, body), Reply()]

    with sending(intake.url, b"1", b"2", b"3") as sender:
        posted = intake.wait_for(3)
        sender.wait_for_line("sending the processes")

    assert [post.body for post in posted] == [b"1", b"2", b"3"]
    refusals = [line for line in sender.lines if "refuses a payload" in line]
    assert refusals == [
        f'{intake.url} refuses a payload: {status}: {{"errors":["too [31m odd"]}}; dropped it, 1 since the start'
    ]


def test_sender_keeps_everything_while_its_key_is_refused(intake: FakeIntake) -> None:
    intake.replies += [Reply(403), Reply(403)]

    with sending(intake.url, b"1", b"2") as sender:
        posted = intake.wait_for(4)
        sender.wait_for_line("sending the processes")

    assert [post.body for post in posted] == [b"1", b"1", b"1", b"2"]
    assert sender.lines[0] == f"{intake.url} refuses the API key; keeping 2 snapshots, next try in 0 s"
    assert not any("k" * 32 in line for line in sender.lines)


def test_sender_says_that_a_server_cannot_be_reached_and_delivers_when_it_comes() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        port = listening.getsockname()[1]

    with sending(f"http://127.0.0.1:{port}", b"1", b"2") as sender:
        line = sender.wait_for_line("cannot reach")
        intake = FakeIntake(port)
        try:
            posted = intake.wait_for(2)
        finally:
            intake.close()

    assert line.startswith(
        f"cannot reach http://127.0.0.1:{port}: connection refused; keeping 2 snapshots, next try in "
    )
    assert [post.body for post in posted] == [b"1", b"2"]


@pytest.mark.parametrize(
    ("reply", "part"),
    [
        (Reply(200, b"<html>Welcome to nginx", "text/html"), "answers 200 with text/html and so is no intake"),
        (Reply(200, b"\x03\x00\x63", ""), "answers 200 with something and so is no intake"),
        (Reply(404, b"<html>", "text/html; charset=utf-8"), "answers 404, as a server that is no intake does"),
        (Reply(405, b"{}"), "answers 405, as a server that is no intake does"),
        (Reply(502, b"<html>", "text/html"), "answers 502, as a server that is no intake does"),
        (Reply(308, location="https://new/"), "answers 308: it has moved to https://new/; --url should say so"),
    ],
)
def test_sender_loses_nothing_to_a_server_that_is_no_intake(intake: FakeIntake, reply: Reply, part: str) -> None:
    intake.replies.append(reply)

    with sending(intake.url, b"1") as sender:
        posted = intake.wait_for(2)
        line = sender.wait_for_line("answers")

    assert part in line
    assert [post.body for post in posted] == [b"1", b"1"]


@pytest.mark.parametrize("reply", [Reply(200, b'{"errors":[]}', "application/json"), Reply(202, b"", "")])
def test_sender_goes_on_with_a_server_that_takes_payloads_in_silence(intake: FakeIntake, reply: Reply) -> None:
    intake.replies += [reply, reply]

    with sending(intake.url, b"1", b"2", b"3") as sender:
        posted = intake.wait_for(3)

    assert [post.body for post in posted] == [b"1", b"2", b"3"]
    assert sum("is it the right URL?" in line for line in sender.lines) == 1


def test_sender_knows_whether_somebody_watches(intake: FakeIntake) -> None:
    intake.replies.append(Reply(200, encode_answer(Answer(active_clients=3, message="hello\n there"))))

    with sending(intake.url, b"1") as sender:
        sender.wait_for_line("says: hello there")
        watching = sender.sender.live_seconds
        sender.put(b"2")
        sender.put(b"3")
        intake.wait_for(3)  # so that the second answer was read

    assert watching == 2
    assert sender.sender.live_seconds is None


def test_sender_stops_at_once_while_it_waits_for_the_next_try(intake: FakeIntake) -> None:
    intake.replies.append(Reply(503))

    with sending(intake.url, b"1", backoff=Backoff(base_seconds=1000, max_seconds=1000)) as sender:
        sender.wait_for_line("answers 503")  # `end` has its own patience

    assert len(intake.posted) == 1


def test_a_wait_doubles_with_each_failure_up_to_a_minute() -> None:
    backoff = Backoff()
    longest: list[int] = []
    for _ in range(8):
        backoff = backoff.failed()
        waits = [backoff.seconds() for _ in range(300)]
        longest.append(2 ** (len(longest) + 2))
        assert all(min(longest[-1], 64) / 2 <= wait <= min(longest[-1], 64) for wait in waits)
        assert max(waits) - min(waits) > min(longest[-1], 64) / 4

    assert backoff.succeeded().failures == 6
    assert Backoff().succeeded().failures == 0
    for _ in range(5000):
        backoff = backoff.failed()
    assert backoff.seconds() <= 64


def test_sender_expects_no_answer_to_events_and_gives_them_up_where_nobody_takes_them(intake: FakeIntake) -> None:
    intake.replies += [Reply(202, b"whatever", "text/plain"), Reply(404), Reply()]

    with sending(intake.url) as sender:
        headers = {"X-Dd-Hostname": "web-1"}
        sender.outbox.put([Payload(body, headers, "/api/v2/proclcycle", is_answered=False) for body in (b"1", b"2")])
        sender.put(b"3")
        posted = intake.wait_for(3)

    assert [(post.path, post.body) for post in posted] == [
        ("/api/v2/proclcycle", b"1"),
        ("/api/v2/proclcycle", b"2"),
        ("/api/v1/collector", b"3"),
    ]


def test_sender_takes_a_page_for_no_answer_to_events_either(intake: FakeIntake) -> None:
    intake.replies += [Reply(200, b"<html>", "text/html; charset=utf-8"), Reply(202, b"{}", "application/json")]

    with sending(intake.url) as sender:
        headers = {"X-Dd-Hostname": "web-1"}
        sender.outbox.put([Payload(b"1", headers, "/api/v2/proclcycle", is_answered=False)])
        line = sender.wait_for_line("is no intake")
        posted = intake.wait_for(2)

    assert "answers 200 with text/html" in line
    assert [post.body for post in posted] == [b"1", b"1"]
