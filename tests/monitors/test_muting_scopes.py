"""Which groups a scope of `options.silenced` fits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procession.monitors.group_state import Group
from procession.monitors.monitor import Creator, new_monitor
from procession.monitors.muting import is_muted, muted, scope_of

KEYS = st.lists(st.sampled_from(["host", "command", "user"]), min_size=1, max_size=3, unique=True)
VALUES = st.text(st.sampled_from("ab,\\: *"), max_size=6)


def a_monitor_muted(scope: str) -> list[tuple[str, int | None]]:
    """By the scope as it is kept."""
    body = {"type": "process alert", "query": "processes('a').by('host').rollup('count_now') < 1"}
    monitor = new_monitor(1, 7, body, creator=Creator(0, "", "", ""), changed_by="", now_us=0)
    return list(muted(monitor, scope, None, changed_by="", now_us=0).options["silenced"].items())


@pytest.mark.parametrize(
    ("scope", "fits"),
    [
        ("*", True),
        ("host:web-1", True),
        (" host:web-1 , command:nginx ", True),
        ("host:web-2", False),
        ("host:web-1,command:java", False),
        ("host", False),
        ("", False),
    ],
)
def test_a_scope_fits_groups_that_have_all_of_its_tags(scope: str, fits: bool) -> None:
    group = (("host", "web-1"), ("command", "nginx"))

    assert is_muted([(scope, None)], group, 7) is fits


def test_a_scope_holds_until_its_end() -> None:
    assert is_muted([("*", 8)], (), 7)
    assert not is_muted([("*", 8)], (), 8)


@given(keys=KEYS, data=st.data())
def test_the_scope_of_a_group_mutes_that_group_and_no_other(keys: list[str], data: st.DataObject) -> None:
    def a_group() -> Group:
        return tuple((key, data.draw(VALUES)) for key in keys)

    one, other = a_group(), a_group()

    kept = a_monitor_muted(scope_of(one))
    assert is_muted(kept, one, 0)
    assert is_muted(kept, other, 0) is (one == other)


def test_a_value_cannot_pass_for_two_tags() -> None:
    assert not is_muted([("command:a,user:root", None)], (("command", "a,user:root"),), 0)
