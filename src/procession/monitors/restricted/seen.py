"""What a reader may see of monitors.

A monitor counts all processes of its org that fit its query. So who may see some of them sees those monitors that
count no others, by what their queries say, and all others are hidden as a whole.
"""

from __future__ import annotations

import dataclasses

import msgspec

from procession.accounts.visibility import Visibility
from procession.errors import InvalidRequest
from procession.monitors.evaluation import TIMED_OUT
from procession.monitors.evaluator import AGENT_SILENT, HOST_GONE, NOT_COUNTED, PROCESS_GONE
from procession.monitors.group_state import GroupState
from procession.monitors.listing import MonitorWithStates
from procession.monitors.monitor import Monitor
from procession.monitors.query import parse_monitor_query
from procession.monitors.transition import Transition

_REASONS = {
    PROCESS_GONE: PROCESS_GONE,
    HOST_GONE: PROCESS_GONE,  # when a host was booted, its hidden processes tell as well
    AGENT_SILENT: AGENT_SILENT,
    TIMED_OUT: TIMED_OUT,
}
_SOME_NOT_COUNTED = f"silent hosts are {NOT_COUNTED}"


def may_see(visibility: Visibility, monitor: Monitor) -> bool:
    if not visibility.restriction.kinds:
        return True
    if not _may_see_query(visibility, monitor.query_text):
        return False
    # Hosts that are expected by their own tags may have no process that the reader may see.
    return visibility.has_all_rows or not monitor.rules.expects_tagged_hosts


def seen_monitor(visibility: Visibility, found: MonitorWithStates) -> MonitorWithStates | None:
    """That which the reader may see of it; None where that is nothing."""
    if not visibility.restriction.kinds:
        return found
    if not may_see(visibility, found.monitor):
        return None
    # An evaluation that goes on while the query is changed may note groups of what it was.
    groups = tuple(one for one in found.groups if one.query_hash == found.monitor.query_hash)
    if not visibility.has_all_rows:
        had_processes = (one for one in groups if not one.group or one.is_present or one.last_seen_at is not None)
        groups = tuple(map(_without_other_hosts, had_processes))
    return MonitorWithStates(found.monitor, groups)


def seen_transition(visibility: Visibility, monitor: Monitor, one: Transition) -> Transition | None:
    """Of a monitor that the reader may see now. Its query and its options may have been others then."""
    if not visibility.restriction.kinds:
        return one
    if not _may_see_query(visibility, one.query):
        return None
    if visibility.has_all_rows:
        return one
    is_of_before = one.at <= monitor.modified_at // 1_000_000
    may_be_of_a_tagged_host = is_of_before and not one.processes and any(key == "host" for key, _ in one.group)
    return None if may_be_of_a_tagged_host else dataclasses.replace(one, reason=_of_seen_hosts(one.reason))


def _may_see_query(visibility: Visibility, text: str) -> bool:
    try:
        query = parse_monitor_query(text)
    except InvalidRequest:
        return False  # of another version
    return visibility.covers(query.search, query.tags, query.by)


def _without_other_hosts(state: GroupState) -> GroupState:
    return msgspec.structs.replace(state, reason=_of_seen_hosts(state.reason))


def _of_seen_hosts(reason: str) -> str:
    """Without what is said of the org as a whole: how many hosts are silent, or why it is too much to look at."""
    said, _, _ = reason.partition("; ")
    if reason.endswith(NOT_COUNTED):
        gone = _REASONS.get(said, "")
        return f"{gone}; {_SOME_NOT_COUNTED}" if gone else _SOME_NOT_COUNTED
    return _REASONS.get(reason, "")
