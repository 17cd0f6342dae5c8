"""One host with 100,000 processes, and with arguments of a megabyte each."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from procession.wire.datadog import MessageType, frame
from tests.overload.others import others_of
from tests.overload.posting import body_of, of_processes, post
from tests.overload.servers import MIB, OrgKeys, Server, a_server
from tests.overload.trial import Trial
from tests.support.torture import is_full, record

PROCESSES = 100_000
IN_ONE = 10_000
"""Processes of a payload, the most that may be; with these arguments it has nearly the 8 MiB that it may have, too."""
ARGUMENT_BYTES = 700
IN_ONE_OF_A_MEGABYTE = 7
POSTERS = 4
MOST_MIB = 1536


def payloads() -> Iterator[bytes]:
    """All of the host, and then processes with a megabyte each, without end."""
    for begin in range(0, PROCESSES if is_full() else 2 * IN_ONE, IN_ONE):
        yield body_of(of_processes("large", range(begin + 1, begin + IN_ONE + 1), ARGUMENT_BYTES))
    for begin in itertools.count(PROCESSES, IN_ONE_OF_A_MEGABYTE):
        yield body_of(of_processes("larger", range(begin + 1, begin + IN_ONE_OF_A_MEGABYTE + 1), MIB))


class Posters:
    def __init__(self, server: Server, org: OrgKeys) -> None:
        self.answers: Counter[int] = Counter()
        self.reasons: set[str] = set()
        self._server = server
        self._org = org
        self._payloads = payloads()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(POSTERS)]

    def begin(self) -> None:
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(120)
            assert not thread.is_alive()

    def _run(self) -> None:
        while not self._stop.is_set():
            with self._lock:
                body = next(self._payloads)
            status, reason = post(self._server, self._org, body)
            self.answers[status] += 1
            self.reasons.add(reason)


@contextmanager
def posters_of(server: Server, org: OrgKeys) -> Iterator[Posters]:
    posters = Posters(server, org)
    posters.begin()
    try:
        yield posters
    finally:
        posters.end()


def test_a_host_with_large_arguments_takes_no_more_memory_than_it_may(tmp_path: Path) -> None:
    with a_server(tmp_path) as server:
        large, modest = server.new_org("large"), server.new_org("modest")
        with others_of(server, modest) as others:
            trial = Trial(others)
            before_mib = server.memory_mib("VmHWM")
            with posters_of(server, large) as posters:
                trial.storm()
            trial.calm()
        grown_mib = server.memory_mib("VmHWM") - before_mib

    record(
        f"a host posts {IN_ONE:,} processes with {ARGUMENT_BYTES:,} bytes of arguments, and {IN_ONE_OF_A_MEGABYTE} with"
        f" a megabyte, at once, in {POSTERS} payloads at a time; {trial}; memory +{grown_mib} MiB",
        times=posters.answers.total(),
        lost=0,
        answered=", ".join(f"{count} × {status}" for status, count in sorted(posters.answers.items())),
    )
    trial.assert_others_hardly_noticed()
    assert posters.answers[200] > 0
    assert posters.answers.keys() <= {200, 429, 503}
    assert grown_mib < MOST_MIB


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with a_server(tmp_path_factory.mktemp("large")) as server:
        yield server


def test_what_is_beyond_the_limits_is_refused_with_the_limit(server: Server) -> None:
    org = server.new_org("large")
    before_mib = server.memory_mib("VmHWM")

    refused = {
        "one process too many": body_of(of_processes("large", range(1, IN_ONE + 2), 100)),
        "a process of 5 MiB": body_of(of_processes("large", range(1, 2), 5 * MIB)),
        "9 MiB in all": body_of(of_processes("large", range(1, 10), MIB)),
        "a payload of 11 MiB": frame.encode(MessageType.PROCESSES, b"", encoding=frame.Encoding.PLAIN)
        + bytes(11 * MIB),
    }
    reasons = {what: post(server, org, body) for what, body in refused.items()}
    record(
        "a host posts what is larger than may be: " + ", ".join(reasons),
        times=len(reasons),
        lost=0,
        answered=", ".join(f"{status} {text}" for status, text in reasons.values()),
    )

    assert {status for status, _ in reasons.values()} == {413}
    for (_, text), limit in zip(reasons.values(), ("10000", "4194304", "8388608", "10485760"), strict=True):
        assert limit in text
    assert server.memory_mib("VmHWM") - before_mib < 256


# What is in tests/storage/history/read/test_long_command_lines.py, with a store that takes a minute to fill.
if is_full():

    def test_a_page_of_more_than_fits_is_refused_with_a_reason_and_a_smaller_one_is_not(server: Server) -> None:
        org = server.new_org("asks")
        for begin in range(0, 210, IN_ONE_OF_A_MEGABYTE):
            body = body_of(of_processes("larger", range(begin + 1, begin + IN_ONE_OF_A_MEGABYTE + 1), MIB))
            assert post(server, org, body) == (200, "")
        before_mib = server.memory_mib("VmHWM")

        def page(limit: int) -> httpx.Response:
            parameters = {"page[limit]": limit}
            return httpx.get(f"{server.url}/api/v2/processes", params=parameters, headers=org.reader, timeout=120)

        large, small = page(1000), page(10)

        record(
            "a page of 210 processes with a megabyte of arguments each is asked for",
            times=1,
            lost=0,
            answered=f"{large.status_code} {large.text[:120]}",
        )
        assert large.status_code == 400
        assert "page[limit]" in large.json()["errors"][0]
        assert (small.status_code, len(small.json()["data"])) == (200, 10)
        assert server.memory_mib("VmHWM") - before_mib < MOST_MIB
