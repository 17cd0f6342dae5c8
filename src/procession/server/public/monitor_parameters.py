"""Which monitors a request asks for, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from procession.errors import InvalidRequest, NotFound
from procession.monitors.listing import MonitorWithStates, has_tags, is_over
from procession.text.whole_number import whole_number

MAX_ID = 2**53 - 1
"""Clients in JavaScript can read no greater one."""
MAX_PAGE_SIZE = 1000
_TRUE = ("true", "1")


def is_true(parameters: Mapping[str, str], name: str) -> bool:
    return parameters.get(name) in _TRUE


def monitor_ids(parameters: Mapping[str, str]) -> list[int]:
    """Of `monitor_ids`. Raises NotFound for what is no id."""
    numbers = [whole_number(text) for text in parameters.get("monitor_ids", "").split(",")]
    if None in numbers:
        raise NotFound("Monitor not found")
    return [number for number in numbers if number is not None]


def fits(found: MonitorWithStates, parameters: Mapping[str, str]) -> bool:
    monitor = found.monitor
    return (
        parameters.get("name", "").lower() in monitor.name.lower()
        and is_over(monitor, parameters.get("tags", ""))
        and has_tags(monitor, parameters.get("monitor_tags", ""))
    )


def list_page(parameters: Mapping[str, str]) -> tuple[int, int | None, int]:
    """The first one, how many, and the id after which they begin."""
    after = _number(parameters, "id_offset", 0, 0, MAX_ID)
    size = _number(parameters, "page_size", 100, 1, MAX_PAGE_SIZE)
    if "page" not in parameters:
        return 0, size if "id_offset" in parameters else None, after
    return _number(parameters, "page", 0, 0, 10**9) * size, size, after


def search_page(parameters: Mapping[str, str]) -> tuple[int, int]:
    return _number(parameters, "page", 0, 0, 10**9), _number(parameters, "per_page", 30, 1, MAX_PAGE_SIZE)


def in_order(found: list[MonitorWithStates], parameters: Mapping[str, str]) -> list[MonitorWithStates]:
    """As `sort` says."""
    column, _, direction = parameters.get("sort", "").partition(",")
    keys: dict[str, Callable[[MonitorWithStates], Any]] = {
        "name": lambda one: one.monitor.name.lower(),
        "status": lambda one: str(one.state),
        "tags": lambda one: one.monitor.tags,
    }
    return sorted(found, key=keys.get(column, keys["name"]), reverse=direction == "desc")


def _number(parameters: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    if name not in parameters:
        return default
    number = whole_number(parameters[name])
    if number is None or not least <= number <= most:
        raise InvalidRequest(f"The value provided for parameter '{name}' is invalid")
    return number
