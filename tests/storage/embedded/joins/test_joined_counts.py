"""Facets and completion over windows that begin in the history and end in what waits for its flush."""

from __future__ import annotations

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from procession.analysis import Facets, Selection
from procession.process import Snapshot
from procession.window import Window
from tests.storage.contract.test_oracle_comparison import bounded
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.stores import strategies
from tests.support.stores.analysis_oracle import OracleAnalysis
from tests.support.stores.halves import ORG, Halves

HOUR = 3600
ALL = Window(NOON - 5 * HOUR, NOON + 59)
KEYS = ("host", "user", "command", "env", "nothing")


@bounded(120)
@given(st.data())
def test_both_halves_count_what_the_oracle_counts(data: st.DataObject) -> None:
    fleet = data.draw(strategies.steady_fleets())
    since = NOON + data.draw(st.integers(5, 60))
    halves = Halves(fleet, since, data.draw(st.integers(len(fleet) // 2, len(fleet))))
    whole = OracleAnalysis(halves.whole)
    from_at = since - data.draw(st.sampled_from((1, 10, 45, HOUR)))

    for query in data.draw(st.lists(strategies.queries_over(fleet, ORG), min_size=3, max_size=3)):
        window = Window(from_at, NOON + data.draw(st.sampled_from((120, 200, 209, 215, HOUR))))
        chosen, limit = Selection(ORG, query.search, query.tags), data.draw(st.sampled_from((1, 100)))
        prefix = data.draw(st.sampled_from(("", "w", "env:", "u", "*e", "env:*o*d")))
        halves.presence_since = data.draw(st.none() | st.integers(since - 20, since + 100))
        facets = halves.counts.facets(chosen, window, KEYS, limit, prefix)
        completion = halves.counts.complete_tag(ORG, window, prefix, limit)
        event(f"facets joined: {facets is not None}, completion: {completion is not None}")
        if not halves.instants.has_tags_of_hosts(chosen):
            assert facets is None or facets == whole.facets(chosen, window, KEYS, limit, prefix)
        assert completion is None or completion == whole.complete_tag(ORG, window, prefix, limit)
        halves.flush(data.draw(st.integers(0, 2)))


def at_pace(since: int, until: int, *, pids: range = range(1, 9), command: str = "java") -> list[Snapshot]:
    started = {pid: NOON - 2 * HOUR if pid < 9 else NOON - 1 for pid in pids}
    return [
        a_snapshot(
            *(a_sighting(pid, started[pid], command=command) for pid in pids),
            taken_at=at,
            request_id=at,
            split_id=at,
        )
        for at in range(since, until, 10)
    ]


def asked(halves: Halves) -> Facets:
    found = halves.counts.facets(Selection(ORG), ALL, KEYS, 10, "")
    assert found is not None
    assert found == OracleAnalysis(halves.whole).facets(Selection(ORG), ALL, KEYS, 10)
    return found


def test_who_was_seen_before_and_since_is_counted_once_as_what_it_was_last() -> None:
    fleet = [*at_pace(NOON - 300, NOON), *at_pace(NOON, NOON + 40, pids=range(5, 12), command="sh")]
    halves = Halves(fleet, NOON - 100, 30)

    found = asked(halves)

    assert found.total == 11
    assert {one.value: one.count for one in found.facets[2].values} == {"java": 4, "sh": 7}


def test_a_host_that_was_away_for_longer_than_the_live_table_reaches_is_left_to_the_history() -> None:
    fleet = [*at_pace(NOON - 2 * HOUR, NOON - 2 * HOUR + 20), *at_pace(NOON, NOON + 20)]
    halves = Halves(fleet, NOON - HOUR, 2)

    assert halves.counts.facets(Selection(ORG), ALL, KEYS, 10, "") is None


def test_what_is_all_flushed_is_left_to_the_history() -> None:
    halves = Halves(at_pace(NOON - 300, NOON + 20), NOON - 100, 32)

    assert halves.counts.facets(Selection(ORG), ALL, KEYS, 10, "") is None
    assert halves.counts.complete_tag(ORG, ALL, "", 10) is None


def test_what_comes_late_while_the_history_is_asked_is_counted_by_both_or_by_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    halves = Halves(at_pace(NOON - 300, NOON + 40), NOON - 100, 30)
    others = [a_sighting(pid, NOON - 2 * HOUR, command="late") for pid in range(1, 9)]
    late = a_snapshot(*others, taken_at=NOON - 5, request_id=7)
    history = OracleAnalysis(halves.history)
    questions: list[Window] = []

    class Asked(OracleAnalysis):
        def facets(self, selection, when, keys, limit, prefix=""):  # type: ignore[no-untyped-def]
            questions.append(when)
            if len(questions) == 1:
                halves.add(late)
                halves.flush(5)
            return history.facets(selection, when, keys, limit, prefix)

    monkeypatch.setattr(halves.counts, "_history", Asked(halves.history))
    halves.add(*at_pace(NOON + 40, NOON + 50))
    asked(halves)

    assert len(questions) == 2
