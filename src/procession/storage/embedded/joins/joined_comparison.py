"""Two instants against each other, of which one is since something waits for its flush, and one before: the history
knows what there was then, the live table what there is now."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np

from procession.analysis import MAX_DESCRIPTIONS, Comparison, Grouped, Match, ProcessAtInstant, Selection, Side
from procession.analysis.comparison import Head, changed_process, compared_groups, differences
from procession.process import ProcessDescription
from procession.search.pattern import Pattern, fold
from procession.storage.embedded.flush_queue import FlushQueue
from procession.storage.live.candidates import Candidates
from procession.storage.live.columns import Array, identities_of
from procession.storage.live.instants.aggregates import group_columns
from procession.storage.live.instants.analysis import LiveAnalysis, is_known_at, processes_of
from procession.storage.live.instants.at_instant import at_instant, may_mean, names_by_tags, told_for
from procession.storage.live.instants.table_at import TableAt

"""More groups than there are."""

_MEASURES = ("cpu_total_percent", "rss_bytes")

_MOST_HASHED = 20_000
"""Processes whose descriptions are hashed for an answer. Where it is more, a flush costs less."""

_AT_ONCE = 5000
"""Processes of the past that are read together."""


class PastSide(Protocol):
    """The processes at an instant, as the history has them."""

    identities: Array
    """Host key, start and pid of each, as `identities_of` gives them."""
    rss_bytes: Array
    seen_at: Array
    versions: Array
    """Of their descriptions."""
    is_known: bool
    told: Collection[int]
    """Keys of hosts that told of their processes."""


class Past(Protocol):
    """The history, as far as it is compared with."""

    def side(self, selection: Selection, at: int, match: Match) -> PastSide: ...

    def processes(self, side: Any, places: Array) -> tuple[ProcessAtInstant, ...]: ...

    def grouped(self, side: Any, mask: Array, match: Match) -> Mapping[str | None, Grouped]: ...

    def host_names(self, org_id: int, hosts: Collection[int]) -> Mapping[int, str]: ...

    def version_of(self, description: ProcessDescription) -> int: ...


class _Now(NamedTuple):
    """What the live table has of an instant."""

    found: Candidates
    identities: Array
    is_known: bool
    told: frozenset[int]


class _Common(NamedTuple):
    """The processes that are there at both instants, and what is shown of them as the live table has it."""

    is_gone: Array
    """Which of the past are not there now."""
    new_total: int
    new: tuple[ProcessAtInstant, ...]
    changed_total: int
    same_total: int
    changed_places: Array
    """Those that are shown of the changed, in the past."""
    changed: tuple[ProcessAtInstant, ...]


class JoinedComparison:
    """For any number of threads."""

    def __init__(self, live: LiveAnalysis, past: Past, queue: FlushQueue) -> None:
        self._live = live
        self._past = past
        self._queue = queue

    def compare(
        self, left: Side, right: Side, match: Match, limit: int, *, without_arguments: bool = False
    ) -> Comparison | None:
        """As `AnalysisStore.compare`. None where the history has to answer alone, with all that waits."""
        org_id = left.selection.org_id
        waits_since = self._queue.since(org_id)
        if waits_since is None or not min(left.at, right.at) < waits_since <= max(left.at, right.at):
            return None
        old, new = (left, right) if left.at < right.at else (right, left)
        past = self._past.side(old.selection, old.at, match)
        names = self._past.host_names(org_id, np.unique(past.identities["host"]).tolist())
        with self._live.at(org_id, new.at) as then:
            if then is None or any(names_by_tags(then.table, one.selection) for one in (old, new)):
                return None
            now = _now(then, new.selection)
            silent = _silent(then, past, now, names, (old.selection, new.selection))
            are_both_known = past.is_known and now.is_known
            of_past, of_now = (_is_on_others(one, silent) & are_both_known for one in (past.identities, now.identities))
            totals, known = (len(past.identities), len(now.found)), (past.is_known, now.is_known)
            silent_names = tuple(sorted(silent.then.values())), tuple(sorted(silent.now.values()))
            if match is Match.PROCESS:
                by_now = right is new
                common = self._common(
                    past, of_past, now, of_now, limit, by_now=by_now, without_arguments=without_arguments
                )
            else:
                groups = group_columns(now.found.select(of_now), (match.value,), _MEASURES).all()
        if old is right:
            totals, known, silent_names = totals[::-1], known[::-1], silent_names[::-1]
        head = Head(*totals, *known, *silent_names)
        if match is not Match.PROCESS:
            then_groups: Mapping[str | None, Grouped] = self._past.grouped(past, of_past, match)
            now_groups: Mapping[str | None, Grouped] = {one.value: one for one in groups}
            before, after = (then_groups, now_groups) if old is left else (now_groups, then_groups)
            return compared_groups(head, before, after, limit)
        if common is None:
            return None
        return self._compared(head, past, common, limit, is_past_left=old is left, without_arguments=without_arguments)

    def _common(
        self,
        past: PastSide,
        of_past: Array,
        now: _Now,
        of_now: Array,
        limit: int,
        *,
        by_now: bool,
        without_arguments: bool,
    ) -> _Common | None:
        """`by_now`: whether what is shown first of the changed has the most memory now, and not then."""
        before, after = np.flatnonzero(of_past), np.flatnonzero(of_now)
        _, in_past, in_now = np.intersect1d(past.identities[before], now.identities[after], return_indices=True)
        in_past, in_now = before[in_past], after[in_now]
        is_changed = self._is_changed(past, in_past, now, in_now)
        if is_changed is None or (without_arguments and len(in_now) > MAX_DESCRIPTIONS):
            return None
        if without_arguments:
            is_changed[is_changed] = self._differ_in_more_than_arguments(
                past, in_past[is_changed], now, in_now[is_changed]
            )
        rss_bytes = now.found.numbers("rss_bytes")
        in_past, in_now = in_past[is_changed], in_now[is_changed]
        sizes = rss_bytes[in_now] if by_now else past.rss_bytes[in_past]
        shown = np.argsort(-sizes, kind="stable")[:limit]
        is_new, is_gone = of_now.copy(), of_past.copy()
        same = np.intersect1d(past.identities[before], now.identities[after])
        is_new &= ~np.isin(now.identities, same)
        is_gone &= ~np.isin(past.identities, same)
        largest = _largest(now.identities, rss_bytes, np.flatnonzero(is_new), limit)
        return _Common(
            is_gone,
            int(is_new.sum()),
            processes_of(now.found.select(largest)),
            len(in_past),
            len(same) - len(in_past),
            in_past[shown],
            processes_of(now.found.select(in_now[shown])),
        )

    def _is_changed(self, past: PastSide, in_past: Array, now: _Now, in_now: Array) -> Array | None:
        """None where it would cost too much."""
        # What it has been since before then, it was then.
        doubtful = np.flatnonzero(now.found.column("first")[in_now] > past.seen_at[in_past])
        if len(doubtful) > _MOST_HASHED:
            return None
        descriptions = (one.description for one in now.found.select(in_now[doubtful]).summaries())
        versions = np.fromiter((self._past.version_of(one) for one in descriptions), "u8", len(doubtful))
        found = np.zeros(len(in_now), bool)
        found[doubtful] = versions != past.versions[in_past[doubtful]]
        return found

    def _differ_in_more_than_arguments(self, past: PastSide, in_past: Array, now: _Now, in_now: Array) -> Array:
        found = np.zeros(len(in_past), bool)
        for begin in range(0, len(found), _AT_ONCE):
            some = slice(begin, begin + _AT_ONCE)
            olds = (one.process.description for one in self._past.processes(past, in_past[some]))
            news = (one.description for one in now.found.select(in_now[some]).summaries())
            pairs = zip(olds, news, strict=True)
            found[some] = [bool(differences(*pair, without_arguments=True)) for pair in pairs]
        return found

    def _compared(
        self,
        head: Head,
        past: PastSide,
        common: _Common,
        limit: int,
        *,
        is_past_left: bool,
        without_arguments: bool,
    ) -> Comparison:
        gone = _largest(past.identities, past.rss_bytes, np.flatnonzero(common.is_gone), limit)
        old = self._past.processes(past, gone), int(common.is_gone.sum())
        new = common.new, common.new_total
        (ended, ended_total), (started, started_total) = (old, new) if is_past_left else (new, old)
        pairs: Iterable[tuple[ProcessAtInstant, ProcessAtInstant]]
        pairs = zip(self._past.processes(past, common.changed_places), common.changed, strict=True)
        if not is_past_left:
            pairs = ((after, before) for before, after in pairs)
        return head.comparison(
            started=started,
            started_total=started_total,
            ended=ended,
            ended_total=ended_total,
            changed=tuple(
                changed_process(before, after, without_arguments=without_arguments) for before, after in pairs
            ),
            changed_total=common.changed_total,
            same_total=common.same_total,
        )


def _now(then: TableAt, selection: Selection) -> _Now:
    found = at_instant(then, selection)
    keys = [0 if host is None else host.key for host in then.table.hosts]
    hosts = np.array(keys, "u8")[found.column("host")]
    identities = identities_of(hosts, found.column("key"))
    return _Now(found, identities, is_known_at(then.table, selection, then.at), told_for(then))


class _Silent(NamedTuple):
    """Hosts with processes on one side that belong to both, by key: their names."""

    then: dict[int, str]
    """Those that told nothing in the past."""
    now: dict[int, str]


def _silent(
    then: TableAt, past: PastSide, now: _Now, names: Mapping[int, str], selections: tuple[Selection, Selection]
) -> _Silent:
    def meant(hosts: Iterable[int], names: Mapping[int, str]) -> dict[int, str]:
        tags = {host: fold(f"host:{names[host]}") for host in hosts}
        return {host: names[host] for host in tags if all(may_mean(one, tags[host], _never) for one in selections)}

    names_now = {host.key: host.name for host in then.table.hosts if host is not None}
    return _Silent(
        meant({*np.unique(now.identities["host"]).tolist()}.difference(past.told), names_now),
        meant({*names}.difference(now.told), names),
    )


def _never(_: Pattern) -> bool:
    return False


def _is_on_others(identities: Array, silent: _Silent) -> Array:
    """Than those that were silent."""
    hosts = np.array([*silent.then, *silent.now], "u8")
    return ~np.isin(identities["host"], hosts)


def _largest(identities: Array, rss_bytes: Array, places: Array, limit: int) -> Array:
    """Those with the most memory first."""
    keys = identities[places]
    order = np.lexsort((keys["pid"], keys["host"], keys["start"], -rss_bytes[places].astype("i8")))
    found: Array = places[order[:limit]]
    return found
