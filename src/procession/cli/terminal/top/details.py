"""One process as lines: what it is, how it does, and who its relatives are."""

from __future__ import annotations

from procession.cli.analysis import command_of
from procession.cli.commands.tree import row_of
from procession.cli.terminal.cells import chop_cells
from procession.cli.terminal.moments import parse_moment
from procession.cli.terminal.number_format import bytes_text, count_text, duration_text, percent_text
from procession.cli.terminal.top.questions import Answer
from procession.cli.terminal.top.screen import wrapped
from procession.cli.terminal.tree_drawing import Strokes, branches
from procession.cli.terminal.visible_text import visible

TEXTS = ("exe", "cwd", "root", "comm", "container_id")
MARGIN = 14
"""The width of the names on the left."""
MOST_COMMAND = 8_192
"""How many characters of a command line are shown; `procession ps --json` has the rest."""


def detail_lines(answer: Answer, strokes: Strokes, *, width: int) -> list[str]:
    """Ready to be drawn but for their widths; empty before there is an answer."""
    if answer.details is None:
        return [visible(answer.details_error)] if answer.details_error else ["…"]
    item, family = answer.details.item, answer.details.family
    attributes = item["attributes"]
    numbers = attributes["numbers"]
    started_at = parse_moment(attributes["start"], 0)
    lines = _wrapped("command", visible(command_of(item)[:MOST_COMMAND]), width)
    pairs = [
        ("host", attributes["host"]),
        ("pid", f"{attributes['pid']}, parent {attributes['ppid']}"),
        ("user", f"{attributes['user']} ({_ids(attributes['uid'], attributes['gid'])})"),
        ("started", f"{attributes['start'].replace('T', ' ')}, {duration_text(answer.at - started_at)} before"),
        ("seen", attributes["timestamp"].replace("T", " ")),
    ]
    if attributes["ended"]:
        code = "unknown" if attributes["exit_code"] is None else str(attributes["exit_code"])
        signal = f" {attributes['signal']}" if attributes["signal"] else ""
        pairs.append(("ended", f"{attributes['ended'].replace('T', ' ')}, exit code {code}{signal}"))
    pairs += [(name.replace("_", " "), attributes[name]) for name in TEXTS if attributes[name]]
    pairs += [
        (
            "cpu",
            "{} % of a core (user {}, system {})".format(
                *(percent_text(numbers[f"cpu_{name}_percent"]) or "?" for name in ("total", "user", "system"))
            ),
        ),
        (
            "memory",
            "  ".join(
                f"{name} {bytes_text(numbers[f'{name}_bytes']) or '?'}" for name in ("rss", "vms", "shared", "swap")
            ),
        ),
        ("threads", f"{count_text(numbers['threads']) or '?'}, open files {count_text(numbers['open_files']) or '?'}"),
        (
            "I/O",
            "read {}/s, write {}/s".format(
                *(bytes_text(numbers[f"{name}_bytes_per_second"]) or "?" for name in ("read", "write"))
            ),
        ),
        ("state", f"{numbers['state'] or '?'}, nice {'?' if attributes['nice'] is None else attributes['nice']}"),
    ]
    for name, value in (*pairs, ("tags", "  ".join(attributes["tags"]))):
        lines += _in_lines(name, wrapped(str(value), max(width - MARGIN, 10)))
    lines.append("")
    if family is None:
        return [*lines, "It was not there at this moment, so that there are no relatives."]
    relatives = [*family["ancestors"], family["process"], *family["descendants"]]
    drawn = branches([one["depth"] for one in relatives], strokes)
    lines.append(f"{'PID':>8}  {'USER':10}  {'CPU':>6}  {'RSS':>6}  RELATIVES")
    for one, branch in zip(relatives, drawn, strict=True):
        cells = row_of(one, branch, mark="* " if one["id"] == item["id"] else "")
        pid, user, cpu, rss, command = (visible(str(cell)[: width * 4]) for cell in cells)
        lines.append(f"{pid:>8}  {user[:10]:10}  {cpu:>6}  {rss:>6}  {command}")
    return lines


def _ids(uid: int | None, gid: int | None) -> str:
    return f"uid {'?' if uid is None else uid}, gid {'?' if gid is None else gid}"


def _wrapped(name: str, text: str, width: int) -> list[str]:
    """In as many lines as it takes."""
    return _in_lines(name, chop_cells(text, max(width - MARGIN, 10)) or [""])


def _in_lines(name: str, pieces: list[str]) -> list[str]:
    return [f"{name if not number else '':>12}  {piece}" for number, piece in enumerate(pieces)]
