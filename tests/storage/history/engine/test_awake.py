"""What has an engine write parts anew keeps it awake meanwhile, and nothing else does."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from procession.storage.history.engine.awake import Command, awake

SECONDS = 30


class Engine:
    """Its other connection."""

    def __init__(self) -> None:
        self.told: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.is_lent = False

    @contextmanager
    def lend(self) -> Iterator[Command]:
        self.is_lent = True
        yield self.told.put
        self.is_lent = False


@pytest.mark.parametrize(
    ("statement", "table"),
    [
        ("ALTER TABLE snapshots DELETE WHERE org = 1 SETTINGS mutations_sync = 2", "snapshots"),
        ("ALTER TABLE default.snapshots MODIFY TTL toDateTime(at) + toIntervalHour(24)", "default.snapshots"),
        ("alter table `a`.snapshots\n  delete where org = 1", "`a`.snapshots"),
    ],
)
def test_it_is_woken_until_the_parts_are_written(statement: str, table: str) -> None:
    engine = Engine()
    with awake(statement, engine.lend):
        for _ in range(3):
            assert engine.told.get(timeout=SECONDS) == f"SYSTEM START MERGES {table}"

    assert not engine.is_lent
    assert not [thread for thread in threading.enumerate() if thread.name == "awake"]


@pytest.mark.parametrize(
    "statement",
    ["SELECT 'ALTER TABLE snapshots DELETE WHERE org = 1'", "ALTER TABLE keys ADD COLUMN scopes String", "SELECT 1"],
)
def test_other_statements_do_without(statement: str) -> None:
    with awake(statement, Engine().lend):
        assert not [thread for thread in threading.enumerate() if thread.name == "awake"]


def test_an_engine_that_cannot_be_woken_fails_no_statement() -> None:
    asked = threading.Event()

    @contextmanager
    def lend() -> Iterator[Command]:
        asked.set()
        raise OSError("no memory")
        yield print

    with awake("ALTER TABLE snapshots DELETE WHERE org = 1", lend):
        assert asked.wait(SECONDS)


def test_the_error_of_a_statement_is_told_as_it_is() -> None:
    with pytest.raises(ValueError, match="no such table"), awake("ALTER TABLE x DELETE WHERE 1", Engine().lend):
        raise ValueError("no such table")
