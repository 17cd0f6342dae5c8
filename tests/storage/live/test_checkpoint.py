from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from procession.lifecycle.endings import ReportedExit
from procession.process import ExitFacts
from procession.storage.live.checkpoint import CheckpointError, read_checkpoint, write_checkpoint
from procession.storage.live.table import LiveTable
from procession.window import Window
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.stores import strategies
from tests.support.stores.fleet import Fleet
from tests.support.stores.live_store import LiveStore
from tests.support.stores.oracle import OracleStore

ORG = 1


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_table_goes_on_from_its_checkpoint_as_if_it_had_never_stopped(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    fleet, path = data.draw(strategies.fleets()), tmp_path_factory.mktemp("live") / "checkpoint"
    exits = [(ORG, one) for one in data.draw(strategies.exits_over(fleet))]
    live, oracle = LiveStore(), OracleStore()
    cut = data.draw(st.integers(0, len(fleet)))
    repeated = data.draw(st.integers(0, cut))
    for one in (live, oracle):
        one.add([(ORG, snapshot) for snapshot in fleet[:cut]])
        one.add_exits(exits)
    write_checkpoint(live.table, path, position=7)
    restored = LiveStore(LiveTable(0))

    assert read_checkpoint(path, restored.table) == 7
    # What the log has from a while before the checkpoint on.
    restored.table.apply([(ORG, snapshot) for snapshot in fleet[repeated:cut]])
    restored.table.add_exits(exits)
    for one in (live, restored, oracle):
        one.add([(ORG, snapshot) for snapshot in fleet[cut:]])

    for query in data.draw(st.lists(strategies.queries_over(fleet, ORG), min_size=5, max_size=5)):
        page = oracle.find(query)
        assert restored.find(query) == page
        table = live.table.details(ORG, query.window, page.processes)
        assert restored.table.details(ORG, query.window, page.processes) == table


def test_it_is_read_by_another_process_with_other_hashes(tmp_path: Path) -> None:
    table = LiveTable(NOON)
    snapshot = a_snapshot(*(a_sighting(pid, cmdline=f"/bin/a {pid}") for pid in range(1, 50)), chunk_count=1)
    table.apply([(ORG, snapshot)])
    write_checkpoint(table, tmp_path / "checkpoint", 3)
    code = f"""
from pathlib import Path
from procession.storage.live.checkpoint import read_checkpoint
from procession.storage.live.table import LiveTable
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.stores.live_store import LiveStore
from tests.support.stores.fleet import Fleet
table = LiveTable(0)
read_checkpoint(Path({str(tmp_path / "checkpoint")!r}), table)
sightings = [a_sighting(pid, cmdline=f"/bin/a {{pid}}") for pid in range(1, 40)]
for at in (NOON + 10, NOON + 20):
    table.apply([(1, a_snapshot(*sightings, taken_at=at, request_id=at, split_id=at, chunk_count=1))])
found = Fleet(LiveStore(table), 1).find(NOON, NOON + 15, search="/bin/a")
print(sorted((one.identity.pid, one.seen_at - NOON) for one in found))
with table.reading(1) as org:
    print(org.version_count)
"""

    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONHASHSEED": "7"},
    )

    expected = [(pid, 10 if pid < 40 else 0) for pid in range(1, 50)]
    assert done.stdout == f"{expected}\n0\n"


def test_an_exit_of_a_version_that_knew_less_of_it_is_read() -> None:
    known = ReportedExit(NOON, 137, NOON - 9, ExitFacts(oom_killed=True))
    old = msgspec.msgpack.encode((NOON, 137, NOON - 9))

    assert msgspec.msgpack.decode(old, type=ReportedExit) == ReportedExit(NOON, 137, NOON - 9)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(known), type=ReportedExit) == known


def test_what_was_covered_is_covered_after_a_start(tmp_path: Path) -> None:
    table = LiveTable(NOON)
    table.apply([(ORG, a_snapshot(a_sighting(7), taken_at=NOON + 50, chunk_count=1))])
    table.expire(NOON + 20)
    write_checkpoint(table, tmp_path / "checkpoint", 3)

    again = LiveTable(NOON + 1000)
    read_checkpoint(tmp_path / "checkpoint", again)

    for org_id in (ORG, 2):
        assert again.covers(org_id, Window(NOON + 20, NOON + 30))
        assert not again.covers(org_id, Window(NOON + 19, NOON + 30))
    assert Fleet(LiveStore(again), ORG).pids(NOON + 20, NOON + 60) == [7]


@pytest.mark.parametrize("harm", ["cut", "changed", "older", "missing"])
def test_a_checkpoint_that_is_not_whole_is_refused(tmp_path: Path, harm: str) -> None:
    path, table = tmp_path / "checkpoint", LiveTable(NOON)
    table.apply([(ORG, a_snapshot(a_sighting(7), chunk_count=1))])
    write_checkpoint(table, path, 3)
    whole = path.read_bytes()
    for place in range(0, len(whole), 37):
        match harm:
            case "cut":
                path.write_bytes(whole[:place])
            case "changed":
                path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            case "older":
                path.write_bytes(whole.replace(b"table 2", b"table 1"))
            case _:
                path.unlink(missing_ok=True)
        again = LiveTable(NOON)

        with pytest.raises(CheckpointError):
            read_checkpoint(path, again)
        assert again.org_ids() == ()


def test_a_checkpoint_that_could_not_be_written_leaves_the_one_before(tmp_path: Path) -> None:
    path, table = tmp_path / "checkpoint", LiveTable(NOON)
    write_checkpoint(table, path, 3)
    path.with_name("checkpoint.new").mkdir()

    with pytest.raises(OSError, match=r"checkpoint\.new"):
        write_checkpoint(table, path, 4)

    assert read_checkpoint(path, LiveTable(NOON)) == 3
