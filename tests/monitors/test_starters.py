"""Monitors to begin with."""

from __future__ import annotations

import pytest

from procession.monitors.monitor import Creator, new_monitor
from procession.monitors.starters import STARTERS, Starter
from procession.notifications.template import check_template


@pytest.mark.parametrize("starter", STARTERS, ids=lambda one: one.id)
def test_a_starter_can_be_saved_as_it_is(starter: Starter) -> None:
    monitor = new_monitor(1, 7, starter.body, creator=Creator(0, "", "", ""), changed_by="", now_us=0)

    assert monitor.query_text == monitor.query.text
    check_template(monitor.message)


def test_each_starter_has_an_id_of_its_own() -> None:
    assert len({one.id for one in STARTERS}) == len(STARTERS)
