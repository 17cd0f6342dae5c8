"""What may befall a network between agents and their server, all of it at the same time."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.faults.machines.hosts import Difference, Host, difference
from tests.faults.machines.namespaces import Namespace
from tests.faults.machines.servers import Server
from tests.faults.machines.stored import chunks_of
from tests.support.proxy import HEALTHY, Fault, Proxy
from tests.support.torture import is_full

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
            host.stop()
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


class Trials:
    """Each with a host of its own. Most of it is waiting, so it begins with the first test of the folder, and goes on
    beside the others until somebody asks how it went."""

    def __init__(self, folder: Path, ending: ExitStack) -> None:
        self._server = Server(folder / "data", listen="0.0.0.0:0")
        ending.callback(self._server.close)
        self._server.start()
        _, port = self._server.address
        self._server.url = f"http://127.0.0.1:{port}"
        self._begin = int(time.time())
        self._left_out: dict[str, str] = {}
        self._courses = {
            name: through_proxy(folder, ending, number, trial, port)
            for number, (name, trial) in enumerate(TRIALS.items())
        }
        namespace = Namespace()
        ending.callback(namespace.remove)
        try:
            namespace.make()
            self._courses["link"] = through_namespace(folder, ending, namespace, port)
        except OSError as error:
            self._left_out["link"] = f"cannot make a network namespace here: {error}"
        self._threads = [threading.Thread(target=course.run, daemon=True) for course in self._courses.values()]
        for thread in self._threads:
            thread.start()

    def results(self) -> dict[str, Result | str]:
        """A text says why a trial was not made."""
        for thread in self._threads:
            thread.join()
        for name, course in self._courses.items():
            for failure in course.failures:
                raise AssertionError(f"{name}: {failure}") from failure
        listed = self._server.times_listed(from_=self._begin, to=int(time.time()))
        self._server.stop()
        stored = chunks_of(self._server.data_dir)
        found: dict[str, Result | str] = {
            name: Result(
                difference(course.host, stored),
                course.host.output,
                Counter({key: count for key, count in listed.items() if key[0] == course.host.name}),
                self._server.output,
            )
            for name, course in self._courses.items()
        }
        return found | self._left_out
