"""How many processes to put into one payload, and how hard to compress it: what each choice costs whom.

    python -m bench.payload_size [--server]

Behind `docs/decisions/payload-size.md`. The agent's part is encoding, compressing and posting to a server that throws
away; the server's part is decoding, and with `--server` all that a real one does, over its own store.
"""

from __future__ import annotations

import argparse
import http.server
import multiprocessing
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import cramjam

from bench.served import serving
from procession.agent.send.client import IntakeClient
from procession.agent.send.payload_maker import PayloadMaker
from procession.process import Snapshot
from procession.simulate import Fleet, FleetShape
from procession.wire.datadog import Answer, SnapshotDecoder, encode_answer, frame

PROCESSES = 1000
SNAPSHOTS = 30
CHUNKS = (100, 250, 500, 1000, 2500, 10_000)
LEVELS = (1, 3, 5, 7, 9)


def snapshots_of(hosts: int, processes: int, count: int) -> list[list[Snapshot]]:
    """For each moment, one of each host."""
    shape = FleetShape(hosts=hosts, processes=processes, begin_at=int(time.time()) - count * 10, with_host_tags=False)
    fleet = Fleet(shape)
    by_host: dict[str, list[Snapshot]] = {}
    for step in fleet.steps(shape.begin_at + count * shape.interval_seconds):
        by_host.setdefault(step.snapshot.host, []).append(step.snapshot)
    return [list(moment) for moment in zip(*by_host.values(), strict=False)]


def _throw_away(pipe: Connection) -> None:
    answer = encode_answer(Answer())

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *arguments: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    pipe.send(server.server_address[1])
    server.serve_forever()


@contextmanager
def a_server_that_throws_away() -> Iterator[str]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=_throw_away, args=(theirs,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.kill()
        process.join()


def agent_cost(moments: list[list[Snapshot]], chunk: int, url: str) -> tuple[float, float, int]:
    """µs of CPU and bytes, each for a process and snapshot, and the largest payload."""
    client = IntakeClient(url)
    maker = PayloadMaker(host=moments[0][0].host, run=1, started_at=0, max_processes=chunk)
    headers = {"DD-Api-Key": "k" * 32}
    cpu, sent, largest, seen = 0.0, 0, 0, 0
    for number, (snapshot,) in enumerate(moments):
        begin = time.process_time()
        for payload in maker.make(snapshot):
            client.post(payload.path, payload.body, payload.headers | headers)
            if number:
                sent += len(payload.body) + sum(len(name) + len(value) + 4 for name, value in payload.headers.items())
                largest = max(largest, len(payload.body))
        if number:  # the first one tells everything anew
            cpu += time.process_time() - begin
            seen += len(snapshot.sightings)
    client.close()
    return cpu / seen * 1e6, sent / seen, largest


def decoding_cost(moments: list[list[Snapshot]], chunk: int) -> tuple[float, float]:
    """µs for a process, and ms for the slowest payload."""
    decoder = SnapshotDecoder()
    maker = PayloadMaker(host=moments[0][0].host, run=1, started_at=0, max_processes=chunk)
    used, slowest, seen = 0.0, 0.0, 0
    for number, (snapshot,) in enumerate(moments):
        for payload in maker.make(snapshot):
            if payload.path != "/api/v1/collector":
                continue
            begin = time.process_time()
            decoded = decoder.decode(frame.decode(payload.body), taken_at=snapshot.taken_at)
            if number:
                used += time.process_time() - begin
                slowest = max(slowest, time.process_time() - begin)
                seen += len(decoded.listing.processes)
    return used / seen * 1e6, slowest * 1e3


def compression(moments: list[list[Snapshot]], chunk: int, level: int) -> tuple[float, float]:
    """µs and bytes for a process."""
    maker = PayloadMaker(host=moments[0][0].host, run=1, started_at=0, max_processes=chunk)
    used, size, seen = 0.0, 0, 0
    for (snapshot,) in moments:
        for payload in maker.make(snapshot):
            if payload.path != "/api/v1/collector":
                continue
            body = bytes(frame.decode(payload.body).body)
            begin = time.process_time()
            size += len(bytes(cramjam.zstd.compress(body, level=level)))
            used += time.process_time() - begin
        seen += len(snapshot.sightings)
    return used / seen * 1e6, size / seen


def server_cost(chunk: int, *, hosts: int = 20, count: int = 12) -> tuple[float, float, float]:
    """µs of the server's CPU for a sighting, and ms to an answer at the median and the 99th percentile, while every
    host posts one payload after another."""
    moments = snapshots_of(hosts, PROCESSES, count)
    makers = {
        snapshot.host: PayloadMaker(host=snapshot.host, run=1, started_at=0, max_processes=chunk)
        for snapshot in moments[0]
    }
    payloads = [[makers[snapshot.host].make(snapshot) for snapshot in moment] for moment in moments]
    waits: list[float] = []

    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as server:
        key = {"DD-Api-Key": server.api_key}

        def post(host: int, begin: int, end: int, waited: list[float]) -> None:
            client = IntakeClient(server.url)
            for moment in payloads[begin:end]:
                for payload in moment[host]:
                    at = time.monotonic()
                    response = client.post(payload.path, payload.body, payload.headers | key)
                    assert response.status < 300, response
                    waited.append(time.monotonic() - at)
            client.close()

        def round_of(begin: int, end: int, waited: list[float]) -> None:
            threads = [threading.Thread(target=post, args=(host, begin, end, waited)) for host in range(hosts)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

        round_of(0, 1, [])
        before = server.cpu_seconds()
        round_of(1, count, waits)
        used = server.cpu_seconds() - before
    seen = sum(len(snapshot.sightings) for moment in moments[1:] for snapshot in moment)
    waits.sort()
    return used / seen * 1e6, waits[len(waits) // 2] * 1e3, waits[int(len(waits) * 0.99)] * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", action="store_true", help="measure a real server too, which takes minutes")
    arguments = parser.parse_args()
    moments = snapshots_of(1, PROCESSES, SNAPSHOTS)
    print("chunk   agent µs  bytes  largest   decode µs  slowest ms")
    with a_server_that_throws_away() as url:
        for chunk in CHUNKS:
            cpu, sent, largest = agent_cost(moments, chunk, url)
            decoding, slowest = decoding_cost(moments, chunk)
            print(f"{chunk:6} {cpu:9.2f} {sent:6.1f} {largest:8} {decoding:10.2f} {slowest:10.1f}")
    print("\nchunk  level     µs  bytes")
    for chunk in (100, 1000):
        for level in LEVELS:
            used, size = compression(moments, chunk, level)
            print(f"{chunk:6} {level:5} {used:7.2f} {size:6.1f}")
    if arguments.server:
        print("\nchunk  server µs  answer ms p50    p99")
        for chunk in (100, 250, 1000, 2500):
            used, median, slow = server_cost(chunk)
            print(f"{chunk:6} {used:9.2f} {median:13.1f} {slow:8.1f}")


if __name__ == "__main__":
    main()
