"""A click -> the key that does what is meant by it."""

from __future__ import annotations

from procession.cli.terminal.top.bar_cells import bar_width
from procession.cli.terminal.top.columns import COLUMNS
from procession.cli.terminal.top.key_bar import key_at
from procession.cli.terminal.top.scene import Scene, header_lines
from procession.cli.terminal.top.screen import first_of_menu


def key_of_click(scene: Scene, column: int, line: int) -> str:
    """Both count from 0. Empty where there is nothing to click on."""
    state = scene.state
    row = line - header_lines(scene.size)
    if line == scene.size[1] - 1:
        return "" if scene.status or state.prompt is not None else key_at(column, scene.width)
    if state.has_help or state.process_id is not None:
        return ""
    if state.menu is not None:
        place = first_of_menu(state.menu_row, scene.height) + row - 1
        return f"row {place}" if row > 0 and place < len(COLUMNS) else ""
    if row == -1:
        return _head_at(scene, column)
    total = scene.answer.total if scene.answer else 0
    return f"row {state.top + row}" if row >= 0 and state.top + row < total else ""


def _head_at(scene: Scene, cell: int) -> str:
    start = 0
    for column in scene.columns:
        width = column.width + bar_width(column, scene.width) if column.name != "command" else scene.width
        if start <= cell < start + width:
            return f"sort {column.name}"
        start += width + 1
    return ""
