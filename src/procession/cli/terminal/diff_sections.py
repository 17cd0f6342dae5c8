"""A comparison as text: which sides, what started, what ended, what changed, and how much is the same. Of two hosts or
two groups nothing started or ended: it is only on one of them.

Each line of a section begins with `+`, `-` or `~`, so that another program may take out what it wants.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from procession.cli.analysis import UNREAD, Item, command_text_of, name_of
from procession.cli.terminal import discovered
from procession.cli.terminal.colors import Style, depth_of_output, painted, style_of_bytes, style_of_percent
from procession.cli.terminal.moments import show_moment
from procession.cli.terminal.number_format import bytes_text, percent_text
from procession.cli.terminal.tables import print_table
from procession.cli.terminal.visible_text import visible

PROCESS_HEADERS = ("", "HOST", "PID", "USER", "STARTED", "CPU", "RSS", "COMMAND")
CHANGE_HEADERS = ("", "HOST", "PID", "COMMAND", "FIELD", "VALUE")
GROUP_HEADERS = ("", "COUNT", "CPU", "RSS", "COMMAND")
GROUP_CHANGE_HEADERS = ("", "BEFORE", "AFTER", "CPU", "RSS", "COMMAND")
NUMBERS = ("PID", "CPU", "RSS", "COUNT", "BEFORE", "AFTER")


def print_sections(answer: dict[str, Any], labels: Sequence[str], only: Sequence[str] = ()) -> None:
    """`labels`: what each side is of; `only`: what is said of a process that only one of them has, if they are not the
    same at two moments."""
    depth = depth_of_output()
    meta = answer["meta"]
    for sign, side, label in (("---", meta["left"], labels[0]), ("+++", meta["right"], labels[1])):
        parts = [show_moment(side["at"]), visible(label), _counted(side["total"], "process", "processes")]
        print(painted(f"{sign} {'  '.join(filter(None, parts))}", Style.STRONG, depth))
    are_processes = meta["match"] == "process"
    noun = ("process", "processes") if are_processes else (f"{meta['match']}", f"{meta['match']}s")
    headers = PROCESS_HEADERS if are_processes else GROUP_HEADERS
    for name, sign in (("started", "+"), ("ended", "-")):
        rows = [_process_row(sign, one) if are_processes else _group_row(sign, one, meta) for one in answer[name]]
        word = visible(only[0 if name == "ended" else 1]) if only else name
        _print_section(f"{_counted(meta[name], *noun)} {word}", headers, rows)
    if are_processes:
        changes = [row for change in answer["changed"] for row in _changes_of(change)]
        _print_section(f"{_counted(meta['changed'], *noun)} changed", CHANGE_HEADERS, changes)
    else:
        changes = [_group_change_row(change, meta) for change in answer["changed"]]
        _print_section(f"{_counted(meta['changed'], *noun)} in another number", GROUP_CHANGE_HEADERS, changes)
    print(f"\n{_counted(meta['same'], *noun)} the same")


def _print_section(title: str, headers: Sequence[str], rows: Sequence[tuple[object, ...]]) -> None:
    print("\n" + painted(title, Style.TITLE, depth_of_output()))
    if rows:
        print_table(headers, rows, numbers=NUMBERS)


def _process_row(sign: str, item: Item) -> tuple[object, ...]:
    attributes = item["attributes"]
    numbers = attributes["numbers"]
    return (
        sign,
        attributes["host"],
        attributes["pid"],
        attributes["user"],
        attributes["start"].replace("T", " "),
        *_styled(numbers["cpu_total_percent"], numbers["rss_bytes"]),
        command_text_of(item),
    )


def _group_row(sign: str, group: dict[str, Any], meta: dict[str, Any]) -> tuple[object, ...]:
    return (sign, group["count"], *_sums(group), _value(group["value"], meta["match"]))


def _group_change_row(change: dict[str, Any], meta: dict[str, Any]) -> tuple[object, ...]:
    before, after = change["before"], change["after"]
    return ("~", before["count"], after["count"], *_sums(after), _value(change["value"], meta["match"]))


def _changes_of(change: dict[str, Any]) -> list[tuple[object, ...]]:
    """For each field a line with what it was and one with what it is; of tags, only those that came or went."""
    before, after = change["before"]["attributes"], change["after"]["attributes"]
    commands = [name_of(change[side]) or UNREAD for side in ("before", "after")]
    rows: list[tuple[object, ...]] = []
    for field in change["fields"]:
        old, new = before.get(field, ""), after.get(field, "")
        if field == "command":
            # Of the attributes it is a tag.
            values = list(zip("-+", commands, strict=True))
        elif field == "tags":
            values = [("-", tag) for tag in old if tag not in new] + [("+", tag) for tag in new if tag not in old]
        elif field in discovered.TEXTS:
            values = [("-", discovered.TEXTS[field](before)), ("+", discovered.TEXTS[field](after))]
        else:
            values = [("-", old), ("+", new)]
        rows += [(f"~{sign}", after["host"], after["pid"], commands[1], field, value) for sign, value in values]
    return rows


def _sums(group: dict[str, Any]) -> tuple[tuple[str, Style], ...]:
    numbers = group["numbers"]
    return _styled(numbers["cpu_total_percent"]["sum"], numbers["rss_bytes"]["sum"])


def _styled(cpu: float | None, rss: float | None) -> tuple[tuple[str, Style], ...]:
    return (percent_text(cpu), style_of_percent(cpu)), (bytes_text(rss), style_of_bytes(rss))


def _value(value: str | None, match: str) -> str:
    if value is None:
        return "(none)"
    # A process may have no command line, but for a name it has to have been read.
    return value or (UNREAD if match == "command" else "(empty)")


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
