"""An instant since something waits for its flush, compared with one before."""

from __future__ import annotations

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from procession.analysis import ChangedProcess, Comparison, Match, Selection, Side
from procession.process import ProcessNumbers, Snapshot
from procession.search.tag_filter import TagFilter
from procession.storage.embedded.joins import joined_comparison
from tests.storage.contract.test_oracle_comparison import bounded
from tests.storage.history.instants.test_analysis import close
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.stores import strategies
from tests.support.stores.analysis_oracle import OracleAnalysis
from tests.support.stores.halves import ORG, Halves

WHOLE = Selection(ORG)


@bounded(120)
@given(st.data())
def test_both_halves_say_what_the_oracle_says(data: st.DataObject) -> None:
    fleet = data.draw(strategies.steady_fleets())
    # Before the live table reaches it does not know what has changed.
    since = NOON + data.draw(st.sampled_from((0, 60, 100)))
    halves = Halves(fleet, since, data.draw(st.integers(len(fleet) * 3 // 4, len(fleet))))
    whole = OracleAnalysis(halves.whole)

    for query in data.draw(st.lists(strategies.queries_over(fleet, ORG), min_size=3, max_size=3)):
        chosen = Selection(ORG, query.search, query.tags), WHOLE
        instants = NOON + data.draw(st.sampled_from((-5, 5, 50, 120))), NOON + data.draw(st.integers(130, 280))
        sides = [Side(*one) for one in zip(chosen, instants, strict=True)]
        if data.draw(st.booleans()):
            sides.reverse()
        asked = (*sides, data.draw(st.sampled_from(Match)), data.draw(st.sampled_from((1, 100))))
        without_arguments = data.draw(st.booleans())
        found = halves.comparison.compare(*asked, without_arguments=without_arguments)
        event(f"joined: {found is not None}")
        assert found is None or close(found) == close(whole.compare(*asked, without_arguments=without_arguments))
        halves.flush(data.draw(st.integers(0, 2)))


def chunk(at: int, *pids: int, host: str = "web-1", user: str = "root", arguments: str = "") -> Snapshot:
    sightings = [
        a_sighting(
            pid,
            NOON - 9000,
            ProcessNumbers(rss_bytes=pid, state="S"),
            user=user if pid == 3 else "www",
            cmdline=f"nginx {arguments}",
        )
        for pid in pids
    ]
    return a_snapshot(*sightings, host=host, taken_at=at, request_id=at, split_id=at, chunk_count=1)


def compared(
    halves: Halves, left: Side, right: Side, match: Match = Match.PROCESS, *, without_arguments: bool = False
) -> Comparison:
    found = halves.comparison.compare(left, right, match, 10, without_arguments=without_arguments)
    assert found is not None
    expected = OracleAnalysis(halves.whole).compare(left, right, match, 10, without_arguments=without_arguments)
    assert found == expected
    return found


@pytest.mark.parametrize("since", [NOON - 1000, NOON - 100])
def test_what_has_changed_is_known_however_far_the_live_table_reaches(since: int) -> None:
    halves = Halves((chunk(NOON - 600, 1, 2, 3, 4), chunk(NOON, 2, 3, 4, 5, user="other")), since, 1)
    old, new = Side(WHOLE, NOON - 590), Side(WHOLE, NOON + 5)

    found = compared(halves, old, new)

    assert (found.started_total, found.ended_total, found.changed_total, found.same_total) == (1, 1, 1, 2)
    back = compared(halves, new, old)
    assert (back.started, back.ended) == (found.ended, found.started)


def test_without_arguments_only_what_else_has_changed_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    chunks = chunk(NOON - 600, 2, 3, arguments="-a"), chunk(NOON, 2, 3, user="other", arguments="-b")
    halves = Halves(chunks, NOON - 100, 1)
    old, new = Side(WHOLE, NOON - 590), Side(WHOLE, NOON + 5)

    found = compared(halves, old, new, without_arguments=True)

    assert (found.changed_total, found.same_total) == (1, 1)
    assert [one.fields for one in found.changed if isinstance(one, ChangedProcess)] == [("user",)]
    assert compared(halves, old, new).changed_total == 2
    monkeypatch.setattr(joined_comparison, "_AT_ONCE", 1)
    assert compared(halves, old, new, without_arguments=True) == found
    monkeypatch.setattr(joined_comparison, "MAX_DESCRIPTIONS", 1)
    assert halves.comparison.compare(old, new, Match.PROCESS, 9, without_arguments=True) is None


def test_a_host_that_is_silent_on_one_side_has_neither_started_nor_ended_anything() -> None:
    chunks = [chunk(NOON - 600, 1, 2), chunk(NOON - 600, 1, host="old"), chunk(NOON, 2, 3), chunk(NOON, 1, host="new")]
    halves = Halves(chunks, NOON - 100, 2)
    old, new = Side(WHOLE, NOON - 590), Side(WHOLE, NOON + 5)

    found = compared(halves, old, new)
    compared(halves, old, new, Match.COMMAND)

    assert (found.left_silent, found.right_silent) == (("new",), ("old",))
    assert (found.started_total, found.ended_total) == (1, 1)
    only = Selection(ORG, tags=TagFilter.parse("host:web-1"))
    assert compared(halves, Side(only, old.at), Side(only, new.at)).left_silent == ()
    only = Selection(ORG, tags=TagFilter.parse("host:new"))
    assert compared(halves, Side(only, old.at), Side(only, new.at)).left_silent == ("new",)


def test_where_very_many_may_have_changed_the_history_answers_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joined_comparison, "_MOST_HASHED", 2)
    halves = Halves((chunk(NOON - 600, 1, 2, 3), chunk(NOON, 1, 2, 3)), NOON - 100, 1)

    assert halves.comparison.compare(Side(WHOLE, NOON - 590), Side(WHOLE, NOON + 5), Match.PROCESS, 9) is None
    assert compared(halves, Side(WHOLE, NOON - 590), Side(WHOLE, NOON + 5), Match.COMMAND)
