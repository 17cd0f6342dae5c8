"""A view and an answer -> the lines of a screen. Everything that a stranger named goes through `fitted_text`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from procession.cli.figures import bytes_text, count_text, percent_text
from procession.cli.fleet import Item, command_of
from procession.cli.moments import show_moment
from procession.cli.terminal import visible
from procession.cli.top_questions import Answer
from procession.cli.top_view import Surroundings, View

# No colours: these are seen on every background, and by everybody.
BOLD, REVERSE, DIM = "\x1b[1m", "\x1b[7m", "\x1b[2m"

HEADER_LINES = 4
FOOTER_LINES = 1
MOST_PREFIX = 4
"""So many characters for each column of the screen are looked at: a text may have a megabyte, and characters that take
no room at all."""

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
    """Made visible, and filled or cut to so many columns of the screen."""
    from rich.cells import cell_len, set_cell_size

    text = visible(text[: width * MOST_PREFIX])
    if cell_len(text) > width:
        return set_cell_size(text, width - 1) + "…" if width > 1 else set_cell_size(text, max(width, 0))
    return " " * (width - cell_len(text)) + text if is_number else set_cell_size(text, width)


def screen(
    view: View,
    answer: Answer | None,
    status: str,
    *,
    size: tuple[int, int],
    around: Surroundings,
    details: Sequence[str],
    url: str,
) -> list[str]:
    """As many lines as the screen has, each exactly as wide."""
    width, height = size
    lines = _header(view, answer, width, url)
    if view.has_help:
        lines += [fitted_text(line, width) for line in HELP.splitlines()]
    elif view.process_id is not None:
        lines[-1] = REVERSE + fitted_text("Details of a process; Esc goes back", width)
        lines += [fitted_text(line, width) for line in details[view.detail_top : view.detail_top + around.height]]
    else:
        lines += _rows(view, answer, width, around.height)
    blank = [" " * width] * max(height - FOOTER_LINES - len(lines), 0)
    footer = _footer(view, status, width)
    return [*[*lines, *blank][: max(height - FOOTER_LINES, 0)], footer][-height:]


def _header(view: View, answer: Answer | None, width: int, url: str) -> list[str]:
    mode = "LIVE" if view.is_live else "PAUSED" if view.is_paused else "PAST"
    shown_at = view.at if view.at is not None else answer.at if answer else None
    moment = f"{show_moment(shown_at)} UTC" if shown_at is not None else ""
    lines = [BOLD + fitted_text(f"procession top  {mode}  {moment}  {url}", width)]
    lines.append(fitted_text(_sums(answer), width))
    chosen = [f"search: {view.filters.search}" if view.filters.search else "", f"tags: {view.filters.tags}"]
    lines.append(fitted_text("  ".join(chosen if view.filters.tags else chosen[:1]), width))
    lines.append(REVERSE + _table_head(view, width))
    return lines


def _sums(answer: Answer | None) -> str:
    if answer is None:
        return ""
    summary = answer.summary
    states = " ".join(f"{state} {count}" for state, count in sorted(summary.states.items()))
    cpu = percent_text(summary.sums["cpu_total_percent"]) or "?"
    memory = bytes_text(summary.sums["rss_bytes"]) or "?"
    threads = count_text(summary.sums["threads"]) or "?"
    processes = f"{summary.processes} process{'' if summary.processes == 1 else 'es'}"
    hosts = f"{summary.hosts} host{'' if summary.hosts == 1 else 's'}"
    return f"{processes} of {hosts}  cpu {cpu} % of a core  memory {memory}  threads {threads}  states {states}"


def _columns(width: int) -> list[tuple[int, Column]]:
    return [(number, column) for number, column in enumerate(COLUMNS) if width >= column.need]


def _table_head(view: View, width: int) -> str:
    is_descending = view.order.startswith("-")
    names = []
    for _, column in _columns(width):
        mark = ("▼" if is_descending else "▲") if column.sort == view.sort else ""
        names.append(_cell(mark + column.name if column.is_number else column.name + mark, column, width))
    return fitted_text(" ".join(names), width)


def _cell(text: str, column: Column, width: int) -> str:
    if not column.width:
        return text
    # The wider the screen, the more there is of a host's name.
    extra = min(max(width - 140, 0), 24) if column.name == "HOST" else 0
    return fitted_text(text, column.width + extra, is_number=column.is_number)


def _rows(view: View, answer: Answer | None, width: int, height: int) -> list[str]:
    if answer is None:
        return []
    if not answer.total:
        about = "nothing was found" if view.filters.search or view.filters.tags else "no host has sent anything"
        return [fitted_text(f"  {about} in the minute before {show_moment(answer.at)}", width)]
    lines = []
    for number in range(view.top, min(view.top + height, answer.total)):
        place = number - answer.offset
        if not 0 <= place < len(answer.items):
            # Scrolled faster than it is fetched.
            lines.append(DIM + fitted_text("…", width))
            continue
        cells = cells_of(answer.items[place])
        texts = [_cell(cells[index], column, width) for index, column in _columns(width)]
        line = _row(texts, width)
        lines.append(REVERSE + line if number == view.row else line)
    return lines


def _row(texts: Sequence[str], width: int) -> str:
    """Columns that are fitted already, and at the end a command of any length."""
    before = " ".join(texts[:-1]) + " "
    from rich.cells import cell_len

    room = width - cell_len(before)
    return before + fitted_text(texts[-1], room) if room > 0 else fitted_text(before, width)


def _footer(view: View, status: str, width: int) -> str:
    if view.prompt is not None:
        # The end of what is typed is what is looked at.
        shown = visible(view.prompt)[-max(width - 12, 1) :]
        return BOLD + fitted_text(f"search: {shown}_", width)
    return BOLD + fitted_text(status, width) if status else DIM + fitted_text(HINT, width)
