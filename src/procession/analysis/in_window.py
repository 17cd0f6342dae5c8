"""The processes of a window one by one: those that run and those that have ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from procession.analysis.selection import MEASURES, Order
from procession.lifecycle.signals import signal_number, signal_of
from procession.process import ProcessDetail, ProcessKey, ProcessSummary
from procession.search.pattern import fold

ENDING_KEYS = ("ended", "exit_code", "signal")
"""What processes of a window are also counted by, besides their tags: how they ended."""

OOM = "oom"
"""The value of `ended` of a process that the OOM killer ended, besides `true`."""


class ProcessInWindow(msgspec.Struct, frozen=True):
    """A process at its newest sighting in a window, and how it has ended by the end of that."""

    process: ProcessSummary
    detail: ProcessDetail


@dataclass(frozen=True, slots=True)
class WindowPage:
    """A page of the processes of a window, in any order."""

    total: int
    """How many processes there are on all pages."""
    processes: tuple[ProcessInWindow, ...]
    is_known: bool


def in_order(processes: list[ProcessInWindow], order: Order) -> list[ProcessInWindow]:
    by_key = sorted(processes, key=lambda one: ProcessKey.of(one.process.identity))
    values = {id(one): sort_value(one, order) for one in by_key}
    known = [one for one in by_key if values[id(one)] is not None]
    known.sort(key=lambda one: values[id(one)], reverse=order.is_descending)
    return [*known, *(one for one in by_key if values[id(one)] is None)]


def sort_value(one: ProcessInWindow, order: Order) -> Any:
    """What it is sorted by; None where it is not known, or empty."""
    process, detail, column = one.process, one.detail, order.column
    if (key := order.tag_key) is not None:
        value: Any = min(tag_values(process, key), default="")
    elif column in MEASURES or column == "state":
        value = getattr(detail.numbers, column)
    elif column in ("pid", "host"):
        value = getattr(process.identity, column)
    elif column == "start":
        value = process.identity.started_at
    elif column == "timestamp":
        value = process.seen_at
    elif column == "ended":
        value = detail.ended_at
    elif column == "lifetime":
        value = None if detail.ended_at is None else max(0, detail.ended_at - process.identity.started_at)
    elif column == "exit_code":
        value = detail.exit_code
    elif column == "signal":
        value = None if detail.exit_code is None else signal_number(detail.exit_code)
    else:
        value = getattr(process.description, "group_name" if column == "group" else column)
    return None if value in ("", ()) else value


def tag_values(process: ProcessSummary, key: str) -> set[str]:
    """`key` is folded."""
    if key == "host":
        return {process.identity.host}
    pairs = (tag.partition(":") for tag in process.all_tags)
    return {value for name, colon, value in pairs if colon and fold(name) == key}


def ending_values(key: str, detail: ProcessDetail) -> tuple[str, ...]:
    """What a process has of one of ENDING_KEYS."""
    if key == "ended":
        if detail.ended_at is None:
            return ("false",)
        return ("true", OOM) if detail.exit_facts.oom_killed else ("true",)
    if detail.exit_code is None:
        return ()
    return (str(detail.exit_code),) if key == "exit_code" else ending_signal(detail.exit_code)


def ending_signal(exit_code: int) -> tuple[str, ...]:
    name = signal_of(exit_code)
    return () if name is None else (name,)
