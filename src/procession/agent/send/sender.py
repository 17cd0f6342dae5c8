"""Posts what is in the outbox, in order, one payload at a time, for as long as it takes."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from procession.agent.send.api_key import ApiKey
from procession.agent.send.client import IntakeClient, Unreachable
from procession.agent.send.outbox import Outbox
from procession.agent.send.payload import Payload
from procession.agent.send.payload_maker import in_datadogs_format
from procession.http_client import Response
from procession.log_throttle import LogThrottle
from procession.wire.columns import layout
from procession.wire.columns.offer import OFFER_HEADER, SEND_WHOLE, processes_offered
from procession.wire.columns.offer import PATH as COLUMNS_PATH
from procession.wire.datadog import Answer, FrameError, decode_answer

Report = Callable[[str], None]

NO_COLUMNS_SECONDS = 600.0
"""Until columns are sent again to a server that has refused some."""

_NO_COLUMNS = frozenset((400, 404, 405, 413, 415, SEND_WHOLE))
"""Answers of a server that knows no columns, or cannot read these."""

_FAREWELL_SECONDS = 0.4
"""So long it is waited for a word whether there is one."""

REFUSED_KEY_SECONDS = 60.0
"""Until a key that was refused is tried again: somebody has to do something about it first."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait after `failures` in a row: a random time, doubled with each, and the same as a Datadog
    Agent's. A success takes back two failures."""

    failures: int = 0
    base_seconds: float = 2.0
    max_seconds: float = 64.0

    def failed(self) -> Backoff:
        return Backoff(min(self.failures + 1, 16), self.base_seconds, self.max_seconds)

    def succeeded(self) -> Backoff:
        return Backoff(max(0, self.failures - 2), self.base_seconds, self.max_seconds)

    def seconds(self) -> float:
        longest = min(self.base_seconds * 2**self.failures, self.max_seconds)
        return random.uniform(longest / 2, longest)


class Sender:
    """Runs in a thread of its own, since collecting goes on while a server is away."""

    def __init__(
        self,
        client: IntakeClient,
        outbox: Outbox,
        *,
        api_key: ApiKey,
        report: Report,
        stop: threading.Event,
        backoff: Backoff = Backoff(),
        refused_key_seconds: float = REFUSED_KEY_SECONDS,
    ) -> None:
        self.live_seconds: int | None = None
        """How often somebody who watches this host wants to see it, as the newest answer says. None: nobody watches, or
        the server does not answer."""
        self.max_column_processes = 0
        """How many processes a message of columns may hold, as the newest answer says; 0: the server takes none."""
        self._column_frame = (0, 0)
        """Run and number of the newest that the server has acknowledged."""
        self._no_columns_until = 0.0
        self.failure: BaseException | None = None
        """The bug that ended `run`."""
        self._client = client
        self._outbox = outbox
        self._api_key = api_key
        self._tell = report
        self._throttle = LogThrottle(time.monotonic)
        self._stop = stop
        self._backoff = backoff
        self._refused_key_seconds = refused_key_seconds
        self._delivered = self._refused = 0
        self._in_trouble = False
        self._trying: Payload | None = None
        self._attempts = 0
        self._farewell: Payload | None = None
        self._is_ending = threading.Event()

    def run(self) -> None:
        """Until the outbox is closed or `stop` is set."""
        try:
            while not self._stop.is_set() and (payload := self._outbox.first()) is not None:
                wait = self._send(payload)
                if wait:
                    self._stop.wait(wait)
            self._say_farewell()
        except BaseException as error:
            self.failure = error
        finally:
            self._client.close()

    def end(self, farewell: Payload | None) -> None:
        """There will be nothing more to send but this, which is tried once. By another thread, once `stop` is set."""
        self._farewell = farewell
        self._is_ending.set()

    def _say_farewell(self) -> None:
        self._is_ending.wait(_FAREWELL_SECONDS)
        if self._farewell is not None:
            headers = {**self._farewell.headers, "DD-Api-Key": self._api_key.text}
            with contextlib.suppress(Unreachable):
                self._client.post(self._farewell.path, self._farewell.body, headers)

    def _report(self, text: str) -> None:
        self._tell(self._api_key.hidden_in(text))

    def _send(self, payload: Payload) -> float:
        """Try once, and say how long to wait before the next try."""
        self._attempts = self._attempts + 1 if payload is self._trying else 1
        self._trying = payload
        headers = {**payload.headers, "DD-Api-Key": self._api_key.text, "X-DD-Agent-Attempts": str(self._attempts)}
        with_changes = payload.changes is not None and self._has_frame_before(payload.changes)
        body = payload.changes if with_changes and payload.changes is not None else payload.body
        try:
            response = self._client.post(payload.path, body, headers)
        except Unreachable as error:
            return self._fail(payload, f"cannot reach {self._client.url}: {error}")
        if payload.path == COLUMNS_PATH and response.status in _NO_COLUMNS:
            return self._send_otherwise(payload, response, with_changes=with_changes)
        return self._take(response, payload)

    def _has_frame_before(self, changes: bytes) -> bool:
        head = layout.decode_head(changes)
        return (head.run, head.follows) == self._column_frame

    def _send_otherwise(self, payload: Payload, response: Response, *, with_changes: bool) -> float:
        """At once: whole, where that may help, or else in Datadog's format, as before the server took columns."""
        self._column_frame = (0, 0)
        if response.status == SEND_WHOLE and with_changes:
            return 0.0
        self.max_column_processes = 0
        self._no_columns_until = time.monotonic() + NO_COLUMNS_SECONDS
        if self._throttle.admits("columns"):
            self._report(f"{self._client.url} takes no columns: {_said(response)}; sending Datadog's format")
        self._outbox.replace(payload, in_datadogs_format(payload))
        return 0.0

    def _take(self, response: Response, payload: Payload) -> float:
        status = response.status
        if 200 <= status < 300:
            answer = self._answer(response) if payload.is_answered else None
            # A page is for people: who has one for everything that is posted keeps nothing of it.
            if answer is not None or not (payload.is_answered or _is_page(response)):
                self._deliver(payload, answer)
                if answer is not None:
                    self._note_offer(response)
                return 0.0
        if status in (400, 413) or (status in (404, 405) and not payload.is_answered):
            self._outbox.done(payload)
            self._refused += 1
            if self._throttle.admits("refused"):
                dropped = f"dropped it, {self._refused} since the start"
                self._report(f"{self._client.url} refuses a payload: {_said(response)}; {dropped}")
            return 0.0
        if status == 403:
            self._in_trouble = True
            self.live_seconds = None
            kept = f"keeping {_snapshots(self._outbox.snapshots)}, next try in {self._refused_key_seconds:.0f} s"
            # A server says more than "Forbidden" where it is not the key that is wrong.
            said = _said(response)
            what = "refuses the API key" if "certificate" not in said else f"answers {said}"
            self._report(f"{self._client.url} {what}; {kept}")
            self._give_up_what_is_tried_once(payload)
            self._stop.wait(self._refused_key_seconds)
            self._api_key.read_again()
            return 0.0
        return self._fail(payload, f"{self._client.url} answers {_said(response)}")

    def _answer(self, response: Response) -> Answer | None:
        """None from what is no intake, so that nothing is lost there.

        A server that only takes what is posted, and answers nothing or its own JSON, is one that somebody may want.
        """
        with contextlib.suppress(FrameError):
            return decode_answer(response.body)
        if response.body and "json" not in response.header("content-type"):
            return None
        if self._throttle.admits("foreign"):
            url = self._client.url
            self._report(f"{url} takes payloads but does not answer as an intake does; is it the right URL?")
        return Answer()

    def _deliver(self, payload: Payload, answer: Answer | None) -> None:
        self._outbox.done(payload)
        self._backoff = self._backoff.succeeded()
        if payload.path == COLUMNS_PATH:
            head = layout.decode_head(payload.body)
            self._column_frame = (head.run, head.number)
        if answer is None:
            return
        if not self._delivered and payload.is_answered:
            self._report(f"sending the processes of {payload.headers['X-Dd-Hostname']} to {self._client.url}")
        elif self._in_trouble:
            dropped = self._outbox.dropped
            lost = f", {dropped} dropped since the start" if dropped.snapshots or dropped.live else ""
            left = f"{_snapshots(self._outbox.snapshots)} left to send{lost}"
            self._report(f"{self._client.url} takes payloads again; {left}")
        self._delivered += payload.is_answered
        self._in_trouble = False
        self.live_seconds = answer.interval_seconds if answer.active_clients > 0 else None
        if answer.message and self._throttle.admits("message"):
            self._report(f"{self._client.url} says: {_printable(answer.message)}")

    def _note_offer(self, response: Response) -> None:
        is_wanted = time.monotonic() >= self._no_columns_until
        offered = processes_offered(response.header(OFFER_HEADER))
        self.max_column_processes = offered if is_wanted and offered is not None else 0

    def _fail(self, payload: Payload, trouble: str) -> float:
        self._in_trouble = True
        self.live_seconds = None
        if self._stop.is_set():  # it was us who cut the connection
            return 0.0
        self._give_up_what_is_tried_once(payload)
        self._backoff = self._backoff.failed()
        seconds = self._backoff.seconds()
        self._report(f"{trouble}; keeping {_snapshots(self._outbox.snapshots)}, next try in {seconds:.0f} s")
        return seconds

    def _give_up_what_is_tried_once(self, payload: Payload) -> None:
        if payload.is_tried_once:
            self._outbox.give_up(payload)


def _snapshots(count: int) -> str:
    return f"{count} snapshot" + ("" if count == 1 else "s")


def _is_page(response: Response) -> bool:
    return response.header("content-type").partition(";")[0].strip().lower() == "text/html"


def _said(response: Response) -> str:
    """The status, and what a person can do with it."""
    status, kind = response.status, response.header("content-type").partition(";")[0].strip().lower()
    if 200 <= status < 300:
        return f"{status} with {_printable(kind) or 'something'} and so is no intake"
    if 300 <= status < 400:
        moved_to = _printable(response.header("location")) or "another place"
        return f"{status}: it has moved to {moved_to}; --url should say so"
    if status in (404, 405) or _is_page(response):
        return f"{status}, as a server that is no intake does"
    text = _printable(response.body[:1000].decode("utf-8", "replace"))
    return f"{status}: {text}" if text else str(status)


def _printable(text: str) -> str:
    """In one line, and nothing that a terminal would obey."""
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return line if len(line) <= 200 else line[:199] + "…"
