"""An answer that is made of several statements is that of one moment: whatever is stored between two of them, it is
what was said before, or what is said after."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any, NamedTuple

import pytest

from procession.analysis import Every, Match, Order, Selection, Side
from procession.lifecycle.events import ProcessExit, ProcessExits
from procession.process import (
    LiveNumbers,
    LiveSnapshot,
    ProcessIdentity,
    ProcessKey,
    ProcessNumbers,
    ProcessSummary,
    Sighting,
    Snapshot,
    host_key,
)
from procession.query import ProcessQuery
from procession.search.parser import parse_search
from procession.search.tag_filter import TagFilter
from procession.server.api.detailed_page import find_detailed_page
from procession.storage.store import ClickHouseStore
from procession.window import Window
from tests.storage.conftest import THIRTY_YEARS
from tests.support.builders import a_description, a_sighting, a_snapshot
from tests.support.stores.interleaving import InterleavedEngine
from tests.support.stores.strategies import TURN_OF_HOUR

T = TURN_OF_HOUR + 1800
STARTED = T - 5000
_org_ids = itertools.count(9_000_001)
_requests = itertools.count(1)

Question = Callable[[ClickHouseStore, int], Any]


def sighting(pid: int, *, job: str = "web", tags: tuple[str, ...] = ("env:prod",), **fields: Any) -> Sighting:
    numbers = ProcessNumbers(cpu_total_percent=pid * 1.5, rss_bytes=pid * 4096, threads=pid, state="S")
    about = {"command": job, "cmdline": f"/opt/{job} --id {pid}", "tags": tags, "ppid": 1 if pid > 1 else 0}
    return a_sighting(pid, STARTED + pid, numbers, **(about | fields))


def chunk(at: int, *sightings: Sighting, group: int, size: int = 1, host: str = "web-1") -> Snapshot:
    return a_snapshot(*sightings, host=host, taken_at=at, request_id=next(_requests), split_id=group, chunk_count=size)


BEFORE = [sighting(pid) for pid in (1, 2, 3, 4, 5)] + [sighting(6, job="db", tags=("env:test",))]
AFTER = [
    sighting(1),
    sighting(2),
    # 3 has ended.
    sighting(4, user="root", cmdline="/opt/web --renamed"),
    sighting(5, job="db", tags=("env:test",)),
    sighting(6, job="web"),
    sighting(7),
]


class Write(NamedTuple):
    """What an org has at first, in groups that are stored one after the other, and what is stored in the midst."""

    groups: Sequence[Sequence[Snapshot]]
    snapshots: Sequence[Snapshot] = ()
    exits: Sequence[ProcessExits] = ()


def next_snapshot() -> Write:
    before = [chunk(T - 10, *BEFORE[:3], group=1, size=2), chunk(T - 10, *BEFORE[3:], group=1, size=2)]
    before.append(chunk(T - 10, sighting(9), group=2, host="web-2"))
    return Write([before], [chunk(T, *AFTER[:3], group=3, size=2), chunk(T, *AFTER[3:], group=3, size=2)])


def other_half() -> Write:
    before = [chunk(T - 10, *BEFORE, group=1), chunk(T - 10, sighting(9), group=2, host="web-2")]
    half = chunk(T, *AFTER[:3], group=3, size=2)
    return Write([before, [half]], [chunk(T, *AFTER[3:], group=3, size=2)])


def same_again() -> Write:
    parts = [chunk(T - 10, *BEFORE[:3], group=1, size=2), chunk(T - 10, *BEFORE[3:], group=1, size=2)]
    return Write([parts], [parts[1]])


def late_snapshot() -> Write:
    late = chunk(T - 10, *BEFORE[:2], *BEFORE[3:], group=2)
    return Write([[chunk(T - 20, *BEFORE, group=1)], [chunk(T, *AFTER, group=3)]], [late])


def late_in_the_same_slot() -> Write:
    """With one that was seen at no other moment."""
    late = chunk(T - 13, *BEFORE[:2], *BEFORE[3:], sighting(8), group=2)
    return Write([[chunk(T - 16, *BEFORE, group=1)], [chunk(T, *AFTER, group=3)]], [late])


def reported_exits() -> Write:
    ended = tuple(ProcessExit(pid=pid, at=T - 4, exit_code=9, description=a_description()) for pid in (2, 3))
    return Write([[chunk(T - 10, *BEFORE, group=1)]], exits=[ProcessExits("web-1", ended)])


def new_program() -> Write:
    """One that was just begun, and one that is another program now: no whole snapshot."""
    found = chunk(T - 3, sighting(5, job="sh"), sighting(8), group=2, size=0)
    return Write([[chunk(T - 10, *BEFORE, group=1)]], [found])


def nobody_left() -> Write:
    return Write([[chunk(T - 10, *BEFORE, group=1)]], [chunk(T, group=2)])


def new_host() -> Write:
    return Write([[chunk(T - 10, *BEFORE, group=1)]], [chunk(T - 3, sighting(9), group=2, host="web-3")])


def first_of_all() -> Write:
    return Write([], [chunk(T - 3, *AFTER, group=2)])


WINDOW = Window(T - 900, T + 5)
PAST = Window(T - 900, T - 1)


def key(pid: int, host: str = "web-1") -> ProcessKey:
    return ProcessKey(STARTED + pid, host_key(host), pid)


def selection(org: int, search: str = "", tags: str = "") -> Selection:
    return Selection(org, parse_search(search), TagFilter.parse(tags))


def listed(search: str = "", tags: str = "", window: Window = WINDOW, limit: int = 100) -> Question:
    """All pages, with numbers and ends."""

    def ask(store: ClickHouseStore, org: int) -> Any:
        query = ProcessQuery(org, window, parse_search(search), TagFilter.parse(tags), limit=limit)
        page, details = find_detailed_page(store, query)
        return {one.identity: (one, detail) for one, detail in zip(page.processes, details, strict=True)}

    return ask


def again(question: Question) -> Question:
    """By a store that has learned from the first time."""

    def ask(store: ClickHouseStore, org: int) -> Any:
        question(store, org)
        return question(store, org)

    return ask


def one(pid: int) -> Question:
    """As one process is shown: with how it ended, looked for until later."""

    def ask(store: ClickHouseStore, org: int) -> Any:
        page = store.find(ProcessQuery(org, WINDOW, only=key(pid), limit=1)).processes
        if not page:
            return None
        return page, store.details(org, Window(page[0].seen_at, WINDOW.to_at), page)

    return ask


def ended(store: ClickHouseStore, org: int) -> Any:
    seen = [(key(pid), T - 10) for pid in range(1, 7)]
    return store.endings(org, T + 5, seen)


def runs(store: ClickHouseStore, org: int) -> Any:
    process = ProcessSummary(ProcessIdentity("web-1", 1, STARTED + 1), T - 10, sighting(1).description)
    return {run.process.identity: run for run in store.analysis.runs(org, process, WINDOW, 20)}


def unknown(store: ClickHouseStore, org: int) -> Any:
    ended = tuple(
        ProcessExit(pid=pid, at=T + 2, executed_at=T + 1, exit_code=0, description=a_description()) for pid in (1, 3, 7)
    )
    (found,) = store.unknown_exits([(org, ProcessExits("web-1", ended))])
    return {exit_.pid: exit_ for exit_ in found.exits}


def as_sightings(store: ClickHouseStore, org: int) -> Any:
    numbers = tuple(LiveNumbers(pid, STARTED + pid, ProcessNumbers(state="S")) for pid in (1, 4, 5, 6, 7))
    live = LiveSnapshot(host="web-1", taken_at=T + 2, processes=numbers, chunk_count=1)
    (found,) = store.sightings_of([(org, live)])
    assert found.chunk_count == (len(found.sightings) == len(numbers)), "a snapshot without some is not complete"
    return {sighting.pid: sighting for sighting in found.sightings}


def instant(order: str = "start", search: str = "", tags: str = "") -> Question:
    return lambda store, org: store.analysis.instant_page(
        selection(org, search, tags), T + 1, Order.parse(order), 0, 100
    )


def grouped(by: str, search: str = "", tags: str = "") -> Question:
    measures = ("cpu_total_percent", "rss_bytes")
    return lambda store, org: store.analysis.groups(
        selection(org, search, tags), T + 1, by, measures, Order.parse("-count"), 100
    )


def facets(when: Window | int, search: str = "", tags: str = "") -> Question:
    keys = ("host", "user", "command", "env")
    return lambda store, org: store.analysis.facets(selection(org, search, tags), when, keys, 20)


def series(by: str | None, seconds: int = 40) -> Question:
    window = Window(T + 1 - seconds, T + 1)
    return lambda store, org: store.analysis.timeseries(
        selection(org), window, by, ("rss_bytes",), "count", 5, seconds // 5
    )


def compared(match: Match, left_at: int = T - 6) -> Question:
    return lambda store, org: store.analysis.compare(
        Side(selection(org), left_at), Side(selection(org), T + 1), match, 100
    )


QUESTIONS: dict[str, Question] = {
    "list": listed(),
    "list of a window in the past": listed(window=PAST),
    "list by text": listed("web"),
    "list by text in the past": listed("web", window=PAST),
    "list by text again": again(listed("web")),
    "list by text in the past again": again(listed("web", window=PAST)),
    "list of one that ends and one that begins again": again(listed('"--id 3" OR "--id 7"')),
    "list by tag": listed(tags="env:prod"),
    "list by command": listed(tags="command:web"),
    "list without a tag": listed(tags="!env:test"),
    "list of one that ends and one that begins": listed('"--id 3" OR "--id 7"'),
    "list of a host": listed(tags="host:web-1"),
    "list of hosts": listed(tags="host:web-*"),
    "page of two": listed(limit=2),
    "page of two by command": listed(tags="command:web", limit=2),
    "one that lives": one(2),
    "one that has ended": one(3),
    "one that is renamed": one(4),
    "endings": ended,
    "runs": runs,
    "unknown exits": unknown,
    "live numbers as sightings": as_sightings,
    "instant": instant(),
    "instant by user": instant("user"),
    "instant by host": instant("-host"),
    "instant by command line": instant("cmdline"),
    "instant by memory": instant("-rss_bytes"),
    "instant with text": instant(search="web"),
    "instant with tag": instant(tags="env:prod"),
    "instant with command": instant(search="command:web"),
    "instant without tag": instant(tags="!env:test"),
    "instant of a host": instant(tags="host:web-1"),
    "instant of hosts": instant(tags="host:web-*"),
    "instant of hosts by search": instant(search="host:web-1 AND web"),
    "groups by command": grouped("command"),
    "groups by tag": grouped("env", tags="env:*"),
    "groups by host": grouped("host"),
    "groups by parent": grouped("ppid"),
    "facets of a window": facets(WINDOW),
    "facets of a window by text": facets(WINDOW, "web"),
    "facets of a window by tag": facets(WINDOW, tags="env:prod"),
    "facets at an instant": facets(T + 1, tags="env:prod"),
    "tags": lambda store, org: store.analysis.complete_tag(org, WINDOW, "e", 20),
    "values of a tag": lambda store, org: store.analysis.complete_tag(org, WINDOW, "env:", 20),
    "points": lambda store, org: store.analysis.points(
        selection(org), T + 1, "cpu_total_percent", "rss_bytes", "command", 100
    ),
    "hosts": lambda store, org: store.analysis.hosts(
        selection(org), T + 1, ("rss_bytes",), Order.parse("host"), 0, 100
    ),
    "series": series(None),
    "series by command": series("command"),
    "series of long": series("command", 800),
    "history": lambda store, org: store.analysis.history(org, key(2), WINDOW, Every.SIGHTING),
    "history by the minute": lambda store, org: store.analysis.history(org, key(2), WINDOW, Every.MINUTE),
    "tree": lambda store, org: store.analysis.host_tree(org, "web-1", T + 1),
    "relatives": lambda store, org: store.analysis.family(org, key(1), T + 1),
    "comparison of processes": compared(Match.PROCESS),
    "comparison of commands": compared(Match.COMMAND),
    "comparison of one instant": compared(Match.PROCESS, T + 1),
}


class Interleaved:
    """A store that is asked, and another one on the same engine that is written to in the midst."""

    def __init__(self, store: ClickHouseStore) -> None:
        self._written = store
        self._engine = InterleavedEngine(store._engine)
        self._orgs: dict[Callable[[], Write], list[tuple[int, Write]]] = {}
        """That have what they have at first: made many at a time, since each insert takes long."""

    def new_org(self, make: Callable[[], Write]) -> tuple[int, Write]:
        ready = self._orgs.setdefault(make, [])
        if not ready:
            ready += [(next(_org_ids), make()) for _ in range(max(_CASES_OF[make], 1))]
            for number in range(len(ready[0][1].groups)):
                self._written.add([(org, snapshot) for org, write in ready for snapshot in write.groups[number]])
        return ready.pop()

    def store(self, org: int, write: Write) -> None:
        self._engine.write(lambda: self._store(org, write))

    def _store(self, org: int, write: Write) -> None:
        self._written.add([(org, snapshot) for snapshot in write.snapshots])
        self._written.add_exits([(org, exits) for exits in write.exits])

    def ask(self, question: Question, org: int) -> tuple[Any, int]:
        """What a store that remembers nothing answers, and from how many statements."""
        with self._fresh() as store:
            return self._engine.count(lambda: question(store, org))

    def ask_interrupted(self, question: Question, org: int, number: int) -> Any:
        """What such a store answers where the write came before its statement of this number."""
        with self._fresh() as store:
            return self._engine.interrupted(lambda: question(store, org), number)

    def _fresh(self) -> closing[ClickHouseStore]:
        return closing(
            ClickHouseStore(self._engine, now=lambda: T + 5, is_only_writer=True, sighting_retention_hours=THIRTY_YEARS)
        )


OF_INSTANTS = ("instant", "instant with tag", "groups by tag", "points", "hosts", "series by command", "tree")
OF_WINDOWS = ("list", "list of a window in the past", "list by text", "list of a host", "one that lives", "endings")

CASES = (
    *((question, next_snapshot) for question in QUESTIONS),
    *((question, other_half) for question in (*OF_INSTANTS, "list", "comparison of one instant")),
    *((question, same_again) for question in (*OF_INSTANTS, "facets of a window", "comparison of processes")),
    *((question, late_in_the_same_slot) for question in ("list of a window in the past", "list by text in the past")),
    *((question, late_snapshot) for question in (*OF_WINDOWS, "instant", "series")),
    *((question, reported_exits) for question in (*OF_WINDOWS, "one that has ended", "instant", "tree")),
    ("comparison of one instant", reported_exits),
    *((question, new_program) for question in (*OF_WINDOWS, "list by command", "instant", "unknown exits")),
    *((question, nobody_left) for question in ("list", "endings", "instant", "hosts")),
    *((question, new_host) for question in ("list of hosts", "instant of hosts", "hosts", "facets of a window")),
    *(
        (question, first_of_all)
        for question in ("instant", "instant of a host", "list", "tree", "facets at an instant")
    ),
)


_CASES_OF = Counter(make for _, make in CASES)


EACH_BY_ITSELF = ("runs", "unknown exits", "live numbers as sightings")
"""What these say of a process is of one moment, and not of all of them."""


def is_of_one_moment(question: str, found: Any, before: Any, after: Any) -> bool:
    if question in EACH_BY_ITSELF:
        keys = found.keys() | before.keys() | after.keys()
        return all(found.get(one) in (before.get(one), after.get(one)) for one in keys)
    return bool(found in (before, after))


def many_of_few() -> Write:
    """So many that a page is looked for in several key ranges, of which the window holds one of a hundred."""
    all_of_them = [sighting(pid) for pid in range(1, 6001)]
    few = all_of_them[::100]
    old = [chunk(T - 1500, *all_of_them, group=1), chunk(T - 10, *few, group=2)]
    return Write([old], [chunk(T, *few, group=3)])


@pytest.fixture(scope="module")
def interleaved(clickhouse: ClickHouseStore) -> Interleaved:
    return Interleaved(clickhouse)


@pytest.mark.parametrize(("question", "make"), CASES, ids=[f"{one}-{make.__name__}" for one, make in CASES])
def test_an_answer_is_that_before_a_write_or_that_after_it(
    interleaved: Interleaved, question: str, make: Callable[[], Write]
) -> None:
    ask = QUESTIONS[question]
    org, write = interleaved.new_org(make)
    before, count = interleaved.ask(ask, org)
    interleaved.store(org, write)
    after, *found = (interleaved.ask_interrupted(ask, org, number) for number in range(1, count + 1))

    mixed = [
        f"stored before statement {number} of {count}: {one}"
        for number, one in enumerate(found, 2)
        if not is_of_one_moment(question, one, before, after)
    ]
    assert not mixed, "\n\n".join((f"before: {before}", f"after: {after}", *mixed))


def test_a_page_that_is_looked_for_in_several_key_ranges_is_of_one_moment(interleaved: Interleaved) -> None:
    ask = listed(limit=60)
    org, write = interleaved.new_org(many_of_few)
    _, count = interleaved.ask(ask, org)
    interleaved.store(org, write)

    pages = [interleaved.ask_interrupted(ask, org, number) for number in range(1, count + 1)]

    assert count > 9, "one key range was enough"
    for page in pages:
        assert len(page) == 60
        assert len({process.seen_at for process, _ in page.values()}) == 1
