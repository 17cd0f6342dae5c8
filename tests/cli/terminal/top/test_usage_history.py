from __future__ import annotations

from procession.cli.analysis import Filters
from procession.cli.terminal.top.questions import Answer, Summary
from procession.cli.terminal.top.usage_history import MOST_MOMENTS, UsageHistory


def an_answer(at: int, cpu: float | None) -> Answer:
    return Answer(at, 0, 0, [], Summary(0, 0, {}, {"cpu_total_percent": cpu}))


def test_what_was_used_until_a_moment_is_kept_whichever_way_one_goes_through_time() -> None:
    history = UsageHistory()
    for at, cpu in ((10, 1.0), (12, None), (14, 3.0), (4, 9.0), (14, 3.5)):
        history.add(an_answer(at, cpu), Filters(), None)

    assert history.until(14, "cpu_total_percent") == [9.0, 1.0, 3.5]
    assert history.until(10, "cpu_total_percent") == [9.0, 1.0]


def test_of_other_processes_it_begins_anew_and_it_does_not_grow_without_end() -> None:
    history = UsageHistory()
    for at in range(MOST_MOMENTS + 10):
        history.add(an_answer(at, 1.0), Filters(), None)
    assert len(history.until(10**9, "cpu_total_percent")) == MOST_MOMENTS

    history.add(an_answer(10**6, 2.0), Filters("java"), None)

    assert history.until(10**9, "cpu_total_percent") == [2.0]
