"""A fleet's past, written into a folder, as the store that opens it next sees it."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

from procession.cli.local.data_folder import LocalFiles
from procession.cli.local.fleet_past import write_past
from procession.query import ProcessQuery
from procession.simulate import FleetShape
from procession.storage.embedded_store import open_embedded
from procession.window import Window

HOSTS, PROCESSES = 2, 30


def test_what_is_recent_is_answered_by_the_live_table_and_what_is_older_by_the_history(tmp_path: Path) -> None:
    now = int(time.time())
    shape = FleetShape(
        hosts=HOSTS, processes=PROCESSES, begin_at=now - 7200, interval_seconds=60, churn=0, deploy_hours=0
    )

    written = write_past(LocalFiles.of(str(tmp_path)), shape, now)

    assert written == 120 * HOSTS * PROCESSES
    with closing(open_embedded(tmp_path)) as store:
        org_id = store.keys.orgs()[0].id
        for begin, from_history in ((now - 900, 0), (now - 7000, 1)):
            page = store.find(ProcessQuery(org_id=org_id, window=Window(begin, begin + 890), limit=1000))
            assert len(page.processes) == HOSTS * PROCESSES
            assert store.answers.from_history == from_history


def test_a_past_that_is_over_leaves_the_next_live_table_nothing_to_answer(tmp_path: Path) -> None:
    now = int(time.time())
    shape = FleetShape(
        hosts=1, processes=PROCESSES, begin_at=now - 90_000, interval_seconds=60, churn=0, deploy_hours=0
    )

    write_past(LocalFiles.of(str(tmp_path)), shape, now - 89_000)

    with closing(open_embedded(tmp_path)) as store:
        org_id = store.keys.orgs()[0].id
        page = store.find(ProcessQuery(org_id=org_id, window=Window(now - 90_000, now), limit=1000))
        assert len(page.processes) == PROCESSES
