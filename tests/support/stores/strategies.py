"""What Hypothesis makes fleets, queries and searches from.

Hosts, pids, starts and words come from small sets, so that they meet often; moments lie close together and around
the turns of hours, where stores have their seams.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import msgspec
from hypothesis import strategies as st

from procession.discovery import Discovery, Service, Tracer
from procession.lifecycle.events import ProcessExit, ProcessExits
from procession.process import (
    ExitCost,
    ExitFacts,
    LiveNumbers,
    LiveSnapshot,
    ProcessDescription,
    ProcessNumbers,
    Sighting,
    Snapshot,
)
from procession.query import ProcessQuery
from procession.search.pattern import Pattern, fold
from procession.search.tag_filter import TagFilter
from procession.search.tree import And, Comparison, Not, Or, SearchNode, TagTerm, TextTerm, WordTerm
from procession.window import Window
from tests.support.builders import NOON

HOUR = 3600
TURN_OF_HOUR = NOON - NOON % HOUR

HOSTS = ("web-1", "Web-2", "база-1", "db%1")
WORDS = (
    "nginx",
    "java",
    "-Xmx4g",
    "/opt/App",
    "ПОЧТА",
    "größe",
    "ΟΔΟΣ",
    "İzmir",
    "日本語",
    "100%",
    "a_b",
    "it's",
    "\\n",
)
USERS = ("root", "www-data", "uid:118", "Ольга", "")
TAGS = ("env:prod", "env:staging", "k:100%", "k:a_b", "pci", "team:größe", "url:http://x:80/", "service:web-2")
DISCOVERED = ("language:go", "listens:443", "listens:80", "service:größe", "service:web-2")

words = st.sampled_from(WORDS)
cmdlines = st.lists(words, max_size=4).map(" ".join)
tag_sets = st.sets(st.sampled_from(TAGS), max_size=4).map(lambda tags: tuple(sorted(tags)))
descriptions = st.builds(
    ProcessDescription,
    cmdline=cmdlines,
    exe=words,
    cwd=st.sampled_from(("", "/")),
    root=st.sampled_from(("", "/")),
    comm=words,
    command=words,
    user=st.sampled_from(USERS),
    uid=st.none() | st.sampled_from((0, 118, 2**32 - 2)),
    gid=st.none() | st.just(0),
    group_name=st.sampled_from(("", "staff")),
    ppid=st.sampled_from((0, 1, 7)),
    namespace_pid=st.none() | st.just(1),
    nice=st.none() | st.sampled_from((-20, -1, 0, 19)),
    container_id=st.sampled_from(("", "c0ffee")),
    is_zombie=st.booleans(),
    tags=tag_sets,
    discovery=st.none()
    | st.builds(
        Discovery,
        language=st.sampled_from(("", "go")),
        services=st.sampled_from((None, (), (Service("größe", "spring"), Service("Web-2")))),
        tracers=st.sampled_from((None, (Tracer("c0ffee", "web-2"),))),
        tcp_ports=st.sampled_from((None, (), (80, 443))),
        udp_ports=st.sampled_from((None, (), (443,))),
    ),
)

# Searches and tag filters

_SHARED_TAGS = ("state_zombie:true", "state_zombie:false", "user:root", "host:Web-2", "command:java")
_COMMON_TEXTS = (*WORDS, *USERS)
_COMMON_TAGS = (*TAGS, *_SHARED_TAGS, "uid:118", "no:such")


def _text_term(text: str, start: int, length: int) -> TextTerm:
    return TextTerm(Pattern.literal(text[start : start + length]))


def _tag_term(tag: str, cut: int | None, with_discovered: bool = False) -> TagTerm:
    key, _, value = tag.partition(":")
    shown = value if cut is None else value[:cut] + "*"
    return TagTerm(fold(key), Pattern.parse(f"{key}:{shown}"), with_discovered)


def _branches(nodes: st.SearchStrategy[SearchNode]) -> st.SearchStrategy[SearchNode]:
    several = st.lists(nodes, min_size=2, max_size=3).map(tuple)
    return st.one_of(several.map(And), several.map(Or), nodes.map(Not))


def searches_for(texts: Collection[str], tags: Collection[str]) -> st.SearchStrategy[SearchNode]:
    """Trees of terms cut from these texts and of these tags, whole or with a star."""
    text_terms = st.builds(_text_term, st.sampled_from(sorted(texts)), st.sampled_from((0, 0, 1, 3)), st.integers(1, 8))
    with_key = st.sampled_from(sorted(tag for tag in tags if ":" in tag))
    tag_terms = st.builds(_tag_term, with_key, st.none() | st.integers(0, 3))
    return st.recursive(text_terms | tag_terms, _branches, max_leaves=6)


def searches_that_compare(
    texts: Collection[str], tags: Collection[str], numbers: Collection[int]
) -> st.SearchStrategy[SearchNode]:
    """The same of our own language: with words of texts, hosts and tags, and with comparisons with these numbers."""
    words_of = {part for tag in (*tags, *DISCOVERED) for part in tag.split(":") if part} | set(texts)
    word_terms = st.builds(
        lambda text, start, length: WordTerm(Pattern.literal(text[start : start + length] or text)),
        st.sampled_from(sorted(words_of)),
        st.sampled_from((0, 0, 1)),
        st.integers(1, 8),
    )
    fields = st.sampled_from(("pid", "ppid", "age", "rss_bytes", "cpu_total_percent", "io", "net", *ENDING_FIELDS * 2))
    literals = st.sampled_from((0, 1, 2, 3, 5, 9, 15, 137, 86400, *sorted(numbers))).map(float)
    comparisons = st.builds(Comparison, fields, st.sampled_from(("<", "<=", "=", ">=", ">")), literals)
    found_out = st.builds(_tag_term, st.sampled_from(DISCOVERED), st.none() | st.integers(0, 3), st.just(True))
    terms = comparisons | comparisons | word_terms | found_out | searches_for(texts, tags)
    return st.recursive(terms, _branches, max_leaves=5)


ENDING_FIELDS = ("ended", "ended:oom", "exit_code", "signal", "lifetime")

searches = searches_for(_COMMON_TEXTS, _COMMON_TAGS)


def _condition(tag: str, shape: str) -> str:
    half = len(tag) // 2
    return {"": tag, "!": f"!{tag}", "case": tag.upper(), "begin": f"{tag[:half]}*", "end": f"*{tag[half:]}"}[shape]


def tag_filters_for(tags: Collection[str]) -> st.SearchStrategy[TagFilter]:
    shapes = st.sampled_from(("", "", "!", "!", "case", "begin", "end"))
    conditions = st.builds(_condition, st.sampled_from(sorted(tags)), shapes)
    joined = st.lists(st.tuples(conditions, st.sampled_from((",", ",", " OR "))), min_size=1, max_size=3)
    texts = joined.map(lambda items: "".join(map("".join, items)).removesuffix(" OR "))
    return st.builds(lambda text, own: TagFilter.parse(text, has_or=True, with_discovered=own), texts, st.booleans())


tag_filters = st.just(TagFilter()) | tag_filters_for((*_COMMON_TAGS, *DISCOVERED, "nope", "*"))


# Fleets


@dataclass(slots=True)
class _Host:
    """One host while its snapshots are made up."""

    name: str
    clock: int
    processes: dict[int, tuple[int, ProcessDescription]] = field(default_factory=dict)
    """By pid: start and what it is now."""
    moments: set[int] = field(default_factory=set)

    def free_moment(self) -> int:
        """What its clock says; never a second twice, since two states in one second have no newest."""
        while self.clock in self.moments:
            self.clock += 1
        self.moments.add(self.clock)
        return self.clock


_PACES = (
    (1, 2, 3, 4),
    (10, 10, 10, 9, 11),
    (1, 10, 10, 60, 900, HOUR, -5, -30, -HOUR),
)
"""Steps of a clock: several in ten seconds; at the agent's pace; with gaps, and jumps back and forth."""


@st.composite
def fleets(draw: st.DrawFn, hosts: Sequence[str] = HOSTS[:3], max_snapshots: int = 6) -> tuple[Snapshot, ...]:
    """Chunks in the order of arrival: some lost, late or doubled, over processes that come, change and go."""
    known = draw(st.lists(descriptions, min_size=2, max_size=4))
    arrivals: list[Snapshot] = []
    for name in draw(st.lists(st.sampled_from(hosts), min_size=1, max_size=len(hosts), unique=True)):
        host = _Host(name, TURN_OF_HOUR + draw(st.sampled_from((-HOUR - 15, -25, -10, 0, 1800))))
        pace = draw(st.sampled_from(_PACES))
        for number in range(draw(st.integers(2, max_snapshots))):
            at = host.free_moment()
            _live(draw, host, at, known)
            arrivals.extend(_chunks(draw, host, at, number))
            host.clock += draw(st.sampled_from(pace))
    late = draw(st.sets(st.integers(0, max(0, len(arrivals) - 1)), max_size=3))
    on_time = [chunk for index, chunk in enumerate(arrivals) if index not in late]
    return (*on_time, *(arrivals[index] for index in sorted(late) if index < len(arrivals)))


@st.composite
def steady_fleets(draw: st.DrawFn, snapshots: int = 20) -> tuple[Snapshot, ...]:
    """Hosts that post every ten seconds, as a rule: some chunks are lost, and some come late."""
    known = draw(st.lists(descriptions, min_size=2, max_size=4))
    chance = random.Random(draw(st.integers(0, 2**32)))
    arrivals: list[tuple[int, Snapshot]] = []
    for number, name in enumerate(HOSTS[:2]):
        processes = {pid: (NOON - 86400, chance.choice(known)) for pid in (1, 2, 3)}
        for place in range(snapshots):
            at = NOON + 3 * number + 10 * place
            pid = chance.randint(1, 6)
            if pid in processes and chance.random() < 0.2:
                del processes[pid]
            elif chance.random() < 0.3:
                start = processes.get(pid, (at - chance.choice((0, 3)), None))[0]
                processes[pid] = start, chance.choice(known)
            for index, some in enumerate((sorted(processes)[:2], sorted(processes)[2:])):
                chunk = Snapshot(
                    host=name,
                    taken_at=at,
                    sightings=tuple(
                        Sighting(one, *processes[one], ProcessNumbers(rss_bytes=at, state="S")) for one in some
                    ),
                    request_id=2 * place + index,
                    split_id=place,
                    chunk_count=2,
                )
                if chance.random() < 0.95:
                    arrivals.append((at + (chance.choice((0, 0, 0, 15)) if chance.random() < 0.1 else 0), chunk))
    return tuple(chunk for _, chunk in sorted(arrivals, key=lambda one: one[0]))


def _live(draw: st.DrawFn, host: _Host, at: int, known: list[ProcessDescription]) -> None:
    """What happened on a host up to its next snapshot."""
    is_new = not host.processes
    for pid in draw(st.lists(st.integers(1, 6), min_size=3 if is_new else 0, max_size=5, unique=is_new)):
        match "start" if is_new else draw(st.sampled_from(("change", "change", "start", "exit", "shift"))):
            case "start":  # also where the pid is taken: then it is reused
                host.processes[pid] = (at - draw(st.sampled_from((0, 3, 86400))), draw(st.sampled_from(known)))
            case "shift":  # the agent corrects its idea of when the machine was booted
                shift = draw(st.sampled_from((-2, -1, 1, 2, 3)))
                host.processes = {pid: (start + shift, what) for pid, (start, what) in host.processes.items()}
            case "change" if pid in host.processes:
                host.processes[pid] = (host.processes[pid][0], draw(st.sampled_from(known)))
            case _:
                host.processes.pop(pid, None)


_USED = (
    ProcessNumbers(),
    ProcessNumbers(
        cpu_total_percent=2.5,
        read_bytes_per_second=3.0,
        write_bytes_per_second=2.0,
        net_received_bytes_per_second=1.0,
        net_sent_bytes_per_second=2.0,
    ),
    ProcessNumbers(cpu_total_percent=0.0, read_bytes_per_second=9.0, net_bytes_per_second=9.0),
)


def _chunks(draw: st.DrawFn, host: _Host, at: int, number: int) -> list[Snapshot]:
    sightings = [
        Sighting(pid, started_at, description, msgspec.structs.replace(_USED[pid % 3], rss_bytes=at, state="S"))
        for pid, (started_at, description) in sorted(host.processes.items())
    ]
    size = draw(st.sampled_from((1, 2, 100)))
    pieces = [tuple(sightings[start : start + size]) for start in range(0, len(sightings), size)]
    copies = [draw(st.sampled_from((1, 1, 0, 1, 2))) for _ in pieces]
    return [
        Snapshot(
            host=host.name,
            taken_at=at,
            sightings=piece,
            request_id=1000 * number + index,
            split_id=number,
            chunk_count=len(pieces),
        )
        for index, piece in enumerate(pieces)
        for _ in range(copies[index])
    ]


def is_any_seen_early(fleet: Sequence[Snapshot]) -> bool:
    """Whether a clock was set so that a process was seen a minute before its start."""
    return any(one.started_at > chunk.taken_at + 57 for chunk in fleet for one in chunk.sightings)


def exits_over(fleet: Sequence[Snapshot]) -> st.SearchStrategy[list[ProcessExits]]:
    """Ends of processes of a fleet, soon after they were seen, before, or at once; and of others under their pids."""
    seen = [(chunk.host, chunk.taken_at, one.pid, one.started_at) for chunk in fleet for one in chunk.sightings]
    if not seen:
        return st.just([])

    def exit_of(place: tuple[str, int, int, int], after: int, executed: int | None, code: int) -> ProcessExits:
        host, seen_at, pid, started_at = place
        executed_at = None if executed is None else started_at + executed
        # One exit is told alike, by whoever tells of it.
        at = seen_at + after
        is_killed = None if (at + pid) % 3 == 0 else code == 137
        cost = None if at % 3 == 0 else ExitCost(code / 3, None, pid, None, 2**50, is_final=at % 2 == 0)
        facts = ExitFacts(is_killed, f"/{pid}" if is_killed and pid % 2 else "", cost)
        ended = ProcessExit(
            pid=pid,
            at=at,
            executed_at=executed_at,
            exit_code=code,
            description=ProcessDescription(),
            facts=facts,
        )
        return ProcessExits(host, (ended,))

    after = st.sampled_from((-3, -1, 0, 0, 1, 2, 5, 9, 70))
    executed = st.sampled_from((None, 0, 0, 1, -2, -3, 5))
    codes = st.sampled_from((0, 0, 1, 137, 143, 200))
    return st.lists(st.builds(exit_of, st.sampled_from(seen), after, executed, codes), max_size=6)


def live_over(fleet: Sequence[Snapshot]) -> st.SearchStrategy[LiveSnapshot]:
    """Live numbers of processes of a fleet, and of others under their pids, about when they were seen or long after."""
    nobody = Snapshot(host=HOSTS[0], taken_at=TURN_OF_HOUR, sightings=())

    def chunk_of(snapshot: Snapshot, after: int, shifts: list[int], state: str, number: int) -> LiveSnapshot:
        processes = tuple(
            LiveNumbers(one.pid, one.started_at + shift, ProcessNumbers(rss_bytes=number, state=state))
            for one in snapshot.sightings
            for shift in shifts
        )
        at = snapshot.taken_at + after
        return LiveSnapshot(host=snapshot.host, taken_at=at, processes=processes, request_id=number, chunk_count=2)

    return st.builds(
        chunk_of,
        st.sampled_from(fleet or (nobody,)),
        st.sampled_from((0, 0, 1, 2, 9, -1, -9, 70, HOUR, HOUR + 1, HOUR + 5)),
        st.sampled_from(((0,), (0,), (1,), (-2, 0), (2, -1), (3,), (0, 9), ())).map(list),
        st.sampled_from(("S", "Z", "")),
        st.integers(1, 2**40),
    )


# Queries


def windows_over(fleet: Sequence[Snapshot]) -> st.SearchStrategy[Window]:
    """Windows that begin and end at sightings, next to them, between them, and around all."""
    moments = {snapshot.taken_at + shift for snapshot in fleet for shift in (-1, 0, 1, 4)}
    moments |= {TURN_OF_HOUR - 1, TURN_OF_HOUR, TURN_OF_HOUR - 5 * HOUR, TURN_OF_HOUR + 5 * HOUR}
    bounds = st.sampled_from(sorted(moments))
    return st.tuples(bounds, bounds).map(lambda pair: Window(min(pair), max(pair)))


def queries_over(fleet: Sequence[Snapshot], org_id: int, *, compares: bool = False) -> st.SearchStrategy[ProcessQuery]:
    """Questions about all in a window, half of them without a filter; pages are the test's business. `compares`: each
    with a search of our own language."""
    said = [sighting.description for snapshot in fleet for sighting in snapshot.sightings]
    texts = {text for about in said for text in (*about.cmdline.split(), about.exe, about.user) if text} | {"no such"}
    tags = {tag for about in said for tag in about.tags} | {f"host:{chunk.host}" for chunk in fleet} | set(_SHARED_TAGS)
    moments = {snapshot.taken_at for snapshot in fleet}
    own = searches_that_compare(texts, tags, moments) if compares else st.none() | searches_for(texts, tags)
    return st.builds(
        ProcessQuery,
        org_id=st.just(org_id),
        window=windows_over(fleet),
        search=own,
        tags=st.just(TagFilter()) | tag_filters_for({*tags, *DISCOVERED}),
        limit=st.just(10_000),
    )
