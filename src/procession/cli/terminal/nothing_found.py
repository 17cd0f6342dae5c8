"""What is said where an answer shows no process: whether anything is known at all, and what may have been meant."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from procession.cli.terminal.moments import show_moment
from procession.cli.terminal.visible_text import visible


def nothing_of(meta: Mapping[str, Any], asked: str, *, verb: str = "had") -> str:
    """`meta`, as the API has it, is of an instant or a window without a process; `asked` is the search and the tags."""
    when = f" in the minute before {show_moment(meta['at'])}" if "at" in meta else " in this window"
    if is_known(meta):
        return f"nothing found{when}"
    what = "moment" if "at" in meta else "window"
    # Where hosts are named, nothing is known of those, whatever others do.
    hosts = "no host that is asked for" if "host:" in asked.lower() else "no host"
    return f"nothing is known of this {what}: {hosts} {verb} sent anything{when}"


def is_known(meta: Mapping[str, Any]) -> bool:
    """Whether any host told of its processes. Servers of before did not say."""
    return bool(meta.get("known", True))


def hints_in(meta: Mapping[str, Any]) -> Sequence[str]:
    hints = meta.get("hints")
    return [visible(str(hint)) for hint in hints] if isinstance(hints, list) else []


def say_nothing_found(meta: Mapping[str, Any], asked: str) -> None:
    print(f"procession: {nothing_of(meta, asked)}", file=sys.stderr)
    say_hints(meta)


def say_hints(meta: Mapping[str, Any]) -> None:
    for hint in hints_in(meta):
        print(f"procession: hint: {hint}", file=sys.stderr)
