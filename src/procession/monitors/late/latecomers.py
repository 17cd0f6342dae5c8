"""Which monitors are to be evaluated again for which minutes, since a host's spool came after they were evaluated."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from procession.errors import InvalidRequest
from procession.monitors.evaluation import Moment, Rules
from procession.monitors.group_state import Group, GroupState
from procession.monitors.late.replay import Replayed, replay
from procession.monitors.late.silences import Silence, Silences
from procession.monitors.monitor import Monitor
from procession.monitors.observing.host_facts import LEAST_SILENT_SECONDS, HostFacts
from procession.monitors.observing.observer import Observer, Unheard
from procession.monitors.transition import Transition
from procession.window import Window

MINUTE = 60
MAX_LATE_MINUTES = 60
"""Of a silence, the last so many are evaluated again."""
MAX_WAITING = 5000
"""Monitors that wait for that; the oldest are left as they were."""
MAX_HAPPENED = 1000
_EVER = 2**32 - 1
_STEP_SECONDS = 10
"""Hosts that fell silent within so long are looked at together."""

_Key = tuple[int, int]
"""Of a monitor: org and id."""


class LateStore(Protocol):
    def transitions(
        self, org_id: int, window: Window, limit: int, monitor_id: int | None = None
    ) -> tuple[Transition, ...]: ...

    def silences(self) -> tuple[Silence, ...]: ...

    def put_silences(self, silences: Sequence[Silence]) -> None: ...

    def drop_silences(self, silences: Sequence[Silence]) -> None: ...


ObserverMaker = Callable[[int, Moment, Unheard], Observer]


@dataclass(slots=True)
class _LateHosts:
    """Hosts that told again in one minute, and how the minutes of their silence are looked at."""

    silences: tuple[Silence, ...]
    minutes: range
    before: Silences
    """What was known of the silence of others before these minutes."""
    observers: dict[int, Observer] = field(default_factory=dict)
    """Of these minutes, shared by all monitors that are evaluated again."""
    left: int = 0
    """Monitors that wait for it."""

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset(one.host for one in self.silences)

    def observer_at(self, at: int, made: Callable[[Moment, Unheard], Observer]) -> Observer:
        """Each minute is looked at with what the minutes before it have said."""
        first = max(self.observers, default=self.minutes.start - 2 * MINUTE) + MINUTE
        for minute in range(first, at + MINUTE, MINUTE):
            known = self.before.copy()
            self.observers[minute] = made(Moment(minute, minute), known.unheard)
            self.before.note(self.observers[minute].facts())
        return self.observers[at]


@dataclass(frozen=True, slots=True)
class _LateMonitor:
    monitor: Monitor
    late: _LateHosts


class Latecomers:
    """Kept from one evaluated minute to the next, by the server that evaluates, and in the store: whoever evaluates
    next knows which hosts are silent, and what has still to be evaluated again."""

    def __init__(self, store: LateStore, observer: ObserverMaker) -> None:
        self._store = store
        self._observer = observer
        self._silences: dict[int, Silences] = {}
        self._unfinished: dict[int, list[Silence]] = {}
        """Of each org, what another server has left to be evaluated again."""
        self._waiting: deque[_LateMonitor] = deque()
        self._taken: _LateMonitor | None = None

    def unheard(self, org_id: int, facts: HostFacts) -> Mapping[str, int]:
        """See `Unheard`."""
        silences = self._silences.get(org_id)
        return {} if silences is None else silences.unheard(facts)

    def begin(self, states: Mapping[_Key, Mapping[Group, GroupState]], evaluated_at: int) -> None:
        """With what the store knows of the minute that was evaluated last. Raises Unavailable."""
        self._silences, self._unfinished, self._taken = {}, {}, None
        self._waiting.clear()
        for org_id in {org_id for org_id, _ in states} if evaluated_at else ():
            silences = self._silences.setdefault(org_id, Silences())
            silences.note(self._observer(org_id, Moment(evaluated_at, evaluated_at), silences.unheard).facts())
            for (monitor_org, _), groups in states.items():
                if monitor_org == org_id:
                    silences.note_missing(groups.values())
        for one in self._store.silences():
            if one.ended_at:
                self._unfinished.setdefault(one.org_id, []).append(one)
            else:
                # Its spool may be there by now, also of that minute.
                self._silences.setdefault(one.org_id, Silences()).recall(one.host, one.since)

    def note(self, observer: Observer, monitors: Sequence[Monitor]) -> None:
        """After an evaluation of all monitors. Raises Unavailable."""
        org_id, facts, at = observer.org_id, observer.facts(), observer.moment.at
        silences = self._silences.setdefault(org_id, Silences())
        before, ended = silences.silent_only(), silences.ended(facts)
        late = self._told_late(observer, ended)
        told = [Silence(org_id, host, since, at) for host, since in ended.items() if host in late]
        over = [Silence(org_id, host, since) for host, since in ended.items() if host not in late]
        fresh = [Silence(org_id, host, since) for host, since in silences.begun(facts).items()]
        if fresh or told:
            self._store.put_silences([*fresh, *told])
        if over:
            self._store.drop_silences(over)
        silences.note(facts)
        by_minute = defaultdict[int, list[Silence]](list)
        for one in (*self._unfinished.pop(org_id, ()), *told):
            by_minute[one.ended_at].append(one)
        for ended_at, some in sorted(by_minute.items()):
            begin = max((min(one.since for one in some) // MINUTE + 1) * MINUTE, ended_at - MAX_LATE_MINUTES * MINUTE)
            minutes = range(begin, ended_at + MINUTE, MINUTE)
            self._wait_for(_LateHosts(tuple(some), minutes, before.silent_only()), monitors)

    @staticmethod
    def _told_late(observer: Observer, ended: Mapping[str, int]) -> frozenset[str]:
        """Those that told of the time in which they were silent."""
        # Who is silent at a moment had nothing of so long before it: what is from then came later.
        last = observer.moment.at - MINUTE - LEAST_SILENT_SECONDS
        moments = defaultdict[int, set[str]](set)
        for host, since in ended.items():
            moments[since // _STEP_SECONDS * _STEP_SECONDS + _STEP_SECONDS].add(host)
        found = (
            observer.told_of(frozenset(hosts), Window(first, last)) for first, hosts in moments.items() if first <= last
        )
        return frozenset().union(*found)

    def _wait_for(self, late: _LateHosts, monitors: Iterable[Monitor]) -> None:
        for monitor in monitors:
            if monitor.org_id == late.silences[0].org_id:
                late.left += 1
                self._waiting.append(_LateMonitor(monitor, late))
        while len(self._waiting) > MAX_WAITING:
            self._waiting.popleft().late.left -= 1
        if not late.left:
            self._store.drop_silences(late.silences)

    def forget(self, key: _Key) -> None:
        """Its query is another one."""
        kept = deque[_LateMonitor]()
        for one in self._waiting:
            if (one.monitor.org_id, one.monitor.id) == key:
                one.late.left -= 1
            else:
                kept.append(one)
        self._waiting = kept

    def next(
        self, states: Mapping[_Key, Mapping[Group, GroupState]], goes_on: Callable[[], bool]
    ) -> tuple[_Key, Replayed] | None:
        """Evaluates one again; None: none waits. What came of the one before is stored by now. `goes_on`: asked before
        each minute. Raises Unavailable."""
        self._finish()
        while self._waiting:
            self._taken = waiting = self._waiting.popleft()
            key = (waiting.monitor.org_id, waiting.monitor.id)
            try:
                rules = Rules.of(waiting.monitor)
            except InvalidRequest:
                rules = None
            minutes = self._minutes(waiting, rules) if rules is not None else range(0)
            if rules is not None and minutes and key in states:
                return key, self._replayed(waiting, rules, minutes, states[key], goes_on)
            self._finish()
        return None

    def _finish(self) -> None:
        """What was evaluated again for all monitors is stored no longer. Raises Unavailable."""
        taken, self._taken = self._taken, None
        if taken is not None:
            taken.late.left -= 1
            if not taken.late.left:
                self._store.drop_silences(taken.late.silences)

    @staticmethod
    def _minutes(waiting: _LateMonitor, rules: Rules) -> range:
        """Those that were evaluated before its hosts told, and the one in which they do, so that the history goes on
        from them. An evaluation that is delayed saw some of it in time."""
        delay = -(-rules.options.evaluation_delay // MINUTE) * MINUTE
        minutes = waiting.late.minutes
        since = max(minutes.start, waiting.monitor.created_at // 1_000_000 - delay)
        return range(-(-since // MINUTE) * MINUTE, minutes.stop - delay, MINUTE)

    def _replayed(
        self,
        waiting: _LateMonitor,
        rules: Rules,
        minutes: range,
        states: Mapping[Group, GroupState],
        goes_on: Callable[[], bool],
    ) -> Replayed:
        org_id, monitor_id, late = waiting.monitor.org_id, waiting.monitor.id, waiting.late
        happened = self._store.transitions(org_id, Window(minutes[0], _EVER), MAX_HAPPENED, monitor_id)

        def made(moment: Moment, unheard: Unheard) -> Observer:
            return self._observer(org_id, moment, unheard)

        def observer_at(at: int) -> Observer:
            return late.observer_at(at, made)

        return replay(rules, states, happened, minutes, late.hosts, observer_at, goes_on)
