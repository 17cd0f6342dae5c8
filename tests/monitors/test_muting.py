from __future__ import annotations

import dataclasses

import pytest

from procession.errors import InvalidRequest
from procession.monitors.monitor import Creator, Monitor, new_monitor
from procession.monitors.muting import MAX_SCOPES, muted, unmuted
from tests.support.builders import NOON

NOW_US = NOON * 1_000_000


def a_monitor(**silenced: int | None) -> Monitor:
    body = {"type": "process alert", "query": "processes('a').by('host').rollup('count_now') < 1"}
    made = new_monitor(1, 7, body, creator=Creator(0, "", "", ""), changed_by="k1", now_us=NOW_US - 5)
    return dataclasses.replace(made, options={**made.options, "silenced": silenced})


def mute(monitor: Monitor, scope: str, until: int | None = None) -> Monitor:
    return muted(monitor, scope, until, changed_by="k2", now_us=NOW_US)


def unmute(monitor: Monitor, scope: str | None) -> Monitor:
    return unmuted(monitor, scope, changed_by="k2", now_us=NOW_US)


def test_a_scope_is_muted_besides_those_that_are() -> None:
    monitor = mute(mute(a_monitor(), " host:web-1 ", NOON + 60), "")

    assert monitor.rules.silenced == (("host:web-1", NOON + 60), ("*", None))
    assert (monitor.changed_by, monitor.modified_at) == ("k2", NOW_US)


def test_one_scope_is_unmuted_or_all() -> None:
    monitor = mute(mute(a_monitor(), "host:web-1"), "host:web-2")

    assert unmute(monitor, "host:web-1").rules.silenced == (("host:web-2", None),)
    assert unmute(monitor, None).rules.silenced == ()


def test_what_is_so_already_stays_as_it_is() -> None:
    monitor = mute(a_monitor(), "host:web-1")

    assert mute(monitor, "host:web-1") is monitor
    assert unmute(monitor, "*") is monitor


def test_a_mute_ends_in_the_future_and_its_scope_is_bounded() -> None:
    with pytest.raises(InvalidRequest, match="not in the future"):
        mute(a_monitor(), "*", NOON)
    with pytest.raises(InvalidRequest, match="more than 1000 characters"):
        mute(a_monitor(), "x" * 1001)
    with pytest.raises(InvalidRequest, match="1000 muted scopes already"):
        mute(a_monitor(**{f"host:{n}": None for n in range(MAX_SCOPES)}), "*")
