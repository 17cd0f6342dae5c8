"""What a selection stands for in the columns of an instant, and which hosts it names."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cached_property
from typing import Any

import pyarrow as pa

from procession.analysis import REACH_SECONDS, Selection
from procession.search.named_hosts import may_name_host, named_hosts
from procession.search.tag_filter import TagCondition
from procession.storage.history.engine.statement import Statement
from procession.storage.history.instants.columns.instant import Instant
from procession.storage.history.instants.columns.membership import is_in
from procession.storage.history.instants.columns.search_mask import columns_compared, search_mask
from procession.storage.history.statements.hosts import hosts_with_tag
from procession.storage.history.statements.snapshots import any_chunk
from procession.storage.history.statements.tag_sets import label_sets_with_tag

Read = Callable[[Statement], pa.Table]
"""Runs a statement."""


class SelectionFilters:
    """What a selection stands for in the columns of an instant.

    Made before the chunks are read, of which it says what may be left out; all else is looked up after that.
    """

    def __init__(self, read: Read, selection: Selection) -> None:
        self._read = read
        self._selection = selection
        self.org_id = selection.org_id
        self.named = tuple(
            condition.patterns
            for condition in selection.tags.conditions
            if not condition.negated
            and all(map(may_name_host, condition.patterns))
            and not len(self._label_sets_with(condition))
        )
        """Only of hosts whose `host:` tag fits one of each of these anything can fit: no label set has such a tag."""

    def _label_sets_with(self, condition: TagCondition) -> Any:
        statement = label_sets_with_tag(self.org_id, condition.patterns, with_discovered=condition.with_discovered)
        return self._read(statement)["label_set"]

    @cached_property
    def _sets(self) -> list[tuple[TagCondition, Any, Any]]:
        """Each condition, the label sets that fit it and the hosts that do, if any may."""
        found: list[tuple[TagCondition, Any, Any]] = []
        for condition in self._selection.tags.conditions:
            patterns = condition.patterns
            by_host_alone = not condition.negated and patterns in self.named
            label_sets = pa.array([], pa.uint64()) if by_host_alone else self._label_sets_with(condition)
            may_be_host = any(map(may_name_host, patterns))
            hosts = self._read(hosts_with_tag(self.org_id, patterns))["host"] if may_be_host else None
            found.append((condition, label_sets, hosts))
        return found

    def hosts_of(self, hosts: Collection[int] | None) -> Collection[int] | None:
        """Of these hosts those on which anything can fit. None: all."""
        possible = self._possible_hosts if self.named else None
        if possible is None:
            return hosts
        return possible if hosts is None else possible.intersection(hosts)

    def columns(self) -> set[str]:
        by_tag = {"label_set"} if self._selection.tags.conditions else set()
        search = self._selection.search
        return by_tag | columns_compared(search) | ({"version"} if search is not None else set())

    @cached_property
    def _possible_hosts(self) -> set[int] | None:
        found: set[int] | None = None
        for condition, _, hosts in self._sets:
            if not condition.negated and condition.patterns in self.named:
                named = set(hosts.to_pylist())
                found = named if found is None else found & named
        return found

    def is_known(self, instant: Instant, hosts: Collection[int] | None = None) -> bool:
        """Whether any host that the selection names, of these, told of its processes."""
        told = instant.snapshots.moments().keys()
        if told and (self._named is None or not self._named.isdisjoint(told)):
            return True
        if self._possible_hosts is None:
            return False
        # Of others the snapshots were not looked for.
        return is_known_between(self._read, self._selection, instant.at - REACH_SECONDS, instant.at, hosts=hosts)

    @cached_property
    def _named(self) -> frozenset[int] | None:
        named = hosts_named(self._read, self._selection)
        return None if named is None else frozenset(named)

    def narrow(self, instant: Instant, mask: Any) -> Any:
        columns = instant.columns
        for condition, label_sets, hosts in self._sets:
            has_tag = is_in(columns["label_set"], label_sets)
            if hosts is not None:
                has_tag |= is_in(columns["host"], hosts)
            mask = mask & (has_tag != condition.negated)
        search = self._selection.search
        return mask if search is None else mask & search_mask(self._read, self._selection.org_id, search, instant)


def is_known_between(
    read: Read, selection: Selection, since: int, until: int, *, hosts: Collection[int] | None = None
) -> bool:
    """Whether any host that the selection names, of these, told of its processes, both ends within."""
    hosts = hosts_named(read, selection, hosts)
    return bool(len(read(any_chunk(selection.org_id, since, until, hosts))))


def hosts_named(read: Read, selection: Selection, hosts: Collection[int] | None = None) -> list[int] | None:
    """Of these hosts those that the selection names. None: any."""
    found = None if hosts is None else set(hosts)
    for patterns in named_hosts(selection.search, selection.tags):
        if len(read(label_sets_with_tag(selection.org_id, list(patterns)))):
            continue  # processes have such tags of their own, on any host
        named = set(read(hosts_with_tag(selection.org_id, patterns))["host"].to_pylist())
        found = named if found is None else found & named
    return None if found is None else sorted(found)
