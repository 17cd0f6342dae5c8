"""The lines above the table: what is shown and of when, sums, the search, meters, and the heads of the columns."""

from __future__ import annotations

from collections.abc import Sequence

from procession.cli.terminal.bars import sparkline
from procession.cli.terminal.cells import cell_len
from procession.cli.terminal.colors import Style
from procession.cli.terminal.moments import show_moment
from procession.cli.terminal.number_format import bytes_text, count_text, percent_text
from procession.cli.terminal.spans import Span, spans_len
from procession.cli.terminal.top.bar_cells import bar_width
from procession.cli.terminal.top.columns import Column
from procession.cli.terminal.top.questions import Answer
from procession.cli.terminal.top.scene import METER_HEIGHT, Scene
from procession.cli.terminal.visible_text import visible

_MODES = {"LIVE": Style.GOOD, "STOPPED": Style.BAD}


def header(scene: Scene) -> list[list[Span]]:
    state, answer, width = scene.state, scene.answer, scene.width
    mode = "LIVE" if state.is_live else "PAUSED" if state.is_paused else "PAST"
    if state.is_live and scene.status:
        # What is shown is of before the trouble.
        mode = "STOPPED"
    shown_at = state.at if state.at is not None else answer.at if answer else None
    moment = f"{show_moment(shown_at)} UTC" if shown_at is not None else ""
    title = [("procession top", Style.TITLE), (mode, _MODES.get(mode, Style.WARNING)), (moment, Style.STRONG)]
    asked = [
        (f"search: {state.filters.search}" if state.filters.search else "", Style.WARNING),
        (f"tags: {state.filters.tags}" if state.filters.tags else "", Style.WARNING),
        (f"tree of {state.tree_host}" if state.tree_host else "", Style.TITLE),
        (_cut_tree(answer), Style.WARNING),
    ]
    lines = [
        fitted_parts([*title, (scene.url, Style.FAINT)], width),
        fitted_parts(_sums(answer), width),
        separated(asked),
    ]
    if scene.size[1] >= METER_HEIGHT:
        lines.append(meters(scene))
    if state.process_id is not None:
        return [*lines, _over_the_width([("Details of a process; Esc goes back", Style.HEAD)], width)]
    return [*lines, table_head(scene)]


def separated(parts: Sequence[Span]) -> list[Span]:
    spans: list[Span] = []
    for text, style in parts:
        if text:
            spans += [("  " if spans else "", Style.PLAIN), (text, style)]
    return spans


def fitted_parts(parts: Sequence[Span], width: int) -> list[Span]:
    """As many of the parts as fit, each whole, with two blanks between them; the first is there always."""
    kept = list(parts[:1])
    taken = sum(cell_len(visible(text)) for text, _ in kept)
    for text, style in parts[1:]:
        if not text:
            continue
        taken += 2 + cell_len(visible(text))
        if taken > width:
            break
        kept.append((text, style))
    return separated(kept)


def _sums(answer: Answer | None) -> list[Span]:
    if answer is None:
        return []
    summary = answer.summary
    states = " ".join(f"{state} {count}" for state, count in sorted(summary.states.items()))
    cpu = percent_text(summary.sums["cpu_total_percent"]) or "?"
    memory = bytes_text(summary.sums["rss_bytes"]) or "?"
    threads = count_text(summary.sums["threads"]) or "?"
    processes = f"{summary.processes} process{'' if summary.processes == 1 else 'es'}"
    hosts = f"{summary.hosts} host{'' if summary.hosts == 1 else 's'}"
    texts = [
        f"{processes} of {hosts}",
        f"cpu {cpu} % of a core",
        f"memory {memory}",
        f"threads {threads}",
        f"states {states}",
    ]
    return [(text, Style.PLAIN) for text in texts]


def _cut_tree(answer: Answer | None) -> str:
    """A tree has so many processes at most as the API gives of a host."""
    left_out = answer.meta.get("left_out", 0) if answer else 0
    return f"{left_out} more are left out" if left_out else ""


def meters(scene: Scene) -> list[Span]:
    """What all of them used at the moments that were shown, next to what they use now."""
    answer = scene.answer
    if answer is None:
        return []
    half = scene.width // 2
    spans: list[Span] = []
    for label, measure, show in (("CPU", "cpu_total_percent", percent_text), ("MEM", "rss_bytes", bytes_text)):
        value = show(answer.summary.sums[measure]) or "?"
        room = max(half - len(label) - len(value) - 6, 0)
        line = sparkline(scene.history.until(answer.at, measure), room)
        style = Style.LOW if measure == "rss_bytes" else Style.MEDIUM
        spans += [(f"{label} ", Style.TITLE), ("[", Style.FAINT), (line, style), ("]", Style.FAINT)]
        spans.append((f" {value}  ", Style.STRONG))
    return spans


def table_head(scene: Scene) -> list[Span]:
    state = scene.state
    is_descending = state.order.startswith("-")
    spans: list[Span] = []
    for column in scene.columns:
        is_sorted = column.name == state.sort and state.tree_host is None
        mark = ("▼" if is_descending else "▲") if is_sorted else ""
        style = Style.SORTED_HEAD if is_sorted else Style.HEAD
        text = mark + column.title if column.is_number else column.title + mark
        spans += [("" if not spans else " ", Style.HEAD), (_filled(text, column, scene), style)]
    if state.left:
        spans.append((f"  ← {state.left}", Style.HEAD))
    return _over_the_width(spans, scene.width)


def _over_the_width(spans: list[Span], width: int) -> list[Span]:
    return [*spans, (" " * max(width - spans_len(spans), 0), Style.HEAD)]


def _filled(text: str, column: Column, scene: Scene) -> str:
    width = column.width + bar_width(column, scene.width)
    return text.rjust(width) if column.is_number else text.ljust(width)
