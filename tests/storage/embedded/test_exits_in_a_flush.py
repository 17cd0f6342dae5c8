"""In which order exits and snapshots reach the history."""

from __future__ import annotations

from procession.lifecycle.events import ProcessExit, ProcessExits
from procession.process import ProcessDescription, ProcessNumbers
from procession.query import ProcessQuery
from procession.storage.embedded.store import EmbeddedStore
from procession.window import Window
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.stores.oracle import OracleStore

EXIT_AT = NOON + 9


def test_an_exit_that_comes_after_later_sightings_parts_nothing(embedded: EmbeddedStore, org: int) -> None:
    """The start shifted by two seconds before anybody had told of an exit: one process, whatever is flushed when."""
    oracle = OracleStore()
    seen = [(NOON, NOON), (NOON + 1, NOON), (NOON + 900, NOON - 2), (NOON + 910, NOON - 2)]
    ended = ProcessExit(pid=1, at=EXIT_AT, exit_code=9, description=ProcessDescription())
    for store in (embedded, oracle):
        for at, started_at in seen:
            numbers = ProcessNumbers(rss_bytes=at)
            store.add([(org, a_snapshot(a_sighting(1, started_at, numbers), taken_at=at, chunk_count=1))])
        store.add_exits([(org, ProcessExits("web-1", (ended,)))])

    embedded.flush()

    query = ProcessQuery(org_id=org, window=Window(NOON - 3600, NOON + 920))
    expected = oracle.find(query).processes
    assert len(expected) == 1
    history = embedded.history
    assert history.find(query).processes == expected
    assert history.details(org, query.window, expected) == oracle.details(org, query.window, expected)
