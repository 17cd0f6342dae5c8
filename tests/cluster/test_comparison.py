"""The store on servers against the oracle, as the embedded one is."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from tests.cluster.nodes.stores import FULL
from tests.storage.conftest import SERVERS
from tests.storage.contract.test_oracle_comparison import Both, bounded, scan, sizes
from tests.storage.history.instants.test_oracle_comparison import answers_as_the_oracle_does
from tests.support.stores import strategies

EXAMPLES = 50 if FULL else 8
EXAMPLES_OF_ANALYSIS = 25 if FULL else 3


@pytest.mark.parametrize("name", SERVERS)
@bounded(EXAMPLES)
@given(data=st.data())
def test_the_store_answers_as_the_oracle_does(request: pytest.FixtureRequest, name: str, data: st.DataObject) -> None:
    fleet = data.draw(strategies.fleets())
    both = Both(request.getfixturevalue(name))
    cut = data.draw(st.integers(0, len(fleet)))
    both.add(*fleet[:cut])
    both.add(*fleet[cut:])

    for query in data.draw(st.lists(strategies.queries_over(fleet, both.org_id), min_size=8, max_size=8)):
        expected = both.oracle.find(query).processes

        event(f"found {min(len(expected), 3)}{'+' if len(expected) > 2 else ''}")
        assert both.store.find(query).processes == expected


@pytest.mark.parametrize("name", SERVERS)
@bounded(EXAMPLES)
@given(data=st.data())
def test_pages_of_any_size_hold_what_the_oracle_finds_at_once(
    request: pytest.FixtureRequest, name: str, data: st.DataObject
) -> None:
    fleet = data.draw(strategies.fleets())
    both = Both(request.getfixturevalue(name))
    both.add(*fleet)

    for query in data.draw(st.lists(strategies.queries_over(fleet, both.org_id), min_size=2, max_size=2)):
        limits = itertools.cycle(data.draw(sizes))

        assert tuple(scan(both.store, query, limits)) == both.oracle.find(query).processes


@pytest.mark.parametrize("name", SERVERS)
@bounded(EXAMPLES_OF_ANALYSIS)
@given(data=st.data())
def test_questions_about_many_processes_are_answered_as_the_oracle_does(
    request: pytest.FixtureRequest, name: str, data: st.DataObject
) -> None:
    answers_as_the_oracle_does(request.getfixturevalue(name), data)
