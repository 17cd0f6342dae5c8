from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import Future

import pyarrow as pa
import pytest

from procession.storage.history.engine.statement import Statement
from procession.storage.history.instants.columns import table_cache
from procession.storage.history.instants.columns.table_cache import TableCache

ORG, OTHER_ORG = 1, 2


class Engine:
    """Keeps what it is given to run, until it is told what comes out."""

    def __init__(self) -> None:
        self.submitted: list[tuple[Statement, Future[pa.Table]]] = []

    def submit(self, statement: Statement) -> Future[pa.Table]:
        self.submitted.append((statement, Future()))
        return self.submitted[-1][1]

    def answer(self, *pids: int) -> None:
        """What was submitted last."""
        self.submitted[-1][1].set_result(pa.table({"pid": pa.array(pids, pa.uint32())}))


def statement(org_id: int, since: int, until: int, hosts: Collection[int] | None) -> Statement:
    return Statement("SELECT pid", {"org": org_id, "since": since, "until": until, "hosts": hosts})


class Asked:
    def __init__(self, *, is_only_writer: bool = True) -> None:
        self.engine = Engine()
        self.cache = TableCache(statement, is_only_writer=is_only_writer)

    def submit(
        self, since: int = 60, until: int = 119, hosts: Collection[int] | None = None, org_id: int = ORG
    ) -> Future[pa.Table]:
        return self.cache.submit(self.engine.submit, org_id, since, until, hosts)

    @property
    def count(self) -> int:
        return len(self.engine.submitted)


def test_a_period_is_read_once() -> None:
    asked = Asked()

    first = asked.submit()
    asked.engine.answer(7)

    assert asked.submit() is first
    assert asked.count == 1


def test_other_periods_orgs_and_hosts_are_read_by_themselves() -> None:
    asked = Asked()

    for options in ({}, {"since": 0}, {"org_id": OTHER_ORG}):
        asked.submit(hosts=[5], **options)
    asked.submit(hosts=[6])

    assert asked.count == 4


def test_what_was_read_of_all_hosts_is_there_for_some() -> None:
    asked = Asked()

    whole = asked.submit()

    assert asked.submit(hosts=[5]) is whole


@pytest.mark.parametrize("moments", [[60], [119], [10, 300]])
def test_what_something_is_stored_in_is_read_again(moments: list[int]) -> None:
    asked = Asked()
    first = asked.submit()
    asked.engine.answer(7)

    asked.cache.note(ORG, moments)

    assert asked.submit() is not first


@pytest.mark.parametrize(("org_id", "moments"), [(ORG, [59]), (ORG, [120, 130]), (ORG, []), (OTHER_ORG, [60])])
def test_what_is_stored_elsewhere_changes_nothing(org_id: int, moments: list[int]) -> None:
    asked = Asked()
    first = asked.submit()

    asked.cache.note(org_id, moments)

    assert asked.submit() is first


def test_whoever_asks_after_something_was_stored_does_not_share_what_was_begun_before() -> None:
    asked = Asked()
    before = asked.submit()
    asked.cache.note(ORG, [70])

    after = asked.submit()
    asked.engine.answer(7, 8)
    before.set_result(pa.table({"pid": pa.array([7], pa.uint32())}))

    assert after.result()["pid"].to_pylist() == [7, 8]
    assert asked.submit() is after


def test_a_statement_that_failed_is_run_again() -> None:
    asked = Asked()
    asked.submit().set_exception(RuntimeError("too much memory"))

    asked.submit()

    assert asked.count == 2


def test_where_others_write_too_nothing_is_remembered() -> None:
    asked = Asked(is_only_writer=False)

    first = asked.submit()
    asked.engine.answer(7)

    assert asked.submit() is not first


def test_what_was_used_longest_ago_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_cache, "MAX_TABLES", 2)
    asked = Asked()
    periods = [(0, 59), (60, 119), (120, 179)]
    first, second = (asked.submit(*period) for period in periods[:2])
    assert asked.submit(*periods[0]) is first

    asked.submit(*periods[2])

    assert asked.submit(*periods[0]) is first
    assert asked.submit(*periods[1]) is not second


def test_large_tables_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_cache, "MAX_CACHED_BYTES", 3999)
    asked = Asked()
    first = asked.submit(0, 59)
    asked.engine.answer(*range(1000))

    asked.submit(60, 119)

    assert asked.submit(0, 59) is not first
