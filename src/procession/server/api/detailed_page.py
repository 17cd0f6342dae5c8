"""A page of a window with the details of its processes, as of one moment."""

from __future__ import annotations

from procession.paging import Page
from procession.process import ProcessDetail
from procession.query import ProcessQuery
from procession.storage import ReadStore

_MOST_TRIES = 3


def find_detailed_page(store: ReadStore, query: ProcessQuery) -> tuple[Page, tuple[ProcessDetail, ...]]:
    """The page, and one detail for each of its processes. Raises Unavailable where the store cannot do it now.

    Details are read after the page, so an end may be known from what was stored in between, while a process that came
    with it is not on the page. So where a process has ended, the page is read again, and the details of another page
    too. Where agents post to its hosts faster than that, each process is as of one moment, and not all of them.
    """
    page = store.find(query)
    for _ in range(_MOST_TRIES):
        details = store.details(query.org_id, query.window, page.processes)
        if all(detail.ended_at is None for detail in details):
            break
        before, page = page, store.find(query)
        if page.processes == before.processes:
            break
    else:
        details = store.details(query.org_id, query.window, page.processes)
    return page, details
