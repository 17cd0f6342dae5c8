from __future__ import annotations

from procession.accounts.hosts import HostNotice
from procession.monitors.group_state import GroupState
from procession.monitors.late.silences import MAX_SILENT_SECONDS, Silences
from procession.monitors.observing.host_facts import LEAST_SILENT_SECONDS, HostFacts
from tests.support.builders import NOON


def facts(at: int, *slow: str, **told_at: int) -> HostFacts:
    notices = {host: HostNotice(1, host, 120) for host in slow}
    return HostFacts({host: at - ago for host, ago in told_at.items()}, frozenset(slow), notices, at)


def test_a_host_that_tells_again_was_silent_since_its_last_snapshot() -> None:
    silences = Silences()
    silences.note(facts(NOON, a=5, b=7))
    silences.note(facts(NOON + 60, b=3))
    silences.note(facts(NOON + 120, b=3))

    assert silences.ended(facts(NOON + 120, b=3)) == {}
    back = facts(NOON + 180, a=1, b=3, c=0)
    assert silences.ended(back) == {"a": NOON - 5}
    silences.note(back)
    assert silences.ended(back) == {}


def test_a_slow_host_is_not_silent_until_it_is_late() -> None:
    silences = Silences()
    silences.note(facts(NOON, a=5))
    silences.note(facts(NOON + 120, "a"))
    assert silences.ended(facts(NOON + 180, a=1)) == {}

    silences.note(facts(NOON + 400))
    assert silences.ended(facts(NOON + 460, a=1)) == {"a": NOON - 5}


def test_groups_that_were_missing_before_say_which_hosts_were_silent() -> None:
    silences = Silences()
    silences.note(facts(NOON, b=5))
    silences.note_missing(
        [
            GroupState(group=(("host", "a"), ("command", "x")), missing_since=NOON - 60),
            GroupState(group=(("host", "a"), ("command", "y")), missing_since=NOON - 120),
            GroupState(group=(("host", "b"),)),
            GroupState(group=(("command", "x"),), missing_since=NOON - 60),
        ]
    )

    assert silences.ended(facts(NOON + 60, a=1, b=1)) == {"a": NOON - 120 - LEAST_SILENT_SECONDS}


def test_a_host_that_never_comes_back_is_forgotten() -> None:
    silences = Silences()
    silences.note(facts(NOON, a=5))
    silences.note(facts(NOON + 120))
    silences.note(facts(NOON + MAX_SILENT_SECONDS))

    assert silences.ended(facts(NOON + MAX_SILENT_SECONDS + 60, a=1)) == {}


def test_hosts_that_do_not_tell_are_known_with_what_they_told_last_for_a_day() -> None:
    silences = Silences()
    silences.note(facts(NOON, a=5, b=7, c=3))

    assert silences.unheard(facts(NOON + 60, "c", b=1)) == {"a": NOON - 5, "c": NOON - 3}
    silences.note(facts(NOON + 60, "c", b=1))
    assert silences.begun(facts(NOON + 120, "c", b=1)) == {}
    assert silences.unheard(facts(NOON + 120, "c", b=1)) == {"a": NOON - 5, "c": NOON - 3}
    assert silences.unheard(facts(NOON - 30)) == {}
    assert silences.unheard(facts(NOON + MAX_SILENT_SECONDS, b=1)) == {}


def test_a_silence_that_was_stored_goes_on() -> None:
    silences = Silences()
    silences.note(facts(NOON, a=5))
    silences.recall("a", NOON - 600)

    assert silences.ended(facts(NOON + 60, a=1)) == {"a": NOON - 600}
    assert silences.silent_only().unheard(facts(NOON + 60)) == {"a": NOON - 600}
