"""An org that posts more than the server can take, in a process of its own.

python -m tests.overload.flood HOST PORT API_KEY PAYLOADS_PER_SECOND CONNECTIONS SECONDS

Payloads come at this pace whether or not those before them were answered, as far as there are connections. Each is of a
host and of processes that nobody has seen, which costs most. What was answered is one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from collections import Counter, deque

from procession.wire.datadog import MessageType, SnapshotEncoder, frame
from procession.wire.datadog.frame import Encoding
from tests.support.builders import a_sighting, a_snapshot

PROCESSES = 100
FIRST_USER = "first"
"""Of one process in each payload."""
MARK = "@@@@@@@@"

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Flood:
    def __init__(self, host: str, port: int, api_key: str, rate: float, connections: int) -> None:
        self._host = host
        self._port = port
        self._api_key = api_key
        self._rate = rate
        self._left = connections
        self._free: deque[Connection] = deque()
        self._body = a_body()
        self.acknowledged: list[int] = []
        self.seconds: list[float] = []
        """That these waited."""
        self.answers: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.offered = 0

    async def run(self, seconds: float) -> None:
        tasks: set[asyncio.Task[None]] = set()
        begin = time.monotonic()
        while (passed := time.monotonic() - begin) < seconds:
            while self.offered < passed * self._rate:
                self.offered += 1
                if self._free:
                    connection = self._free.popleft()
                elif self._left:
                    self._left -= 1
                    connection = None
                else:
                    self.answers["no connection"] += 1
                    continue
                task = asyncio.create_task(self._post(self.offered, connection))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
            await asyncio.sleep(0.01)
        if tasks:
            await asyncio.wait(tasks, timeout=30)
        for task in tasks:
            task.cancel()
        for _, writer in self._free:
            writer.close()

    async def _post(self, number: int, connection: Connection | None) -> None:
        begun_at = time.monotonic()
        try:
            reader, writer = connection or await asyncio.open_connection(self._host, self._port)
            body = self._body.replace(MARK.encode(), b"%08d" % number)
            writer.write(
                b"POST /api/v1/collector HTTP/1.1\r\nHost: x\r\nDD-API-Key: %s\r\nX-DD-Hostname: flood\r\n"
                b"X-DD-Request-ID: %d\r\nContent-Length: %d\r\n\r\n%b"
                % (self._api_key.encode(), number, len(body), body)
            )
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
            answer = await reader.readexactly(length)
        except (OSError, asyncio.IncompleteReadError):
            self.answers["closed"] += 1
            self._left += 1
            return
        except asyncio.CancelledError:
            self.answers["no answer"] += 1
            raise
        status = head.split(b" ", 2)[1].decode()
        self.answers[status] += 1
        if status == "200":
            self.acknowledged.append(number)
            self.seconds.append(time.monotonic() - begun_at)
        else:
            self.reasons[answer.decode(errors="replace")[:200]] += 1
        if b"connection: close" in head.lower():
            writer.close()
            self._left += 1
        else:
            self._free.append((reader, writer))


def host_of(number: int) -> str:
    return f"flood-{number:08}"


def a_body() -> bytes:
    now = int(time.time())
    sightings = [
        a_sighting(
            pid,
            now - 100,
            cmdline=f"/usr/bin/job --number {pid} --run {MARK}",
            user=FIRST_USER if pid == 1 else "www-data",
        )
        for pid in range(1, PROCESSES + 1)
    ]
    (body,) = SnapshotEncoder().encode(a_snapshot(*sightings, host=f"flood-{MARK}", taken_at=now))
    return frame.encode(MessageType.PROCESSES, body, encoding=Encoding.PLAIN)


def main() -> None:
    host, port, api_key, rate, connections, seconds = sys.argv[1:]
    flood = Flood(host, int(port), api_key, float(rate), int(connections))
    asyncio.run(flood.run(float(seconds)))
    said = {
        "offered": flood.offered,
        "answers": flood.answers,
        "reasons": flood.reasons,
        "acknowledged": flood.acknowledged,
        "median_seconds": statistics.median(flood.seconds or [0.0]),
    }
    json.dump(said, sys.stdout)


if __name__ == "__main__":
    main()
