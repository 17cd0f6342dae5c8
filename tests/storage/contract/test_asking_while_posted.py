"""Thousands of answers while snapshots are stored without a pause: nobody who lives has ended, nobody is doubled."""

from __future__ import annotations

import itertools
import threading
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from procession.analysis import Every, Match, Order, Selection, Side
from procession.lifecycle.events import ProcessExit, ProcessExits
from procession.process import ProcessDetail, ProcessKey, ProcessNumbers, ProcessSummary, Sighting, host_key
from procession.query import ProcessQuery
from procession.search.tag_filter import TagFilter
from procession.storage.store import ClickHouseStore
from procession.window import Window
from tests.support.builders import a_description, a_sighting, a_snapshot
from tests.support.stores.strategies import TURN_OF_HOUR

ORG = 6_000_001
T = TURN_OF_HOUR + 600
HOSTS = ("web-1", "web-2")
LIVING = range(1, 13)
LIVES_SECONDS = 3
"""Of those that end: so many snapshots list them, and then their exit is told."""

RECENT_SECONDS = 20
ANSWERS = 1200


class Fleet:
    """Each second a process begins on each host, and one ends. Snapshots come in halves."""

    def __init__(self, store: ClickHouseStore) -> None:
        self._store = store
        self._requests = itertools.count(1)
        self.now = T
        self._turn(T)

    def go_on(self, is_over: threading.Event) -> None:
        while not is_over.is_set():
            self._turn(self.now + 1)

    def _turn(self, at: int) -> None:
        for host in HOSTS:
            living = [self._sighting(pid, T - 100, at) for pid in LIVING]
            mortal = [self._sighting(start - T + 100, start, at) for start in range(max(at - 2, T), at + 1)]
            for half in (living[:6] + mortal, living[6:]):
                chunk = a_snapshot(
                    *half, host=host, taken_at=at, request_id=next(self._requests), split_id=at, chunk_count=2
                )
                self._store.add([(ORG, chunk)])
            ended = at - LIVES_SECONDS + 1
            if ended >= T:
                gone = ProcessExit(pid=ended - T + 100, at=at, exit_code=3, description=a_description())
                self._store.add_exits([(ORG, ProcessExits(host, (gone,)))])
        self.now = at

    @staticmethod
    def _sighting(pid: int, start: int, at: int) -> Sighting:
        # Each second one of them becomes another version of itself, which every filter here fits as well.
        about = {"user": "root" if at % 12 == pid else "www-data", "tags": ("env:prod",), "ppid": 1}
        return a_sighting(pid, start, ProcessNumbers(rss_bytes=4096, state="S"), **about)


def check_ends(found: dict[ProcessSummary, ProcessDetail]) -> None:
    for process, detail in found.items():
        pid, started_at = process.identity.pid, process.identity.started_at
        if pid in LIVING:
            assert detail.ended_at is None, (process, detail)
            assert detail.exit_code is None
        elif detail.ended_at is not None:
            assert started_at + LIVES_SECONDS - 1 <= detail.ended_at <= started_at + LIVES_SECONDS, (process, detail)
        assert detail.numbers.rss_bytes == 4096, (process, detail)


class Questions:
    def __init__(self, store: ClickHouseStore, fleet: Fleet) -> None:
        self._store = store
        self._fleet = fleet
        self.all: list[Callable[[], None]] = [
            self.listed,
            lambda: self.listed("env:prod"),
            lambda: self.listed("host:web-1", hosts=("web-1",)),
            self.one,
            self.ended,
            self.instant,
            lambda: self.instant("env:prod"),
            self.tree,
            self.facets,
            self.compared,
            self.history,
        ]

    def listed(self, tags: str = "", hosts: tuple[str, ...] = HOSTS) -> None:
        window = Window(self._fleet.now - RECENT_SECONDS, self._fleet.now + 2)
        page = self._store.find(ProcessQuery(ORG, window, tags=TagFilter.parse(tags), limit=1000)).processes
        found = dict(zip(page, self._store.details(ORG, window, page), strict=True))
        living = sorted((one.identity.host, one.identity.pid) for one in found if one.identity.pid in LIVING)

        assert living == [(host, pid) for host in hosts for pid in LIVING]
        check_ends(found)
        of_chunks: defaultdict[tuple[str, bool], set[int]] = defaultdict(set)
        for one in found:
            if one.identity.pid in LIVING:
                of_chunks[one.identity.host, one.identity.pid in LIVING[:6]].add(one.seen_at)
        assert all(len(moments) == 1 for moments in of_chunks.values()), of_chunks

    def one(self) -> None:
        window = Window(self._fleet.now - RECENT_SECONDS, self._fleet.now + 2)
        page = self._store.find(ProcessQuery(ORG, window, only=key(8), limit=1)).processes

        assert len(page) == 1
        check_ends(dict(zip(page, self._store.details(ORG, window, page), strict=True)))

    def ended(self) -> None:
        seen = [(key(pid), self._fleet.now - 3) for pid in LIVING]

        assert all(one.at is None for one in self._store.endings(ORG, self._fleet.now + 2, seen))

    def instant(self, tags: str = "") -> None:
        selection = Selection(ORG, tags=TagFilter.parse(tags))
        page = self._store.analysis.instant_page(selection, self._fleet.now + 1, Order("start"), 0, 1000)
        there = [(one.process.identity.host, one.process.identity.pid) for one in page.processes]

        assert len(there) == len(set(there)) == page.total
        assert sorted(one for one in there if one[1] in LIVING) == [(host, pid) for host in HOSTS for pid in LIVING]
        # Three that begin and end on each host; and while one half is there, those of the snapshot before, too.
        assert page.total - len(HOSTS) * len(LIVING) <= len(HOSTS) * (LIVES_SECONDS + 1)

    def tree(self) -> None:
        found = self._store.analysis.host_tree(ORG, "web-1", self._fleet.now + 1)
        pids = [branch.at_instant.process.identity.pid for branch in found.branches]

        assert sorted(pid for pid in pids if pid in LIVING) == [*LIVING]
        assert len(pids) == len(set(pids)) == found.total

    def facets(self) -> None:
        at = self._fleet.now + 1
        found = self._store.analysis.facets(Selection(ORG), at, ("host", "user", "env"), 10)

        assert [facet.processes for facet in found.facets] == [found.total] * 3
        assert len(HOSTS) * len(LIVING) <= found.total <= len(HOSTS) * (len(LIVING) + LIVES_SECONDS + 1)

    def compared(self) -> None:
        side = Side(Selection(ORG), self._fleet.now + 1)
        found = self._store.analysis.compare(side, side, Match.PROCESS, 10)

        assert (found.started_total, found.ended_total, found.changed_total) == (0, 0, 0)

    def history(self) -> None:
        since = self._fleet.now - 5
        found = self._store.analysis.history(ORG, key(3), Window(since, self._fleet.now + 2), Every.SIGHTING)

        assert len(found.times) == len(set(found.times)) >= 1


def key(pid: int, host: str = "web-1") -> ProcessKey:
    return ProcessKey(T - 100, host_key(host), pid)


def test_every_answer_is_true_while_snapshots_are_stored(clickhouse: ClickHouseStore) -> None:
    fleet = Fleet(clickhouse)
    questions, is_over = Questions(clickhouse, fleet), threading.Event()
    turns = [question for question, _ in zip(itertools.cycle(questions.all), range(ANSWERS), strict=False)]

    with ThreadPoolExecutor(4) as threads:
        posted = threads.submit(fleet.go_on, is_over)
        try:
            answered: list[Any] = [threads.submit(question) for question in turns]
            for one in answered:
                one.result()
        finally:
            for one in answered:
                one.cancel()
            is_over.set()
        posted.result()

    assert fleet.now > T + 20, "hardly anything was stored meanwhile"
