"""Log, live table and history together against the oracle, whenever what is flushed, forgotten, or started anew."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procession.errors import Unavailable
from procession.packed import AnySnapshot
from procession.process import ProcessKey
from procession.storage.embedded.checkpoints import Checkpoints
from procession.storage.embedded.progress import FlushProgress
from procession.storage.embedded.store import EmbeddedStore
from procession.storage.store import ClickHouseStore
from procession.storage.wal import WriteAheadLog
from tests.storage.contract.test_oracle_comparison import bounded, scan, sizes
from tests.support import strategies
from tests.support.oracle import OracleStore
from tests.support.shifted_starts import shifted_across

_org_ids = itertools.count(9_000_000)

LATER = 1_800_000_000
"""After all that the fleets tell of: who has lost what was before knows nothing of it."""


class KeptOpen:
    """The history, which outlives the stores over it."""

    def __init__(self, history: ClickHouseStore) -> None:
        self._history = history

    def __getattr__(self, name: str) -> Any:
        return getattr(self._history, name)

    def close(self) -> None:
        pass


class Failing(KeptOpen):
    """A history that takes nothing."""

    def add(self, _: Sequence[tuple[int, AnySnapshot]]) -> None:
        raise Unavailable("The store cannot do this now")


class Server:
    """A store in a folder, which is opened anew."""

    def __init__(self, history: ClickHouseStore, folder: Path) -> None:
        self._history = history
        self._folder = folder
        self.store = self._opened(is_empty=True)

    def restart(self, *, loses_the_checkpoint: bool = False, flushes: bool = True) -> None:
        if not flushes:
            self.store.flush_to(Failing(self._history))
        self.store.close()
        if loses_the_checkpoint:
            (self._folder / "live.checkpoint").unlink()
        self.store = self._opened(is_empty=False)

    def _opened(self, *, is_empty: bool) -> EmbeddedStore:
        progress = FlushProgress(self._folder / "flushed.json")
        log = WriteAheadLog(self._folder / "log", taken=progress.flushed)
        checkpoints = Checkpoints.open(
            self._folder / "live.checkpoint",
            first_sequence=log.status().first_sequence,
            live_bytes=2**30,
            is_empty=is_empty,
            now=LATER,
        )
        history: Any = KeptOpen(self._history)
        return EmbeddedStore(history, log, checkpoints, progress, now=lambda: LATER)


STEPS = st.sampled_from(["flush", "forget", "restart", "restart, unflushed", "restart, no checkpoint", "nothing"])


@bounded(25)
@given(st.data())
def test_no_answer_depends_on_when_it_was_flushed_forgotten_or_started_anew(
    clickhouse: ClickHouseStore, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    org, oracle = next(_org_ids), OracleStore()
    server = Server(clickhouse, tmp_path_factory.mktemp("server"))
    fleet = data.draw(strategies.fleets())
    exits = data.draw(strategies.exits_over(fleet))
    moments = [at for at in sorted({snapshot.taken_at for snapshot in fleet}) if not shifted_across(fleet, at)]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(fleet)), min_size=3, max_size=3)))
    try:
        for start, end in itertools.pairwise((0, *cuts, len(fleet))):
            for one in (server.store, oracle):
                one.add([(org, snapshot) for snapshot in fleet[start:end]])
            step = data.draw(STEPS)
            if step == "flush":
                server.store.flush()
            elif step == "forget":
                server.store.flush()
                server.store.live_table.expire(data.draw(st.sampled_from(moments or [0])))
            elif step != "nothing":
                server.restart(loses_the_checkpoint="no checkpoint" in step, flushes="unflushed" not in step)
        for one in (server.store, oracle):
            one.add_exits([(org, of_host) for of_host in exits])
        if data.draw(st.booleans()):
            server.restart(flushes=data.draw(st.booleans()))

        for query in data.draw(st.lists(strategies.queries_over(fleet, org), min_size=4, max_size=4)):
            expected = oracle.find(query).processes
            assert tuple(scan(server.store, query, itertools.cycle(data.draw(sizes)))) == expected
            details = oracle.details(org, query.window, expected)
            # Of one that is kept under another start than its host reports, the oracle knows no numbers.
            known = [*itertools.compress(expected, [one.numbers.state != "" for one in details])]
            found = server.store.details(org, query.window, known)
            assert found == oracle.details(org, query.window, known)
            seen = [(ProcessKey.of(one.identity), one.seen_at) for one in known]
            until = query.window.to_at
            assert server.store.endings(org, until, seen) == oracle.endings(org, until, seen)
    finally:
        server.store.close()
