"""Command lines of any length come back whole, and too many long ones not at all."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from procession.analysis import Order, Selection
from procession.errors import InvalidRequest
from procession.process import ProcessKey
from procession.query import ProcessQuery
from procession.search.tag_filter import TagFilter
from procession.storage.history.read import long_command_lines
from procession.storage.history.read.long_command_lines import with_long
from procession.storage.history.statements.descriptions import (
    LONG_BYTES,
    MANY_WORDS,
    BriefDescription,
    VersionKey,
    WholeDescription,
    descriptions_of,
)
from procession.storage.store import ClickHouseStore
from procession.window import Window
from tests.storage.conftest import Store
from tests.support.builders import a_sighting, a_snapshot
from tests.support.stores.fleet import EARLY, LATE, STARTED, Fleet

AT = (EARLY + LATE) // 2
LENGTHS = (20, LONG_BYTES - 1, LONG_BYTES, LONG_BYTES + 1, 20_000, 1_000_000)


def cmdline(pid: int, length: int) -> str:
    return f"/usr/bin/job {pid} ".ljust(length, "ü" if pid % 2 else "x")


def seen(fleet: Fleet, lengths: Sequence[int]) -> None:
    sightings = (a_sighting(pid, STARTED, cmdline=cmdline(pid, length)) for pid, length in enumerate(lengths, 1))
    fleet.add(a_snapshot(*sightings, taken_at=AT))


@pytest.mark.parametrize("search", ["", "job"])
def test_a_page_has_command_lines_of_any_length(fleet: Fleet, search: str) -> None:
    seen(fleet, LENGTHS)

    found = fleet.find(search=search)

    assert {one.identity.pid: one.description.cmdline for one in found} == {
        pid: cmdline(pid, length) for pid, length in enumerate(LENGTHS, 1)
    }


def test_each_version_of_a_process_has_its_own(fleet: Fleet) -> None:
    for minute, length in enumerate((30_000, 20, 40_000)):
        fleet.see(AT + 60 * minute, cmdline=cmdline(minute, length))

    def lengths_at(minute: int) -> list[int]:
        return [len(one.description.cmdline) for one in fleet.find(AT, AT + 60 * minute)]

    assert [lengths_at(minute) for minute in range(3)] == [[30_000], [20], [40_000]]


def test_an_instant_has_them_too(clickhouse: ClickHouseStore, org: int) -> None:
    seen(Fleet(clickhouse, org), LENGTHS)

    page = clickhouse.analysis.instant_page(
        Selection(org, None, TagFilter()), AT, Order.parse("start"), offset=0, limit=10, after=None
    )

    assert sorted(len(one.process.description.cmdline) for one in page.processes) == sorted(LENGTHS)


def test_too_many_long_ones_are_refused_with_what_to_do(
    clickhouse: ClickHouseStore, org: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(long_command_lines, "MOST_BYTES", 2**20)
    fleet = Fleet(clickhouse, org)
    seen(fleet, [100_000] * 20)

    with pytest.raises(InvalidRequest, match=r"more than 1 MiB: ask for fewer .* page\[limit\]"):
        fleet.find()
    assert len(fleet.find(limit=5)) == 5


def test_the_number_of_processes_that_are_short_does_not_matter(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long_command_lines, "MOST_BYTES", 0)
    seen(fleet, [LONG_BYTES // 2] * 50)

    assert len(fleet.find()) == 50


def test_long_ones_are_read_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long_command_lines, "AT_ONCE_BYTES", 50_000)
    read: list[int] = []

    def described(key: ProcessKey, version: int, cmdline: str) -> BriefDescription:
        return BriefDescription(key.started_at, key.host_key, key.pid, version, cmdline, "", "", 0, False, 0)

    def rows(keys: Sequence[ProcessKey], versions: Sequence[int]) -> list[BriefDescription]:
        read.append(len(keys))
        return [described(key, version, "whole") for key, version in zip(keys, versions, strict=True)]

    held = {
        VersionKey(1, 2, pid, 7): described(ProcessKey(1, 2, pid), 7, "short" if pid % 2 else "\0\0\x0020000")
        for pid in range(10)
    }

    found = with_long(held, rows)

    assert read == [2, 2, 1]
    assert list(found) == list(held)
    assert [row.cmdline for row in found.values()] == ["whole", "short"] * 5


def test_only_the_command_line_is_replaced() -> None:
    window, keys = Window(EARLY, LATE), [ProcessKey(1, 2, 3)]

    brief = descriptions_of(1, window, keys, BriefDescription).text
    whole = descriptions_of(1, window, keys, WholeDescription).text

    assert ", cmdline), command, user, ppid, is_zombie, tag_set FROM " in brief
    assert ", cmdline), exe, cwd, comm, " in whole
    assert ", nice, if(" in whole
    selected, _, rest = descriptions_of(1, window, keys, WholeDescription, is_shortened=False).text.partition(" FROM ")
    assert selected == f"SELECT {', '.join(WholeDescription._fields)}"
    assert whole.endswith(rest)


@pytest.mark.parametrize("words", [MANY_WORDS, MANY_WORDS + 1])
@pytest.mark.parametrize("length", [LONG_BYTES, LONG_BYTES + 1])
def test_where_arguments_end_comes_back_for_any_length(fleet: Fleet, length: int, words: int) -> None:
    line = ("file " * words * 2).ljust(length, "x")
    fleet.see(AT, cmdline=line, argument_words=(2,) * words)
    fleet.see(AT, pid=8, cmdline=line)

    found = {one.identity.pid: one.description for one in fleet.find()}

    assert {pid: (one.cmdline, one.argument_words) for pid, one in found.items()} == {
        7: (line, (2,) * words),
        8: (line, ()),
    }


def test_a_store_keeps_to_it_whatever_it_is_asked(store: Store, org: int) -> None:
    seen(Fleet(store, org), [LONG_BYTES + 1])

    page = store.find(ProcessQuery(org, Window(EARLY, LATE), None, TagFilter(), None, 10, is_brief=True))

    assert [len(one.description.cmdline) for one in page.processes] == [LONG_BYTES + 1]
