"""`python -m tests.support.monitored_minutes STAGE FOLDER BEGIN`: the monitors of a server over an embedded store.

Its minutes go by as fast as they can. It ends itself as `kill -9` does, in the midst of what the stage says; the last
one says what became of it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from procession.accounts.orgs import Org
from procession.monitors.late.silences import Silence
from procession.monitors.monitor import Creator, new_monitor
from procession.monitors.transition import Transition
from procession.server.runtime.monitor_task import MINUTE, MonitorTask
from procession.server.runtime.thread_pools import ThreadPool
from procession.storage.embedded_store import open_embedded
from procession.window import Window
from tests.support.builders import a_sighting, a_snapshot

ORG = 1
QUERIES = ("processes('nginx').by('host').rollup('count_now') < 1", "processes('nginx').rollup('count_now') < 2")
SILENT, SILENCE_ENDS, EVALUATED_AGAIN, AFTERWARDS = "silent", "ends", "again", "afterwards"
LATE = (1, 0, 0, 1)
"""How many nginx web-1 had in the minutes in which it was cut off, from the fourth on."""
NUMBERS = {SILENT: 0, SILENCE_ENDS: 6, EVALUATED_AGAIN: 8, AFTERWARDS: 9}
"""How many minutes are over when a stage begins."""


def say(what: Any) -> None:
    sys.stdout.write(json.dumps(what))
    sys.stdout.flush()


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Minutes:
    def __init__(self, folder: Path, begin: int, *, number: int) -> None:
        """`number`: of the minutes that are over."""
        self._begin = begin
        self.now = begin + number * MINUTE
        self.store = open_embedded(folder, now=lambda: self.now)
        self.told: list[Transition] = []
        self._task = MonitorTask(
            self.store.monitors,
            self.store,
            self.store.analysis,
            self.store.hosts,
            self,
            ThreadPool(1, "monitors"),
            lambda: self.now,
            is_only_server=True,
        )

    def put(self, transitions: Sequence[Transition]) -> None:
        self.told += transitions

    def begins(self) -> None:
        self.store.keys.put_org(Org(ORG, "main"))
        for number, query in enumerate(QUERIES, 1):
            body = {"type": "process alert", "name": "a", "query": query, "options": {"new_host_delay": 0}}
            self.store.monitors.put_monitor(
                new_monitor(ORG, number, body, creator=Creator(1, "", "", ""), changed_by="", now_us=0)
            )

    def tells(self, host: str, begin: int, count: int) -> None:
        """Of a minute."""
        init = a_sighting(1, command="init", cmdline="init", exe="")
        for seconds in (5, 25, 45):
            nginx = [a_sighting(pid) for pid in range(2, 2 + count)]
            snapshot = a_snapshot(init, *nginx, host=host, taken_at=begin + seconds, chunk_count=1)
            self.store.add([(ORG, snapshot)])

    def minute(self, **hosts: int) -> None:
        for host, count in hosts.items():
            self.tells(host.replace("_", "-"), self.now, count)
        self.now += MINUTE
        self.store.flush()
        self._task.evaluate()

    def spool_comes(self) -> None:
        for minute, count in enumerate(LATE, 3):
            self.tells("web-1", self._begin + minute * MINUTE, count)

    def killed_in(self, stage: str) -> None:
        """When a silence has ended, before that is stored; or once what came of its minutes is stored, before it is
        known that it is."""
        monitors = self.store.monitors
        put_silences, put_transitions = monitors.put_silences, monitors.put_transitions

        def silences_are_put(silences: Sequence[Silence]) -> None:
            if stage == SILENCE_ENDS and any(one.ended_at for one in silences):
                kill()
            put_silences(silences)

        def transitions_are_put(transitions: Sequence[Transition]) -> None:
            put_transitions(transitions)
            if stage == EVALUATED_AGAIN and any(one.late for one in transitions):
                kill()

        monitors.put_silences, monitors.put_transitions = silences_are_put, transitions_are_put  # type: ignore[method-assign]

    def states(self) -> dict[str, str]:
        found = self.store.monitors.groups_by_monitor()
        groups = [(key[1], one) for key, states in found.items() for one in states]
        return {f"{number} {''.join(map(':'.join, one.group))}": str(one.state) for number, one in groups}

    def history(self, number: int) -> list[tuple[int, str, str | None]]:
        found = self.store.monitors.transitions(ORG, Window(0, 2**32 - 1), 100, number)
        return [
            ((one.at - self._begin) // MINUTE, str(one.state), one.late and str(one.late)) for one in reversed(found)
        ]


def main(stage: str, folder: Path, begin: int) -> None:
    """Each stage goes on where the one before it was killed."""
    minutes = Minutes(folder, begin, number=NUMBERS[stage])
    with closing(minutes.store):
        if stage == SILENT:
            minutes.begins()
            for _ in range(3):
                minutes.minute(web_1=1, web_2=1)
            for _ in range(len(LATE) - 1):
                minutes.minute(web_2=1)
            kill()
        elif stage == SILENCE_ENDS:
            minutes.minute(web_2=1)
            say(minutes.states())
            minutes.spool_comes()
        minutes.killed_in(stage)
        minutes.minute(web_1=1, web_2=1)
        histories = [minutes.history(number) for number in (1, 2)]
        silences = [one.host for one in minutes.store.monitors.silences()]
        say([histories, silences, len(minutes.told)])


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
