"""One process as lines: what it is, how it does, and who its relatives are."""

from __future__ import annotations

from typing import Any

from procession.cli.analysis import Item, command_of, command_text_of
from procession.cli.terminal import discovered
from procession.cli.terminal.cells import chop_cells
from procession.cli.terminal.colors import Style, style_of_bytes, style_of_percent
from procession.cli.terminal.moments import parse_moment
from procession.cli.terminal.number_format import bytes_text, count_text, duration_text, percent_text
from procession.cli.terminal.spans import MOST_PREFIX, Span, fitted_spans
from procession.cli.terminal.top.questions import Answer
from procession.cli.terminal.top.screen import wrapped
from procession.cli.terminal.tree_drawing import Strokes, branches
from procession.cli.terminal.visible_text import visible

TEXTS = ("exe", "cwd", "root", "comm", "container_id")
MARGIN = 14
"""The width of the names on the left."""
MOST_COMMAND = 8_192
"""How many characters of a command line are shown; `procession ps --json` has the rest."""


def detail_lines(answer: Answer, strokes: Strokes, *, width: int) -> list[list[Span]]:
    """Ready to be drawn but for their widths; empty before there is an answer."""
    if answer.details is None:
        return [[(answer.details_error, Style.BAD) if answer.details_error else ("…", Style.FAINT)]]
    item, family = answer.details.item, answer.details.family
    attributes = item["attributes"]
    numbers = attributes["numbers"]
    started_at = parse_moment(attributes["start"], 0)
    lines = _in_lines("command", chop_cells(visible(command_of(item)[:MOST_COMMAND]), max(width - MARGIN, 10)) or [""])
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
        pairs.append(("ended", f"{attributes['ended'].replace('T', ' ')}, exit code {code}{signal}{_oom(attributes)}"))
    if cost := attributes.get("cost"):
        pairs.append(("used in all", _cost_text(cost)))
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
    found = {name: text(attributes) for name, text in discovered.TEXTS.items()}
    pairs += [(name, text) for name, text in found.items() if text != discovered.UNKNOWN]
    for name, value in (*pairs, ("tags", "  ".join(attributes["tags"]))):
        lines += _in_lines(name, wrapped(str(value), max(width - MARGIN, 10)))
    lines.append([])
    if family is None:
        return [*lines, [("It was not there at this moment, so that there are no relatives.", Style.PLAIN)]]
    relatives = [*family["ancestors"], family["process"], *family["descendants"]]
    drawn = branches([one["depth"] for one in relatives], strokes)
    lines.append([(f"{'PID':>8}  {'USER':10}  {'CPU':>6}  {'RSS':>6}  RELATIVES", Style.STRONG)])
    for one, branch in zip(relatives, drawn, strict=True):
        lines.append(_relative(one, branch + ("* " if one["id"] == item["id"] else ""), width))
    return lines


def _relative(item: Item, before: str, width: int) -> list[Span]:
    attributes = item["attributes"]
    cpu, rss = (attributes["numbers"][name] for name in ("cpu_total_percent", "rss_bytes"))
    return [
        (f"{attributes['pid']:>8}  ", Style.PLAIN),
        *fitted_spans([(attributes["user"], Style.USER)], 10),
        (f"  {percent_text(cpu):>6}", style_of_percent(cpu)),
        (f"  {bytes_text(rss):>6}  ", style_of_bytes(rss)),
        *command_text_of(item, before).spans(width * MOST_PREFIX),
    ]


def _oom(attributes: dict[str, Any]) -> str:
    if not attributes.get("oom_killed"):
        return ""
    cgroup = attributes["oom_cgroup"]
    return ", OOM-killed" if cgroup is None else f", OOM-killed in {cgroup}"


def _cost_text(cost: dict[str, Any]) -> str:
    times = [cost["cpu_user_seconds"], cost["cpu_system_seconds"]]
    cpu = "?" if None in times else f"{sum(times):.2f} s"
    memory, read, written = (
        bytes_text(cost[name]) or "?" for name in ("peak_rss_bytes", "read_bytes", "written_bytes")
    )
    before = "" if cost["is_final"] else "; but for the peak up to the last snapshot"
    return f"cpu {cpu}, memory {memory} at its peak, read {read}, written {written}{before}"


def _ids(uid: int | None, gid: int | None) -> str:
    return f"uid {'?' if uid is None else uid}, gid {'?' if gid is None else gid}"


def _in_lines(name: str, pieces: list[str]) -> list[list[Span]]:
    return [
        [(f"{name if not number else '':>12}  ", Style.HOST), (piece, Style.PLAIN)]
        for number, piece in enumerate(pieces)
    ]
