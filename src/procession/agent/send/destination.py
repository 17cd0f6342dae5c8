"""One server, with all that it needs of its own: a slow or dead one never holds up another."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from procession.agent.send.api_key import ApiKey
from procession.agent.send.client import IntakeClient
from procession.agent.send.handoff import Handoff
from procession.agent.send.outbox import Outbox
from procession.agent.send.payload import Payload
from procession.agent.send.sender import Report, Sender
from procession.agent.send.spool import Spool
from procession.log_throttle import LogThrottle

_LINGER_SECONDS = 0.4
"""What is being sent when the agent stops may still arrive."""
_ABORT_SECONDS = 0.3


class Destination:
    """Has a queue, a spool, a connection, a key, a back-off and two threads: one writes to the spool, one sends."""

    def __init__(
        self,
        client: IntakeClient,
        api_key: ApiKey,
        spool: Spool | None,
        *,
        max_bytes: int,
        report: Report,
        stop: threading.Event,
    ) -> None:
        self._client = client
        self._spool = spool
        self._outbox = Outbox(max_bytes, spool)
        self._report = report
        self._throttle = LogThrottle(time.monotonic)
        self._said = self._outbox.dropped
        self._said_damaged = 0
        self._handoff = Handoff(self._keep, self._outbox.close)
        self._said_slow = 0
        self._sender = Sender(client, self._outbox, api_key=api_key, report=report, stop=stop)
        # A daemon, since a name server that does not answer cannot be interrupted.
        self._thread = threading.Thread(target=self._sender.run, name="sender", daemon=True)

    def start(self) -> None:
        self._handoff.start()
        self._thread.start()

    def put(self, payloads: Sequence[Payload], *, is_live: bool = False) -> None:
        """Have it sent. By one thread, which does not wait for the disk."""
        self._handoff.put((payloads, is_live))
        if self._handoff.left_out > self._said_slow and self._spool is not None:
            text = (
                f"the disk of {self._spool.folder} does not keep up: {self._handoff.left_out} snapshots left out so far"
            )
            if self._say("slow", text):
                self._said_slow = self._handoff.left_out

    def _say(self, subject: str, text: str) -> bool:
        """Unless something was said of the subject within a minute. Whether it was said now."""
        if not self._throttle.admits(subject):
            return False
        self._report(text)
        return True

    def _keep(self, given: tuple[Sequence[Payload], bool]) -> None:
        payloads, is_live = given
        try:
            self._outbox.put(payloads, is_live=is_live)
        except OSError as error:
            self._say("disk", f"cannot write to the spool: {error.strerror}; keeping snapshots in memory")
        # In this order: both grow meanwhile, and what is damaged must not be taken for what was too much.
        dropped, damaged = self._outbox.dropped, self._outbox.damaged
        if damaged > self._said_damaged and self._spool is not None:
            where = f"cannot read all of the spool in {self._spool.folder}"
            if self._say("damaged", f"{where}: left out what is damaged, {damaged} so far"):
                self._said_damaged = damaged
        if dropped.snapshots - damaged > self._said.snapshots:
            text = f"too much waits for {self._client.url}: dropped the oldest of it, {dropped} so far"
            if self._say("full", text):
                self._said = replace(dropped, snapshots=dropped.snapshots - damaged)

    @property
    def live_seconds(self) -> int | None:
        """How often somebody wants to see this host; None while nobody does."""
        return self._sender.live_seconds

    @property
    def max_column_processes(self) -> int:
        """How many processes a message of columns to it may hold; 0 while it is not known to take any."""
        return self._sender.max_column_processes

    @property
    def is_behind(self) -> bool:
        """Whether anything still waits to be sent."""
        return not (self._handoff.is_empty and self._outbox.is_empty)

    @property
    def failure(self) -> BaseException | None:
        """The bug that ended one of its threads."""
        return self._sender.failure or self._handoff.failure

    def close(self, farewell: Payload | None = None) -> None:
        """`farewell` is sent once all else has ended, if the server is there to take it."""
        self._handoff.close()
        self._sender.end(farewell)

    def end(self, begun: float) -> None:
        """Wait until its thread is through, or cut it off. `begun` is the moment of `close`, the same for all."""
        if self._thread.ident is None:  # never started
            self._release()
            return
        self._handoff.join(max(0.0, begun + _LINGER_SECONDS - time.monotonic()))
        self._thread.join(max(0.0, begun + _LINGER_SECONDS - time.monotonic()))
        self._client.abort()
        self._thread.join(max(0.05, begun + _LINGER_SECONDS + _ABORT_SECONDS - time.monotonic()))
        self._release()

    def _release(self) -> None:
        if self._spool is not None:
            self._spool.close()


def folder_of(url: str) -> str:
    """A name for what belongs to one server: to be read by people, and another one for each address."""
    parts = urlsplit(url)
    readable = re.sub(r"[^A-Za-z0-9.-]+", "-", parts.netloc).strip("-.")[:64]
    return f"{readable}-{hashlib.blake2b(url.rstrip('/').encode(), digest_size=4).hexdigest()}"
