"""What is seen of the processes of a monitor, as the store tells it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from procession.analysis import REACH_SECONDS, Facets, Groups, Hosts, InstantPage, Order, Selection, WindowPage
from procession.discovery import DISCOVERED_KEYS
from procession.errors import InvalidRequest
from procession.monitors.evaluation import Moment
from procession.monitors.group_state import MAX_HOSTS, Group
from procession.monitors.observing.grouping import TooMuch, check_groups, counted, groups_of, has_group, most_groups
from procession.monitors.observing.host_facts import HostFacts, KnownHosts, silent_seconds
from procession.monitors.query import ATTRIBUTES, Function, MonitorQuery
from procession.paging import Page
from procession.process import ProcessDetail, ProcessKey, ProcessNumbers, ProcessSummary
from procession.query import MAX_LIMIT, ProcessQuery
from procession.search.pattern import Pattern
from procession.search.tag_filter import TagCondition, TagFilter
from procession.window import Window

NOW_SECONDS = REACH_SECONDS
"""For so long a host has the processes of its newest complete snapshot."""

MAX_LISTED = 100_000
"""Processes that an evaluation reads one by one, at most."""
MAX_TELLING = 1_000_000
MAX_NAMED = 10
"""Processes behind a transition."""
MAX_UNHEARD = 1000
"""Hosts that fell silent together, at most, of which it is asked what they ran last."""
MAX_UNHEARD_MOMENTS = 20
"""Of hosts that fell silent one after another, those of the last so many moments are waited for."""
MAX_QUESTIONS = 200
"""About them, of all monitors that are evaluated at a moment."""
MAX_COUNTED = 5
"""For so many filters of tags it is counted how many of them matter; of others they all do."""
_MOMENT_SECONDS = 10
"""Hosts that fell silent within so long fell silent together."""
_MAX_NAME_LENGTH = 60


class ProcessReader(Protocol):
    def find(self, query: ProcessQuery) -> Page: ...

    def details(
        self, org_id: int, window: Window, processes: Sequence[ProcessSummary]
    ) -> tuple[ProcessDetail, ...]: ...


class AnalysisReader(Protocol):
    def is_known(self, selection: Selection, window: Window) -> bool: ...

    def facets(
        self, selection: Selection, when: Window | int, keys: Sequence[str], limit: int, prefix: str = ""
    ) -> Facets: ...

    def groups(
        self, selection: Selection, at: int, by: str, measures: Sequence[str], order: Order, limit: int
    ) -> Groups: ...

    def hosts(
        self, selection: Selection, at: int, measures: Sequence[str], order: Order, offset: int, limit: int
    ) -> Hosts: ...

    def instant_page(self, selection: Selection, at: int, order: Order, offset: int, limit: int) -> InstantPage: ...

    def window_page(
        self, selection: Selection, window: Window, order: Order, offset: int, limit: int
    ) -> WindowPage: ...


@dataclass(frozen=True, slots=True)
class LastSeen:
    """The processes of a group, where they were seen last."""

    seen_at: int | None = None
    hosts: tuple[str, ...] = ()
    processes: tuple[str, ...] = ()


def is_anything_known(analysis: AnalysisReader, org_id: int, window: Window) -> bool:
    """Whether any host of the org told of its processes in the window."""
    return analysis.is_known(Selection(org_id), window)


Unheard = Callable[[HostFacts], Mapping[str, int]]
"""Hosts that do not tell at a moment and told within the last day, each with its last snapshot."""


class Observer:
    """One evaluation of one org: what two monitors ask alike is read once. Raises TooMuch, and Unavailable."""

    def __init__(
        self,
        processes: ProcessReader,
        analysis: AnalysisReader,
        hosts: KnownHosts,
        org_id: int,
        moment: Moment,
        unheard: Unheard | None = None,
    ) -> None:
        self._processes = processes
        self._analysis = analysis
        self._known_hosts = hosts
        self.org_id = org_id
        self.moment = moment
        self._values: dict[object, Mapping[Group, float]] = {}
        self._hosts: dict[bool, HostFacts] = {}
        self._telling: dict[bool, frozenset[str]] = {}
        self._tagged: dict[tuple[object, int], frozenset[str]] = {}
        self._booted: dict[str, int | None] = {}
        self._unheard = unheard
        self._unheard_hosts: dict[bool, Mapping[str, int]] = {}
        self._unheard_groups: dict[object, frozenset[Group] | None] = {}
        self._silent_counts: dict[object, int] = {}
        self._up_since: dict[bool, float] = {}
        self._questions_left = MAX_QUESTIONS

    def values(self, query: MonitorQuery) -> Mapping[Group, float]:
        """Of each group that has processes; of a simple alert always one."""
        key = _asked(query)
        if key not in self._values:
            # Before the processes are counted: who is heard of later has told of them as well.
            self.telling(query)
            try:
                self._values[key] = self._read(query)
            except InvalidRequest as error:
                raise TooMuch(str(error)) from error
        return self._values[key]

    def telling(self, query: MonitorQuery) -> frozenset[str]:
        """Hosts whose newest snapshot is known, and not late."""
        has_window = query.function.has_window
        if has_window not in self._telling:
            self._telling[has_window] = self.hosts(query).telling()
        return self._telling[has_window]

    def hosts(self, query: MonitorQuery) -> HostFacts:
        """What is known of all hosts of the org, where the query looks at them."""
        return self._host_facts(has_window=query.function.has_window)

    def _host_facts(self, *, has_window: bool) -> HostFacts:
        if has_window not in self._hosts:
            self._hosts[has_window] = self._read_hosts(self.moment.at - 1 if has_window else self.moment.instant)
        return self._hosts[has_window]

    def ran_unheard(self, query: MonitorQuery, group: Group, *, is_late: bool) -> bool | None:
        """Whether the group had processes on hosts that do not tell, when they told last: how many it has there by now
        nobody knows. None: that is too much to ask. `is_late`: only hosts that are silent, and not those whose next
        snapshot is not late."""
        is_late = is_late and bool(self.hosts(query).slow_hosts)
        key = (*_asked(query), is_late)
        if key not in self._unheard_groups:
            function = Function.COUNT if query.function.has_window else Function.COUNT_NOW
            counted = replace(query.however_they_ended, function=function, measure=None)
            moments = _moments(self._unheard_of(query, is_late=is_late))
            is_too_much = len(moments) > self._questions_left
            self._questions_left -= 0 if is_too_much else len(moments)
            self._unheard_groups[key] = None if is_too_much else self._read_unheard(counted, moments)
        groups = self._unheard_groups[key]
        return None if groups is None else group in groups

    def count_silent(self, query: MonitorQuery) -> int:
        """Silent hosts that had processes with the tags of the query when they told last, whatever these were: the
        query may have some there by now. Those that are not asked any more count as well."""
        key = query.over, query.function.has_window
        hosts = self._unheard_of(query, is_late=True)
        if key not in self._silent_counts and len(self._silent_counts) < MAX_COUNTED:
            anything = replace(query, search=None, by=("host",), function=Function.COUNT_NOW, measure=None)
            moments = _moments(hosts)
            found = self._read_unheard(anything, moments)
            asked = sum(len(some) for _, some in moments)
            self._silent_counts[key] = len(hosts) if found is None else len(found) + len(hosts) - asked
        return self._silent_counts.get(key, len(hosts))

    def is_all_up(self, query: MonitorQuery, since: int) -> bool:
        """Whether all hosts that told within the last day tell, and none of them was booted after that moment: what is
        gone has ended then, whatever host it ran on."""
        has_window = query.function.has_window
        if has_window not in self._up_since:
            facts = self.hosts(query)
            is_any_quiet = self._unheard is not None and bool(self._unheard(facts))
            boots = (self._booted.get(host) for host in facts.told_at)
            newest = max((math.inf if boot is None else boot for boot in boots), default=0.0)
            self._up_since[has_window] = math.inf if is_any_quiet else newest
        return self._up_since[has_window] <= since

    def _unheard_of(self, query: MonitorQuery, *, is_late: bool) -> Mapping[str, int]:
        """Hosts that the query counts nothing of since they do not tell, each with its last snapshot."""
        has_window = query.function.has_window
        if has_window not in self._unheard_hosts:
            facts = self.hosts(query)
            found = {} if self._unheard is None else self._unheard(facts)
            self._unheard_hosts[has_window] = {
                host: since
                for host, since in found.items()
                if host not in facts.told_at and not facts.was_shut_down(host, since)
            }
        slow = self.hosts(query).slow_hosts if is_late else frozenset()
        return {host: since for host, since in self._unheard_hosts[has_window].items() if host not in slow}

    def facts(self) -> HostFacts:
        """What is known of all hosts of the org at this moment, however it was looked at."""
        return self._hosts.get(False) or self._hosts.get(True) or self._host_facts(has_window=False)

    def told_of(self, hosts: frozenset[str], window: Window) -> frozenset[str]:
        """Those of these hosts that have processes in this window."""
        (facet,) = self._analysis.facets(Selection(self.org_id), window, ("host",), MAX_TELLING).facets
        return frozenset(one.value for one in facet.values if one.value in hosts)

    def tagged_hosts(self, query: MonitorQuery, expected_seconds: int) -> frozenset[str]:
        """Those that have the tags of the query, whatever runs there."""
        key = query.over, expected_seconds
        if key not in self._tagged:
            self._tagged[key] = self._known_hosts.tagged(self.org_id, query.tags, self.moment.at, expected_seconds)
        return self._tagged[key]

    def is_full(self, query: MonitorQuery) -> bool:
        """Whether anything was known of these hosts where the window begins."""
        begin = self.moment.at - query.window_seconds
        named = TagFilter(tuple(one for one in query.tags.conditions if one.names_hosts))
        return self._analysis.is_known(Selection(self.org_id, None, named), Window(begin - NOW_SECONDS, begin))

    def booted_at(self, host: str) -> int | None:
        """When its first process began, or the oldest that it tells of; None where it tells of none now."""
        if host not in self._booted:
            on_host = Selection(self.org_id, None, TagFilter((_is_of("host", host),)))
            page = self._analysis.instant_page(on_host, self.moment.instant, Order("start"), 0, 1)
            found = [one.process.identity.started_at for one in page.processes]
            self._booted[host] = found[0] if found else None
        return self._booted[host]

    def groups_seen(self, query: MonitorQuery, seconds: int) -> frozenset[Group]:
        """Those that had a process within so many seconds."""
        wide = replace(query.however_they_ended, function=Function.COUNT, measure=None, window_seconds=seconds)
        return frozenset(self._in_window(wide))

    def last_seen(self, query: MonitorQuery, group: Group, since: int) -> LastSeen:
        """Where its processes were seen last, and how they ended."""
        window, query = Window(since, self.moment.at - 1), query.however_they_ended
        found = [one for one in self._listed_some(query, group, window) if has_group(one, query.by, group)]
        if not found:
            return LastSeen()
        seen_at = max(one.seen_at for one in found)
        last = [one for one in found if one.seen_at >= seen_at - NOW_SECONDS]
        hosts = tuple(dict.fromkeys(one.identity.host for one in sorted(last, key=lambda one: -one.seen_at)))
        return LastSeen(seen_at, hosts[:MAX_HOSTS], self._named(last[-MAX_NAMED:]))

    def behind(self, query: MonitorQuery, group: Group) -> tuple[str, ...]:
        """The processes that a value counts, in short texts: those that began last."""
        seconds = query.window_seconds if query.function.has_window else NOW_SECONDS
        window = Window(self.moment.at - seconds, self.moment.instant)
        found = [one for one in self._listed_some(query, group, window) if has_group(one, query.by, group)]
        return self._named(found[-MAX_NAMED:])

    # What is read

    def _read_hosts(self, at: int) -> HostFacts:
        everything = Selection(self.org_id)
        found = self._analysis.hosts(everything, at, (), Order("host"), 0, MAX_TELLING).found
        told_at = {one.host: one.seen_at for one in found}
        self._booted.update((one.host, one.booted_at) for one in found if one.booted_at is not None)
        notices = self._known_hosts.notices(self.org_id)
        slow = set[str]()
        silent = {host: silent_seconds(notice) for host, notice in notices.items() if host not in told_at}
        for seconds in sorted({one for one in silent.values() if one > NOW_SECONDS}):
            window = Window(max(at - seconds, 0), at)
            (facet,) = self._analysis.facets(everything, window, ("host",), MAX_TELLING).facets
            slow.update(one.value for one in facet.values if silent.get(one.value) == seconds)
        return HostFacts(told_at, frozenset(slow), notices, at)

    def _read_unheard(
        self, query: MonitorQuery, moments: Sequence[tuple[int, Sequence[str]]]
    ) -> frozenset[Group] | None:
        """The groups that hosts had processes of when they told last. None: that is too much to ask."""
        groups = set[Group]()
        for moment, hosts in moments:
            if len(hosts) > MAX_UNHEARD:
                return None
            there = replace(query, only_hosts=tuple(hosts))
            last = Observer(self._processes, self._analysis, self._known_hosts, self.org_id, Moment(moment + 1, moment))
            try:
                groups.update(group for group, value in last._read(there).items() if value > 0)
            except (TooMuch, InvalidRequest):
                return None
        return frozenset(groups)

    def _read(self, query: MonitorQuery) -> Mapping[Group, float]:
        match query.function:
            case Function.COUNT:
                return self._in_window(query)
            case Function.FIRST_SEEN:
                return self._in_window(replace(query, window_seconds=NOW_SECONDS))
            case Function.STARTS:
                return self._starts(query)
            case _:
                return self._at_instant(query)

    def _in_window(self, query: MonitorQuery) -> Mapping[Group, float]:
        selection, window = query.selection(self.org_id), self._window(query)
        if not query.by:
            return {(): float(self._analysis.facets(selection, window, (), 1).total)}
        (key, *more) = query.by
        if more or key in ATTRIBUTES:
            return counted(query, self._listed(query, window))
        (facet,) = self._analysis.facets(selection, window, (key,), most_groups(query) + 1).facets
        check_groups(query, facet.distinct)
        return {((key, one.value),): float(one.count) for one in facet.values}

    def _starts(self, query: MonitorQuery) -> Mapping[Group, float]:
        window = self._window(query)
        found = self._listed(query, window, ProcessKey.last_of_second(window.from_at - 1))
        return counted(query, (one for one in found if one.identity.started_at <= window.to_at))

    def _at_instant(self, query: MonitorQuery) -> Mapping[Group, float]:
        selection, instant = query.selection(self.org_id), self.moment.instant
        measures = () if query.measure is None else (query.measure,)
        if len(query.by) > 1:
            return self._listed_at_instant(query)
        # Summed up by something that has few values, where there are no groups.
        key = query.by[0] if query.by else "state"
        found = self._analysis.groups(selection, instant, key, measures, Order("count", True), most_groups(query) + 1)
        check_groups(query, found.groups)
        values: list[tuple[str | None, float | None]] = []
        for one in found.found:
            aggregate = one.numbers.get(query.measure or "")
            number: float | None = float(one.count)
            if aggregate is not None:
                number = aggregate.sum if query.function is Function.SUM else aggregate.max
            values.append((one.value, number))
        if query.by:
            return {((key, value),): number for value, number in values if value is not None and number is not None}
        numbers = [number for _, number in values if number is not None]
        together = max(numbers, default=0.0) if query.function is Function.MAX else sum(numbers)
        return {(): float(together)}

    def _listed_at_instant(self, query: MonitorQuery) -> Mapping[Group, float]:
        selection, values = query.selection(self.org_id), dict[Group, float]()
        page = self._analysis.instant_page(selection, self.moment.instant, Order(), 0, MAX_LISTED)
        if page.total > MAX_LISTED:
            raise TooMuch(f"it is about {page.total} processes one by one; there may be {MAX_LISTED}")
        for one in page.processes:
            number = 1.0 if query.measure is None else _number(one.numbers, query.measure)
            for group in groups_of(one.process, query.by):
                if number is not None and query.function is Function.MAX:
                    values[group] = max(values.get(group, number), number)
                elif number is not None:
                    values[group] = values.get(group, 0.0) + number
        check_groups(query, len(values))
        return values

    def _window(self, query: MonitorQuery) -> Window:
        return Window(self.moment.at - query.window_seconds, self.moment.at - 1)

    def _listed(self, query: MonitorQuery, window: Window, after: ProcessKey | None = None) -> Iterator[ProcessSummary]:
        selection, count = query.selection(self.org_id), 0
        if query.asks_for_endings:
            page = self._analysis.window_page(selection, window, Order(), 0, MAX_LISTED)
            if page.total > MAX_LISTED:
                raise TooMuch(f"it is about more than {MAX_LISTED} processes one by one")
            yield from (
                one.process for one in page.processes if not after or ProcessKey.of(one.process.identity) > after
            )
            return
        is_brief = not set(DISCOVERED_KEYS).intersection(query.by)
        while True:
            asked = ProcessQuery(
                self.org_id, window, selection.search, selection.tags, after=after, limit=MAX_LIMIT, is_brief=is_brief
            )
            found = self._processes.find(asked).processes
            count += len(found)
            if count > MAX_LISTED:
                raise TooMuch(f"it is about more than {MAX_LISTED} processes one by one")
            yield from found
            if len(found) < MAX_LIMIT:
                return
            after = ProcessKey.of(found[-1].identity)

    def _listed_some(self, query: MonitorQuery, group: Group, window: Window) -> Sequence[ProcessSummary]:
        conditions = tuple(_is_of(key, value) for key, value in group if key not in ATTRIBUTES)
        tags = TagFilter((*query.tags.conditions, *conditions))
        if query.asks_for_endings:
            of_group = Selection(self.org_id, query.search, tags)
            page = self._analysis.window_page(of_group, window, Order(), 0, MAX_LIMIT)
            return [one.process for one in page.processes]
        return self._processes.find(ProcessQuery(self.org_id, window, query.search, tags, limit=MAX_LIMIT)).processes

    def _named(self, processes: Sequence[ProcessSummary]) -> tuple[str, ...]:
        if not processes:
            return ()
        window = Window(min(one.seen_at for one in processes), self.moment.instant)
        details = self._processes.details(self.org_id, window, processes)
        return tuple(_short_text(one, detail) for one, detail in zip(processes, details, strict=True))


def _moments(hosts: Mapping[str, int]) -> list[tuple[int, list[str]]]:
    """When these hosts fell silent, and which of them together: the moments that are waited for, the last first."""
    moments = defaultdict[int, list[str]](list)
    for host, since in hosts.items():
        moments[-(-since // _MOMENT_SECONDS) * _MOMENT_SECONDS].append(host)
    return sorted(moments.items(), reverse=True)[:MAX_UNHEARD_MOMENTS]


def _is_of(key: str, value: str) -> TagCondition:
    """Every character of the value stands for itself."""
    return TagCondition((Pattern.literal(f"{key}:{value}"),), with_discovered=key in DISCOVERED_KEYS)


def _asked(query: MonitorQuery) -> tuple[object, ...]:
    """The same for queries that have the same values."""
    return query.search, query.over, query.by, query.function, query.measure, query.window_seconds


def _number(numbers: ProcessNumbers, measure: str) -> float | None:
    found = getattr(numbers, measure)
    return None if found is None else float(found)


def _short_text(process: ProcessSummary, detail: ProcessDetail) -> str:
    name = "".join(one if one.isprintable() else " " for one in process.description.command or "a process")
    ending = "" if detail.exit_code is None else f", exit code {detail.exit_code}"
    ending += ", OOM-killed" if detail.exit_facts.oom_killed else ""
    identity = process.identity
    return f"{name[:_MAX_NAME_LENGTH]} (pid {identity.pid} on {identity.host}{ending})"
