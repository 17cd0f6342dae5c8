"""Questions about many processes at once, and what is answered to them. Each looks at one instant or one window.

The processes *at an instant* are, for each host, those of its newest complete snapshot at that moment or before, and
what partial ones have added since; no older than REACH_SECONDS. Who was seen dead is not among them, nor who has ended
since as far as was said up to that moment, whenever it arrived; and of a pid that was taken again only its last
process is.

Something *is known* of an instant or a window where any host told of its processes then, be it that there were none. Of
hosts that a selection names, as `host:` tags do, these are meant. Where nothing is known, that no process was found
says nothing.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from procession.process import ProcessDetail, ProcessKey, ProcessNumbers, ProcessSummary
from procession.search.tag_filter import TagFilter
from procession.search.tree import SearchNode
from procession.window import Window

REACH_SECONDS = 60
"""How long a host that is silent still has the processes that it had."""

MAX_DESCRIPTIONS = 200_000
"""At most so many processes are grouped or sorted by what only their descriptions say, such as the command line."""

MEASURES = tuple(name for name in ProcessNumbers.__struct_fields__ if name != "state")
"""The numbers of a process, by name."""

DESCRIPTION_ATTRIBUTES = ("cmdline", "exe", "cwd", "ppid")
"""What takes reading the descriptions of processes, where they are grouped or sorted by it."""

SORT_COLUMNS = ("start", "pid", "ppid", "host", "user", "command", "cmdline", "container_id", "state", *MEASURES)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which processes of which org."""

    org_id: int
    search: SearchNode | None = None
    tags: TagFilter = field(default_factory=TagFilter)


@dataclass(frozen=True, slots=True)
class Order:
    """By a column, ties by the order of keys. What is not known comes last, whichever the direction."""

    column: str = "start"
    is_descending: bool = False

    @classmethod
    def parse(cls, text: str) -> Order:
        return cls(text.removeprefix("-"), text.startswith("-"))


class ProcessAtInstant(msgspec.Struct, frozen=True):
    """A process at an instant."""

    process: ProcessSummary
    numbers: ProcessNumbers = ProcessNumbers()


class InstantPage(msgspec.Struct, frozen=True):
    total: int
    processes: tuple[ProcessAtInstant, ...]
    is_known: bool


class Aggregate(msgspec.Struct, frozen=True):
    """A number of several processes; None where it is known of none of them."""

    sum: float | None
    max: float | None
    known: int


class ValueCount(msgspec.Struct, frozen=True):
    value: str
    count: int


class Facet(msgspec.Struct, frozen=True):
    """The values of a tag key: the most frequent first, ties by value."""

    key: str
    processes: int
    """That have the key."""
    distinct: int
    values: tuple[ValueCount, ...]


class Facets(msgspec.Struct, frozen=True):
    total: int
    window: Window | None
    """What was counted, in whole ten seconds; None for an instant."""
    facets: tuple[Facet, ...]
    is_known: bool


class TagCompletion(msgspec.Struct, frozen=True):
    keys: tuple[ValueCount, ...]
    values: tuple[ValueCount, ...]


class Grouped(msgspec.Struct, frozen=True):
    value: str | None
    count: int
    numbers: Mapping[str, Aggregate]


class Groups(msgspec.Struct, frozen=True):
    total: int
    """Processes."""
    groups: int
    found: tuple[Grouped, ...]
    is_known: bool


class Points(msgspec.Struct, frozen=True):
    """Columns of one length."""

    total: int
    """Of which both numbers are known."""
    groups: tuple[str, ...]
    keys: tuple[ProcessKey, ...]
    x: tuple[float, ...]
    y: tuple[float, ...]
    group: tuple[int | None, ...]
    is_known: bool


class Series(msgspec.Struct, frozen=True):
    value: str | None
    is_rest: bool
    count: tuple[int | None, ...]
    """None where nothing is known of the instant."""
    numbers: Mapping[str, tuple[float | None, ...]]


class TimeSeries(msgspec.Struct, frozen=True):
    step: int
    times: tuple[int, ...]
    """Instants."""
    series: tuple[Series, ...]
    is_known: bool
    """At any of them."""


class Every(enum.Enum):
    MINUTE = "minute"
    SIGHTING = "sighting"


MINUTE_COLUMNS = (
    "cpu_total_percent",
    "cpu_total_percent_max",
    "rss_bytes",
    "threads",
    "open_files",
    "read_bytes_per_second",
    "write_bytes_per_second",
)
"""Of a minute: means of cpu and I/O, the greatest of the others."""


class History(msgspec.Struct, frozen=True):
    """Columns of one length. By the minute, times are beginnings of minutes."""

    times: tuple[int, ...]
    numbers: Mapping[str, tuple[float | None, ...]]
    states: tuple[str, ...] | None = None
    """By sighting only."""
    last_at: int | None = None
    """The newest sighting in the window; None where it is known to the minute only."""


class Branch(msgspec.Struct, frozen=True):
    """A process among its relatives. Depth 0: the process asked for, or one without a parent here."""

    depth: int
    at_instant: ProcessAtInstant


class HostTree(msgspec.Struct, frozen=True):
    total: int
    branches: tuple[Branch, ...]
    """Parents before their children."""
    is_known: bool


class Family(msgspec.Struct, frozen=True):
    ancestors: tuple[Branch, ...]
    """The eldest first, with depths below 0."""
    process: Branch
    descendants: tuple[Branch, ...]


class Run(msgspec.Struct, frozen=True):
    process: ProcessSummary
    detail: ProcessDetail
    has_same_cmdline: bool


class HostEntry(msgspec.Struct, frozen=True):
    host: str
    processes: int
    seen_at: int
    numbers: Mapping[str, Aggregate]


class Hosts(msgspec.Struct, frozen=True):
    total: int
    found: tuple[HostEntry, ...]
    is_known: bool


class Match(enum.Enum):
    """Who is the same on both sides of a comparison."""

    PROCESS = "process"
    CMDLINE = "cmdline"
    COMMAND = "command"


@dataclass(frozen=True, slots=True)
class Side:
    selection: Selection
    at: int


class ChangedProcess(msgspec.Struct, frozen=True):
    before: ProcessAtInstant
    after: ProcessAtInstant
    fields: tuple[str, ...]
    """Of the description."""


class ChangedGroup(msgspec.Struct, frozen=True):
    value: str | None
    before: Grouped
    after: Grouped


class Comparison(msgspec.Struct, frozen=True):
    left_total: int
    right_total: int
    left_known: bool
    right_known: bool
    left_silent: tuple[str, ...]
    """Hosts that both sides are about and that have processes on the right, but of which nothing is known on the left,
    by name. Their processes are in the total, but it is not known whether they started or ended."""
    right_silent: tuple[str, ...]
    started_total: int
    ended_total: int
    changed_total: int
    same_total: int
    started: tuple[ProcessAtInstant, ...] | tuple[Grouped, ...]
    ended: tuple[ProcessAtInstant, ...] | tuple[Grouped, ...]
    changed: tuple[ChangedProcess, ...] | tuple[ChangedGroup, ...]


class View(msgspec.Struct, frozen=True):
    """A view of the page that an org has saved. What its state means is the page's business."""

    name: str
    state: str
    changed_at: int
