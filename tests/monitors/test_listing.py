from __future__ import annotations

import pytest

from procession.errors import InvalidRequest
from procession.monitors.group_state import GroupState, group_name, overall_state
from procession.monitors.listing import group_states
from procession.monitors.transition import State


def test_the_state_of_a_monitor_is_that_of_its_worst_group() -> None:
    groups = [GroupState(group=(("host", state),), state=state) for state in (State.OK, State.NO_DATA, State.WARN)]

    assert overall_state(tuple(groups)) is State.WARN
    assert overall_state(tuple(groups[:2])) is State.NO_DATA
    assert overall_state(()) is State.NO_DATA


def test_states_of_groups_are_named_between_commas() -> None:
    assert group_states("alert, No Data") == {State.ALERT, State.NO_DATA}
    assert group_states("all") == set(State)
    assert group_states("") == set()
    with pytest.raises(InvalidRequest, match="Invalid group_state filters"):
        group_states("alert,nice")


def test_a_group_is_named_as_at_datadog() -> None:
    assert group_name((("host", "web-1"), ("command", "nginx"))) == "host:web-1,command:nginx"
    assert group_name(()) == "*"


def test_no_value_makes_a_group_look_like_another() -> None:
    groups = [
        (("host", "a"), ("command", "b,command:c")),
        (("host", "a,command:b"), ("command", "c")),
        (("host", "a\\,command:b"), ("command", "c")),
    ]

    assert len({group_name(group) for group in groups}) == 3
    assert group_name((("command", "a,b"),)) == "command:a,b"
