"""A screen state and an answer -> the lines of a screen. What a stranger named goes through `fitted_text`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from procession.cli.analysis import Item, command_of, name_of
from procession.cli.terminal.cells import cell_len, chop_cells, set_cell_size
from procession.cli.terminal.moments import show_moment
from procession.cli.terminal.nothing_found import hints_in, nothing_of
from procession.cli.terminal.number_format import bytes_text, count_text, percent_text
from procession.cli.terminal.short_command import program_first
from procession.cli.terminal.top.questions import Answer
from procession.cli.terminal.top.screen_state import ScreenState, Surroundings
from procession.cli.terminal.visible_text import visible

# No colours: these are seen on every background, and by everybody.
BOLD, REVERSE, DIM = "\x1b[1m", "\x1b[7m", "\x1b[2m"

HEADER_LINES = 4
FOOTER_LINES = 1
MOST_PREFIX = 4
"""How many characters of a text are looked at for each column of the screen: a text may have a megabyte, and characters
that take no room."""

MOST_LOOKED_AT = 64
MOST_LEFT_OUT_FOR = 10
"""Columns are left out until the command has this many characters."""

HINT = "/ search  c m t r w p n h u sort  Enter details  Space pause  \u2190 \u2192 time  l live  ? help  q quit"
HELP = """\
c m t r w         sort by cpu, memory, threads, bytes read, bytes written
p n h u           sort by pid, command, host, user; the same key again reverses
/                 search; Enter looks for it, Esc leaves it as it was
up down           choose a process; PageUp, PageDown, Home and End go further
Enter             details of the chosen process; Esc goes back
Space             pause, and go on
left right        10 seconds back and forth in time; [ and ] 10 minutes
l                 back to what is live
q Esc             quit

Any key goes back."""


@dataclass(frozen=True)
class Column:
    name: str
    width: int
    sort: str = ""
    is_number: bool = False
    need: int = 0
    """How wide the screen must be for it to be there."""


COLUMNS = (
    Column("HOST", 16, "host", need=60),
    Column("PID", 8, "pid", is_number=True),
    Column("USER", 10, "user", need=50),
    Column("S", 1, need=90),
    Column("CPU", 7, "cpu", is_number=True),
    Column("MEM", 6, "memory", is_number=True),
    Column("THR", 6, "threads", is_number=True, need=80),
    Column("READ/s", 7, "read", is_number=True, need=100),
    Column("WRITE/s", 7, "write", is_number=True, need=100),
    Column("COMMAND", 0, "command"),
)


def cells_of(item: Item) -> tuple[str, ...]:
    attributes = item["attributes"]
    numbers = attributes["numbers"]
    return (
        str(attributes["host"]),
        str(attributes["pid"]),
        str(attributes["user"]),
        str(numbers["state"] or ""),
        percent_text(numbers["cpu_total_percent"]),
        bytes_text(numbers["rss_bytes"]),
        count_text(numbers["threads"]),
        bytes_text(numbers["read_bytes_per_second"]),
        bytes_text(numbers["write_bytes_per_second"]),
        command_of(item),
    )


def fitted_text(text: str, width: int, *, is_number: bool = False) -> str:
    """Made visible, and filled or cut to `width` columns of the screen."""
    text = visible(text[: width * MOST_PREFIX])
    if cell_len(text) > width:
        return set_cell_size(text, width - 1) + "…" if width > 1 else set_cell_size(text, max(width, 0))
    return " " * (width - cell_len(text)) + text if is_number else set_cell_size(text, width)


def screen(
    state: ScreenState,
    answer: Answer | None,
    status: str,
    *,
    size: tuple[int, int],
    around: Surroundings,
    details: Sequence[str],
    url: str,
) -> list[str]:
    """The lines of the whole screen, each as wide as the screen."""
    width, height = size
    lines = _header(state, answer, status, width, url)
    if state.has_help:
        lines += [fitted_text(line, width) for line in HELP.splitlines()]
    elif state.process_id is not None:
        lines[-1] = REVERSE + fitted_text("Details of a process; Esc goes back", width)
        lines += [fitted_text(line, width) for line in details[state.detail_top : state.detail_top + around.height]]
    else:
        lines += _rows(state, answer, width, around.height)
    blank = [" " * width] * max(height - FOOTER_LINES - len(lines), 0)
    footer = _footer(state, status, width)
    return [*[*lines, *blank][: max(height - FOOTER_LINES, 0)], footer][-height:]


def _header(state: ScreenState, answer: Answer | None, status: str, width: int, url: str) -> list[str]:
    mode = "LIVE" if state.is_live else "PAUSED" if state.is_paused else "PAST"
    if state.is_live and status:
        # What is shown is of before the trouble.
        mode = "STOPPED"
    shown_at = state.at if state.at is not None else answer.at if answer else None
    moment = f"{show_moment(shown_at)} UTC" if shown_at is not None else ""
    lines = [BOLD + fitted_text(fitted_parts(["procession top", mode, moment, url], width), width)]
    lines.append(fitted_text(fitted_parts(_sums(answer), width), width))
    chosen = [f"search: {state.filters.search}" if state.filters.search else "", f"tags: {state.filters.tags}"]
    lines.append(fitted_text("  ".join(chosen if state.filters.tags else chosen[:1]), width))
    lines.append(REVERSE + _table_head(state, answer, width))
    return lines


def fitted_parts(parts: Sequence[str], width: int) -> str:
    """As many of the parts as fit, each whole, with two blanks between them; the first is there always."""
    line = visible(parts[0]) if parts else ""
    for part in map(visible, filter(None, parts[1:])):
        if cell_len(line) + 2 + cell_len(part) > width:
            break
        line = f"{line}  {part}"
    return line


def _sums(answer: Answer | None) -> list[str]:
    if answer is None:
        return []
    summary = answer.summary
    states = " ".join(f"{state} {count}" for state, count in sorted(summary.states.items()))
    cpu = percent_text(summary.sums["cpu_total_percent"]) or "?"
    memory = bytes_text(summary.sums["rss_bytes"]) or "?"
    threads = count_text(summary.sums["threads"]) or "?"
    processes = f"{summary.processes} process{'' if summary.processes == 1 else 'es'}"
    hosts = f"{summary.hosts} host{'' if summary.hosts == 1 else 's'}"
    return [
        f"{processes} of {hosts}",
        f"cpu {cpu} % of a core",
        f"memory {memory}",
        f"threads {threads}",
        f"states {states}",
    ]


def columns_of(items: Sequence[Item], width: int) -> list[tuple[int, Column]]:
    """The columns that fit, each with its index among the cells, as wide as these processes need: no number is cut, and
    the name of a host takes no more room than it needs."""
    cells = [cells_of(item) for item in items]
    columns = []
    for place, column in enumerate(COLUMNS):
        if width < column.need:
            continue
        longest = max((cell_len(visible(row[place][:MOST_LOOKED_AT])) for row in cells), default=0)
        if column.is_number:
            column = replace(column, width=max(column.width, longest))
        elif column.name == "HOST":
            # The wider the screen, the more there is of a host's name; the mark of an order has its room.
            most = column.width + min(max(width - 140, 0), 24)
            column = replace(column, width=min(most, max(longest, len(column.name) + 1)))
        columns.append((place, column))
    # Numbers that are wider than usual leave room for fewer columns.
    while sum(column.width + 1 for _, column in columns) + MOST_LEFT_OUT_FOR > width:
        least = max(columns, key=lambda each: each[1].need)
        if not least[1].need:
            break
        columns.remove(least)
    return columns


def _table_head(state: ScreenState, answer: Answer | None, width: int) -> str:
    is_descending = state.order.startswith("-")
    names = []
    for _, column in columns_of(answer.items if answer else [], width):
        mark = ("▼" if is_descending else "▲") if column.sort == state.sort else ""
        names.append(_cell(mark + column.name if column.is_number else column.name + mark, column))
    return fitted_text(" ".join(names), width)


def _cell(text: str, column: Column) -> str:
    return fitted_text(text, column.width, is_number=column.is_number) if column.width else text


def _rows(state: ScreenState, answer: Answer | None, width: int, height: int) -> list[str]:
    if answer is None:
        return []
    if not answer.total:
        asked = f"{state.filters.search} {state.filters.tags}"
        said = [nothing_of(answer.meta, asked, verb="has"), *(f"hint: {hint}" for hint in hints_in(answer.meta))]
        return [fitted_text(f"  {line}", width) for text in said for line in wrapped(text, width - 2)]
    columns = columns_of(answer.items, width)
    lines = []
    for number in range(state.top, min(state.top + height, answer.total)):
        place = number - answer.offset
        if not 0 <= place < len(answer.items):
            # Scrolled faster than it is fetched.
            lines.append(DIM + fitted_text("…", width))
            continue
        item = answer.items[place]
        cells = cells_of(item)
        texts = [_cell(cells[index], column) for index, column in columns]
        line = _row(texts, width, name_of(item))
        lines.append(REVERSE + line if number == state.row else line)
    return lines


def _row(texts: Sequence[str], width: int, name: str) -> str:
    """Columns that are fitted already, and at the end a command of any length."""
    before = " ".join(texts[:-1]) + " "
    command = texts[-1]
    room = width - cell_len(before)
    if len(command) > room:
        command = program_first(command, name)
    return before + fitted_text(command, room) if room > 0 else fitted_text(before, width)


def wrapped(text: str, width: int) -> list[str]:
    """At blanks, so that no number and no word is parted that fits in a line."""
    lines = [""]
    for word in visible(text).split(" "):
        if lines[-1] and cell_len(lines[-1]) + 1 + cell_len(word) > width:
            lines.append("")
        elif lines[-1]:
            word = f" {word}"
        *full, last = chop_cells(lines[-1] + word, max(width, 1)) or [""]
        lines[-1:] = [*full, last]
    return lines


def _footer(state: ScreenState, status: str, width: int) -> str:
    if state.prompt is not None:
        # The end of what is typed is what is looked at.
        shown = visible(state.prompt)[-max(width - 12, 1) :]
        return BOLD + fitted_text(f"search: {shown}_", width)
    return BOLD + fitted_text(status, width) if status else DIM + fitted_text(HINT, width)
