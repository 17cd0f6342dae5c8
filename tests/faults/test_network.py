"""A network of every bad quality between agents and their server: each snapshot arrives once, some later."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults.hosts import NO_DIFFERENCE, PIDS, Difference, Host, difference
from tests.faults.namespaces import Namespace
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
LINK = Trial("network: link of a network namespace cut", Fault(), 0, "no answer in time")


@dataclass
class Result:
    difference: Difference
    agent_said: list[str]
    times_listed: Counter[tuple[str, int]]
    server_said: list[str]


class Course:
    """One host, its network, and what befalls it."""

    def __init__(self, host: Host, *, said: str, cut: Callable[[], None], mend: Callable[[], None]) -> None:
        """`cut` returns once the network is as bad as it is to be, and has shown it."""
        self.host = host
        self.failures: list[BaseException] = []
        self._said = said
        self._cut = cut
        self._mend = mend

    def run(self) -> None:
        host = self.host
        try:
            host.start()
            host.wait_for_snapshots(2)
            host.wait_until_delivered()
            for _ in range(ROUNDS):
                self._cut()
                if self._said:
                    host.agent.line_with(self._said, seconds=60)
                host.wait_for_snapshots(2)
                self._mend()
                host.wait_until_delivered()
        except BaseException as error:
            self.failures.append(error)


def through_proxy(folder: Path, ending: ExitStack, number: int, trial: Trial, port: int) -> Course:
    proxy = Proxy(("127.0.0.1", port))
    ending.callback(proxy.close)
    host = Host(folder, f"web-{number}", proxy.url)
    ending.callback(host.close)

    def cut() -> None:
        proxy.set(trial.fault)
        proxy.wait_for_hits(trial.hits, seconds=60)

    return Course(host, said=trial.said, cut=cut, mend=lambda: proxy.set(HEALTHY))


def through_namespace(folder: Path, ending: ExitStack, namespace: Namespace, port: int) -> Course:
    to_server, to_witness = namespace.link(0), namespace.link(1)
    host = Host(folder, "far-1", f"http://{to_server}:{port}", before=namespace.before)
    ending.callback(host.close)
    proxy = Proxy(("127.0.0.1", host.witness.port), to_witness)
    ending.callback(proxy.close)
    host.witness_url = proxy.url
    return Course(host, said="no answer in time", cut=lambda: namespace.cut(0), mend=lambda: namespace.mend(0))


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Result | str]]:
    """All at the same time, each with a host of its own, since most of it is waiting. A text says why one was not."""
    folder = tmp_path_factory.mktemp("network")
    with ExitStack() as ending:
        server = Server(folder / "data", listen="0.0.0.0:0")
        ending.callback(server.close)
        server.start()
        _, port = server.address
        server.url = f"http://127.0.0.1:{port}"
        courses = {
            name: through_proxy(folder, ending, number, trial, port)
            for number, (name, trial) in enumerate(TRIALS.items())
        }
        found: dict[str, Result | str] = {}
        namespace = Namespace()
        ending.callback(namespace.remove)
        try:
            namespace.make()
            courses["link"] = through_namespace(folder, ending, namespace, port)
        except OSError as error:
            found["link"] = f"cannot make a network namespace here: {error}"
        threads = [threading.Thread(target=course.run, daemon=True) for course in courses.values()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for name, course in courses.items():
            for failure in course.failures:
                raise AssertionError(f"{name}: {failure}") from failure
            course.host.stop()
        listed = server.times_listed()
        server.stop()
        stored = chunks_of(server.data_dir)
        for name, course in courses.items():
            found[name] = Result(
                difference(course.host, stored),
                course.host.output,
                Counter({key: count for key, count in listed.items() if key[0] == course.host.name}),
                server.output,
            )
        yield found


@pytest.mark.parametrize("name", [*TRIALS, "link"])
def test_each_snapshot_arrives_once_through_a_bad_network(results: dict[str, Result | str], name: str) -> None:
    trial, result = TRIALS.get(name, LINK), results[name]
    if isinstance(result, str):
        pytest.skip(result)

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
