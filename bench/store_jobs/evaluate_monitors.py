"""`python -m bench.store_jobs.evaluate_monitors FOLDER HOSTS PROCESSES [KEY]`: monitors over a fleet that lives.

Each has a state for each value of the key, if there is one. The task of a server evaluates them. Says how many percent
of a core that takes, by the CPU time of the whole process, and how many MiB of memory it had at most.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from procession.accounts.orgs import Org
from procession.monitors.monitor import Creator, new_monitor
from procession.monitors.transition import Transition
from procession.server.runtime.monitor_task import MINUTE, MonitorTask
from procession.server.runtime.thread_pools import ThreadPool
from procession.simulate import Fleet, FleetShape
from procession.simulate.history import chunks
from procession.storage.embedded.store import EmbeddedStore
from procession.storage.embedded_store import open_embedded

ORG = 1
MONITORS = 1000
MINUTES = 2
"""That are measured, after one in which everything is new."""
MAX_UNFLUSHED = 200_000
"""Here a minute of a fleet comes at once: the store would refuse it."""
WORDS = ("java", "nginx", "postgres", "python", "node")
FUNCTIONS = ("'count_now'", "'sum','rss_bytes'", "'max','cpu_total_percent'", "'count').last('5m'")
"""Their thresholds are never reached: most monitors are well, most of the time."""


class Unread:
    def put(self, transitions: Sequence[Transition]) -> None:
        pass


class House:
    def __init__(self, folder: Path, hosts: int, processes: int) -> None:
        self.now = int(time.time()) // MINUTE * MINUTE - 10 * MINUTE
        shape = FleetShape(hosts=hosts, processes=processes, begin_at=self.now, interval_seconds=30)
        self._fleet = Fleet(shape)
        self.store: EmbeddedStore = open_embedded(folder, now=lambda: self.now)
        self.store.keys.put_org(Org(ORG, "main"))

    def minute(self) -> None:
        """All that the hosts tell until the next one."""
        self.now += MINUTE
        for step in self._fleet.steps(self.now):
            if self.store.unflushed_weight > MAX_UNFLUSHED:
                self.store.flush()
            self.store.add([(ORG, one) for one in chunks(step.host, step.snapshot)])
        self.store.flush()

    def cpu_share(self, by: str) -> float:
        """Of a core, in percent."""
        for number in range(MONITORS):
            # Each has a search of its own, so that none is answered by what another has read.
            search = f"{WORDS[number % len(WORDS)]} OR nobody-{number}"
            function = FUNCTIONS[number // len(WORDS) % len(FUNCTIONS)]
            query = f"processes('{search}'){by}.rollup({function}) > 1000000000000000000"
            body = {"type": "process alert", "name": "a", "query": query, "options": {"new_host_delay": 0}}
            creator = Creator(1, "", "", "")
            self.store.monitors.put_monitor(
                new_monitor(ORG, number + 1, body, creator=creator, changed_by="", now_us=self.now * 1_000_000)
            )
        task = MonitorTask(
            self.store.monitors,
            self.store,
            self.store.analysis,
            self.store.hosts,
            Unread(),
            ThreadPool(1, "monitors"),
            lambda: self.now,
            is_only_server=True,
        )
        seconds = []
        for _ in range(1 + MINUTES):
            self.minute()
            begun = time.process_time()
            assert task.evaluate() == 1
            seconds.append(time.process_time() - begun)
        states = {state.state for found in self.store.monitors.groups_by_monitor().values() for state in found}
        assert states == {"OK"}, states
        return 100 * sum(seconds[1:]) / MINUTES / MINUTE


def main(folder: Path, hosts: int, processes: int, key: str = "") -> None:
    house = House(folder, hosts, processes)
    with closing(house.store):
        share = house.cpu_share(f".by('{key}')" if key else "")
        print(share, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:])
