"""Which monitors a reader asks for: by the filters of the list, and by the words of the search."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from procession.errors import InvalidRequest
from procession.monitors.group_state import GroupState, group_name, overall_state
from procession.monitors.monitor import Monitor
from procession.monitors.transition import State

STATUSES = {state.lower(): state for state in State}
GROUP_STATES = {"alert": State.ALERT, "warn": State.WARN, "no data": State.NO_DATA, "ok": State.OK}
MAX_SEARCH_LENGTH = 2000

_WORD = re.compile(r'(?:(\w+):)?(?:"([^"]*)"|(\S+))')


@dataclass(frozen=True, slots=True)
class MonitorWithStates:
    monitor: Monitor
    groups: tuple[GroupState, ...]

    @property
    def state(self) -> State:
        return overall_state(self.groups)

    @property
    def is_muted(self) -> bool:
        return bool(self.monitor.options["silenced"])

    @property
    def state_since(self) -> int | None:
        state = self.state
        return min((one.since for one in self.groups if one.state is state and one.since), default=None)

    @property
    def last_triggered_at(self) -> int | None:
        return max((one.last_triggered_at for one in self.groups if one.last_triggered_at), default=None)


def group_states(text: str) -> frozenset[State]:
    """From `all`, or names between commas. Raises InvalidRequest."""
    names = [name.strip().lower() for name in text.split(",") if name.strip()]
    if "all" in names:
        return frozenset(State)
    if any(name not in GROUP_STATES for name in names):
        raise InvalidRequest("Invalid group_state filters.")
    return frozenset(GROUP_STATES[name] for name in names)


def has_tags(monitor: Monitor, text: str) -> bool:
    """Whether it has all of these tags of its own, between commas."""
    wanted = {tag.strip().lower() for tag in text.split(",") if tag.strip()}
    return wanted <= {tag.lower() for tag in monitor.tags}


def is_over(monitor: Monitor, text: str) -> bool:
    """Whether its query is over all of these tags."""
    wanted = {tag.strip().lower() for tag in text.split(",") if tag.strip()}
    return wanted <= {tag.strip().lower() for tag in monitor.query.over}


def parse_monitor_search(text: str) -> Callable[[MonitorWithStates], bool]:
    """Words that all have to fit: `status:alert`, `type:process`, `tag:team:web`, `muted:true`, `id:7`, and words of
    the name. Raises InvalidRequest."""
    if len(text) > MAX_SEARCH_LENGTH:
        raise InvalidRequest(f"Query parsing error: the query is longer than {MAX_SEARCH_LENGTH} characters")
    conditions = [_condition(match[1], match[2] if match[3] is None else match[3]) for match in _WORD.finditer(text)]
    return lambda found: all(holds(found) for holds in conditions)


def _condition(field: str | None, value: str) -> Callable[[MonitorWithStates], bool]:
    folded = value.lower()
    match field:
        case "status":
            if folded not in STATUSES:
                raise InvalidRequest(f"Query parsing error: '{value}' is not a valid monitor status")
            return lambda one: one.state is STATUSES[folded]
        case "type":
            return lambda _: folded in ("process", "process alert")
        case "tag" | "tags":
            return lambda one: folded in (tag.lower() for tag in one.monitor.tags)
        case "muted":
            return lambda one: one.is_muted is (folded == "true")
        case "id":
            return lambda one: str(one.monitor.id) == value
        case "group":
            return lambda one: any(folded in group_name(state.group).lower() for state in one.groups)
        case "title" | None:
            return lambda one: folded.strip("*") in one.monitor.name.lower()
        case _:
            # A tag is a word of its own.
            whole = f"{field}:{value}".lower()
            return lambda one: whole in one.monitor.name.lower() or whole in (tag.lower() for tag in one.monitor.tags)
