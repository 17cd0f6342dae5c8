from __future__ import annotations

from procession.monitors.transition import State


def test_states_are_those_that_clients_of_datadog_can_read() -> None:
    known = {"Alert", "Ignored", "No Data", "OK", "Skipped", "Unknown", "Warn"}

    assert {str(state) for state in State} == known
