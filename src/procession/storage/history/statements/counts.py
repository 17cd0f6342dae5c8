"""How many processes a window holds, by host and by what they have in common: from `presence`."""

from __future__ import annotations

from procession.search.tag_filter import TagFilter
from procession.search.tree import SearchNode
from procession.storage.history.engine.statement import ShardSelect, Statement, TableNames
from procession.storage.history.statements.conditions import Where, hours_of
from procession.storage.history.statements.presence import slots_inside
from procession.storage.history.statements.search_conditions import filters_of
from procession.storage.history.tables.constants import HOUR_SECONDS, LOW_SLOTS, SLOT_SECONDS
from procession.window import Window


def whole_slots(window: Window) -> Window:
    """The ten seconds around both ends."""
    from_at = window.from_at // SLOT_SECONDS * SLOT_SECONDS
    return Window(from_at, window.to_at // SLOT_SECONDS * SLOT_SECONDS + SLOT_SECONDS - 1)


def counts(
    org_id: int, window: Window, search: SearchNode | None, tags: TagFilter, *, by_host: bool, is_past: bool
) -> Statement:
    """How many processes of the window, in `whole_slots`, fit the filters: `of_host, label_set, number`, once by
    label set with host 0 and, if wanted, once by host with label set 0. `is_past`: whether there may be sightings after
    the window."""
    filters = filters_of(org_id, search, tags)
    hours = hours_of(window)
    where = Where(org_id, filters.parameters).within(hours).there_in(window)
    seen_at = _seen_at(where, window) if is_past else "last"
    columns = ["argMax(label_set, seen_at) AS label_set"]
    if by_host or not filters.is_any:
        columns.append("any(host) AS host")
    fits = ""
    if not filters.is_any:
        columns.append("argMax(version, seen_at) AS version")
        fits = f"hour IN {where.bind('Array(UInt32)', list(hours))}"
    # Not under its own name: that would be what the condition takes for the host.
    host, groups = ("host", "GROUPING SETS ((host), (label_set))") if by_host else ("toUInt64(0)", "label_set")

    def select(names: TableNames) -> str:
        rows = (
            # What is counted is not found again by it, so that any hash will do that is fast.
            f"SELECT cityHash64(host, pid, start) AS process, host, label_set, version, {seen_at} AS seen_at"
            f" FROM {names('presence')} WHERE {where}"
        )
        newest = f"SELECT {', '.join(columns)} FROM ({rows}) GROUP BY process"
        condition = fits and (
            f" WHERE (host, version) IN (SELECT host, version FROM {names('descriptions')}"
            f" WHERE org = {{org:UInt32}} AND {fits} AND {filters.condition.text(names)})"
        )
        return f"SELECT {host} AS of_host, label_set, count() AS number FROM ({newest}){condition} GROUP BY {groups}"

    numbers = ShardSelect(select)
    return Statement(numbers.text, where.parameters, numbers)


def _seen_at(where: Where, window: Window) -> str:
    """Where the newest sighting in the window lies, to order versions by: its moment, or the end of its slot. Leaves
    out who was seen before and after the window only."""
    inside = slots_inside(window)
    low = f"bitAnd(low_slots, {where.bind('UInt256', inside.low)})"
    high = f"bitAnd(high_slots, {where.bind('UInt128', inside.high)})"
    until, last_hour = where.bind("Int64", window.to_at), where.bind("UInt32", window.to_at // HOUR_SECONDS)
    where.matches(f"(last <= {until} OR {low} != 0 OR {high} != 0)")
    slot = f"if({high} != 0, {_top_bit(high)} + {LOW_SLOTS}, {_top_bit(low)})"
    end_of_slot = f"toUInt32({last_hour} * {HOUR_SECONDS} + {SLOT_SECONDS} * {slot} + {SLOT_SECONDS - 1})"
    return f"if(last <= {until}, last, {end_of_slot})"


def _top_bit(value: str) -> str:
    """Without what lies below its first gap, since a long run of ones would round up as a float."""
    return f"toUInt32(floor(log2(toFloat64(bitAnd({value}, bitNot(bitShiftRight({value}, 1)))))))"
