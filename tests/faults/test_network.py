"""A network of every bad quality between agents and their server: each snapshot arrives once, some later."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest

from tests.faults.hosts import NO_DIFFERENCE, PIDS, Difference, Host, difference
from tests.faults.servers import Server
from tests.faults.stored import chunks_of
from tests.support.proxy import HEALTHY, Fault, Proxy
from tests.support.torture import is_full, quoted, record

ROUNDS = 6 if is_full() else 1


@dataclass(frozen=True)
class Trial:
    what: str
    fault: Fault
    hits: int
    """So often it has to strike before the network is mended."""
    said: str = ""
    """By the agent; nothing where all goes on, only slower."""


TRIALS = {
    "delay": Trial("network: delay of 0.7 s each way", Fault(delay_seconds=0.7), 6),
    "throttle": Trial("network: 3 kB/s each way", Fault(bytes_per_second=3000), 6),
    "cut": Trial(
        "network: reset in the middle of a request", Fault(resets_after_bytes=300), 2, "connection reset by peer"
    ),
    "unheard": Trial(
        "network: reset after the server has stored it, before its answer",
        Fault(resets_before_answer=True),
        2,
        "connection reset by peer",
    ),
    # As long as the agent waits for an answer.
    "black hole": Trial("network: black hole", Fault(swallows=True), 1, "no answer in time"),
    "refused": Trial("network: connections refused", Fault(refuses=True), 0, "connection refused"),
}


@dataclass
class Result:
    difference: Difference
    agent_said: list[str]
    times_listed: Counter[tuple[str, int]]
    server_said: list[str]


@dataclass
class _Course:
    """One host, its network, and what became of it."""

    name: str
    trial: Trial
    host: Host
    proxy: Proxy
    failures: list[BaseException] = field(default_factory=list)

    def run(self) -> None:
        try:
            self.host.start()
            self.host.wait_for_snapshots(2)
            self.host.wait_until_delivered()
            for _ in range(ROUNDS):
                self.proxy.set(self.trial.fault)
                if self.trial.said:
                    self.host.agent.line_with(self.trial.said, seconds=60)
                self.proxy.wait_for_hits(self.trial.hits, seconds=60)
                self.host.wait_for_snapshots(2)
                self.proxy.set(HEALTHY)
                self.host.wait_until_delivered()
        except BaseException as error:
            self.failures.append(error)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Result]]:
    """All at the same time, each with a host of its own, since most of it is waiting."""
    folder = tmp_path_factory.mktemp("network")
    with ExitStack() as ending:
        server = Server(folder / "data")
        ending.callback(server.close)
        server.start()
        courses = []
        for number, (name, trial) in enumerate(TRIALS.items()):
            proxy = Proxy(server.address)
            ending.callback(proxy.close)
            host = Host(folder, f"web-{number}", proxy.url)
            ending.callback(host.close)
            courses.append(_Course(name, trial, host, proxy))
        threads = [threading.Thread(target=course.run, daemon=True) for course in courses]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for course in courses:
            for failure in course.failures:
                raise AssertionError(f"{course.name}: {failure}") from failure
            course.host.stop()
        now = int(time.time())
        listed = server.times_listed(from_=now - 3600, to=now + 60)
        server.stop()
        stored = chunks_of(server.data_dir)
        yield {
            course.name: Result(
                difference(course.host, stored),
                course.host.output,
                Counter({key: count for key, count in listed.items() if key[0] == course.host.name}),
                server.output,
            )
            for course in courses
        }


@pytest.mark.parametrize("name", TRIALS)
def test_each_snapshot_arrives_once_through_a_bad_network(results: dict[str, Result], name: str) -> None:
    trial, result = TRIALS[name], results[name]

    assert result.difference == NO_DIFFERENCE
    assert sorted(result.times_listed.values()) == [1] * len(PIDS), result.times_listed
    said = [line for line in result.agent_said if "next try in" in line]
    if trial.said:
        assert any(trial.said in line for line in said), result.agent_said
        assert any("takes payloads again" in line for line in result.agent_said)
    else:
        assert said == []
    assert not any("Traceback" in line for line in result.agent_said + result.server_said)
    answered = quoted(said[0]) if said else "all taken, later"
    record(trial.what, times=ROUNDS, lost=len(result.difference.lost), answered=answered)
