"""A scene -> the lines of a screen. What a stranger named goes through `fitted_spans`."""

from __future__ import annotations

from collections.abc import Sequence

from procession.cli.analysis import Item, command_text_of
from procession.cli.terminal.cells import cell_len, chop_cells
from procession.cli.terminal.colors import Style
from procession.cli.terminal.nothing_found import hints_in, nothing_of
from procession.cli.terminal.spans import MOST_PREFIX, Span, drawn, fitted_spans, spans_len
from procession.cli.terminal.top.bar_cells import bar_of
from procession.cli.terminal.top.columns import COLUMNS, USUAL, Column
from procession.cli.terminal.top.header import header
from procession.cli.terminal.top.key_bar import key_bar
from procession.cli.terminal.top.questions import Answer
from procession.cli.terminal.top.scene import FOOTER_LINES, Scene
from procession.cli.terminal.top.screen_state import Menu
from procession.cli.terminal.visible_text import visible

MOST_SIDEWAYS = 8_192
"""How many cells of a command can be seen; `procession ps --json` has the rest."""

HELP = """\
P M T             sort by cpu, memory, running time; the same key again reverses
r w p n h u       sort by bytes read, bytes written, pid, command, host, user
s < >  I          menu of all columns to sort by; the next column; reverse
/                 filter as you type; Enter keeps it, Esc leaves it as it was
t                 tree of the chosen process's host, and back
C                 choose columns; they are kept
up down           choose a process; PageUp, PageDown, Home and End go further
left right        see more of the commands
Enter             details of the chosen process; Esc goes back
Space             pause, and go on
, .  [ ]          10 seconds, 10 minutes back and forth in time
l                 back to what is live
q Esc             quit

The mouse works on rows, heads of columns and the keys below.
F1 F2 F3 F5 F6 F10: help, columns, filter, tree, sort, quit.

Any key goes back."""


def screen(scene: Scene) -> list[str]:
    """The lines of the whole screen, each as wide as the screen."""
    state, (width, height) = scene.state, scene.size
    lines = header(scene)
    if state.has_help:
        lines += [[(line, Style.PLAIN)] for line in HELP.splitlines()]
    elif state.menu is not None:
        lines += _menu(scene, state.menu)
    elif state.process_id is not None:
        lines += [list(line) for line in scene.details[state.detail_top : state.detail_top + scene.height]]
    else:
        lines += _rows(scene)
    most = max(height - FOOTER_LINES, 0)
    blank: list[list[Span]] = [[] for _ in range(most - len(lines))]
    shown = [*[*lines, *blank][:most], _footer(scene)][-height:]
    return [drawn(fitted_spans(line, width), scene.depth) for line in shown]


def _rows(scene: Scene) -> list[list[Span]]:
    state, answer = scene.state, scene.answer
    if answer is None:
        return []
    if not answer.total:
        asked = f"{state.filters.search} {state.filters.tags}"
        said = [nothing_of(answer.meta, asked, verb="has"), *(f"hint: {hint}" for hint in hints_in(answer.meta))]
        return [[(f"  {line}", Style.PLAIN)] for text in said for line in wrapped(text, scene.width - 2)]
    columns = scene.columns
    lines: list[list[Span]] = []
    for number in range(state.top, min(state.top + scene.height, answer.total)):
        place = number - answer.offset
        if not 0 <= place < len(answer.items):
            # Scrolled faster than it is fetched.
            lines.append([("…", Style.FAINT)])
            continue
        line = _row(scene, answer, place, columns)
        lines.append(_chosen(line, scene.width) if number == state.row else line)
    return lines


def _chosen(line: Sequence[Span], width: int) -> list[Span]:
    text = "".join(text for text, _ in fitted_spans(line, width))
    return [(text, Style.CHOSEN)]


def _row(scene: Scene, answer: Answer, place: int, columns: Sequence[Column]) -> list[Span]:
    item = answer.items[place]
    line: list[Span] = []
    for column in columns[:-1]:
        cells = bar_of(column, item, answer.summary.greatest_rss, scene.width)
        text, style = column.text(item, answer.at)
        text = visible(text[: scene.width * MOST_PREFIX])
        if column.is_number:
            text = " " * (column.width - cell_len(text)) + text
        line += [*cells, *fitted_spans([(text, style)], column.width), (" ", Style.PLAIN)]
    room = scene.width - spans_len(line)
    return [*line, *_command(item, answer, place, room, scene.state.left)] if room > 0 else line


def _command(item: Item, answer: Answer, place: int, room: int, left: int) -> list[Span]:
    """The branches of a tree stay where they are."""
    before = answer.branches[place] if answer.branches else ""
    spans = command_text_of(item, before).spans((room + left) * MOST_PREFIX)
    branch = spans[:1] if left == 0 else fitted_spans(spans[:1], min(cell_len(before), room)) if before else []
    rest = max(room - cell_len(before), 0)
    return [*branch, *fitted_spans(spans[1:], rest, skip=left)]


def longest_command(scene: Scene) -> int:
    """How many cells the longest of the shown commands has, up to what may be seen of it."""
    answer, state = scene.answer, scene.state
    if answer is None:
        return 0
    shown = answer.items[max(state.top - answer.offset, 0) :][: scene.height]
    return max((min(spans_len(command_text_of(item).spans(MOST_SIDEWAYS)), MOST_SIDEWAYS) for item in shown), default=0)


def _menu(scene: Scene, menu: Menu) -> list[list[Span]]:
    """All columns, as far as they fit, around the one that is pointed at."""
    state = scene.state
    titles = {
        Menu.SORT: "Sort by (Enter chooses, Esc goes back)",
        Menu.COLUMNS: "Columns (Space puts one in or out, d the defaults, Enter goes back)",
    }
    lines: list[list[Span]] = [[(titles[menu], Style.TITLE)]]
    first = first_of_menu(state.menu_row, scene.height)
    shown_names = state.columns or USUAL
    for number, column in list(enumerate(COLUMNS))[first : first + scene.height - 1]:
        is_on = column.name == state.sort if menu is Menu.SORT else column.name in shown_names
        box = ("* " if is_on else "  ") if menu is Menu.SORT else f"[{'x' if is_on else ' '}] "
        line: list[Span] = [
            (f" {box}", Style.GOOD if is_on else Style.FAINT),
            (f"{column.title:10}", Style.STRONG),
            (f" {column.about}", Style.PLAIN),
        ]
        lines.append(_chosen(line, scene.width) if number == state.menu_row else line)
    return lines


def first_of_menu(row: int, height: int) -> int:
    """The first column that is listed; the title takes a line."""
    return max(row - max(height - 1, 1) + 1, 0)


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


def _footer(scene: Scene) -> list[Span]:
    state, status = scene.state, scene.status
    if state.prompt is not None:
        # The end of what is typed is what is looked at.
        shown = visible(state.prompt)[-max(scene.width - 12, 1) :]
        return [(f"search: {shown}_", Style.STRONG), (f"  {status}" if status else "", Style.BAD)]
    return [(status, Style.BAD)] if status else key_bar(scene.width)
