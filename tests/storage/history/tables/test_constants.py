"""The numbers of the code are those of the tables: migrations have their own, so that no release changes what an older
one made."""

from __future__ import annotations

import re

import pytest

from procession.storage.history.tables import constants
from procession.storage.history.tables.columns import NUMBER_COLUMNS
from procession.storage.store import ClickHouseStore

BLOCK = f"org, intDiv(at, {constants.BLOCK_SECONDS}), host, at, request"
HOUR = "org, hour, start, host, pid, version"
DAY_OF_MOMENT = f"intDiv(at, {constants.DAY_SECONDS})"
DAY_OF_HOUR = f"intDiv(hour, {constants.DAY_SECONDS // constants.HOUR_SECONDS})"


@pytest.mark.parametrize(
    ("table", "order", "partition"),
    [
        ("snapshots", BLOCK, DAY_OF_MOMENT),
        ("live_numbers", BLOCK, DAY_OF_MOMENT),
        ("presence", HOUR, DAY_OF_HOUR),
        ("descriptions", HOUR, DAY_OF_HOUR),
        ("exits", f"org, intDiv(at, {constants.HOUR_SECONDS}), host, pid, at, executed_at, exit_code", DAY_OF_MOMENT),
        ("minutes", "org, host, pid, start, hour", DAY_OF_HOUR),
    ],
)
def test_rows_lie_where_statements_look_for_them(
    clickhouse: ClickHouseStore, table: str, order: str, partition: str
) -> None:
    rows = clickhouse._rows(
        "SELECT sorting_key, partition_key FROM system.tables"
        " WHERE database = currentDatabase() AND name = {name:String}",
        {"name": table},
    )

    assert list(map(tuple, rows)) == [(order, partition)]


def test_a_slot_is_a_bit_of_the_hour(clickhouse: ClickHouseStore) -> None:
    ((view,),) = clickhouse._rows(
        "SELECT as_select FROM system.tables WHERE database = currentDatabase() AND name = 'presence_from_snapshots'"
    )
    slot = f"intDiv(at % {constants.HOUR_SECONDS}, {constants.SLOT_SECONDS})"

    assert f"intDiv(at, {constants.HOUR_SECONDS}) AS hour" in view
    assert f"if({slot} < {constants.LOW_SLOTS}, bitShiftLeft(toUInt256(1), {slot}), 0) AS low_slots" in view
    assert f"bitShiftLeft(toUInt128(1), {slot} % {constants.LOW_SLOTS})) AS high_slots" in view
    assert set(re.findall(r"\b\d+\b", view)) == {
        *(str(number) for number in (constants.HOUR_SECONDS, constants.SLOT_SECONDS, constants.LOW_SLOTS)), "0", "1",
    }  # fmt: skip


def test_granules_of_presence_are_as_large_as_key_samples_take_them_for(clickhouse: ClickHouseStore) -> None:
    ((engine,),) = clickhouse._rows(
        "SELECT engine_full FROM system.tables WHERE database = currentDatabase() AND name = 'presence'"
    )

    assert f"index_granularity = {constants.GRANULE}," in engine


def test_a_nice_that_is_not_known_is_told_by_the_column(clickhouse: ClickHouseStore) -> None:
    ((comment,),) = clickhouse._rows(
        "SELECT comment FROM system.columns WHERE database = currentDatabase() AND table = 'descriptions'"
        " AND name = 'nice'"
    )

    assert comment == f"{constants.NO_NICE}: not known"


@pytest.mark.parametrize("table", ["snapshots", "live_numbers"])
def test_every_number_of_a_process_has_a_column(clickhouse: ClickHouseStore, table: str) -> None:
    rows = clickhouse._rows(
        "SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = {table:String}",
        {"table": table},
    )

    assert dict(rows).items() >= {name: f"Array({type_})" for name, type_ in NUMBER_COLUMNS}.items()
