"""Agents that post as fast as they can, and remember what was acknowledged."""

from __future__ import annotations

import http.client
import threading
import time
from urllib.parse import urlsplit

from procession.agent.send.payload import Payload
from procession.agent.send.payload_maker import PayloadMaker
from procession.process import Snapshot
from tests.support.builders import a_sighting, a_snapshot


class Poster:
    """One chunk of new processes after the other, each a payload, until the server is gone."""

    def __init__(self, api_key: str, host: str, *, chunk: int) -> None:
        self.host = host
        self.acknowledged: list[int] = []
        """Numbers of chunks: chunk *n* has the pids from *n* times `chunk` on."""
        self.sent: list[int] = []
        self.answer = ""
        """The newest."""
        self._api_key = api_key
        self._chunk = chunk
        self._next = 1
        self.begun_at = int(time.time())
        self._maker = PayloadMaker(host=host, run=1, started_at=self.begun_at)
        self._thread: threading.Thread | None = None

    def begin(self, url: str) -> None:
        self._thread = threading.Thread(target=self._run, args=(urlsplit(url).netloc,), daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Once its server is gone."""
        assert self._thread is not None
        self._thread.join(timeout=30)
        assert not self._thread.is_alive()

    def post(self, connection: http.client.HTTPConnection) -> int:
        """The next chunk; gives the status of the answer. Raises OSError or HTTPException where there is none."""
        number = self._next
        self._next += 1
        self.sent.append(number)
        payload = self._payload(number)
        headers = {**payload.headers, "DD-Api-Key": self._api_key}
        connection.request("POST", "/api/v1/collector", payload.body, headers)
        response = connection.getresponse()
        self.answer = response.read().decode("utf-8", "replace")
        if response.status == 200:
            self.acknowledged.append(number)
        return response.status

    def _run(self, address: str) -> None:
        connection = http.client.HTTPConnection(address, timeout=10)
        try:
            while True:
                status = self.post(connection)
                assert status == 200, status
        except (OSError, http.client.HTTPException):
            return
        finally:
            connection.close()

    def _payload(self, number: int) -> Payload:
        (payload,) = self._maker.make(self._snapshot(number))
        return payload

    def _snapshot(self, number: int) -> Snapshot:
        now = int(time.time())
        return a_snapshot(
            *(
                a_sighting(pid, now - 100, cmdline=f"worker --number {pid}", tags=("env:prod",))
                for pid in range(number * self._chunk, (number + 1) * self._chunk)
            ),
            host=self.host,
            taken_at=now,
        )
