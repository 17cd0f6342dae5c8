"""Log, live table and history together against the oracle, whenever what is flushed, forgotten, or started anew."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import assume, event, given
from hypothesis import strategies as st

from procession.analysis import Every, Match, Order, Selection, Side
from procession.process import ProcessKey, ProcessSummary, Snapshot
from procession.query import ProcessQuery
from procession.storage.embedded.store import EmbeddedStore
from procession.storage.store import ClickHouseStore
from procession.window import Window
from tests.storage.contract.test_oracle_comparison import bounded, pages, scan, sizes
from tests.storage.history.instants.test_analysis import close
from tests.storage.history.instants.test_oracle_comparison import compares_as_the_oracle_does
from tests.support.stores import strategies
from tests.support.stores.analysis_oracle import OracleAnalysis
from tests.support.stores.oracle import OracleStore
from tests.support.stores.reopened_store import Reopened
from tests.support.stores.shared_listings import SharedListings
from tests.support.stores.shifted_starts import shifted_across

_org_ids = itertools.count(9_000_000)

STEPS = st.sampled_from(["flush", "forget", "restart", "restart, unflushed", "restart, no checkpoint", "nothing"])


@bounded(25)
@given(st.data())
def test_no_answer_depends_on_when_it_was_flushed_forgotten_or_started_anew(
    clickhouse: ClickHouseStore, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    org, oracle = next(_org_ids), OracleStore()
    shared = SharedListings()
    server = Reopened(clickhouse, tmp_path_factory.mktemp("server"))
    fleet = data.draw(strategies.fleets())
    exits = data.draw(strategies.exits_over(fleet))
    moments = [at for at in sorted({snapshot.taken_at for snapshot in fleet}) if not shifted_across(fleet, at)]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(fleet)), min_size=3, max_size=3)))
    try:
        for start, end in itertools.pairwise((0, *cuts, len(fleet))):
            chunks = [(org, snapshot) for snapshot in fleet[start:end]]
            oracle.add(chunks)
            server.store.add(shared.of(chunks))
            step = data.draw(STEPS)
            if step == "flush":
                server.store.flush()
            elif step == "forget":
                server.store.flush()
                server.store.live_table.expire(data.draw(st.sampled_from(moments or [0])))
            elif step != "nothing":
                server.restart(loses_the_checkpoint="no checkpoint" in step, flushes="unflushed" not in step)
        for one in (server.store, oracle):
            one.add_exits([(org, of_host) for of_host in exits])
        if data.draw(st.booleans()):
            server.restart(flushes=data.draw(st.booleans()))

        for query in data.draw(st.lists(strategies.queries_over(fleet, org), min_size=4, max_size=4)):
            expected = oracle.find(query).processes
            assert tuple(scan(server.store, query, itertools.cycle(data.draw(sizes)))) == expected
            details = oracle.details(org, query.window, expected)
            # Of one that is kept under another start than its host reports, the oracle knows no numbers.
            known = [*itertools.compress(expected, [one.numbers.state != "" for one in details])]
            found = server.store.details(org, query.window, known)
            assert found == oracle.details(org, query.window, known)
            seen = [(ProcessKey.of(one.identity), one.seen_at) for one in known]
            until = query.window.to_at
            assert server.store.endings(org, until, seen) == oracle.endings(org, until, seen)
        analysed_as_by(OracleAnalysis(oracle), server.store, org, fleet, data)
    finally:
        server.store.close()


def analysed_as_by(
    oracle: OracleAnalysis, store: EmbeddedStore, org: int, fleet: Sequence[Snapshot], data: st.DataObject
) -> None:
    """Of many processes, also when something is flushed between two questions."""
    query = data.draw(strategies.queries_over(fleet, org))
    chosen, at, window = Selection(org, query.search, query.tags), query.window.to_at, query.window
    keys, measures = ("host", "user", "env"), ("rss_bytes",)
    for question, arguments in (
        ("facets", (chosen, window, keys, 10)),
        ("complete_tag", (org, window, "", 100)),
        ("instant_page", (chosen, at, Order("rss_bytes", True), 0, 100)),
        ("compare", (Side(chosen, at - 61), Side(chosen, at), data.draw(st.sampled_from(Match)), 10)),
        ("timeseries", (chosen, Window(at - 120, at), "user", measures, "count", 2, 5)),
        ("is_known", (chosen, window)),
        ("hosts_told", (org, window)),
    ):
        expected = close(getattr(oracle, question)(*arguments))
        assert close(getattr(store.analysis, question)(*arguments)) == expected, question
        if data.draw(st.booleans()):
            store.flush()


@bounded(12)
@given(st.data())
def test_what_begins_in_the_history_and_ends_now_is_found_without_a_flush(
    clickhouse: ClickHouseStore, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    org, oracle = next(_org_ids), OracleStore()
    server = Reopened(clickhouse, tmp_path_factory.mktemp("server")).store
    # As hosts that are never late post.
    fleet = sorted(data.draw(strategies.fleets()), key=lambda one: one.taken_at)
    moments = sorted({snapshot.taken_at for snapshot in fleet})
    assume(len(moments) > 1)
    since = data.draw(st.sampled_from(moments[1:]))
    assume(not shifted_across(fleet, since))
    try:
        oracle.add([(org, snapshot) for snapshot in fleet])
        server.add([(org, snapshot) for snapshot in fleet if snapshot.taken_at < since])
        server.flush()
        server.live_table.expire(since)
        server.add([(org, snapshot) for snapshot in fleet if snapshot.taken_at >= since])
        window = Window(data.draw(st.sampled_from((moments[0], since - 1))), data.draw(st.sampled_from(moments[1:])))
        drawn = data.draw(strategies.queries_over(fleet, org))

        for query in (ProcessQuery(org, window), replace(drawn, window=window)):
            expected = oracle.find(query).processes
            flushes = server.flushes.forced_count
            assert server.find(query).processes == expected
            assert server.flushes.forced_count == flushes or not window.from_at < since <= window.to_at
            details = oracle.details(org, window, expected)
            known = [*itertools.compress(expected, [one.numbers.state != "" for one in details])]
            found = server.details(org, window, known)
            assert found == oracle.details(org, window, known)
            if window.from_at < since <= window.to_at:
                event(f"joined: {server.answers.from_both > 0}")
        for process in known[:2]:
            for every in Every:
                asked = (org, ProcessKey.of(process.identity), window, every)
                assert close(server.analysis.history(*asked)) == close(OracleAnalysis(oracle).history(*asked))
        scanned: list[ProcessSummary] = []
        flushes_after = data.draw(st.integers(0, 3))
        for number, page in enumerate(pages(server, ProcessQuery(org, window), itertools.cycle((1, 2)))):
            scanned += page
            if number == flushes_after:
                server.flush()
        assert tuple(scanned) == oracle.find(ProcessQuery(org, window)).processes
    finally:
        server.close()


class Scanned:
    """An org whose processes somebody lists page by page, and another one with the same hosts beside it."""

    def __init__(self, server: Reopened, data: st.DataObject) -> None:
        self.server = server
        self.org, self.other = next(_org_ids), next(_org_ids)
        self.oracle = OracleStore()
        self._shared = SharedListings()
        self.fleets = {org: data.draw(strategies.fleets()) for org in (self.org, self.other)}
        self._waiting = {org: list(fleet) for org, fleet in self.fleets.items()}
        all_of_it = [chunk for fleet in self.fleets.values() for chunk in fleet]
        moments = sorted({chunk.taken_at for chunk in all_of_it})
        self._moments = [at for at in moments if not any(shifted_across(one, at) for one in self.fleets.values())]
        self.is_disturbed = False

    def add(self, org: int, count: int) -> None:
        """Those of its chunks that come next."""
        chunks = [(org, chunk) for chunk in self._waiting[org][:count]]
        del self._waiting[org][:count]
        self.server.store.add(self._shared.of(chunks))
        self.oracle.add(chunks)

    def go_on(self, step: str, data: st.DataObject) -> None:
        if step == "late":
            self.is_disturbed |= bool(self._waiting[self.org])
            self.add(self.org, 2)
        elif step == "the other org":
            self.add(self.other, 2)
        elif step == "exits":
            exits = [(org, one) for org in self.fleets for one in data.draw(strategies.exits_over(self.fleets[org]))]
            self.server.store.add_exits(exits)
            self.oracle.add_exits(exits)
        elif step == "flush":
            self.server.store.flush()
        elif step == "forget":
            self.server.store.flush()
            self.server.store.live_table.expire(data.draw(st.sampled_from(self._moments or [0])))
        else:
            self.server.restart(loses_the_checkpoint="no checkpoint" in step, flushes="unflushed" not in step)


@bounded(20)
@given(st.data())
def test_a_scan_goes_on_over_all_that_happens_between_two_of_its_pages(
    clickhouse: ClickHouseStore, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    server = Reopened(clickhouse, tmp_path_factory.mktemp("server"))
    both = Scanned(server, data)
    steps = st.sampled_from(
        ["late", "the other org", "exits", "flush", "forget", "restart, unflushed", "restart, no checkpoint"]
    )
    try:
        for org, fleet in both.fleets.items():
            both.add(org, data.draw(st.integers(1, len(fleet) or 1)))
        both.go_on(data.draw(st.sampled_from(["flush", "forget", "the other org"])), data)
        query = replace(data.draw(strategies.queries_over(both.fleets[both.org], both.org)), search=None)
        expected = [ProcessKey.of(one.identity) for one in both.oracle.find(query).processes]

        found: list[ProcessKey] = []
        after: ProcessKey | None = None
        while True:  # the store is another one after a restart
            page = server.store.find(replace(query, limit=1, after=after)).processes
            found += [ProcessKey.of(one.identity) for one in page]
            if not page:
                break
            after = found[-1]
            step = data.draw(steps)
            event(f"between two pages: {step}")
            both.go_on(step, data)

        assert found == sorted(set(found))
        if both.is_disturbed:
            now = {ProcessKey.of(one.identity) for one in both.oracle.find(query).processes}
            assert now & set(expected) <= set(found) <= now | set(expected)
        else:
            assert found == expected
        for org, fleet in both.fleets.items():
            asked = data.draw(strategies.queries_over(fleet, org))
            assert server.store.find(asked).processes == both.oracle.find(asked).processes
    finally:
        server.store.close()


@bounded(5)
@given(st.data())
def test_searches_that_compare_match_what_the_oracle_matches(embedded: EmbeddedStore, data: st.DataObject) -> None:
    compares_as_the_oracle_does(embedded, data)
