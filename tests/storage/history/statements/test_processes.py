"""Statements: fixed text, bound values, one org, and a key that the engine reads by."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from procession.lifecycle.events import ProcessExit, ProcessExits
from procession.process import ProcessDescription, ProcessKey
from procession.search.parser import parse_search
from procession.search.pattern import Pattern
from procession.search.tag_filter import TagFilter
from procession.storage.history.engine.embedded import UNPLANNED
from procession.storage.history.engine.statement import Statement
from procession.storage.history.statements.descriptions import (
    BriefDescription,
    WholeDescription,
    descriptions_in_key_range,
    descriptions_of,
    matching_in_key_range,
    matching_of_keys,
)
from procession.storage.history.statements.exits import exits_of_pids
from procession.storage.history.statements.hosts import names_of_hosts
from procession.storage.history.statements.live_numbers import newest_live_numbers
from procession.storage.history.statements.presence import (
    key_samples,
    presence_in_key_range,
    presence_near_starts,
    presence_of_keys,
    presence_of_matching,
)
from procession.storage.history.statements.search_conditions import filter_condition, filters_of
from procession.storage.history.statements.snapshots import (
    complete_snapshots,
    newest_sightings,
    newest_states,
    numbers_at,
    seen_on_host,
    seen_under_pids,
    snapshot_moments,
    snapshots_listing,
)
from procession.storage.history.statements.tag_sets import any_tag_set_with, tags_of
from procession.storage.history.tables.constants import BLOCK_SECONDS
from procession.storage.store import ClickHouseStore
from procession.window import Window
from tests.support.builders import NOON, a_sighting, a_snapshot

WINDOW = Window(NOON - 900, NOON)
NGINX = filters_of(1, parse_search("nginx"), TagFilter())
KEYS = [ProcessKey(NOON - 100 + number, 2**63 + number, number) for number in range(3)]

HOSTILE = (
    "plain",
    "it's",
    "'; DROP TABLE presence; --",
    "{org:UInt32}",
    "%_\\",
    "\\'",
    "a\0b",
    "/* */ # --",
    "%s %(x)s {} {{}}",
    "é\u202e\ud800",
    "x" * 100_000,
)


def filtered(search: str, tags: str) -> Statement:
    quoted = search.replace("\\", "\\\\").replace('"', '\\"')
    tree = parse_search(f'"{quoted}" OR key:"{quoted}"')
    # A comma ends a tag and a star is a wildcard: neither is what this is about.
    filters = filters_of(1, tree, TagFilter.parse(re.sub("[,*!]", "", tags).strip() or "x"))
    return matching_in_key_range(filters, WINDOW, None, None, BriefDescription)


def test_the_text_of_a_statement_is_the_same_whatever_is_asked_for() -> None:
    texts = {filtered(search, tags).text for search in HOSTILE for tags in HOSTILE}

    assert len(texts) == 1


def test_hostile_values_travel_as_parameters() -> None:
    statement = filtered("'; DROP TABLE presence; --", "'; DROP TABLE descriptions; --")

    assert "DROP" not in statement.text
    assert [
        value for value in statement.parameters.values() if isinstance(value, str) and "drop table presence" in value
    ]


STATEMENTS: dict[str, Callable[[], Statement]] = {
    "key samples": lambda: key_samples(1, [1, 2]),
    "first page": lambda: presence_in_key_range(1, WINDOW, None, KEYS[-1]),
    "seconds": lambda: presence_in_key_range(
        1, WINDOW, ProcessKey.last_of_second(NOON - 100), ProcessKey.last_of_second(NOON)
    ),
    "sightings of many keys": lambda: presence_of_keys(
        1, WINDOW, [ProcessKey(NOON - number, 7, 7) for number in range(2000)]
    ),
    "next page": lambda: presence_in_key_range(1, WINDOW, KEYS[0], KEYS[-1]),
    "last page": lambda: presence_in_key_range(1, WINDOW, KEYS[0], None),
    "past page": lambda: presence_in_key_range(1, WINDOW, KEYS[0], KEYS[-1], with_slots=True),
    "long window": lambda: presence_in_key_range(1, Window(NOON - 86400 * 3, NOON), KEYS[0], KEYS[-1]),
    "search": lambda: matching_in_key_range(NGINX, WINDOW, KEYS[0], None, BriefDescription),
    "search in a key range": lambda: matching_in_key_range(NGINX, WINDOW, KEYS[0], KEYS[-1], BriefDescription),
    "search of keys": lambda: matching_of_keys(NGINX, WINDOW, KEYS, BriefDescription),
    "host": lambda: seen_on_host(1, Pattern.parse("host:h1"), WINDOW, KEYS[0]),
    "sightings of keys": lambda: presence_of_keys(1, WINDOW, KEYS),
    "sightings of what fits": lambda: presence_of_matching(NGINX, WINDOW, None, None, 100),
    "newest sightings": lambda: newest_sightings(1, WINDOW, KEYS),
    "newest states": lambda: newest_states(1, WINDOW, KEYS),
    "newest versions": lambda: seen_under_pids(1, NOON - 20, NOON, [1, 2], [7]),
    "ticks": lambda: snapshot_moments(1, NOON - 20, NOON, [1, 2]),
    "descriptions of a key range": lambda: descriptions_in_key_range(1, WINDOW, KEYS[0], KEYS[-1], BriefDescription),
    "descriptions of some": lambda: descriptions_of(1, WINDOW, KEYS, WholeDescription),
    "numbers": lambda: numbers_at(1, [(key, NOON) for key in KEYS]),
    "live numbers": lambda: newest_live_numbers(1, NOON - 20, NOON, KEYS),
    "starts near": lambda: presence_near_starts(1, NOON // 3600 - 1, NOON // 3600 + 1, KEYS, None),
    "starts near, that wait": lambda: presence_near_starts(1, NOON // 3600 - 1, NOON // 3600 + 1, KEYS, WINDOW),
    "snapshots that list some": lambda: snapshots_listing(1, [(key, NOON) for key in KEYS]),
    "complete snapshots": lambda: complete_snapshots(1, NOON - 20, NOON, [1, 2]),
    "exits": lambda: exits_of_pids(1, NOON - 20, NOON, KEYS),
    "has tag": lambda: any_tag_set_with(1, "host:h1"),
    "tags": lambda: tags_of(1, [1, 2]),
    "names": lambda: names_of_hosts(1, [1, 2]),
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_every_part_of_a_statement_that_reads_a_table_names_one_org(name: str) -> None:
    statement = STATEMENTS[name]()

    names = "presence|snapshots|live_numbers|descriptions|exits|tag_sets|hosts|mergeTreeIndex"
    tables = len(re.findall(rf"\bFROM (?:{names})\b", statement.text))

    assert tables
    assert statement.text.count("org = {org:UInt32}") == tables
    assert statement.parameters["org"] == 1


def test_filters_name_the_org_in_every_subquery_too() -> None:
    parameters: dict[str, Any] = {}

    condition = filter_condition(
        parse_search("a env:b* OR NOT host:c"), TagFilter.parse("x:y,!host:z*,bare,*"), parameters
    )

    assert str(condition).count("org = {org:UInt32}") == len(re.findall(r"\bFROM\b", str(condition)))


@pytest.fixture(scope="module")
def filled(clickhouse: ClickHouseStore) -> ClickHouseStore:
    """Two orgs and four days in the tables, so that reading by key shows."""
    for day in range(4):
        at = NOON - day * 86400
        for org in (900_001, 900_002):
            sightings = [a_sighting(pid, at - 50, cmdline=f"word{pid}") for pid in range(1, 1501)]
            clickhouse.add([(org, a_snapshot(*sightings, host=f"h{number}", taken_at=at)) for number in range(3)])
            ends = [ProcessExit(pid=pid, at=at, exit_code=0, description=ProcessDescription()) for pid in range(3000)]
            clickhouse.add_exits([(org, ProcessExits("h1", tuple(ends)))])
    return clickhouse


BLOCK = f"intDiv(at, {BLOCK_SECONDS})"

KEYED = {
    "first page": ("presence", "start"),
    "seconds": ("presence", "start"),
    "sightings of many keys": ("presence", "start"),
    "last page": ("presence", "start"),
    "past page": ("presence", "start"),
    "starts near": ("presence", "start"),
    "next page": ("presence", "start"),
    "long window": ("presence", "start"),
    "search": ("descriptions", "start"),
    "search in a key range": ("descriptions", "start"),
    "search of keys": ("descriptions", "start"),
    "host": ("snapshots", "host"),
    "sightings of keys": ("presence", "start"),
    "sightings of what fits": ("presence", "start"),
    "newest sightings": ("snapshots", BLOCK),
    "newest states": ("snapshots", BLOCK),
    "ticks": ("snapshots", "host"),
    "descriptions of a key range": ("descriptions", "start"),
    "descriptions of some": ("descriptions", "start"),
    "numbers": ("snapshots", "at"),
    "complete snapshots": ("snapshots", "host"),
    "exits": ("exits", "host"),
    "tags": ("tag_sets", "tag_set"),
    "names": ("hosts", "host"),
}


KEY_RANGES = ("first page", "seconds", "next page", "last page", "past page", "descriptions of a key range")
"""Statements that the engine is told not to think about."""


@pytest.mark.parametrize(
    ("name", "settings"), [*((name, "") for name in KEYED), *((name, UNPLANNED) for name in KEY_RANGES)]
)
def test_a_statement_reads_by_key(filled: ClickHouseStore, name: str, settings: str) -> None:
    table, column = KEYED[name]
    statement = STATEMENTS[name]()

    with filled._engine.connection() as connection:
        rows = connection.query(
            f"EXPLAIN indexes = 1 {statement.text}{settings}", statement.parameters | {"org": 900_001}
        ).result_rows
    plan = re.sub("[│├└─]", " ", "\n".join(row[0] for row in rows))

    reads = [part for part in plan.split("ReadFromMergeTree")[1:] if part.lstrip(" (").startswith(f"default.{table}")]
    assert reads
    for read in reads:
        keys = re.search(r"PrimaryKey\n\s*Keys:\s*\n((?:\s+\S.*\n)+?)\s*Condition:", read)
        assert keys, read
        assert column in [line.strip() for line in keys[1].splitlines()], read
        assert "Condition: true" not in read


def test_another_org_costs_a_query_nothing(filled: ClickHouseStore) -> None:
    statement = presence_in_key_range(900_001, WINDOW, None, KEYS[-1])

    with filled._engine.connection() as connection:
        rows = connection.query(f"EXPLAIN indexes = 1 {statement.text}", statement.parameters).result_rows
    chosen = [row[0] for row in rows if "Granules:" in row[0]]

    assert chosen
    read, whole = map(int, re.findall(r"(\d+)/(\d+)", chosen[-1])[0])
    assert read < whole


def test_the_text_index_serves_a_search(filled: ClickHouseStore) -> None:
    statement = matching_in_key_range(
        filters_of(900_001, parse_search("word77"), TagFilter()), WINDOW, None, None, BriefDescription
    )

    with filled._engine.connection() as connection:
        connection.command("OPTIMIZE TABLE descriptions FINAL")  # a part has the index once it was merged
        rows = connection.query(f"EXPLAIN indexes = 1 {statement.text}", statement.parameters).result_rows

    assert any("text_ngrams" in row[0] for row in rows)
