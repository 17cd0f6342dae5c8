"""How many processes began and ended, and by which exit codes: of all, and of a part of them."""

from __future__ import annotations

import itertools

import pytest

from procession.analysis import Selection
from procession.lifecycle.events import ProcessExit, ProcessExits
from procession.process import ProcessNumbers
from procession.search.parser import parse_search
from procession.search.tag_filter import TagFilter
from procession.storage.embedded.store import EmbeddedStore
from procession.window import Window
from tests.storage.conftest import Store
from tests.storage.history.instants.test_analysis import close
from tests.support.builders import NOON, a_description, a_sighting, a_snapshot
from tests.support.stores.analysis_oracle import OracleAnalysis
from tests.support.stores.oracle import OracleStore

BEGIN = NOON - NOON % 3600 - 600
"""Ten minutes before a full hour."""
AT_ONCE = 26
"""Snapshots, which a server puts together. One by one they take a cluster a minute."""


def lives(host: str) -> list[tuple[int, int, int, str, int | None]]:
    """Pid, start, end, command and exit code: a pid is used twice, codes are of signals, one is seen nowhere."""
    begun = range(0, 1200, 61)
    commands, codes = itertools.cycle(("sh", "cron")), itertools.cycle((0, 1, 137, 3))
    return [
        (1, BEGIN - 9000, BEGIN + 5000, "init", None),
        (50, BEGIN + 100, BEGIN + 300, host, 0),
        (50, BEGIN + 301, BEGIN + 700, "nginx", 139),
        (60, BEGIN + 651, BEGIN + 655, "missed", 2),
        *((10 + at % 7, BEGIN + at, BEGIN + at + 65, next(commands), next(codes)) for at in begun),
    ]


def fill(store: Store | OracleStore, org: int) -> None:
    for host in ("web-1", "web-2"):
        chunks = []
        for at in range(BEGIN, BEGIN + 1300, 10):
            there = [one for one in lives(host) if one[1] <= at < one[2]]
            used = ProcessNumbers(rss_bytes=1024, state="S")
            seen = [
                a_sighting(pid, start, used, command=what, cmdline=f"/bin/{what}") for pid, start, _, what, _ in there
            ]
            chunk = a_snapshot(*seen, host=host, taken_at=at, request_id=at, split_id=at, chunk_count=1)
            chunks.append((org, chunk))
        for begin in range(0, len(chunks), AT_ONCE):
            store.add(chunks[begin : begin + AT_ONCE])
        exits = tuple(
            ProcessExit(pid=pid, at=end, exit_code=code, description=a_description(command=what))
            for pid, _, end, what, code in lives(host)
            if code is not None
        )
        for _ in range(2):  # the same again changes nothing
            store.add_exits([(org, ProcessExits(host, exits))])


@pytest.mark.parametrize("name", ["embedded", "cluster_store"])
def test_starts_ends_and_exit_codes_are_counted_of_all_and_of_a_part(
    request: pytest.FixtureRequest, name: str, org: int
) -> None:
    store, oracle = request.getfixturevalue(name), OracleStore()
    assert store.analysis.oldest_sighting(org) is None
    fill(store, org)
    fill(oracle, org)
    assert store.analysis.oldest_sighting(org) == BEGIN

    whole = store.analysis.turnover(Selection(org), Window(BEGIN, BEGIN + 1200), 4)

    assert whole.times == (BEGIN, BEGIN + 300, BEGIN + 600, BEGIN + 900, BEGIN + 1200)
    assert whole.starts[:4] == (12, 12, 10, 10)
    assert sum(whole.ends) == 2 * 23
    assert {one.exit_code for one in whole.exit_codes} == {1, 2, 3, 137, 139}
    assert whole.failures == tuple(map(sum, zip(*(one.ends for one in whole.exit_codes), strict=True)))
    for search, tags in itertools.product(
        ("", "sh", "user:nobody", "NOT nginx", "nothing"), ("", "host:web-1", "!command:cron")
    ):
        selection = Selection(org, parse_search(search), TagFilter.parse(tags))
        for window in (Window(BEGIN, BEGIN + 1200), Window(BEGIN + 400, BEGIN + 800)):
            expected = OracleAnalysis(oracle).turnover(selection, window, 5)
            assert store.analysis.turnover(selection, window, 5) == expected, (search, tags, window)


@pytest.mark.parametrize("name", ["embedded", "cluster_store"])
def test_minutes_are_summed_up_before_and_after_their_flush(
    request: pytest.FixtureRequest, name: str, org: int
) -> None:
    store, oracle = request.getfixturevalue(name), OracleStore()
    fill(store, org)
    fill(oracle, org)
    asked = Selection(org), Window(BEGIN - 600, BEGIN + 1300), None, ("rss_bytes",), "count", 5, 10

    expected = OracleAnalysis(oracle).trends(*asked)

    assert close(store.analysis.trends(*asked)) == close(expected)
    if isinstance(store, EmbeddedStore):
        store.flush()
        assert close(store.analysis.trends(*asked)) == close(expected)
    for search, tags, by in (("sh", "host:web-1", None), ("", "!command:cron", "command")):
        of_part = Selection(org, parse_search(search), TagFilter.parse(tags)), asked[1], by, *asked[3:]
        found = store.analysis.trends(*of_part)
        assert close(found) == close(OracleAnalysis(oracle).trends(*of_part)), (search, tags, by)
    assert None in expected.trends[0].count.avg
    (whole,) = expected.trends
    assert close(whole.numbers["rss_bytes"].max) == close(tuple(n and n * 1024 for n in whole.count.max))


@pytest.mark.parametrize("window", [Window(0, 100), Window(2**32 - 7200, 2**32 - 1)])
def test_a_search_at_either_end_of_time_finds_nothing_and_is_no_error(
    request: pytest.FixtureRequest, org: int, window: Window
) -> None:
    store = request.getfixturevalue("embedded")

    found = store.analysis.turnover(Selection(org, parse_search("nginx")), window, 5)

    assert close(found) == close(
        OracleAnalysis(OracleStore()).turnover(Selection(org, parse_search("nginx")), window, 5)
    )
