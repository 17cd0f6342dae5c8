"""What every store promises of what agents have found out: in searches, facets and groups, now and in the past."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from procession.analysis import Order, Selection
from procession.discovery import Discovery, Service, Tracer
from procession.process import ProcessDescription, ProcessNumbers
from procession.query import ProcessQuery
from procession.search.parser import Language, parse_search
from procession.search.tag_filter import TagFilter
from procession.storage import AnalysisStore
from procession.window import Window
from tests.storage.conftest import SERVERS, Store
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.stores.analysis_oracle import OracleAnalysis
from tests.support.stores.oracle import OracleStore

WEB = Discovery(
    language="go",
    services=(Service("Shop", "dd_service"), Service("api", "command_line")),
    tracers=(Tracer("c0ffee", "cart"),),
    is_instrumented=True,
    injection="injected",
    tcp_ports=(80, 443),
    udp_ports=(443,),
)
NONE = Discovery(services=(), tracers=(), is_instrumented=False, tcp_ports=(), udp_ports=())
LATER = Discovery(language="python", tcp_ports=(8443,), udp_ports=())
FOUND = {1: WEB, 2: NONE, 3: None, 4: None}
WINDOW = Window(NOON - 600, NOON + 30)


class Asked:
    """Two snapshots of one host: 1 listens on 443 at first, and later on 8443; 2 on nothing; of 3 and 4 it is not
    known, and 4 was sent with tags."""

    def __init__(self, store: Store, org: int) -> None:
        self._store, self._org = store, org
        self.analysis: AnalysisStore = OracleAnalysis(store) if isinstance(store, OracleStore) else store.analysis  # type: ignore[attr-defined]
        for number, at in enumerate((NOON, NOON + 20)):
            found = FOUND if not number else FOUND | {1: LATER}
            sightings = [
                a_sighting(
                    pid,
                    numbers=ProcessNumbers(state="S", rss_bytes=pid),
                    cmdline=f"run {pid} listens:443" if pid == 3 else f"run {pid}",
                    discovery=discovery,
                    tags=("listens:9000", "service:shop") if pid == 4 else (),
                )
                for pid, discovery in found.items()
            ]
            chunk = a_snapshot(*sightings, taken_at=at, request_id=number, split_id=number, chunk_count=1)
            store.add([(org, chunk)])

    def selection(self, search: str, tags: str, language: Language, *, is_own: bool) -> Selection:
        return Selection(self._org, parse_search(search, language), TagFilter.parse(tags, with_discovered=is_own))

    def at(self, at: int, search: str = "", tags: str = "", language: Language = Language.PROCESSION) -> list[int]:
        selection = self.selection(search, tags, language, is_own=True)
        page = self.analysis.instant_page(selection, at, Order("pid"), 0, 100)
        return [one.process.identity.pid for one in page.processes]

    def in_window(self, search: str = "", tags: str = "", *, is_own: bool = True) -> list[int]:
        language = Language.PROCESSION if is_own else Language.DATADOG
        selection = self.selection(search, tags, language, is_own=is_own)
        page = self._store.find(ProcessQuery(self._org, WINDOW, selection.search, selection.tags, limit=100))
        return sorted(one.identity.pid for one in page.processes)

    def described(self) -> dict[int, ProcessDescription]:
        page = self._store.find(ProcessQuery(self._org, WINDOW, limit=100))
        return {one.identity.pid: one.description for one in page.processes}

    def facets(self, when: Window | int, keys: Sequence[str]) -> dict[str, dict[str, int]]:
        found = self.analysis.facets(Selection(self._org), when, keys, 10)
        return {facet.key: {one.value: one.count for one in facet.values} for facet in found.facets}

    def groups(self, at: int, key: str) -> dict[str | None, int]:
        found = self.analysis.groups(Selection(self._org), at, key, (), Order("count"), 10)
        return {one.value: one.count for one in found.found}

    def sorted_by(self, at: int, key: str) -> list[int]:
        page = self.analysis.instant_page(Selection(self._org), at, Order(f"tag:{key}"), 0, 100)
        return [one.process.identity.pid for one in page.processes]

    def completed(self, prefix: str) -> set[str]:
        found = self.analysis.complete_tag(self._org, WINDOW, prefix, 20)
        return {one.value for one in (*found.keys, *found.values)}


@pytest.fixture(scope="module")
def on_servers() -> dict[str, Asked]:
    """By the name of their store."""
    return {}


@pytest.fixture
def asked(request: pytest.FixtureRequest, store: Store, org: int, on_servers: dict[str, Asked]) -> Asked:
    """To be asked only: servers, where it takes longest, have one of it for all tests."""
    name = request.node.callspec.params["any_store"]
    if name not in SERVERS:
        return Asked(store, org)
    if name not in on_servers:
        on_servers[name] = Asked(store, org)
    return on_servers[name]


def test_what_listens_on_a_port_is_found_at_each_instant(asked: Asked) -> None:
    assert [asked.at(NOON + after, "listens:443") for after in (0, 19, 20, 25)] == [[1, 3], [1, 3], [3], [3]]
    assert [asked.at(NOON + after, tags="listens:443") for after in (0, 20)] == [[1], []]
    assert [asked.at(NOON + after, tags="listens:8*") for after in (0, 20)] == [[1], [1]]


@pytest.mark.parametrize(
    ("search", "pids"),
    [
        ("listens:443", [1, 3]),
        ("listens:*", [1, 3, 4]),
        ("!listens:443", [2, 4]),
        ("listens:9000", [4]),
        ("LISTENS:80", [1]),
        ("service:SHOP", [1, 4]),
        ("service:c*t", [1]),
        ("service:api language:go", [1]),
        ("language:go OR service:shop", [1, 4]),
        ("injection:injected", [1]),
        ("cart", [1]),
        ('"cart"', []),
        ('service:""api', []),
        ("listens:443 rss>2", [3]),
    ],
)
def test_our_own_language_looks_at_what_was_found_out(asked: Asked, search: str, pids: list[int]) -> None:
    assert asked.at(NOON + 5, search) == pids


@pytest.mark.parametrize("search", ["listens:8443", "language:python", "service:api"])
def test_datadogs_language_and_its_tags_do_not(asked: Asked, search: str) -> None:
    assert asked.in_window(search, is_own=False) == []
    assert asked.in_window(tags=search, is_own=False) == []


def test_the_processes_of_a_window_are_found_by_what_is_known_of_them_last(asked: Asked) -> None:
    assert asked.in_window("listens:8443 language:python") == [1]
    assert asked.in_window(tags="listens:8443") == [1]
    assert asked.in_window(tags="!listens:*") == [2, 3]
    assert asked.in_window(tags="service:shop") == [4]


def test_a_process_comes_with_all_that_was_found_out_and_with_its_own_tags_only(asked: Asked) -> None:
    described = asked.described()

    assert {pid: one.discovery for pid, one in described.items()} == FOUND | {1: LATER}
    assert described[1].tags == ()
    page = asked.analysis.instant_page(Selection(asked._org), NOON + 5, Order("pid"), 0, 1)
    assert page.processes[0].process.description.discovery == WEB


def test_facets_count_what_was_found_out_and_tags_together(asked: Asked) -> None:
    assert asked.facets(NOON + 5, ["listens", "service", "language", "injection"]) == {
        "listens": {"443": 1, "80": 1, "9000": 1},
        "service": {"shop": 2, "api": 1, "cart": 1},
        "language": {"go": 1},
        "injection": {"injected": 1},
    }
    assert asked.facets(WINDOW, ["listens"])["listens"] == {"8443": 1, "9000": 1}


def test_processes_are_grouped_and_sorted_by_what_was_found_out(asked: Asked) -> None:
    assert asked.groups(NOON + 5, "service") == {"shop": 2, "api": 1, "cart": 1, None: 2}
    assert asked.sorted_by(NOON + 5, "listens") == [1, 4, 2, 3]


def test_keys_and_values_of_what_was_found_out_are_completed(asked: Asked) -> None:
    assert {"listens", "language", "service"} <= asked.completed("")
    assert asked.completed("listens:8") == {"8443"}
