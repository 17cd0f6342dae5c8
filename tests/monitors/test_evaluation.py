"""One group of a monitor over many instants: each option by itself, and all together against an oracle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from procession.monitors.evaluation import TIMED_OUT, Rules, Seen, evaluate_group, skipped_state
from procession.monitors.group_state import GroupState
from procession.monitors.monitor import Creator, new_monitor
from procession.monitors.options import _CHECKS
from procession.monitors.transition import State, Transition, TransitionKind
from procession.notifications.variables import event_variables
from tests.support.builders import NOON

MANY = "processes('a').rollup('count').last('5m') > 10"
FEW = "processes('a').rollup('count').last('5m') < 2"
GROUP = (("host", "web-1"),)


def rules(query: str = MANY, **body: Any) -> Rules:
    sent = {"type": "process alert", "name": "a", "message": "m", "query": query} | body
    creator = Creator(1, "", "", "")
    return Rules.of(new_monitor(1, 7, sent, creator=creator, changed_by="", now_us=0))


def walk(of: Rules, seen: Sequence[float | Seen | None]) -> list[GroupState]:
    """A state for each minute; between two of them each goes through the store and is taken back."""
    state, found = None, []
    for minute, one in enumerate(seen):
        one = one if isinstance(one, Seen) else Seen(one, is_present=bool(one))
        state = evaluate_group(of, GROUP, state, one, NOON + 60 * minute)
        found.append(state)
        stored = msgspec.json.decode(msgspec.json.encode(state), type=GroupState)
        assert stored == state
        state = msgspec.structs.replace(stored, unsent=(), quiet=())
    return found


def states(of: Rules, seen: Sequence[float | Seen | None]) -> str:
    short = {State.OK: "o", State.ALERT: "A", State.WARN: "W", State.NO_DATA: "n"}
    return "".join(short[one.state] for one in walk(of, seen))


def sent(of: Rules, seen: Sequence[float | Seen | None]) -> list[tuple[int, str]]:
    """Minute and kind of what somebody is told."""
    found = walk(of, seen)
    return [(minute, str(one.kind)) for minute, state in enumerate(found) for one in state.unsent]


def test_a_value_over_the_threshold_alerts_and_one_within_recovers() -> None:
    assert states(rules(), [10, 11, 12, 10, 3]) == "oAAoo"
    assert sent(rules(), [10, 11, 12, 10, 3]) == [(1, "triggered"), (3, "recovered")]


def test_a_state_says_of_which_query_it_is() -> None:
    few, many = (walk(rules(query), [3, 11])[-1].query_hash for query in (FEW, MANY))

    assert "" != few != many == rules(MANY).monitor.query_hash
    skipped = skipped_state(rules(FEW), walk(rules(MANY), [3])[0], "too much", NOON)
    assert skipped.query_hash == few


def test_all_of_an_alert_have_one_cycle_key_and_the_next_alert_has_another() -> None:
    found = [one for state in walk(rules(), [11, 3, 11, 3]) for one in state.unsent]

    first, second = found[0].cycle_key, found[2].cycle_key
    assert [one.cycle_key for one in found] == [first, first, second, second]
    assert first != second
    assert first
    assert found == [one for state in walk(rules(), [11, 3, 11, 3]) for one in state.unsent]


def test_a_transition_says_all_of_its_monitor_and_its_moment() -> None:
    options = {"thresholds": {"critical": 10, "warning": 5}}
    (transition,) = walk(rules(tags=["team:web"], priority=2, options=options), [11])[0].unsent

    assert transition == Transition(
        org_id=1,
        monitor_id=7,
        monitor_name="a",
        message="m",
        tags=("team:web",),
        priority=2,
        query=MANY,
        group=GROUP,
        previous=State.OK,
        state=State.ALERT,
        at=NOON,
        value=11,
        threshold=10,
        warn_threshold=5,
        reason="",
        processes=(),
        cycle_key=transition.cycle_key,
        kind=TransitionKind.TRIGGERED,
    )


def test_warning_and_recovery_have_thresholds_of_their_own() -> None:
    thresholds = {"critical": 10, "critical_recovery": 8, "warning": 5, "warning_recovery": 3}
    of = rules(options={"thresholds": thresholds})

    assert states(of, [4, 6, 4, 3, 11, 9, 8, 4, 3]) == "oWWoAAWWo"
    assert states(rules(options={"thresholds": {"critical": 10, "warning": 5}}), [6, 11, 9, 4]) == "WAWo"


def test_thresholds_from_below_are_the_other_way_round() -> None:
    of = rules(FEW, options={"thresholds": {"critical": 2, "critical_recovery": 4, "warning": 6}})

    assert states(of, [7, 5, 1, 3, 4, 6]) == "oWAAWo"


def test_silence_is_no_data_and_nobody_is_told_unless_it_is_asked_for() -> None:
    seen = [3, None, None, 3]

    assert states(rules(), seen) == "onno"
    assert sent(rules(), seen) == []
    for options in ({"notify_no_data": True}, {"on_missing_data": "show_and_notify_no_data"}):
        assert sent(rules(options=options), seen) == [(1, "no data"), (3, "recovered")]


def test_no_data_waits_for_its_timeframe() -> None:
    of = rules(options={"notify_no_data": True, "no_data_timeframe": 3})

    assert sent(of, [3, None, None, 3, None, None, None, None]) == [(7, "no data")]


def test_a_group_in_alert_stays_in_alert_while_nobody_tells() -> None:
    assert states(rules(), [11, None, None, 12, None, 3]) == "AAAAAo"
    assert states(rules(options={"thresholds": {"critical": 10, "warning": 5}}), [6, None]) == "Wn"


def test_missing_data_resolves_where_that_is_asked_for() -> None:
    of = rules(options={"on_missing_data": "resolve"})

    assert states(of, [11, None, None, 11]) == "AooA"
    assert sent(of, [11, None])[-1] == (1, "recovered")


def test_an_alert_times_out_once_nothing_was_told_for_so_long() -> None:
    of = rules(options={"timeout_h": 1})
    found = walk(of, [11, *[None] * 63, 11])

    assert [minute for minute, one in enumerate(found) if one.unsent] == [0, 61, 64]
    assert found[61].unsent[0].reason == TIMED_OUT
    assert found[63].state is State.OK


def test_a_new_group_is_waited_for() -> None:
    assert states(rules(options={"new_group_delay": 120}), [11, 11, 11]) == "ooA"


def test_a_window_that_is_not_full_changes_nothing() -> None:
    def part(value: float) -> Seen:
        return Seen(value, is_present=True, is_full=False)

    assert states(rules(options={"require_full_window": True}), [part(11), part(11), 11, part(3), 3]) == "ooAAo"
    assert states(rules(), [part(11)]) == "A"


def test_an_alert_is_sent_again_at_its_interval_as_often_as_is_said() -> None:
    of = rules(options={"renotify_interval": 2, "renotify_occurrences": 2})

    assert sent(of, [11] * 9 + [3]) == [(0, "triggered"), (2, "renotify"), (4, "renotify"), (9, "recovered")]
    assert sent(rules(), [11] * 9) == [(0, "triggered")]


def test_only_the_named_statuses_are_sent_again() -> None:
    options = {"renotify_interval": 1, "thresholds": {"critical": 10, "warning": 5}, "notify_no_data": True}

    assert sent(rules(options=options | {"renotify_statuses": ["warn"]}), [6, 6, 11, 11]) == [
        (0, "triggered"),
        (1, "renotify"),
        (2, "triggered"),
    ]
    assert sent(rules(options=options | {"renotify_statuses": ["no data"]}), [3, None, None]) == [
        (1, "no data"),
        (2, "renotify"),
    ]


def test_what_is_sent_again_has_the_message_of_escalation() -> None:
    of = rules(options={"renotify_interval": 1, "escalation_message": "up @pagerduty"})
    found = [one for state in walk(of, [11, 11]) for one in state.unsent]

    assert [(one.kind, one.message) for one in found] == [("triggered", "m"), ("escalated", "up @pagerduty")]
    assert found[0].cycle_key == found[1].cycle_key


@pytest.mark.parametrize(
    "body",
    [
        {"draft_status": "draft"},
        {"options": {"silenced": {"*": None}}},
        {"options": {"silenced": {"host:web-1": NOON + 600}}},
    ],
)
def test_of_drafts_and_what_is_muted_nobody_is_told_and_all_is_kept(body: dict[str, Any]) -> None:
    found = walk(rules(**body), [11, 3])

    assert [len(one.unsent) for one in found] == [0, 0]
    assert [one.kind for state in found for one in state.quiet] == ["triggered", "recovered"]


def test_an_alert_that_still_holds_when_its_mute_ends_is_told_then_and_one_that_has_gone_is_not() -> None:
    for scope in ("*", "host:web-1"):
        of = rules(options={"silenced": {scope: NOON + 180}, "thresholds": {"critical": 10, "warning": 5}})

        assert sent(of, [3, 11, 11, 11, 11, 3]) == [(3, "triggered"), (5, "recovered")]
        assert sent(of, [3, 11, 3, 3]) == []
        assert sent(of, [3, 11, 6, 6]) == [(3, "triggered")]

    found = walk(of, [3, 11, 6, 6])
    (told,) = found[3].unsent
    assert (told.previous, told.state, told.cycle_key) == (State.OK, State.WARN, found[1].quiet[0].cycle_key)


def test_what_people_know_already_is_not_told_again_when_a_mute_ends() -> None:
    thresholds = {"critical": 10, "warning": 5}
    before, muted = (
        rules(options={"thresholds": thresholds}),
        rules(options={"thresholds": thresholds, "silenced": {"*": NOON + 300}}),
    )

    def told(values: Sequence[float]) -> list[str]:
        """Muted from the second minute on, until the sixth."""
        (state,) = walk(before, [11])
        state, found = msgspec.structs.replace(state, unsent=()), []
        for minute, value in enumerate(values, 1):
            state = evaluate_group(muted, GROUP, state, Seen(value, is_present=True), NOON + 60 * minute)
            found += [f"{minute} {one.kind} {one.previous} {one.state}" for one in state.unsent]
            state = msgspec.structs.replace(state, unsent=(), quiet=())
        return found

    assert told([11, 6, 11, 11, 11, 11]) == []
    assert told([11, 6, 6, 6, 6, 6]) == ["5 triggered Alert Warn"]
    # Whoever heard of it hears that it is over.
    assert told([11, 3, 3, 3, 3]) == ["2 recovered Alert OK"]


def test_a_draft_that_is_published_tells_of_what_holds() -> None:
    draft, published = rules(draft_status="draft"), rules()
    state = walk(draft, [11])[0]
    state = evaluate_group(published, GROUP, state, Seen(11, is_present=True), NOON + 60)

    assert [(one.kind, one.at) for one in state.unsent] == [("triggered", NOON + 60)]


def test_a_mute_of_another_group_or_of_the_past_is_none() -> None:
    assert sent(rules(options={"silenced": {"host:web-2": None, "*": NOON}}), [11]) == [(0, "triggered")]


def test_where_it_ran_is_kept_until_something_is_seen_again() -> None:
    gone = Seen(0, reason="process gone", hosts=("web-1",), processes=("nginx (pid 1 on web-1)",))
    found = walk(rules(FEW), [3, gone, Seen(0, reason="process gone"), 3])

    assert [one.hosts for one in found] == [(), ("web-1",), ("web-1",), ()]
    assert found[1].unsent[0].processes == ("nginx (pid 1 on web-1)",)
    assert found[1].unsent[0].reason == "process gone"
    assert found[2].last_seen_at == NOON


# Each option by itself

BY_HOST = "processes('a').by('host').rollup('count').last('5m') > 10"
TWO_LEVELS = {"thresholds": {"critical": 10, "warning": 5}}
HALF_FULL = [Seen(11, is_present=True, is_full=False)]

OPTIONS: dict[str, tuple[Any, dict[str, Any], Sequence[float | Seen | None]]] = {
    "thresholds": ({"critical": 10, "warning": 5}, {}, [6]),
    "notify_no_data": (True, {}, [3, None]),
    "on_missing_data": ("resolve", {}, [11, None]),
    "no_data_timeframe": (5, {}, [3, None]),
    "new_group_delay": (60, {"new_host_delay": 0}, [11]),
    "new_host_delay": (0, {}, [11]),
    "renotify_interval": (1, {}, [11, 11]),
    "renotify_occurrences": (1, {"renotify_interval": 1}, [11, 11, 11]),
    "renotify_statuses": (["warn"], {"renotify_interval": 1} | TWO_LEVELS, [11, 11]),
    "escalation_message": ("up", {"renotify_interval": 1}, [11, 11]),
    "timeout_h": (1, {}, [11, *[None] * 62]),
    "require_full_window": (True, {}, HALF_FULL),
    "silenced": ({"*": None}, {}, [11]),
}
"""A value that changes what happens, what it needs besides, and what is seen."""
IN_TIME_AND_PLACE = {"evaluation_delay", "group_retention_duration", "expected_groups"}
"""Which change what is seen: `test_evaluator` has them."""
ONLY_ECHOED = {"notify_audit", "include_tags", "locked", "notification_preset_name"}


def notifications(
    body: dict[str, Any], seen: Sequence[float | Seen | None]
) -> list[tuple[State, list[dict[str, str]]]]:
    """States, and what receivers are told."""
    return [
        (one.state, [event_variables(told, notification_id="", link="") for told in one.unsent])
        for one in walk(rules(BY_HOST, **body), seen)
    ]


@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_changes_what_is_evaluated_or_told(name: str) -> None:
    value, others, seen = OPTIONS[name]
    others = ({} if name == "new_host_delay" else {"new_host_delay": 0}) | others

    assert notifications({"options": others | {name: value}}, seen) != notifications({"options": others}, seen)


def test_each_option_has_a_test_of_what_it_changes() -> None:
    assert OPTIONS.keys() | IN_TIME_AND_PLACE | ONLY_ECHOED == _CHECKS.keys() | {"thresholds"}


@pytest.mark.parametrize(
    ("name", "value"), [("priority", 2), ("tags", ["team:web"]), ("draft_status", "draft"), ("message", "other")]
)
def test_what_a_monitor_has_besides_changes_what_is_told(name: str, value: Any) -> None:
    body = {"options": {"new_host_delay": 0}}

    assert notifications(body | {name: value}, [11]) != notifications(body, [11])


class Oracle:
    """The same rules once more, told as one reads them: every state out of the whole past."""

    def __init__(self, of: Rules) -> None:
        self.of = of

    def states(self, values: Sequence[float | None]) -> list[State]:
        found: list[State] = []
        for minute in range(len(values)):
            found.append(self._next(found[-1] if found else State.OK, values[: minute + 1]))
        return found

    def _next(self, now: State, values: Sequence[float | None]) -> State:
        options = self.of.options
        if 60 * (len(values) - 1) < options.new_group_delay:
            return now
        value = values[-1]
        if value is not None:
            return self._of_value(now, value)
        missing = next((n for n, one in enumerate(reversed(values)) if one is not None), len(values)) - 1
        if options.missing == "resolve":
            return State.OK
        if options.timeout_seconds and 60 * missing >= options.timeout_seconds:
            return State.OK
        if now is State.ALERT or 60 * missing < options.no_data_seconds:
            return now
        return State.NO_DATA

    def _of_value(self, now: State, value: float) -> State:
        options = self.of.options
        limit = options.critical_recovery if now is State.ALERT else None
        if value > min(options.critical, options.critical if limit is None else limit):
            return State.ALERT
        if options.warning is None:
            return State.OK
        limit = options.warning_recovery if now in (State.ALERT, State.WARN) else None
        return State.WARN if value > min(options.warning, options.warning if limit is None else limit) else State.OK


@given(
    values=st.lists(st.none() | st.integers(0, 14), max_size=40),
    thresholds=st.sampled_from(
        [{}, {"critical_recovery": 8}, {"warning": 6}, {"critical_recovery": 8, "warning": 6, "warning_recovery": 4}]
    ),
    missing=st.sampled_from(["show_no_data", "show_and_notify_no_data", "resolve"]),
    no_data_timeframe=st.integers(0, 4),
    new_group_delay=st.sampled_from([0, 60, 150]),
    renotify_interval=st.integers(0, 3),
)
def test_states_are_those_of_the_oracle_and_what_is_told_follows_from_them(
    values: list[float | None],
    thresholds: dict[str, float],
    missing: str,
    no_data_timeframe: int,
    new_group_delay: int,
    renotify_interval: int,
) -> None:
    options = {
        "thresholds": {"critical": 10} | thresholds,
        "on_missing_data": missing,
        "no_data_timeframe": no_data_timeframe,
        "new_group_delay": new_group_delay,
        "renotify_interval": renotify_interval,
    }
    of = rules(options=options)

    found = walk(of, values)

    assert [one.state for one in found] == Oracle(of).states(values)
    before = [State.OK, *(one.state for one in found)]
    for previous, state in zip(before, found, strict=False):
        happened = [*state.unsent, *state.quiet]
        changes = [one for one in happened if one.kind != TransitionKind.RENOTIFY]
        assert [(one.previous, one.state) for one in changes] == (
            [] if previous is state.state else [(previous, state.state)]
        )
        assert len({one.cycle_key for one in happened}) <= 1
    told = [one for state in found for one in state.unsent]
    opened: set[str] = set()
    for one in told:
        assert one.kind != TransitionKind.RECOVERED or one.cycle_key in opened
        opened.add(one.cycle_key)
