"""What Hypothesis makes fleets, queries and searches from.

Hosts, pids, starts and words come from small sets, so that they meet often; moments lie close together and around
the turns of hours, where stores have their seams.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import strategies as st

from procession.patterns import Pattern, fold
from procession.process import ProcessDescription, ProcessNumbers, Sighting, Snapshot
from procession.query import ProcessQuery
from procession.search import And, Not, Or, SearchNode, TagTerm, TextTerm
from procession.tags import TagFilter
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
TAGS = ("env:prod", "env:staging", "k:100%", "k:a_b", "pci", "team:größe", "url:http://x:80/")

words = st.sampled_from(WORDS)
cmdlines = st.lists(words, max_size=4).map(" ".join)
tag_sets = st.sets(st.sampled_from(TAGS), max_size=4).map(lambda tags: tuple(sorted(tags)))
descriptions = st.builds(
    ProcessDescription,
    cmdline=cmdlines,
    exe=words,
    cwd=st.sampled_from(("", "/")),
    comm=words,
    command=words,
    user=st.sampled_from(USERS),
    uid=st.none() | st.sampled_from((0, 118, 2**32 - 2)),
    gid=st.none() | st.just(0),
    ppid=st.sampled_from((0, 1, 7)),
    namespace_pid=st.none() | st.just(1),
    container_id=st.sampled_from(("", "c0ffee")),
    is_zombie=st.booleans(),
    tags=tag_sets,
)

# Searches


def _parts_of_words() -> st.SearchStrategy[str]:
    return st.one_of(words, st.sampled_from(USERS), words.flatmap(lambda word: st.sampled_from((word[:2], word[1:]))))


def _tag_term(tag: str, cut: int | None) -> TagTerm:
    key, _, value = tag.partition(":")
    shown = value if cut is None else value[:cut] + "*"
    return TagTerm(fold(key), Pattern.parse(f"{key}:{shown}"))


text_terms = _parts_of_words().map(lambda text: TextTerm(Pattern.literal(text)))
tag_terms = st.builds(
    _tag_term,
    st.sampled_from(
        (*TAGS, "user:root", "host:web-2", "command:java", "state_zombie:true", "uid:118", "no:such")
    ).filter(lambda tag: ":" in tag),
    st.none() | st.integers(0, 3),
)


def _branches(nodes: st.SearchStrategy[SearchNode]) -> st.SearchStrategy[SearchNode]:
    several = st.lists(nodes, min_size=2, max_size=3).map(tuple)
    return st.one_of(several.map(And), several.map(Or), nodes.map(Not))


searches: st.SearchStrategy[SearchNode] = st.recursive(text_terms | tag_terms, _branches, max_leaves=6)

tag_filters: st.SearchStrategy[TagFilter] = st.lists(
    st.builds(
        "".join,
        st.tuples(
            st.sampled_from(("", "", "!")),
            st.sampled_from(
                (*TAGS, "ENV:Prod", "env:*", "*", "*ö*", "user:root", "host:*b-*", "state_zombie:true", "nope")
            ),
        ),
    ),
    max_size=3,
).map(lambda items: TagFilter.parse(",".join(items)))


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


_STEPS = (1, 10, 10, 10, 60, 900, HOUR, -5, -30, -HOUR)
"""From one snapshot to the next: at the agent's pace, with gaps, or over a jump of the clock."""


@st.composite
def fleets(draw: st.DrawFn, hosts: Sequence[str] = HOSTS[:3], max_snapshots: int = 6) -> tuple[Snapshot, ...]:
    """Chunks in the order of arrival: some lost, late or doubled, over processes that come, change and go."""
    known = draw(st.lists(descriptions, min_size=2, max_size=4))
    arrivals: list[Snapshot] = []
    for name in draw(st.lists(st.sampled_from(hosts), min_size=1, max_size=len(hosts), unique=True)):
        host = _Host(name, TURN_OF_HOUR + draw(st.sampled_from((-HOUR - 15, -25, -10, 0, 1800))))
        for number in range(draw(st.integers(1, max_snapshots))):
            at = host.free_moment()
            _live(draw, host, at, known)
            arrivals.extend(_chunks(draw, host, at, number))
            host.clock += draw(st.sampled_from(_STEPS))
    late = draw(st.sets(st.integers(0, max(0, len(arrivals) - 1)), max_size=3))
    on_time = [chunk for index, chunk in enumerate(arrivals) if index not in late]
    return (*on_time, *(arrivals[index] for index in sorted(late) if index < len(arrivals)))


def _live(draw: st.DrawFn, host: _Host, at: int, known: list[ProcessDescription]) -> None:
    """What happened on a host up to its next snapshot."""
    for pid in draw(st.lists(st.integers(1, 5), max_size=4)):
        match draw(st.sampled_from(("start", "start", "change", "exit"))):
            case "start":  # also where the pid is taken: then it is reused
                host.processes[pid] = (at - draw(st.sampled_from((0, 3, 86400))), draw(st.sampled_from(known)))
            case "change" if pid in host.processes:
                host.processes[pid] = (host.processes[pid][0], draw(st.sampled_from(known)))
            case _:
                host.processes.pop(pid, None)


def _chunks(draw: st.DrawFn, host: _Host, at: int, number: int) -> list[Snapshot]:
    sightings = [
        Sighting(pid, started_at, description, ProcessNumbers(rss_bytes=at, state="S"))
        for pid, (started_at, description) in sorted(host.processes.items())
    ]
    size = draw(st.sampled_from((1, 2, 100)))
    pieces = [tuple(sightings[start : start + size]) for start in range(0, len(sightings), size)]
    copies = [draw(st.sampled_from((1, 1, 1, 0, 2))) for _ in pieces]
    return [
        Snapshot(
            host=host.name,
            taken_at=at,
            sightings=piece,
            request_id=1000 * number + index,
            group_id=number,
            group_size=len(pieces),
        )
        for index, piece in enumerate(pieces)
        for _ in range(copies[index])
    ]


# Queries


def windows_over(fleet: Sequence[Snapshot]) -> st.SearchStrategy[Window]:
    """Windows that begin and end at sightings, next to them, between them, and around all."""
    moments = {snapshot.taken_at + shift for snapshot in fleet for shift in (-1, 0, 1, 4)}
    moments |= {TURN_OF_HOUR - 1, TURN_OF_HOUR, TURN_OF_HOUR - 5 * HOUR, TURN_OF_HOUR + 5 * HOUR}
    bounds = st.sampled_from(sorted(moments))
    return st.tuples(bounds, bounds).map(lambda pair: Window(min(pair), max(pair)))


def queries_over(fleet: Sequence[Snapshot], org_id: int) -> st.SearchStrategy[ProcessQuery]:
    """Questions about everything in a window: their pages are the test's business."""
    return st.builds(
        ProcessQuery,
        org_id=st.just(org_id),
        window=windows_over(fleet),
        search=st.none() | searches,
        tags=tag_filters,
        limit=st.just(10_000),
    )
