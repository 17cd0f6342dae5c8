from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from procession.accounts.visibility import Visibility
from procession.process import ProcessDescription, ProcessIdentity, ProcessSummary
from procession.process_item import public_item
from procession.server.public.remembered_items import RememberedItems
from tests.support.builders import NOON

ORG, OTHER_ORG = 1, 2

_texts = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=20),
    st.sampled_from(['","timestamp":"2023-11-14T22:13:20","', '"attributes":{"cmdline":"', '\\","timestamp":"', ""]),
)
_processes = st.builds(
    ProcessSummary,
    st.builds(ProcessIdentity, _texts, st.integers(0, 3), st.just(NOON - 100)),
    st.sampled_from([NOON, NOON + 10, 0, 2**32 - 1]),
    st.builds(ProcessDescription, cmdline=_texts, user=_texts, ppid=st.integers(0, 2), tags=st.tuples(_texts)),
)


@given(st.lists(st.tuples(st.sampled_from([ORG, OTHER_ORG]), _processes), max_size=5))
def test_what_is_remembered_is_the_item_as_it_is_now(asked: list[tuple[int, ProcessSummary]]) -> None:
    items = RememberedItems()

    for org_id, process in asked:
        later = msgspec.structs.replace(process, seen_at=NOON + 20)
        for one in (process, later, process):
            assert bytes(items.of(Visibility(org_id), one)) == msgspec.json.encode(public_item(Visibility(org_id), one))


def test_processes_that_nobody_asks_for_again_take_no_more_memory_than_they_may() -> None:
    items = RememberedItems(max_bytes=100_000)

    for pid in range(1000):
        description = ProcessDescription(cmdline="x" * 1000)
        items.of(Visibility(ORG), ProcessSummary(ProcessIdentity("web-1", pid, NOON), NOON, description))

    assert 0 < items.held_bytes <= 100_000
