"""Log, live table and history together against the oracle, whenever what is flushed, forgotten, or started anew."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procession.process import ProcessKey
from procession.storage.store import ClickHouseStore
from tests.storage.contract.test_oracle_comparison import bounded, scan, sizes
from tests.support.stores import strategies
from tests.support.stores.oracle import OracleStore
from tests.support.stores.reopened_store import Reopened
from tests.support.stores.shifted_starts import shifted_across

_org_ids = itertools.count(9_000_000)

STEPS = st.sampled_from(["flush", "forget", "restart", "restart, unflushed", "restart, no checkpoint", "nothing"])


@bounded(25)
@given(st.data())
def test_no_answer_depends_on_when_it_was_flushed_forgotten_or_started_anew(
    clickhouse: ClickHouseStore, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    org, oracle = next(_org_ids), OracleStore()
    server = Reopened(clickhouse, tmp_path_factory.mktemp("server"))
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
