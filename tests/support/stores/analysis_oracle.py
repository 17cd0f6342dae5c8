"""The contract of the analysis in plain Python: over the oracle's own snapshots, one process after another."""

from __future__ import annotations

import re
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from procession.accounts.saved_view import SavedView
from procession.analysis import (
    DESCRIPTION_ATTRIBUTES,
    MEASURES,
    MINUTE_COLUMNS,
    REACH_SECONDS,
    Aggregate,
    Band,
    Branch,
    ChangedGroup,
    ChangedProcess,
    Comparison,
    Every,
    ExitCode,
    Facet,
    Facets,
    Family,
    Grouped,
    Groups,
    History,
    HostEntry,
    Hosts,
    HostTree,
    InstantPage,
    InstantPin,
    Match,
    Order,
    Points,
    ProcessAtInstant,
    ProcessInWindow,
    Run,
    Selection,
    Series,
    Side,
    TagCompletion,
    TimeSeries,
    Trend,
    Trends,
    Turnover,
    ValueCount,
    WindowPage,
    program_of,
)
from procession.analysis.all_cpus import CpusOfHosts
from procession.command_line.without_arguments import described_without_arguments
from procession.discovery import discovered_tags
from procession.errors import InvalidRequest
from procession.lifecycle.signals import signal_of
from procession.process import (
    ProcessDescription,
    ProcessDetail,
    ProcessIdentity,
    ProcessKey,
    ProcessNumbers,
    ProcessSummary,
    Sighting,
    Snapshot,
)
from procession.query import ProcessQuery
from procession.search.comparisons import compares
from procession.search.evaluation import accepts
from procession.search.pattern import Pattern, fold
from procession.search.tree import And, Or, SearchNode, TagTerm
from procession.window import Window
from tests.support.stores.oracle import OracleStore

_MEANS = ("cpu_total_percent", "read_bytes_per_second", "write_bytes_per_second")


def _over_all_cpus(process: ProcessAtInstant, cpus: CpusOfHosts) -> ProcessAtInstant:
    count = cpus.get(process.process.identity.host)
    names = ("cpu_total_percent", "cpu_user_percent", "cpu_system_percent")
    used = {name: getattr(process.numbers, name) for name in names}
    shares = {name: value / count if count and value is not None else None for name, value in used.items()}
    return ProcessAtInstant(process.process, msgspec.structs.replace(process.numbers, **shares))


class OracleAnalysis:
    def __init__(self, store: OracleStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._views: dict[tuple[int, str], SavedView] = {}

    # What is known

    def is_known(self, selection: Selection, when: Window | int) -> bool:
        window = when if isinstance(when, Window) else Window(when - REACH_SECONDS, when)
        told = {one.host for one in self._store.snapshots(selection.org_id) if _is_in(one.taken_at, window)}
        return any(self._may_be_meant(selection, host) for host in told)

    def _may_be_meant(self, selection: Selection, host: str) -> bool:
        def fits(pattern: Pattern) -> bool:
            carried = (
                tag
                for snapshot in self._store.snapshots(selection.org_id)
                for one in snapshot.sightings
                for tag in ProcessSummary(ProcessIdentity("", 0, 0), 0, one.description).tags
            )
            return pattern.matches(fold(f"host:{host}")) or any(pattern.matches(fold(tag)) for tag in carried)

        def may_be(node: SearchNode | None) -> bool:
            match node:
                case And(operands):
                    return all(map(may_be, operands))
                case Or(operands):
                    return any(map(may_be, operands))
                case TagTerm(key="host", pattern=pattern):
                    return fits(pattern)
                case _:
                    return True

        named = [
            one.patterns
            for one in selection.tags.conditions
            if not one.negated and all(pattern.parts[0].startswith("host:") for pattern in one.patterns)
        ]
        return may_be(selection.search) and all(any(map(fits, patterns)) for patterns in named)

    # An instant

    def at_instant(self, selection: Selection, at: int) -> list[ProcessAtInstant]:
        """In the order of keys."""
        by_host: defaultdict[str, list[Snapshot]] = defaultdict(list)
        for snapshot in self._store.snapshots(selection.org_id):
            if at - REACH_SECONDS <= snapshot.taken_at <= at:
                by_host[snapshot.host].append(snapshot)
        found = []
        for host, snapshots in by_host.items():
            since = max(_complete(snapshots), default=0)
            newest: dict[ProcessIdentity, tuple[int, Sighting]] = {}
            for snapshot in snapshots:
                for sighting in snapshot.sightings if snapshot.taken_at >= since else ():
                    identity = ProcessIdentity(host, sighting.pid, sighting.started_at)
                    says = snapshot.taken_at, _says(sighting)
                    if identity not in newest or (newest[identity][0], _says(newest[identity][1])) < says:
                        newest[identity] = snapshot.taken_at, sighting
            base = min(one.taken_at for one in snapshots if one.taken_at >= since)
            for identity, (seen_at, sighting) in newest.items():
                at_instant = ProcessAtInstant(ProcessSummary(identity, seen_at, sighting.description), sighting.numbers)
                is_over = any(
                    (moment, other.started_at) > (seen_at, identity.started_at)
                    for other, (moment, _) in newest.items()
                    if other.pid == identity.pid
                )
                has_ended = self._store.has_ended_by(
                    selection.org_id, identity, seen_at, sighting.numbers.state, base, at
                )
                detail = ProcessDetail(numbers=sighting.numbers)
                if not is_over and not has_ended and _fits(selection, at_instant.process, detail):
                    found.append(at_instant)
        return sorted(found, key=lambda one: ProcessKey.of(one.process.identity))

    def instant_page(
        self,
        selection: Selection,
        at: int,
        order: Order,
        offset: int,
        limit: int,
        after: ProcessKey | None = None,
        pin: InstantPin | None = None,
    ) -> InstantPage:
        assert pin is None, "none was given"
        found = self.at_instant(selection, at)
        by_key = list(found)
        if order.column == "start":
            found.sort(key=lambda one: one.process.identity.started_at, reverse=order.is_descending)
        else:
            known = [one for one in found if _column(one, order.column) not in (None, "", ())]
            known.sort(key=lambda one: _column(one, order.column), reverse=order.is_descending)
            found = [*known, *(one for one in by_key if _column(one, order.column) in (None, "", ()))]
        if after is not None:
            keys = [ProcessKey.of(one.process.identity) for one in found]
            if after not in keys:
                raise InvalidRequest("Invalid query parameter page[cursor]: its process is kept no longer")
            offset += keys.index(after) + 1
        return InstantPage(len(found), tuple(found[offset : offset + limit]), self.is_known(selection, at))

    def points(self, selection: Selection, at: int, x: str, y: str, by: str | None, limit: int) -> Points:
        found = [
            one
            for one in self.at_instant(selection, at)
            if getattr(one.numbers, x) is not None and getattr(one.numbers, y) is not None
        ]
        total = len(found)
        found.sort(key=lambda one: -getattr(one.numbers, x))
        found = found[:limit]
        values = [sorted(_values(one, by))[:1] if by else [] for one in found]
        groups = sorted({value for some in values for value in some})
        return Points(
            total,
            tuple(groups),
            tuple(ProcessKey.of(one.process.identity) for one in found),
            tuple(getattr(one.numbers, x) for one in found),
            tuple(getattr(one.numbers, y) for one in found),
            tuple(groups.index(some[0]) if some else None for some in values),
            self.is_known(selection, at),
        )

    # A window

    def window_page(self, selection: Selection, window: Window, order: Order, offset: int, limit: int) -> WindowPage:
        found = self._in_window(selection, window)

        def value(one: ProcessInWindow) -> Any:
            ended_at, code = one.detail.ended_at, one.detail.exit_code
            match order.column:
                case "start":
                    return one.process.identity.started_at
                case "timestamp":
                    return one.process.seen_at
                case "ended":
                    return ended_at
                case "lifetime":
                    return None if ended_at is None else max(0, ended_at - one.process.identity.started_at)
                case "exit_code":
                    return code
                case "signal":
                    return None if code is None or signal_of(code) is None else code
                case column:
                    return _column(ProcessAtInstant(one.process, one.detail.numbers), column)

        known = [one for one in found if value(one) not in (None, "", ())]
        rest = [one for one in found if value(one) in (None, "", ())]
        known.sort(key=value, reverse=order.is_descending)
        page = tuple([*known, *rest][offset : offset + limit])
        return WindowPage(len(found), page, self.is_known(selection, window))

    def _in_window(self, selection: Selection, window: Window) -> list[ProcessInWindow]:
        """In the order of keys."""
        processes = self._store.find(ProcessQuery(selection.org_id, window, limit=2**31)).processes
        details = self._store.details(selection.org_id, window, processes)
        pairs = zip(processes, details, strict=True)
        return [ProcessInWindow(*one) for one in pairs if _fits(selection, *one)]

    # Counts and sums

    def facets(
        self, selection: Selection, when: Window | int, keys: Sequence[str], limit: int, prefix: str = ""
    ) -> Facets:
        window = None if isinstance(when, int) else _whole(when)
        if isinstance(when, int):
            at_instant = self.at_instant(selection, when)
            processes = [(one.process, ProcessDetail(numbers=one.numbers)) for one in at_instant]
        else:
            processes = [(one.process, one.detail) for one in self._in_window(selection, _whole(when))]
        found = []
        for key in map(fold, keys):
            counts: defaultdict[str, int] = defaultdict(int)
            having = 0
            for process, detail in processes:
                values = _tag_values(process, key) if window is None else _values_in_window(process, detail, key)
                having += bool(values)
                for value in values:
                    counts[value] += 1
            begins = re.compile(".*".join(map(re.escape, fold(prefix).split("*"))), re.DOTALL)
            listed = [ValueCount(*item) for item in counts.items() if begins.match(fold(item[0]))]
            listed.sort(key=lambda one: (-one.count, one.value))
            found.append(Facet(key, having, len(listed), tuple(listed[:limit])))
        return Facets(
            len(processes), window, tuple(found), self.is_known(selection, when if window is None else window)
        )

    def complete_tag(self, org_id: int, window: Window, prefix: str, limit: int) -> TagCompletion:
        key, separator, start = prefix.partition(":")
        if separator:
            (facet,) = self.facets(Selection(org_id), window, [key], limit, start).facets
            return TagCompletion((), facet.values)
        counts: defaultdict[str, int] = defaultdict(int)
        for process in self._counted(Selection(org_id), _whole(window)):
            for name in {fold(tag.partition(":")[0]) for tag in process.all_tags if ":" in tag}:
                counts[name] += 1
        listed = [ValueCount(*item) for item in counts.items() if item[0].startswith(fold(prefix))]
        listed.sort(key=lambda one: (-one.count, one.value))
        return TagCompletion(tuple(listed[:limit]), ())

    def _counted(self, selection: Selection, when: Window | int) -> Sequence[ProcessSummary]:
        if isinstance(when, int):
            return [one.process for one in self.at_instant(selection, when)]
        query = ProcessQuery(selection.org_id, when, selection.search, selection.tags, limit=2**31)
        return self._store.find(query).processes

    def groups(
        self,
        selection: Selection,
        at: int,
        by: str,
        measures: Sequence[str],
        order: Order,
        limit: int,
        *,
        second: str | None = None,
        has_percentiles: bool = False,
    ) -> Groups:
        found = self.at_instant(selection, at)
        if second is None:
            groups = [_group(value, some, measures) for value, some in _members(found, by).items()]
        else:
            groups = [
                msgspec.structs.replace(_group(value, some, measures), second=other)
                for value, members in _members(found, by).items()
                for other, some in _members(members, second).items()
            ]
        if has_percentiles:
            groups = [_with_percentiles(one, found, (by, second), measures) for one in groups]
        ordered = _in_order(groups, order)
        return Groups(len(found), len(ordered), tuple(ordered[:limit]), self.is_known(selection, at))

    def hosts(
        self, selection: Selection, at: int, measures: Sequence[str], order: Order, offset: int, limit: int
    ) -> Hosts:
        found = self.at_instant(selection, at)
        groups = _in_order(grouped(found, "host", measures).values(), msgspec_order(order))
        entries = []
        for group in groups:
            assert group.value is not None
            moments = [
                snapshot.taken_at
                for snapshot in self._store.snapshots(selection.org_id)
                if snapshot.host == group.value and at - REACH_SECONDS <= snapshot.taken_at <= at
            ]
            boots = [
                one.process.identity.started_at
                for one in found
                if one.process.identity.pid == 1 and one.process.identity.host == group.value
            ]
            entries.append(HostEntry(group.value, group.count, max(moments), group.numbers, *boots))
        return Hosts(len(entries), tuple(entries[offset : offset + limit]), self.is_known(selection, at))

    def hosts_told(self, org_id: int, window: Window) -> Mapping[str, int]:
        told: dict[str, int] = {}
        for snapshot in self._store.snapshots(org_id):
            if _is_in(snapshot.taken_at, window):
                told[snapshot.host] = max(snapshot.taken_at, told.get(snapshot.host, 0))
        return told

    def timeseries(
        self,
        selection: Selection,
        window: Window,
        by: str | None,
        measures: Sequence[str],
        rank: str,
        limit: int,
        points: int,
        cpus: CpusOfHosts | None = None,
    ) -> TimeSeries:
        length = window.to_at - window.from_at
        step = max(-(-length // points), 5)
        times = range(window.to_at - length // step * step, window.to_at + 1, step)
        wanted = [*measures, *([] if rank in (*measures, "count") else [rank])]
        found: list[list[ProcessAtInstant]] = [self.at_instant(selection, at) for at in times]
        if cpus is not None:
            found = [[_over_all_cpus(one, cpus) for one in some] for some in found]
        known = [self.is_known(selection, at) for at in times]
        if by is None:
            whole: list[Mapping[str | None, Grouped]] = [
                {None: _group(None, some, wanted)} if some else {} for some in found
            ]
            return TimeSeries(step, tuple(times), (_series(None, whole, measures, known),), any(known))
        groups = [grouped(some, by, wanted) for some in found]
        totals: defaultdict[str, float] = defaultdict(float)
        for some in groups:
            for value, group in some.items():
                if value is not None:
                    totals[value] += group.count if rank == "count" else (group.numbers[rank].sum or 0)
        top = sorted(totals, key=lambda value: (-totals[value], value))[:limit]
        series = [_series(value, groups, measures, known) for value in top]
        rest: list[Mapping[str | None, Grouped]] = []
        for at_instant in found:
            others = [one for one in at_instant for value in _labels(one, by) if value not in top]
            rest.append({None: _group(None, others, wanted)} if others else {})
        if any(rest):
            series.append(msgspec.structs.replace(_series(None, rest, measures, known), is_rest=True))
        return TimeSeries(step, tuple(times), tuple(series), any(known))

    def trends(
        self,
        selection: Selection,
        window: Window,
        by: str | None,
        measures: Sequence[str],
        rank: str,
        limit: int,
        points: int,
    ) -> Trends:
        length = window.to_at - window.from_at
        if length <= 10 * points or compares(selection.search) or by in DESCRIPTION_ATTRIBUTES:
            found = self.timeseries(selection, window, by, measures, rank, limit, points)

            def flat(values: tuple[float | None, ...]) -> Band:
                at = (None if value is None else time for value, time in zip(values, found.times, strict=True))
                return Band(values, values, values, tuple(at))

            trends = tuple(
                Trend(one.value, one.is_rest, flat(one.count), {name: flat(one.numbers[name]) for name in measures})
                for one in found.series
            )
            return Trends(found.step, found.times, True, trends, found.is_known)
        step = next(
            one * 60 for one in (1, 2, 5, 10, 15, 20, 30, 60, 120, 180, 360, 720) if one * 60 * points >= length
        )
        times = range(window.from_at // step * step, window.to_at + 1, step)
        if selection.search is None and not selection.tags.conditions and by is None:
            minutes = [[self._of_minute(selection.org_id, at) for at in range(time, time + step, 60)] for time in times]
            whole = self._steps_of(None, False, times, step, minutes, measures)
            return Trends(step, tuple(times), False, (whole,), any(one is not None for some in minutes for one in some))
        wanted = (*measures, *(() if rank == "count" else (rank,)))
        by_step = [
            [self._groups_of_minute(selection, by, wanted, at) for at in range(time, time + step, 60)] for time in times
        ]
        every = [one for some in by_step for one in some if one is not None]
        totals: defaultdict[str, float] = defaultdict(float)
        for one in every:
            for value, numbers in one.items():
                if value is not None:
                    totals[value] += numbers[rank] or 0
        top = sorted(totals, key=lambda value: (-float(f"{totals[value]:.9g}"), value))[:limit]

        def trend(value: str | None, values: Collection[str | None], is_rest: bool) -> Trend:
            chosen = [[None if one is None else _added_up(one, values, wanted) for one in some] for some in by_step]
            return self._steps_of(value, is_rest, times, step, chosen, measures)

        values = {value for one in every for value in one}
        shown = [trend(None, values, False)] if by is None else [trend(value, {value}, False) for value in top]
        if by is not None and values - set(top):
            shown.append(trend(None, values - set(top), True))
        return Trends(step, tuple(times), False, tuple(shown), bool(every))

    def _steps_of(
        self,
        value: str | None,
        is_rest: bool,
        times: Sequence[int],
        step: int,
        minutes: Sequence[Sequence[dict[str, float] | None]],
        measures: Sequence[str],
    ) -> Trend:
        def band(name: str) -> Band:
            known = [[one[name] for one in some if one and name in one] for some in minutes]
            greatest = [
                [at for at, one in zip(range(time, time + step, 60), some, strict=True) if _is_about(one, name, values)]
                for time, some, values in zip(times, minutes, known, strict=True)
            ]
            return Band(
                tuple(min(some, default=None) for some in known),
                tuple(sum(some) / len(some) if some else None for some in known),
                tuple(max(some, default=None) for some in known),
                tuple(min(some, default=None) for some in greatest),
            )

        return Trend(value, is_rest, band("count"), {name: band(name) for name in measures})

    def _groups_of_minute(
        self, selection: Selection, by: str | None, measures: Sequence[str], minute: int
    ) -> dict[str | None, dict[str, float | None]] | None:
        """By value. None: no host that is meant told of its processes."""
        by_host: defaultdict[str, list[Snapshot]] = defaultdict(list)
        once = {(one.host, one.taken_at, one.request_id): one for one in self._store.snapshots(selection.org_id)}
        for one in once.values():
            if minute <= one.taken_at < minute + 60 and one.chunk_count > 0:
                by_host[one.host].append(one)
        found: dict[str | None, dict[str, float | None]] = {}
        for host, chunks in by_host.items():
            living = [[one for one in chunk.sightings if one.numbers.state != "X"] for chunk in chunks]
            shares = {"count": sum(1 / chunk.chunk_count for chunk in chunks)}
            members: defaultdict[str | None, list[Sighting]] = defaultdict(list)
            for chunk, some in zip(chunks, living, strict=True):
                for name in measures:
                    if not some or any(getattr(one.numbers, name) is not None for one in some):
                        shares[name] = shares.get(name, 0) + 1 / chunk.chunk_count
                for seen in some:
                    identity = ProcessIdentity(host, seen.pid, seen.started_at)
                    process = ProcessSummary(identity, chunk.taken_at, seen.description)
                    if _fits(selection, process, ProcessDetail()):
                        at_instant = ProcessAtInstant(process, seen.numbers)
                        for value in [None] if by is None else _labels(at_instant, by):
                            members[value].append(seen)
            for value, those in members.items():
                numbers = found.setdefault(value, {"count": 0.0, **dict.fromkeys(measures)})
                numbers["count"] = (numbers["count"] or 0) + len(those) / shares["count"]
                for name in measures:
                    known = [number for one in those if (number := getattr(one.numbers, name)) is not None]
                    if known:
                        numbers[name] = (numbers[name] or 0) + sum(known) / shares[name]
        return found if any(self._may_be_meant(selection, host) for host in by_host) else None

    def _of_minute(self, org_id: int, minute: int) -> dict[str, float] | None:
        """The mean over the snapshots of each host, added up."""
        by_host: defaultdict[str, list[Snapshot]] = defaultdict(list)
        once = {(one.host, one.taken_at, one.request_id): one for one in self._store.snapshots(org_id)}
        for one in once.values():
            if minute <= one.taken_at < minute + 60 and one.chunk_count > 0:
                by_host[one.host].append(one)
        found: dict[str, float] = {}
        for chunks in by_host.values():
            living = [[one for one in chunk.sightings if one.numbers.state != "X"] for chunk in chunks]
            shares = [1 / chunk.chunk_count for chunk in chunks]
            found["count"] = found.get("count", 0) + sum(map(len, living)) / sum(shares)
            for name in MEASURES:
                values = [[getattr(one.numbers, name) for one in some] for some in living]
                known = [
                    (sum(value or 0 for value in some), share)
                    for some, share in zip(values, shares, strict=True)
                    if not some or any(value is not None for value in some)
                ]
                if known:
                    mean = sum(total for total, _ in known) / sum(share for _, share in known)
                    found[name] = found.get(name, 0) + mean
        return found if by_host else None

    def turnover(self, selection: Selection, window: Window, points: int) -> Turnover:
        step, times = _steps(window, points)
        begun: set[ProcessIdentity] = set()
        seen: defaultdict[tuple[str, int], dict[int, bool]] = defaultdict(dict)
        for snapshot in self._store.snapshots(selection.org_id):
            for one in snapshot.sightings:
                identity = ProcessIdentity(snapshot.host, one.pid, one.started_at)
                fits = _fits(selection, ProcessSummary(identity, snapshot.taken_at, one.description), ProcessDetail())
                if fits and one.started_at > snapshot.taken_at - 60:
                    begun.add(identity)
                of_pid = seen[snapshot.host, one.pid]
                of_pid[one.started_at] = fits or of_pid.get(one.started_at, False)
        is_all = not selection.search and not selection.tags.conditions
        ended = []
        for host, reported in self._store.exits(selection.org_id):
            start = max((at for at in seen[host, reported.pid] if at <= reported.at), default=None)
            if is_all or (start is not None and seen[host, reported.pid][start]):
                ended.append((reported.at // step * step, reported.exit_code))
        failed = [code for at, code in ended if code and at in times]
        most = sorted(set(failed), key=lambda code: (-failed.count(code), code))[:5]
        starts = [one.started_at // step * step for one in begun]
        return Turnover(
            step,
            tuple(times),
            tuple(starts.count(at) for at in times),
            tuple(sum(one == at for one, _ in ended) for at in times),
            tuple(sum(one == at and code != 0 for one, code in ended) for at in times),
            tuple(ExitCode(code, tuple(ended.count((at, code)) for at in times)) for code in most),
        )

    def oldest_sighting(self, org_id: int) -> int | None:
        return min((one.taken_at for one in self._store.snapshots(org_id)), default=None)

    # One process

    def history(self, org_id: int, key: ProcessKey, window: Window, every: Every) -> History:
        by_moment: dict[int, ProcessNumbers] = {}
        for snapshot in self._store.snapshots(org_id):
            for sighting in snapshot.sightings:
                identity = ProcessIdentity(snapshot.host, sighting.pid, sighting.started_at)
                if ProcessKey.of(identity) == key:
                    by_moment[snapshot.taken_at] = sighting.numbers
        if every is Every.SIGHTING:
            times = sorted(at for at in by_moment if window.from_at <= at <= window.to_at)
            columns = {name: tuple(getattr(by_moment[at], name) for at in times) for name in MEASURES}
            return History(tuple(times), columns, tuple(by_moment[at].state for at in times), max(times, default=None))
        minutes: defaultdict[int, list[ProcessNumbers]] = defaultdict(list)
        for at, numbers in by_moment.items():
            minutes[at // 60 * 60].append(numbers)
        times = sorted(at for at in minutes if window.from_at - 59 <= at <= window.to_at)
        return History(
            tuple(times),
            {name: tuple(_of_minute(minutes[at], name) for at in times) for name in MINUTE_COLUMNS},
            last_at=max((at for at in by_moment if times and times[-1] <= at <= window.to_at), default=None),
        )

    def last_seen(self, org_id: int, key: ProcessKey) -> int | None:
        moments = [
            snapshot.taken_at
            for snapshot in self._store.snapshots(org_id)
            for one in snapshot.sightings
            if ProcessKey.of(ProcessIdentity(snapshot.host, one.pid, one.started_at)) == key
        ]
        return max(moments, default=None)

    def host_tree(self, org_id: int, host: str, at: int) -> HostTree:
        at_instant = [one for one in self.at_instant(Selection(org_id), at) if one.process.identity.host == host]
        at_instant.sort(key=lambda one: (one.process.identity.started_at, one.process.identity.pid))
        branches: list[Branch] = []
        roots = [one for one in at_instant if _parent(one, at_instant) is None]
        for root in (*roots, *at_instant):
            _grow(root, 0, at_instant, branches)
        reach = Window(at - REACH_SECONDS, at)
        is_known = any(one.host == host and _is_in(one.taken_at, reach) for one in self._store.snapshots(org_id))
        return HostTree(len(at_instant), tuple(branches), is_known)

    def family(self, org_id: int, key: ProcessKey, at: int) -> Family | None:
        everywhere = self.at_instant(Selection(org_id), at)
        me = next((one for one in everywhere if ProcessKey.of(one.process.identity) == key), None)
        if me is None:
            return None
        at_instant = [one for one in everywhere if one.process.identity.host == me.process.identity.host]
        at_instant.sort(key=lambda one: (one.process.identity.started_at, one.process.identity.pid))
        ancestors: list[ProcessAtInstant] = []
        parent = _parent(me, at_instant)
        while parent is not None and parent != me and parent not in ancestors:
            ancestors.insert(0, parent)
            parent = _parent(parent, at_instant)
        branches: list[Branch] = []
        _grow(me, 0, at_instant, branches)
        eldest = -len(ancestors)
        return Family(
            tuple(Branch(eldest + number, one) for number, one in enumerate(ancestors)),
            branches[0],
            tuple(branches[1:]),
        )

    def runs(
        self, org_id: int, process: ProcessSummary, window: Window, limit: int, *, without_arguments: bool = False
    ) -> tuple[Run, ...]:
        seen = described_without_arguments if without_arguments else _as_it_is
        query = ProcessQuery(org_id, window, limit=2**31)
        found = [
            one
            for one in self._store.find(query).processes
            if one.identity.host == process.identity.host
            and one.identity != process.identity
            and program_of(seen(one.description)) == program_of(seen(process.description))
        ]
        found.sort(key=lambda one: ProcessKey.of(one.identity), reverse=True)
        runs = []
        for one in found[:limit]:
            (detail,) = self._store.details(org_id, Window(one.seen_at, one.seen_at + 600), [one])
            (ended,) = self._store.endings(org_id, one.seen_at + 600, [(ProcessKey.of(one.identity), one.seen_at)])
            detail = msgspec.structs.replace(
                detail, ended_at=ended.at, exit_code=ended.exit_code, exit_facts=ended.facts
            )
            is_same = seen(one.description).cmdline == seen(process.description).cmdline
            runs.append(Run(one, detail, is_same))
        return tuple(runs)

    # Comparisons

    def compare(
        self, left: Side, right: Side, match: Match, limit: int, *, without_arguments: bool = False
    ) -> Comparison:
        before, after = (self.at_instant(side.selection, side.at) for side in (left, right))
        totals = len(before), len(after)
        known = self.is_known(left.selection, left.at), self.is_known(right.selection, right.at)
        silent = self._silent(left, right, after), self._silent(right, left, before)
        both = (before, after) if all(known) else ([], [])
        before, after = (
            [one for one in some if one.process.identity.host not in (*silent[0], *silent[1])] for some in both
        )
        head: dict[str, Any] = {
            "left_total": totals[0],
            "right_total": totals[1],
            "left_known": known[0],
            "right_known": known[1],
            "left_silent": silent[0],
            "right_silent": silent[1],
        }
        if match is Match.PROCESS:
            return _compared_processes(before, after, head, limit, without_arguments=without_arguments)
        measures = ("cpu_total_percent", "rss_bytes")
        olds, news = (grouped(side, match.value, measures) for side in (before, after))
        order = Order("sum:rss_bytes", is_descending=True)
        started = _in_order([one for value, one in news.items() if value not in olds], order)
        ended = _in_order([one for value, one in olds.items() if value not in news], order)
        common = _in_order([one for value, one in news.items() if value in olds], order)
        changed = [one for one in common if one.count != olds[one.value].count]
        return Comparison(
            **head,
            started_total=len(started),
            ended_total=len(ended),
            changed_total=len(changed),
            same_total=len(common) - len(changed),
            started=tuple(started[:limit]),
            ended=tuple(ended[:limit]),
            changed=tuple(ChangedGroup(one.value, olds[one.value], one) for one in changed[:limit]),
        )

    def _silent(self, side: Side, other: Side, found: Sequence[ProcessAtInstant]) -> tuple[str, ...]:
        """Hosts that are meant on both sides, of which something was found on the other one, and which told nothing on
        this one."""
        reach = Window(side.at - REACH_SECONDS, side.at)
        chunks = self._store.snapshots(side.selection.org_id)
        told = {chunk.host for chunk in chunks if _is_in(chunk.taken_at, reach)}
        return tuple(
            sorted(
                host
                for host in {one.process.identity.host for one in found} - told
                if self._may_be_meant(side.selection, host) and self._may_be_meant(other.selection, host)
            )
        )

    # Views

    def views(self, org_id: int) -> tuple[SavedView, ...]:
        with self._lock:
            found = [view for (org, _), view in self._views.items() if org == org_id]
        return tuple(sorted(found, key=lambda view: view.name.encode()))

    def put_view(self, org_id: int, view: SavedView) -> None:
        with self._lock:
            self._views[org_id, view.name] = view

    def delete_view(self, org_id: int, name: str) -> None:
        with self._lock:
            self._views.pop((org_id, name), None)

    def roll_up(self, _: Sequence[int]) -> int:
        """Looks at every sighting anyway."""
        return 0


def _complete(snapshots: Iterable[Snapshot]) -> list[int]:
    groups: defaultdict[tuple[int, int], list[Snapshot]] = defaultdict(list)
    for snapshot in snapshots:
        groups[snapshot.taken_at, snapshot.split_id].append(snapshot)
    return [
        at
        for (at, _), some in groups.items()
        if 0 < max(one.chunk_count for one in some) <= len({one.request_id for one in some})
    ]


def _says(sighting: Sighting) -> int:
    state = sighting.numbers.state
    return 0 if not state else 2 if state == "X" else 1


def _steps(window: Window, points: int) -> tuple[int, range]:
    length = window.to_at - window.from_at
    step = next(one * 60 for one in (1, 2, 5, 10, 15, 20, 30, 60, 120, 180, 360, 720) if one * 60 * points >= length)
    return step, range(window.from_at // step * step, window.to_at + 1, step)


def _added_up(
    groups: Mapping[str | None, Mapping[str, float | None]], values: Collection[str | None], measures: Sequence[str]
) -> dict[str, float]:
    """Of these values; without what is known of none of them. Of none that is there nothing is used."""
    there = [numbers for value, numbers in groups.items() if value in values]
    found = {"count": sum(numbers["count"] or 0 for numbers in there)}
    for name in measures:
        known = [number for numbers in there if (number := numbers[name]) is not None]
        if known or not there:
            found[name] = sum(known)
    return found


def _is_about(numbers: dict[str, float] | None, name: str, values: Sequence[float]) -> bool:
    """Whether a number is the greatest of these, or as good as that."""
    return numbers is not None and name in numbers and numbers[name] >= max(values) * (1 - 1e-9)


def _is_in(moment: int, window: Window) -> bool:
    return window.from_at <= moment <= window.to_at


def _fits(selection: Selection, process: ProcessSummary, detail: ProcessDetail) -> bool:
    discovered = discovered_tags(process.description.discovery)
    return accepts(selection.search, process, detail) and selection.tags.accepts(process.tags, discovered)


def _column(at_instant: ProcessAtInstant, column: str) -> Any:
    identity, description = at_instant.process.identity, at_instant.process.description
    if column in ("pid", "host"):
        return getattr(identity, column)
    if column == "timestamp":
        return at_instant.process.seen_at
    if column.startswith("tag:"):
        return min(_tag_values(at_instant.process, fold(column.removeprefix("tag:"))), default=None)
    column = "group_name" if column == "group" else column
    return getattr(description if column in ProcessDescription.__struct_fields__ else at_instant.numbers, column)


def _whole(window: Window) -> Window:
    return Window(window.from_at // 10 * 10, window.to_at // 10 * 10 + 9)


def _tag_values(process: ProcessSummary, key: str) -> set[str]:
    if key == "host":
        return {process.identity.host}
    pairs = (tag.partition(":") for tag in process.all_tags)
    return {value for name, separator, value in pairs if separator and fold(name) == key}


def _values_in_window(process: ProcessSummary, detail: ProcessDetail, key: str) -> set[str]:
    if key == "ended":
        return {str(detail.ended_at is not None).lower(), *(["oom"] if detail.exit_facts.oom_killed else [])}
    if key == "exit_code":
        return set() if detail.exit_code is None else {str(detail.exit_code)}
    if key == "signal":
        return {name for name in (signal_of(detail.exit_code or 0),) if name}
    return _tag_values(process, key)


def _values(at_instant: ProcessAtInstant, by: str) -> list[str]:
    if by in ("container_id", "state", "exe", "cmdline", "cwd", "ppid"):
        value = _column(at_instant, by)
        return [] if value == "" else [str(value)]
    return sorted(_tag_values(at_instant.process, by))


def _labels(at_instant: ProcessAtInstant, by: str) -> list[str | None]:
    return [*_values(at_instant, by)] or [None]


def _group(value: str | None, at_instant: Sequence[ProcessAtInstant], measures: Sequence[str]) -> Grouped:
    numbers = {}
    for name in measures:
        known = [getattr(one.numbers, name) for one in at_instant if getattr(one.numbers, name) is not None]
        numbers[name] = Aggregate(sum(known) if known else None, max(known) if known else None, len(known))
    return Grouped(value, len(at_instant), numbers)


def _with_percentiles(
    group: Grouped, at_instant: Iterable[ProcessAtInstant], keys: tuple[str, str | None], measures: Sequence[str]
) -> Grouped:
    """Found by counting, value by value, how many do not exceed it."""
    by, second = keys
    members = [
        one
        for one in at_instant
        if group.value in _labels(one, by) and (second is None or group.second in _labels(one, second))
    ]
    numbers = {}
    for name in measures:
        known = [getattr(one.numbers, name) for one in members if getattr(one.numbers, name) is not None]
        found = {
            statistic: min(
                value for value in known if 100 * sum(other <= value for other in known) >= percent * len(known)
            )
            for statistic, percent in (("p50", 50), ("p95", 95))
            if known
        }
        numbers[name] = msgspec.structs.replace(group.numbers[name], **found)
    return msgspec.structs.replace(group, numbers=numbers)


def _members(at_instant: Iterable[ProcessAtInstant], by: str) -> dict[str | None, list[ProcessAtInstant]]:
    members: defaultdict[str | None, list[ProcessAtInstant]] = defaultdict(list)
    for one in at_instant:
        for value in _labels(one, by):
            members[value].append(one)
    return members


def grouped(at_instant: Iterable[ProcessAtInstant], by: str, measures: Sequence[str]) -> dict[str | None, Grouped]:
    """All groups."""
    return {value: _group(value, some, measures) for value, some in _members(at_instant, by).items()}


def _in_order(groups: Iterable[Grouped], order: Order) -> list[Grouped]:
    found = sorted(groups, key=lambda one: (one.value is None, one.value or "", one.second is None, one.second or ""))
    if order.column in ("value", "second"):
        numbers = [getattr(one, order.column) for one in found]
    else:
        how, _, measure = order.column.partition(":")
        numbers = [getattr(one.numbers[measure], how) if measure else one.count for one in found]
    known = [(number, one) for number, one in zip(numbers, found, strict=True) if number is not None]
    known.sort(key=lambda pair: pair[0], reverse=order.is_descending)  # ties stay as they are
    return [*(one for _, one in known), *(one for number, one in zip(numbers, found, strict=True) if number is None)]


def msgspec_order(order: Order) -> Order:
    """An order of hosts as one of groups."""
    return Order({"host": "value", "processes": "count"}.get(order.column, order.column), order.is_descending)


def _series(
    value: str | None,
    points: Sequence[Mapping[str | None, Grouped]],
    measures: Sequence[str],
    is_known: Sequence[bool],
) -> Series:
    counts = [
        groups[value].count if value in groups else (0 if known else None)
        for groups, known in zip(points, is_known, strict=True)
    ]
    return Series(
        value,
        False,
        tuple(counts),
        {name: tuple(one[value].numbers[name].sum if value in one else None for one in points) for name in measures},
    )


def _of_minute(numbers: Sequence[ProcessNumbers], column: str) -> float | None:
    name = column.removesuffix("_max")
    known: list[float] = [getattr(one, name) for one in numbers if getattr(one, name) is not None]
    if not known:
        return None
    return sum(known) / len(known) if column in _MEANS else max(known)


def _parent(one: ProcessAtInstant, at_instant: Sequence[ProcessAtInstant]) -> ProcessAtInstant | None:
    pid = one.process.description.ppid
    found = [other for other in at_instant if other.process.identity.pid == pid != one.process.identity.pid]
    return found[-1] if found else None


def _grow(root: ProcessAtInstant, depth: int, at_instant: Sequence[ProcessAtInstant], branches: list[Branch]) -> None:
    if any(branch.at_instant == root for branch in branches):
        return
    branches.append(Branch(depth, root))
    for one in at_instant:
        if _parent(one, at_instant) == root:
            _grow(one, depth + 1, at_instant, branches)


def _compared_processes(
    before: Sequence[ProcessAtInstant],
    after: Sequence[ProcessAtInstant],
    head: dict[str, Any],
    limit: int,
    *,
    without_arguments: bool,
) -> Comparison:
    seen = described_without_arguments if without_arguments else _as_it_is
    olds = {one.process.identity: one for one in before}
    news = {one.process.identity: one for one in after}

    def largest(at_instant: Iterable[ProcessAtInstant]) -> tuple[ProcessAtInstant, ...]:
        def by_memory(one: ProcessAtInstant) -> tuple[int, ProcessKey]:
            return -(one.numbers.rss_bytes or -1), ProcessKey.of(one.process.identity)

        return tuple(sorted(at_instant, key=by_memory)[:limit])

    started = [one for identity, one in news.items() if identity not in olds]
    ended = [one for identity, one in olds.items() if identity not in news]
    common = [identity for identity in news if identity in olds]
    changed = [
        news[one] for one in common if seen(news[one].process.description) != seen(olds[one].process.description)
    ]
    return Comparison(
        **head,
        started_total=len(started),
        ended_total=len(ended),
        changed_total=len(changed),
        same_total=len(common) - len(changed),
        started=largest(started),
        ended=largest(ended),
        changed=tuple(_changed(olds[one.process.identity], one, seen) for one in largest(changed)),
    )


def _as_it_is(description: ProcessDescription) -> ProcessDescription:
    return description


def _changed(
    old: ProcessAtInstant, new: ProcessAtInstant, seen: Callable[[ProcessDescription], ProcessDescription]
) -> ChangedProcess:
    one, other = seen(old.process.description), seen(new.process.description)
    fields = [name for name in ProcessDescription.__struct_fields__ if getattr(one, name) != getattr(other, name)]
    return ChangedProcess(old, new, tuple(fields))
