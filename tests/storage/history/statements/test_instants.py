"""Statements over many processes: one org in each, and a key that the engine reads by."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from procession.process import ProcessKey, host_key
from procession.search.parser import parse_search
from procession.search.pattern import Pattern
from procession.search.tag_filter import TagFilter
from procession.storage.history.engine.statement import Statement
from procession.storage.history.statements.counts import counts
from procession.storage.history.statements.descriptions import column_of_versions, matching_versions
from procession.storage.history.statements.hosts import hosts_with_tag
from procession.storage.history.statements.minutes import last_rolled_up, minutes_of, rolled_up_hours, rolled_up_runs
from procession.storage.history.statements.rollup import note_rolled_up, roll_up, to_roll_up
from procession.storage.history.statements.snapshots import chunk_arrays, chunks, numbers_over_time, seen_runs
from procession.storage.history.statements.tag_sets import label_sets_table, label_sets_with_tag
from procession.storage.history.tables.constants import BLOCK_SECONDS
from procession.storage.store import ClickHouseStore
from procession.window import Window
from tests.support.builders import NOON, a_sighting, a_snapshot

ORG = 910_001
WINDOW = Window(NOON - 900, NOON)
HOURS = [NOON // 3600]
HOST = host_key("h1")
KEY = ProcessKey(NOON - 50, HOST, 7)
PATTERN = Pattern.parse("env:*")

BLOCK = f"intDiv(at, {BLOCK_SECONDS})"

KEYED: dict[str, tuple[Callable[[], Statement], str, str]] = {
    "chunks": (lambda: chunks(ORG, range(NOON - 60, NOON + 1)), "snapshots", BLOCK),
    "chunks of hosts": (lambda: chunks(ORG, range(NOON - 60, NOON + 1), [HOST]), "snapshots", "host"),
    "chunks of named hosts": (
        lambda: chunks(ORG, range(NOON - 60, NOON + 1), named=[[[Pattern.parse("host:web-1")]]]),
        "snapshots",
        "host",
    ),
    "chunks of several instants": (lambda: chunks(ORG, [NOON - 600, NOON]), "snapshots", BLOCK),
    "arrays": (lambda: chunk_arrays(ORG, [(HOST, NOON)], ["pid"]), "snapshots", "at"),
    "versions": (
        lambda: matching_versions(ORG, HOURS, parse_search("word7"), TagFilter(), with_host=True),
        "descriptions",
        "hour",
    ),
    "label_sets with a tag": (lambda: label_sets_with_tag(ORG, [PATTERN]), "label_sets", "org"),
    "hosts with a tag": (lambda: hosts_with_tag(ORG, [PATTERN]), "hosts", "org"),
    "label_sets": (lambda: label_sets_table(ORG, [1, 2]), "label_sets", "label_set"),
    "texts": (lambda: column_of_versions(ORG, HOURS, "exe", [1, 2]), "descriptions", "hour"),
    "runs by snapshots": (lambda: seen_runs(ORG, HOST, NOON - 7200, NOON), "snapshots", "host"),
    "runs by the roll-up": (lambda: rolled_up_runs(ORG, HOST, WINDOW), "minutes", "host"),
    "minutes": (lambda: minutes_of(ORG, KEY, WINDOW), "minutes", "hour"),
    "last minute": (lambda: last_rolled_up(ORG, KEY), "minutes", "start"),
    "rolled hours": (lambda: rolled_up_hours(ORG, HOURS[0], HOURS[0], [HOST]), "rollup_state", "host"),
    "sightings": (lambda: numbers_over_time(ORG, KEY, NOON - 900, NOON, ("rss_bytes",)), "snapshots", "host"),
    "to roll up": (lambda: to_roll_up(ORG, NOON - 3600, NOON, 0), "snapshots", BLOCK),
    "counts": (
        lambda: counts(ORG, WINDOW, None, TagFilter(), by_host=True, is_past=False),
        "presence",
        "hour",
    ),
    "counts of some": (
        lambda: counts(ORG, WINDOW, parse_search("word7"), TagFilter.parse("env:x"), by_host=False, is_past=True),
        "presence",
        "hour",
    ),
}


@pytest.fixture(scope="module")
def filled(clickhouse: ClickHouseStore) -> ClickHouseStore:
    """Two orgs and three days in the tables, rolled up, so that reading by key shows."""
    for day in range(3):
        at = NOON - day * 86400
        for org in (ORG, ORG + 1):
            sightings = [a_sighting(pid, at - 50, cmdline=f"word{pid}", command=f"c{pid}") for pid in range(1, 401)]
            clickhouse.add([(org, a_snapshot(*sightings, host=f"h{number}", taken_at=at)) for number in range(3)])
    for org in (ORG, ORG + 1):
        for statement in (
            roll_up(org, HOURS[0], [HOST], NOON + 7200),
            note_rolled_up(org, HOURS[0], [HOST], [NOON]),
        ):
            with clickhouse._engine.connection() as connection:
                connection.query(statement.text, statement.parameters)
    return clickhouse


@pytest.mark.parametrize("name", KEYED)
def test_a_statement_names_one_org_wherever_it_reads_a_table(name: str) -> None:
    statement = KEYED[name][0]()

    tables = re.findall(
        r"\bFROM (?:presence|snapshots|live_numbers|descriptions|exits|tag_sets|hosts|label_sets|minutes"
        r"|rollup_state|views)\b",
        statement.text,
    )

    assert tables
    assert statement.text.count("org = {org:UInt32}") == len(tables)
    assert statement.parameters["org"] == ORG


def test_the_roll_up_reads_and_writes_one_org() -> None:
    statement = roll_up(ORG, HOURS[0], [HOST], NOON)

    assert statement.text.count("org = {org:UInt32}") == 1
    assert "SELECT {org:UInt32}, host" in statement.text


@pytest.mark.parametrize("name", KEYED)
def test_a_statement_reads_by_key(filled: ClickHouseStore, name: str) -> None:
    make, table, column = KEYED[name]
    statement = make()

    with filled._engine.connection() as connection:
        rows = connection.query(f"EXPLAIN indexes = 1 {statement.text}", statement.parameters).result_rows
    plan = re.sub("[│├└─]", " ", "\n".join(row[0] for row in rows))

    reads = [part for part in plan.split("ReadFromMergeTree")[1:] if part.lstrip(" (").startswith(f"default.{table}")]
    assert reads, plan
    for read in reads:
        keys = re.search(r"PrimaryKey\n\s*Keys:\s*\n((?:\s+\S.*\n)+?)\s*Condition: (?!true)", read)
        assert keys, read
        assert column in [line.strip() for line in keys[1].splitlines()], read
