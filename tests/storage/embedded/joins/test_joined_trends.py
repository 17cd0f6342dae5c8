"""What all processes sum up to, where a part of a minute waits for its flush."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from procession.analysis import TREND_MEASURES, Selection
from procession.process import ProcessNumbers
from procession.search.parser import parse_search
from procession.storage.embedded.joins.joined_trends import PastTotals
from procession.storage.embedded.store import EmbeddedStore
from procession.window import Window
from tests.storage.history.instants.test_analysis import close
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.stores.analysis_oracle import OracleAnalysis
from tests.support.stores.oracle import OracleStore


def test_a_minute_is_the_same_whatever_part_of_it_waits(embedded: EmbeddedStore, org: int) -> None:
    oracle = OracleStore()
    asked = Selection(org), Window(NOON - 300, NOON + 200), None, TREND_MEASURES, "count", 5, 8

    # Of two chunks, of different sizes; one process is dead, and of every other the cpu is not known.
    for at in range(NOON - 200, NOON + 100, 15):
        for host in ("web-1", "web-2"):
            for number, pids in enumerate((range(1, 4 + at % 7), range(20, 25))):
                seen = []
                for pid in pids:
                    cpu = None if pid % 2 else float(at % 90)
                    used = ProcessNumbers(
                        cpu_total_percent=cpu, rss_bytes=at % 50 * pid, state="X" if pid == 3 else "S"
                    )
                    team = ("team:a", "team:b")[: pid % 3]
                    seen.append(a_sighting(pid, NOON - 9000, used, tags=team))
                chunk = a_snapshot(*seen, host=host, taken_at=at, request_id=number, split_id=at, chunk_count=2)
                embedded.add([(org, chunk)])
                oracle.add([(org, chunk)])
        if at in (NOON - 80, NOON + 25):
            embedded.flush()

    before = embedded.flushes.forced_count
    assert close(embedded.analysis.trends(*asked)) == close(OracleAnalysis(oracle).trends(*asked))
    for search, by in itertools.product(("", "nginx", "host:web-2", "team:b"), (None, "host", "state", "team")):
        selection = Selection(org, parse_search(search))
        of_groups = selection, asked[1], by, TREND_MEASURES, "rss_bytes", 2, 8
        assert close(embedded.analysis.trends(*of_groups)) == close(OracleAnalysis(oracle).trends(*of_groups)), search
    assert embedded.flushes.forced_count == before


class FlushedMeanwhile:
    """The history, for whose first answer all that waits is flushed before it looks."""

    def __init__(self, history: PastTotals, store: EmbeddedStore) -> None:
        self._history, self._store, self._is_first = history, store, True

    def __getattr__(self, name: str) -> Any:
        if self._is_first:
            self._is_first = False
            self._store.flush()
        return getattr(self._history, name)


@pytest.mark.parametrize("search", ["", "nginx"])
def test_what_is_flushed_while_the_history_is_asked_counts_once(
    embedded: EmbeddedStore, org: int, search: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for at in range(NOON - 200, NOON, 20):
        used = ProcessNumbers(cpu_total_percent=float(at % 90), state="S")
        embedded.add([(org, a_snapshot(a_sighting(1, NOON - 9000, used), taken_at=at, chunk_count=1))])
        if at == NOON - 180:  # in the midst of a minute
            embedded.flush()
    joined = embedded.analysis._trends
    asked = Selection(org, parse_search(search)), Window(NOON - 300, NOON), None, TREND_MEASURES, "count", 5, 8
    right = close(embedded.analysis.trends(*asked))

    monkeypatch.setattr(joined, "_history", FlushedMeanwhile(joined._history, embedded))

    assert close(embedded.analysis.trends(*asked)) == right


def test_a_spike_between_two_instants_is_in_the_step_of_its_group(embedded: EmbeddedStore, org: int) -> None:
    spike = NOON // 60 * 60 - 3000
    for at in range(NOON - 7200, NOON, 10):
        cpu = 900.0 if spike <= at < spike + 60 else 10.0
        seen = [
            a_sighting(pid, NOON - 9000, ProcessNumbers(cpu_total_percent=value, state="S"), command=command)
            for pid, value, command in ((1, cpu, "java"), (2, 20.0, "nginx"))
        ]
        embedded.add([(org, a_snapshot(*seen, host="web-1", taken_at=at, request_id=at, split_id=at, chunk_count=1))])
    window = Window(NOON - 7200, NOON - 1)

    for selection, by in ((Selection(org, parse_search("command:java")), None), (Selection(org), "command")):
        found = embedded.analysis.trends(selection, window, by, ("cpu_total_percent",), "cpu_total_percent", 5, 12)
        (cpu_of,) = (one.numbers["cpu_total_percent"] for one in found.trends if one.value != "nginx")
        assert (max(filter(None, cpu_of.max)), min(filter(None, cpu_of.min))) == (900.0, 10.0)
        assert not found.is_instants
        assert spike in cpu_of.max_at
