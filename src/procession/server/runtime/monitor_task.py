"""The task that evaluates monitors each minute: by one server of many, and without losing a transition."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from procession.errors import InvalidRequest, Unavailable
from procession.monitors.evaluation import Moment, Rules, skipped_state
from procession.monitors.evaluator import REFRESHED_SECONDS, Evaluation, Outcome
from procession.monitors.group_state import Group, GroupState, group_name
from procession.monitors.late.latecomers import Latecomers
from procession.monitors.lease import LEASE_SECONDS, EvaluationLease, holder, last_evaluated
from procession.monitors.monitor import Monitor
from procession.monitors.observing.host_facts import KnownHosts
from procession.monitors.observing.observer import Observer, Unheard
from procession.monitors.transition import State, TransitionSink
from procession.server.runtime.background import run_in_background
from procession.server.runtime.thread_pools import ThreadPool
from procession.storage import AnalysisStore, HostStore, MonitorStore, ReadStore

MINUTE = 60
MAX_CAUGHT_UP = 60
"""Missed minutes that are evaluated afterwards, at most: those of the last hour."""
MAX_SECONDS = 10.0
"""A monitor that takes longer is skipped for a while."""
SKIPPED_MINUTES = 10
MAX_UNANSWERED = 3
"""Monitors in a row that the store does not answer for; the others follow in the next minute."""
MAX_REFRESHED = 1000
"""In a minute: see `most_refreshed`."""
RENEWED_SECONDS = 20
"""The lease is renewed so often within a long minute."""
START_SECONDS = 120
"""So long after the start of a server agents still send what they could not send before."""
MAX_LATE_SECONDS = 3.0
"""Of a minute, for minutes that are evaluated again; what is left of them follows in the next."""
MAX_UNSENT = 10
"""Transitions of a group that wait until somebody can be told of them: the newest."""

_log = logging.getLogger(__name__)

_Key = tuple[int, int]
"""Of a monitor: org and id."""


class LeaseLost(Exception):
    """It has ended: another server may evaluate by now."""


class MonitorTask:
    """Each server has one; the one that holds the lease evaluates."""

    def __init__(
        self,
        monitors: MonitorStore,
        processes: ReadStore,
        analysis: AnalysisStore,
        hosts: HostStore,
        sink: TransitionSink,
        thread: ThreadPool,
        now: Callable[[], int],
        *,
        is_only_server: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`is_only_server`: nobody else has this store, so that nobody's lease has to end."""
        self._monitors = monitors
        self._processes = processes
        self._analysis = analysis
        self._hosts = KnownHosts(hosts)
        self._sink = sink
        self._thread = thread
        self._now = now
        self._is_only_server = is_only_server
        self._clock = clock
        self._owner = secrets.token_hex(8)
        self._started_at = now()
        self._since = 0
        self._lease_until = 0
        self._evaluated_at = 0
        self._states: dict[_Key, dict[Group, GroupState]] | None = None
        """None: they have to be read."""
        self._noted: dict[_Key, dict[Group, GroupState]] = {}
        """As they are stored."""
        self._loaded_at = 0
        """The last minute that was evaluated before the states were read."""
        self._refreshes_left = 0
        """Groups whose values are stored anew in this minute, though nothing else of them is new."""
        self._untold: set[_Key] = set()
        """What has groups that nobody was told of yet."""
        self._at: dict[_Key, int] = {}
        """The moment of the last evaluation of each."""
        self._skipped_until: dict[_Key, tuple[int, str]] = {}
        self._queries: dict[_Key, str] = {}
        """As they were evaluated last."""
        self._rules: dict[_Key, Rules] = {}
        """Of monitors as they are: most are not changed from one minute to the next."""
        self._latecomers = Latecomers(monitors, self._observer)

    def running(self) -> contextlib.AbstractAsyncContextManager[None]:
        """For the length of the block."""
        return run_in_background(self._run())

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(MINUTE - time.time() % MINUTE + 0.2)
            try:
                await self._thread.run(self.evaluate)
            except Unavailable as error:
                self._states = None  # what is stored of them is not known
                text = "cannot evaluate monitors: %(reason)s; trying again in a minute"
                _log.warning(text, {"event": "monitors-failed", "reason": str(error)})
            except Exception:
                self._states = None
                _log.exception("cannot evaluate monitors; trying again in a minute", {"event": "monitors-failed"})

    def evaluate(self) -> int:
        """All minutes that are due, if it is the turn of this server; gives how many. Raises Unavailable."""
        now = self._now()
        minute = now // MINUTE * MINUTE
        if self._is_only_server and not self._states and not self._monitors.monitors():
            # No minute is missed, and nobody else asks whose turn it is.
            self._evaluated_at = minute
            return 0
        leases = self._monitors.leases()
        if last_evaluated(leases) > self._evaluated_at:
            self._states = None  # another server knows them better
        if not self._take_lease(leases, now):
            self._states = None
            return 0
        if self._states is None:
            self._load(max(last_evaluated(leases), self._evaluated_at))
        done = max(last_evaluated(leases), self._evaluated_at)
        first = max(done + MINUTE if done else minute, minute - MAX_CAUGHT_UP * MINUTE)
        count = 0
        try:
            for at in range(first, minute + 1, MINUTE):
                self._evaluate_all(at, now if at == minute else at)
                self._evaluated_at = at
                count += 1
                self._hold_lease(is_noted=False)
            if count:
                self._evaluate_again()
        except LeaseLost:
            self._states = None
            self._since = 0
        return count

    # Whose turn it is

    def _take_lease(self, leases: Sequence[EvaluationLease], now: int) -> bool:
        held = holder(leases, now)
        if held is not None and held.owner != self._owner and not self._is_only_server:
            self._since = 0
            return False
        is_held = held is not None and held.owner == self._owner
        if not is_held:
            self._since = time.time_ns()
            self._evaluated_at = max(self._evaluated_at, last_evaluated(leases))
        self._put_lease(now)
        # Another may ask at this moment as well: which of the two was first is read in a minute.
        return is_held or self._is_only_server

    def _hold_lease(self, *, is_noted: bool = True) -> None:
        """Renews it where it is time to. `is_noted`: it says already how far this server came. Raises LeaseLost: a
        lease that has ended is another server's to take, and is asked for anew."""
        now = self._now()
        if now >= self._lease_until and not self._is_only_server:
            raise LeaseLost
        if not is_noted or now >= self._lease_until - LEASE_SECONDS + RENEWED_SECONDS:
            self._put_lease(now)

    def _put_lease(self, now: int) -> None:
        self._lease_until = now + LEASE_SECONDS
        self._monitors.put_lease(EvaluationLease(self._owner, self._since, now + LEASE_SECONDS, self._evaluated_at))

    # What is kept between two minutes

    def _load(self, evaluated_at: int) -> None:
        """And see to what the last server stored and told nobody of any more."""
        found = self._monitors.groups_by_monitor()
        known = {key: {one.group: one for one in states} for key, states in found.items()}
        self._latecomers.begin(known, evaluated_at)
        self._states = known
        self._noted = {key: dict(states) for key, states in known.items()}
        self._loaded_at, self._at = evaluated_at, {}
        for key, states in known.items():
            try:
                self._tell(key, list(states.values()))
            except Unavailable as error:
                self._log_untold(key, error)
                self._untold.add(key)  # and it is tried again when its monitor is evaluated

    def _known(self) -> dict[_Key, dict[Group, GroupState]]:
        if self._states is None:
            raise RuntimeError("states are read before they are used")
        return self._states

    # A minute

    def _evaluate_all(self, at: int, now: int) -> None:
        """No monitor keeps another one from being evaluated: one that fails is skipped for a while."""
        observers: dict[tuple[int, Moment], Observer] = {}
        monitors = self._monitors.monitors()
        self._refreshes_left = MAX_REFRESHED
        self._forget_deleted({(one.org_id, one.id) for one in monitors})
        unanswered = 0
        for monitor in monitors:
            if monitor.created_at // 1_000_000 > at:
                continue  # there was none in the minutes that are caught up
            try:
                is_skipped = self._evaluate(monitor, at, now, observers)
            except LeaseLost:
                raise
            except Unavailable as error:
                self._skip(monitor, at, f"the store did not answer: {error}")
                unanswered += 1
                if unanswered == MAX_UNANSWERED:
                    raise
            except Exception as error:
                fields = {"event": "monitor-failed", "org_id": monitor.org_id, "monitor": monitor.id}
                _log.exception("cannot evaluate the monitor %(monitor)d of org %(org_id)d", fields)
                self._skip(monitor, at, f"its evaluation failed: {type(error).__name__}")
            else:
                unanswered = unanswered if is_skipped else 0
        with contextlib.suppress(Unavailable):  # it is asked for again in the next minute
            for place in {(one.org_id, Moment(at, now)) for one in monitors}:
                self._latecomers.note(observers.get(place) or self._observer(*place), monitors)

    def _evaluate_again(self) -> None:
        """Minutes of which hosts told late. What comes of that is kept, and told to nobody."""
        known, begun = self._known(), self._clock()
        while (started := self._clock()) - begun < MAX_LATE_SECONDS:

            def goes_on(started: float = started) -> bool:
                self._hold_lease()
                return self._clock() - started < MAX_SECONDS

            found = self._latecomers.next(known, goes_on)
            if found is None:
                return
            self._hold_lease()
            key, replayed = found
            if replayed.transitions:
                self._monitors.put_transitions(replayed.transitions)
            if replayed.newcomers:
                self._put_groups(key, replayed.newcomers)
                known[key].update((one.group, one) for one in replayed.newcomers)

    def _observer(self, org_id: int, moment: Moment, unheard: Unheard | None = None) -> Observer:
        if unheard is None:
            unheard = functools.partial(self._latecomers.unheard, org_id)
        return Observer(self._processes, self._analysis, self._hosts, org_id, moment, unheard)

    def _evaluate(self, monitor: Monitor, at: int, now: int, observers: dict[tuple[int, Moment], Observer]) -> bool:
        """Gives whether it was skipped, without being looked at."""
        key = (monitor.org_id, monitor.id)
        if key not in self._rules or self._rules[key].monitor != monitor:
            self._rules[key] = Rules.of(monitor)
        rules = self._rules[key]
        place = monitor.org_id, rules.moment(at, now)
        if place not in observers:
            observers[place] = self._observer(*place)
        if self._queries.setdefault(key, monitor.query_text) != monitor.query_text:
            self._forget(key)
            self._queries[key] = monitor.query_text
        before = self._known().get(key, {})
        outcome = self._skipped(key, rules, before, place[1].at)
        is_skipped = outcome is not None
        if outcome is None:
            outcome = self._outcome(key, rules, before, observers[place], is_all_told=at >= self._told_at)
        self._hold_lease()
        self._keep(key, outcome)
        return is_skipped

    @property
    def _told_at(self) -> int:
        return self._started_at + START_SECONDS

    def _forget_deleted(self, keys: set[_Key]) -> None:
        """All but those."""
        states = self._known()
        gone = (states.keys() | self._skipped_until.keys() | self._queries.keys()) - keys
        of_each = (states, self._skipped_until, self._queries, self._rules, self._noted, self._at)
        remembered: tuple[dict[_Key, Any], ...] = of_each
        for key in gone:
            self._monitors.drop_groups(*key, list(states.get(key, ())))
            for one in remembered:
                one.pop(key, None)
            self._untold.discard(key)

    def _forget(self, key: _Key) -> None:
        """Of another query: its groups are none of this one."""
        groups = list(self._known().get(key, {}))
        self._latecomers.forget(key)
        self._monitors.drop_groups(*key, groups)
        self._known().pop(key, None)
        self._skipped_until.pop(key, None)
        self._noted.pop(key, None)

    def _skipped(self, key: _Key, rules: Rules, before: dict[Group, GroupState], at: int) -> Outcome | None:
        until, reason = self._skipped_until.get(key, (0, ""))
        if at >= until:
            return None
        skipped = skipped_state(rules, before.get(()), reason, at)
        return Outcome({**before, (): skipped}, (skipped,))

    def _skip(self, monitor: Monitor, at: int, reason: str) -> None:
        """For this minute, or for a while if that is not the first one. Raises Unavailable where the store does not
        answer at all: then it is not about the monitor."""
        key = (monitor.org_id, monitor.id)
        try:
            rules = Rules.of(monitor)
        except InvalidRequest:
            return  # nobody can say more of it
        at = rules.moment(at, at).at
        before = self._skipped_until.get(key, (0, ""))
        self._skipped_until[key] = at + (SKIPPED_MINUTES if before[0] == at else 1) * MINUTE, reason
        self._hold_lease()
        state = skipped_state(rules, self._known().get(key, {}).get(()), reason, at)
        try:
            self._monitors.leases()
            self._put_groups(key, [state])
        except Unavailable:
            self._skipped_until[key] = before
            raise
        self._known().setdefault(key, {})[()] = state

    def _outcome(
        self, key: _Key, rules: Rules, before: dict[Group, GroupState], observer: Observer, *, is_all_told: bool
    ) -> Outcome:
        at = observer.moment.at
        begun = self._clock()
        evaluated_at = self._at.get(key, rules.moment(self._loaded_at, self._loaded_at).at)
        outcome = Evaluation(
            rules,
            before,
            observer,
            evaluated_at=evaluated_at,
            is_all_told=is_all_told,
            most_refreshed=self._refreshes_left,
        ).run()
        refreshed = sum(1 for one in outcome.changed if one.state is State.OK)
        self._refreshes_left = max(0, self._refreshes_left - refreshed)
        self._at[key] = at
        took = self._clock() - begun
        if took > MAX_SECONDS:
            reason = f"its evaluation took {took:.0f} s; there may be {MAX_SECONDS:.0f} s"
            self._skipped_until[key] = at + SKIPPED_MINUTES * MINUTE, reason
        return outcome

    def _keep(self, key: _Key, outcome: Outcome) -> None:
        """States and transitions first, in one record; whoever is told is told of what is safe."""
        noted = self._noted.setdefault(key, {})
        changed = [one for one in outcome.changed if _is_worth_noting(noted.get(one.group), one)]
        if changed:
            self._put_groups(key, changed)
        self._known()[key] = outcome.states
        if outcome.dropped:
            self._monitors.drop_groups(*key, outcome.dropped)
            for group in outcome.dropped:
                noted.pop(group, None)
        self._tell(key, list(outcome.states.values()) if key in self._untold else outcome.changed)

    def _put_groups(self, key: _Key, states: Sequence[GroupState]) -> None:
        noted = self._noted.setdefault(key, {})
        for one in states:
            noted.pop(one.group, None)  # if it fails, nobody knows what is stored
        self._monitors.put_groups(*key, states)
        noted.update((one.group, one) for one in states)

    def _tell(self, key: _Key, states: Sequence[GroupState]) -> None:
        fresh = [one for one in states if one.unsent or one.quiet]
        if not fresh:
            return
        transitions = [one for state in fresh for one in (*state.unsent, *state.quiet)]
        self._monitors.put_transitions(transitions)
        try:
            self._sink.put([one for state in fresh for one in state.unsent])
        except Exception as error:  # it must not keep the other monitors from being told
            self._log_untold(key, error)
            self._untold.add(key)
            waiting = [msgspec.structs.replace(one, unsent=one.unsent[-MAX_UNSENT:], quiet=()) for one in fresh]
            self._known()[key].update((one.group, one) for one in waiting)
            return
        for one in transitions:
            fields = {
                "event": "monitor-transition",
                "org_id": one.org_id,
                "monitor": one.monitor_id,
                "group": group_name(one.group),
                "kind": str(one.kind),
                "state": str(one.state),
                "reason": one.reason,
            }
            _log.info("the monitor %(monitor)d is %(state)s for %(group)r, %(kind)s", fields)
        self._untold.discard(key)
        told = [msgspec.structs.replace(one, unsent=(), quiet=()) for one in fresh]
        self._put_groups(key, told)
        self._known()[key].update((one.group, one) for one in told)

    @staticmethod
    def _log_untold(key: _Key, error: Exception) -> None:
        reason = str(error) or type(error).__name__
        fields = {"event": "monitor-untold", "org_id": key[0], "monitor": key[1], "reason": reason}
        text = "cannot tell of the monitor %(monitor)d of org %(org_id)d: %(reason)s; trying again in a minute"
        _log.warning(text, fields, exc_info=None if isinstance(error, Unavailable) else error)


def _is_worth_noting(noted: GroupState | None, state: GroupState) -> bool:
    if noted is None or (state.last_seen_at or 0) - (noted.last_seen_at or 0) >= REFRESHED_SECONDS:
        return True
    same = msgspec.structs.replace(noted, last_seen_at=state.last_seen_at, value=state.value)
    return same != state
