"""The pages of an instant of now are made of what the first page was made of, whatever is stored between them."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import msgspec
import pytest

from procession.analysis import InstantPage, InstantPin, Order, Selection
from procession.errors import InvalidRequest
from procession.lifecycle.events import ProcessExit, ProcessExits
from procession.process import ProcessKey, ProcessNumbers, Snapshot
from procession.storage.store import ClickHouseStore
from tests.support.builders import NOON, a_description, a_sighting, a_snapshot

AT = NOON + 1
PIDS = range(1, 8)

_orgs = itertools.count(7_000_001)
_requests = itertools.count(1)


def chunk(at: int, *pids: int, host: str = "web-1", size: int = 1, split: int = 1) -> Snapshot:
    sightings = [a_sighting(pid, NOON - 1000, ProcessNumbers(rss_bytes=pid * at, state="S")) for pid in pids]
    return a_snapshot(*sightings, host=host, taken_at=at, request_id=next(_requests), split_id=split, chunk_count=size)


Write = Callable[[ClickHouseStore, int], None]


def stored(*chunks: Snapshot) -> Write:
    return lambda store, org: store.add([(org, one) for one in chunks])


def exits(*pids: int) -> Write:
    gone = tuple(ProcessExit(pid=pid, at=NOON, exit_code=0, description=a_description()) for pid in pids)
    return lambda store, org: store.add_exits([(org, ProcessExits("web-1", gone))])


class Pages:
    def __init__(self, store: ClickHouseStore, order: str) -> None:
        self._store = store
        self.org = next(_orgs)
        self._order = Order.parse(order)
        store.add([(self.org, chunk(NOON - 10, *PIDS[:4], size=2)), (self.org, chunk(NOON - 10, *PIDS[4:], size=2))])
        store.add([(self.org, chunk(NOON - 5, 50, host="web-2"))])

    def after(self, page: InstantPage | None, pin: InstantPin | None, limit: int = 3) -> InstantPage:
        last = None if page is None else ProcessKey.of(page.processes[-1].process.identity)
        selection = Selection(self.org)
        return self._store.analysis.instant_page(selection, AT, self._order, 0, limit, last, pin)


WRITES = {
    "a newer snapshot": stored(chunk(NOON, 1, 2, 4, 6, 8, 9)),
    "half of a newer snapshot": stored(chunk(NOON, 1, 2, 3, 8, 9, size=2)),
    "a late snapshot": stored(chunk(NOON - 7, 1, 2)),
    "a snapshot of another host": stored(chunk(NOON, 60, 61, host="web-3")),
    "new processes": stored(chunk(NOON - 2, 90, 91, size=0)),
}


@pytest.mark.parametrize("order", ["start", "-rss_bytes", "-pid"])
@pytest.mark.parametrize("write", WRITES)
def test_no_page_has_what_was_stored_since_the_first(clickhouse: ClickHouseStore, write: str, order: str) -> None:
    pages = Pages(clickhouse, order)
    whole = pages.after(None, None, limit=100)

    found = [pages.after(None, None)]
    WRITES[write](clickhouse, pages.org)
    while len(found[-1].processes) == 3:
        found.append(pages.after(found[-1], found[0].pin))

    assert [one for page in found for one in page.processes] == list(whole.processes)
    assert {page.total for page in found} == {whole.total}


def test_a_page_goes_on_after_a_process_whose_exit_was_reported_since(clickhouse: ClickHouseStore) -> None:
    pages = Pages(clickhouse, "pid")

    first = pages.after(None, None)
    exits(3, 5)(clickhouse, pages.org)
    second = pages.after(first, first.pin)

    assert [one.process.identity.pid for one in second.processes] == [4, 6, 7]
    assert (first.total, second.total) == (8, 6)


def test_what_cannot_be_told_apart_any_more_is_refused(clickhouse: ClickHouseStore) -> None:
    pages = Pages(clickhouse, "pid")
    first = pages.after(None, None)
    assert first.pin is not None
    # As if a chunk of long ago had been counted that is there no longer.
    lost = msgspec.structs.replace(first.pin, digest=bytes(range(8)))

    with pytest.raises(InvalidRequest, match="begin again with the first page"):
        pages.after(first, lost)
