"""Windows over what is long past and what was just taken: live table and history together say what the oracle says."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import assume, event, given
from hypothesis import strategies as st

from procession.paging import Page
from procession.process import ProcessKey, ProcessSummary, Snapshot
from procession.query import ProcessQuery
from procession.search.pattern import Pattern
from procession.search.tree import TextTerm
from procession.storage.embedded.joins import joined_pages
from procession.window import Window
from tests.storage.contract.test_oracle_comparison import bounded, pages, sizes
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.stores import strategies
from tests.support.stores.halves import ORG, Halves
from tests.support.stores.shifted_starts import shifted_across

HOUR = 3600
ALL = Window(NOON - 5 * HOUR, NOON + 5 * HOUR)


class Scanned:
    """Asks pages, and is told between them what came meanwhile."""

    def __init__(self, halves: Halves, flushes: list[int]) -> None:
        self._halves = halves
        self._flushes = flushes
        self.joined = 0

    def find(self, query: ProcessQuery) -> Page:
        if self._flushes:
            self._halves.flush(self._flushes.pop())
        found = self._halves.pages.find(query)
        if found is None:
            return self._halves.whole.find(query)
        self.joined += 1
        return found


@bounded(60)
@given(st.data())
def test_a_window_over_both_halves_has_what_the_oracle_says_and_so_has_each_page(data: st.DataObject) -> None:
    fleet = data.draw(strategies.fleets())
    since = data.draw(st.sampled_from(sorted({one.taken_at for one in fleet} or {NOON})))
    assume(not shifted_across(fleet, since))
    halves = Halves(fleet, since, data.draw(st.integers(0, len(fleet))))
    latest = max((one.taken_at for one in fleet), default=NOON)
    to_at = data.draw(st.sampled_from((since, since + 4, latest, latest + HOUR)))
    from_at = since - data.draw(st.sampled_from((1, 10, 45, HOUR, 5 * HOUR)))

    for drawn in data.draw(st.lists(strategies.queries_over(fleet, ORG), min_size=3, max_size=3)):
        query = replace(drawn, window=Window(from_at, max(to_at, since)))
        expected = halves.whole.find(query).processes
        scanned = Scanned(halves, data.draw(st.lists(st.integers(0, 2), max_size=2)))

        found = [one for page in pages(scanned, query, itertools.cycle(data.draw(sizes))) for one in page]

        event(f"joined: {scanned.joined > 0}, found: {min(len(expected), 2)}")
        assert tuple(found) == expected


@pytest.fixture
def halves() -> Halves:
    """A process that was something else before the live table reaches, one that ended then, and one that began since;
    only the first two are in the history."""
    before = a_snapshot(
        a_sighting(pid=1, cmdline="serve old"), a_sighting(pid=2, cmdline="serve gone"), taken_at=NOON - HOUR
    )
    after = a_snapshot(
        a_sighting(pid=1, cmdline="other"), a_sighting(pid=3, cmdline="serve new"), taken_at=NOON, request_id=1
    )
    return Halves((before, after), NOON - 60, 1)


def found(halves: Halves, query: ProcessQuery) -> list[tuple[int, str]]:
    page = halves.pages.find(query)
    assert page is not None
    return [(one.identity.pid, one.description.cmdline) for one in page.processes]


def test_a_process_is_what_it_was_seen_as_last(halves: Halves) -> None:
    assert found(halves, ProcessQuery(ORG, ALL)) == [(1, "other"), (2, "serve gone"), (3, "serve new")]


def test_a_process_that_does_not_fit_any_more_is_not_found_for_what_it_was(halves: Halves) -> None:
    serves = TextTerm(Pattern.literal("serve"))

    assert found(halves, ProcessQuery(ORG, ALL, serves)) == [(2, "serve gone"), (3, "serve new")]


def test_a_page_is_full_though_all_that_the_history_gave_first_has_changed_since() -> None:
    olds = [a_sighting(pid=pid, cmdline="serve") for pid in range(1, 40)]
    news = [a_sighting(pid=pid, cmdline="other") for pid in range(1, 30)]
    halves = Halves(
        (a_snapshot(*olds, taken_at=NOON - HOUR), a_snapshot(*news, taken_at=NOON, request_id=1)), NOON - 60, 1
    )
    query = ProcessQuery(ORG, ALL, TextTerm(Pattern.literal("serve")), limit=4)

    assert [pid for pid, _ in found(halves, query)] == [30, 31, 32, 33]


@pytest.mark.parametrize(("most", "is_joined"), [(28, False), (29, True)])
def test_the_history_answers_alone_where_a_page_would_need_too_much_of_it(
    monkeypatch: pytest.MonkeyPatch, most: int, is_joined: bool
) -> None:
    """All but the last of it has changed since, and in three questions it gives 4, 8 and 16 processes."""
    monkeypatch.setattr(joined_pages, "_MOST_PAST", most)
    olds = [a_sighting(pid=pid, cmdline="serve") for pid in range(1, 40)]
    news = [a_sighting(pid=pid, cmdline="other") for pid in range(1, 30)]
    halves = Halves(
        (a_snapshot(*olds, taken_at=NOON - HOUR), a_snapshot(*news, taken_at=NOON, request_id=1)), NOON - 60, 1
    )
    asked: list[int] = []

    def find(query: ProcessQuery) -> Page:
        asked.append(query.limit)
        return halves.history.find(query)

    pages = joined_pages.JoinedPages(halves.live, find, halves.queue.since)
    page = pages.find(ProcessQuery(ORG, ALL, TextTerm(Pattern.literal("serve")), limit=4))

    assert (page is not None) == is_joined
    assert asked == ([4, 8, 16, 32] if is_joined else [4, 8, 16])


def test_what_the_history_was_not_asked_for_yet_comes_before_what_the_live_table_has_after_it() -> None:
    olds = [a_sighting(pid=pid, cmdline="serve") for pid in (1, 2, 3)]
    news = [a_sighting(pid=pid, cmdline="other") for pid in (1, 2)]
    news += [a_sighting(pid=pid, cmdline="serve") for pid in (9, 10)]
    halves = Halves(
        (a_snapshot(*olds, taken_at=NOON - HOUR), a_snapshot(*news, taken_at=NOON, request_id=1)), NOON - 60, 1
    )

    assert [pid for pid, _ in found(halves, ProcessQuery(ORG, ALL, TextTerm(Pattern.literal("serve")), limit=2))] == [
        3,
        9,
    ]


def test_the_history_answers_alone_where_it_may_know_a_process_under_another_start() -> None:
    halves = Halves(
        (
            a_snapshot(a_sighting(pid=1, started_at=NOON - 2 * HOUR), taken_at=NOON - HOUR),
            a_snapshot(a_sighting(pid=1, started_at=NOON - 2 * HOUR + 1), taken_at=NOON, request_id=1),
        ),
        NOON - 60,
        1,
    )

    assert halves.pages.find(ProcessQuery(ORG, ALL)) is None


def test_the_history_answers_alone_where_it_lacks_something_older_than_the_live_table_reaches(halves: Halves) -> None:
    halves.add(a_snapshot(a_sighting(pid=9), taken_at=NOON - 600, request_id=2))

    assert halves.pages.find(ProcessQuery(ORG, ALL)) is None


def test_a_live_table_that_forgets_while_the_history_is_asked_answers_from_where_it_reaches_then() -> None:
    def chunk(at: int) -> Snapshot:
        return a_snapshot(a_sighting(pid=at - NOON + 5000), taken_at=at, request_id=at)

    halves = Halves((chunk(NOON - HOUR), chunk(NOON - 50), chunk(NOON)), NOON - 60, 2)
    halves.on_question = lambda: halves.live.expire(NOON - 10)

    assert [pid for pid, _ in found(halves, ProcessQuery(ORG, ALL))] == [1400, 4950, 5000]


def test_one_process_is_found_in_the_half_that_has_it(halves: Halves) -> None:
    by_pid = {one.identity.pid: one for one in halves.whole.find(ProcessQuery(ORG, ALL)).processes}

    def only(process: ProcessSummary) -> list[tuple[int, str]]:
        return found(halves, ProcessQuery(ORG, ALL, only=ProcessKey.of(process.identity)))

    assert only(by_pid[1]) == [(1, "other")]
    assert only(by_pid[2]) == [(2, "serve gone")]
