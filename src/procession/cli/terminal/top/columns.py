"""The columns of the table: what each shows of a process, how the API sorts by it, and which of them fit."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from procession.cli.analysis import Item, command_text_of
from procession.cli.terminal import discovered
from procession.cli.terminal.cells import cell_len
from procession.cli.terminal.colors import Style, style_of_bytes, style_of_percent
from procession.cli.terminal.number_format import bytes_text, count_text, duration_text, percent_text
from procession.cli.terminal.spans import Span
from procession.cli.terminal.visible_text import visible

MOST_LOOKED_AT = 64
MOST_LEFT_OUT_FOR = 10
"""Columns are left out until the command has this many characters."""


@dataclass(frozen=True)
class Column:
    name: str
    """As it is typed."""
    title: str
    about: str
    order: str
    """As the API sorts by it at first: the greatest number, the first name."""
    width: int
    text: Callable[[Item, int], Span]
    """Of a process at a moment."""
    is_number: bool = False
    need: int = 0
    """How wide the screen must be for it to be there."""
    is_usual: bool = False


def _attribute(name: str, style: Style = Style.PLAIN) -> Callable[[Item, int], Span]:
    return lambda item, _: (str(item["attributes"][name] or ""), style)


def _discovered(name: str) -> Callable[[Item, int], Span]:
    text = discovered.TEXTS[name]
    return lambda item, _: (text(item["attributes"]), Style.PLAIN)


def _number(name: str) -> Any:
    return lambda item: item["attributes"]["numbers"][name]


def _percent(name: str) -> Callable[[Item, int], Span]:
    value = _number(name)
    return lambda item, _: (percent_text(value(item)), style_of_percent(value(item)))


def _bytes(name: str) -> Callable[[Item, int], Span]:
    value = _number(name)
    return lambda item, _: (bytes_text(value(item)), style_of_bytes(value(item)))


def _count(name: str) -> Callable[[Item, int], Span]:
    value = _number(name)
    return lambda item, _: (count_text(value(item)), Style.PLAIN)


def _pid(name: str, style: Style) -> Callable[[Item, int], Span]:
    return lambda item, _: (str(item["attributes"][name]), style)


_STATES = {"R": Style.GOOD, "D": Style.BAD, "Z": Style.BAD, "T": Style.WARNING}


def _state(item: Item, _: int) -> Span:
    state = str(item["attributes"]["numbers"]["state"] or "")
    return state, _STATES.get(state, Style.FAINT)


def _started(item: Item, _: int) -> Span:
    return str(item["attributes"]["start"]).replace("T", " "), Style.FAINT


def _time(item: Item, at: int) -> Span:
    started_at = datetime.fromisoformat(f"{item['attributes']['start']}+00:00").timestamp()
    return duration_text(at - int(started_at)), Style.PLAIN


def _command(item: Item, _: int) -> Span:
    return str(command_text_of(item)), Style.PLAIN


COLUMNS = (
    Column("host", "HOST", "name of the host", "host", 16, _attribute("host", Style.HOST), need=60, is_usual=True),
    Column("pid", "PID", "number of the process", "pid", 8, _pid("pid", Style.PLAIN), is_number=True, is_usual=True),
    Column("ppid", "PPID", "number of its parent", "ppid", 8, _pid("ppid", Style.FAINT), is_number=True, need=120),
    Column("user", "USER", "who runs it", "user", 10, _attribute("user", Style.USER), need=50, is_usual=True),
    Column(
        "state",
        "S",
        "state: R runs, S sleeps, D waits for a disk, Z zombie",
        "state",
        1,
        _state,
        need=90,
        is_usual=True,
    ),
    Column(
        "cpu",
        "CPU",
        "percent of one core",
        "-cpu_total_percent",
        7,
        _percent("cpu_total_percent"),
        is_number=True,
        is_usual=True,
    ),
    Column(
        "cpu-user",
        "USR",
        "percent of one core, in the program",
        "-cpu_user_percent",
        7,
        _percent("cpu_user_percent"),
        is_number=True,
        need=120,
    ),
    Column(
        "cpu-system",
        "SYS",
        "percent of one core, in the kernel",
        "-cpu_system_percent",
        7,
        _percent("cpu_system_percent"),
        is_number=True,
        need=120,
    ),
    Column(
        "memory",
        "MEM",
        "memory that it holds (RSS)",
        "-rss_bytes",
        6,
        _bytes("rss_bytes"),
        is_number=True,
        is_usual=True,
    ),
    Column("virtual", "VIRT", "virtual memory", "-vms_bytes", 6, _bytes("vms_bytes"), is_number=True, need=120),
    Column(
        "shared", "SHR", "memory that it shares", "-shared_bytes", 6, _bytes("shared_bytes"), is_number=True, need=120
    ),
    Column("swap", "SWAP", "memory in swap", "-swap_bytes", 6, _bytes("swap_bytes"), is_number=True, need=120),
    Column("threads", "THR", "threads", "-threads", 5, _count("threads"), is_number=True, need=80, is_usual=True),
    Column("files", "FILES", "open files", "-open_files", 6, _count("open_files"), is_number=True, need=120),
    Column(
        "read",
        "READ/s",
        "bytes read in a second",
        "-read_bytes_per_second",
        7,
        _bytes("read_bytes_per_second"),
        is_number=True,
        need=100,
        is_usual=True,
    ),
    Column(
        "write",
        "WRITE/s",
        "bytes written in a second",
        "-write_bytes_per_second",
        7,
        _bytes("write_bytes_per_second"),
        is_number=True,
        need=100,
        is_usual=True,
    ),
    Column(
        "read-ops",
        "ROPS/s",
        "reads in a second",
        "-read_operations_per_second",
        7,
        _count("read_operations_per_second"),
        is_number=True,
        need=120,
    ),
    Column(
        "write-ops",
        "WOPS/s",
        "writes in a second",
        "-write_operations_per_second",
        7,
        _count("write_operations_per_second"),
        is_number=True,
        need=120,
    ),
    Column(
        "received",
        "RECV/s",
        "bytes received in a second, over TCP",
        "-net_received_bytes_per_second",
        7,
        _bytes("net_received_bytes_per_second"),
        is_number=True,
        need=120,
    ),
    Column(
        "sent",
        "SENT/s",
        "bytes sent in a second, over TCP",
        "-net_sent_bytes_per_second",
        7,
        _bytes("net_sent_bytes_per_second"),
        is_number=True,
        need=120,
    ),
    Column(
        "network",
        "NET/s",
        "bytes of both in a second, of Datadog's Agents",
        "-net_bytes_per_second",
        7,
        _bytes("net_bytes_per_second"),
        is_number=True,
        need=120,
    ),
    Column(
        "connections",
        "CONN",
        "TCP connections",
        "-connections",
        6,
        _count("connections"),
        is_number=True,
        need=120,
    ),
    Column(
        "voluntary",
        "VCSW",
        "voluntary switches",
        "-voluntary_switches",
        7,
        _count("voluntary_switches"),
        is_number=True,
        need=120,
    ),
    Column(
        "involuntary",
        "ICSW",
        "involuntary switches",
        "-involuntary_switches",
        7,
        _count("involuntary_switches"),
        is_number=True,
        need=120,
    ),
    Column("started", "STARTED", "when it started, the newest first", "-start", 19, _started, need=120),
    Column("time", "TIME", "how long it has run", "start", 8, _time, is_number=True, need=120),
    Column(
        "container",
        "CONTAINER",
        "id of its container",
        "container_id",
        12,
        _attribute("container_id", Style.FAINT),
        need=120,
    ),
    Column("language", "LANG", "what it is written in", "tag:language", 7, _discovered("language"), need=120),
    Column("services", "SERVICES", "names of its services", "tag:service", 16, _discovered("services"), need=120),
    Column("listens", "LISTENS", "ports on which it listens", "tag:listens", 14, _discovered("listens"), need=120),
    Column("command", "COMMAND", "program, arguments, and the program's folder", "command", 0, _command, is_usual=True),
)
BY_NAME = {column.name: column for column in COLUMNS}
USUAL = tuple(column.name for column in COLUMNS if column.is_usual)


def in_order(names: Collection[str]) -> tuple[str, ...]:
    """The columns of these names from left to right, the command among them."""
    return tuple(column.name for column in COLUMNS if column.name in names or column.name == "command")


def fitted_columns(
    items: Sequence[Item], width: int, at: int, *, chosen: Sequence[str] | None = None, sort: str = ""
) -> list[Column]:
    """The columns that fit, as wide as these processes need: no number is cut, and the name of a host takes no more
    room than it needs. Without any `chosen`, the usual ones, as many as suit the width. The one that is sorted by is
    always there."""
    columns = []
    for column in COLUMNS:
        is_wanted = column.name in chosen if chosen is not None else column.is_usual and width >= column.need
        if not is_wanted and column.name not in (sort, "command"):
            continue
        longest = max((cell_len(visible(column.text(item, at)[0][:MOST_LOOKED_AT])) for item in items), default=0)
        if column.is_number:
            column = replace(column, width=max(column.width, longest))
        elif column.name == "host":
            # The wider the screen, the more there is of a host's name; the mark of an order has its room.
            most = column.width + min(max(width - 140, 0), 24)
            column = replace(column, width=min(most, max(longest, len(column.title) + 1)))
        columns.append(column)
    # Numbers that are wider than usual leave room for fewer columns.
    while sum(column.width + 1 for column in columns) + MOST_LEFT_OUT_FOR > width:
        least = max((column for column in columns if column.name != sort), key=lambda column: column.need)
        if not least.need:
            break
        columns.remove(least)
    return columns
