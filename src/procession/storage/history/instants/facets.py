"""How many processes have which values of a tag key: in a window or at an instant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from procession.analysis import Facets, Selection, TagCompletion, ValueCount
from procession.search.pattern import fold
from procession.storage.history.instants.columns.label_sets import LabelSets
from procession.storage.history.instants.label_counts import HOST, facets_of
from procession.storage.history.instants.query_context import QueryContext
from procession.storage.history.statements.counts import counts, whole_slots
from procession.window import Window


def facets(
    context: QueryContext, selection: Selection, when: Window | int, keys: Sequence[str], limit: int, prefix: str
) -> Facets:
    window = whole_slots(when) if isinstance(when, Window) else None
    folded = [fold(key) for key in keys]
    counted = _counted(context, selection, when if window is None else window, by_host=HOST in folded)
    if window is not None and not counted.is_known and context.is_known(selection, window):
        # What something is known of by now may have come since.
        counted = replace(_counted(context, selection, window, by_host=HOST in folded), is_known=True)
    found = facets_of(folded, counted.hosts, counted.label_sets, counted.counts, limit=limit, prefix=prefix)
    return Facets(counted.total, window, found, counted.is_known)


def completion(context: QueryContext, window: Window, prefix: str, limit: int) -> TagCompletion:
    key, separator, start = prefix.partition(":")
    by_host = not separator or fold(key) == HOST
    slots = whole_slots(window)
    counted = _counted(context, Selection(context.org_id), slots, by_host=by_host)
    if separator:
        (facet,) = facets_of([fold(key)], counted.hosts, counted.label_sets, counted.counts, limit=limit, prefix=start)
        return TagCompletion((), facet.values)
    of_keys = counted.label_sets.keys(counted.counts)
    if counted.hosts:
        of_keys[HOST] = sum(counted.hosts.values())
    keys = [(name, count) for name, count in of_keys.items() if name.startswith(fold(prefix))]
    keys.sort(key=lambda item: (-item[1], item[0]))
    return TagCompletion(tuple(ValueCount(*item) for item in keys[:limit]), ())


@dataclass(frozen=True, slots=True)
class _Counted:
    hosts: Mapping[str, int]
    """Host -> processes, if they are wanted."""
    label_sets: LabelSets
    counts: Any
    """How many processes are of each label set."""
    is_known: bool
    """Whether anything is known of the hosts that are meant; of a window, whether anything was found."""

    @property
    def total(self) -> int:
        return int(self.counts.sum())


def _counted(context: QueryContext, selection: Selection, when: Window | int, *, by_host: bool) -> _Counted:
    if isinstance(when, Window):
        of_hosts, of_label_sets = _in_window(context, selection, when, by_host=by_host)
        is_known = bool(len(of_label_sets[0]))
    else:
        instant = context.instant(selection, when, ["label_set"])
        of_hosts, of_label_sets = _each(instant.columns["host"]), _each(instant.columns["label_set"])
        is_known = instant.is_known
    names = context.host_names(of_hosts[0])
    hosts: dict[str, int] = {}
    for host, count in zip(of_hosts[0].tolist(), of_hosts[1].tolist(), strict=True):
        hosts[names.get(host, "")] = hosts.get(names.get(host, ""), 0) + count
    label_sets = context.label_sets(of_label_sets[0])
    return _Counted(hosts, label_sets, np.where(label_sets.known(), of_label_sets[1], 0), is_known)


_Numbers = tuple[Any, Any]
"""Numbers of hosts or label sets, each once, and how many processes are of each."""


def _in_window(
    context: QueryContext, selection: Selection, window: Window, *, by_host: bool
) -> tuple[_Numbers, _Numbers]:
    statement = counts(
        selection.org_id,
        window,
        selection.search,
        selection.tags,
        by_host=by_host,
        is_past=window.to_at < context.now,
    )
    context.presence_until(window.to_at)
    table = context.table(statement)
    host, label_set = (table[name].to_numpy().astype(np.uint64) for name in ("of_host", "label_set"))
    number = table["number"].to_numpy().astype(np.int64)
    return _summed(host[host != 0], number[host != 0]), _summed(label_set[host == 0], number[host == 0])


def _summed(numbers: Any, counts: Any) -> _Numbers:
    """Each shard gives its own."""
    distinct, indices = np.unique(numbers, return_inverse=True)
    return distinct, np.bincount(indices, counts, len(distinct)).astype(np.int64)


def _each(numbers: Any) -> _Numbers:
    # By hashing, in a tenth of the time that numpy takes.
    found = pc.value_counts(pa.array(numbers))
    return found.field("values").to_numpy(), found.field("counts").to_numpy()
