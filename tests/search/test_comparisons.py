from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from procession.process import (
    ExitFacts,
    ProcessDescription,
    ProcessDetail,
    ProcessIdentity,
    ProcessNumbers,
    ProcessSummary,
)
from procession.search.comparisons import compares, looks_at_ending, without_comparisons
from procession.search.evaluation import accepts
from procession.search.parser import Language, parse_search
from procession.search.tree import SearchNode
from tests.support.builders import NOON
from tests.support.stores import strategies

searches = strategies.searches_that_compare(strategies.WORDS, strategies.TAGS, (7, 50))
details = st.builds(
    ProcessDetail,
    numbers=st.builds(ProcessNumbers, rss_bytes=st.none() | st.sampled_from((0, 7, 50, 86400))),
    ended_at=st.none() | st.just(NOON + 5),
    exit_code=st.none() | st.sampled_from((0, 1, 137)),
    exit_facts=st.builds(ExitFacts, st.none() | st.booleans()),
)


@given(searches, strategies.descriptions, details)
def test_without_its_comparisons_a_search_matches_all_that_it_matches_with_them(
    search: SearchNode, description: ProcessDescription, detail: ProcessDetail
) -> None:
    process = ProcessSummary(ProcessIdentity("web-1", 7, NOON - 50), NOON, description)
    wider = without_comparisons(search)

    assert not compares(wider)
    assert accepts(wider, process) or not accepts(search, process, detail)
    assert compares(search) or wider == search


def test_what_can_be_told_without_numbers_is_kept() -> None:
    def wider(text: str) -> SearchNode | None:
        return without_comparisons(parse_search(text, Language.PROCESSION))

    assert wider("java cpu>5 !(x rss>1)") == parse_search("java", Language.PROCESSION)
    assert wider("java OR cpu>5") is None
    assert wider("!(java OR cpu>5)") == parse_search("!java", Language.PROCESSION)
    assert wider("ppid:7 ended:true") == parse_search("ppid:7", Language.PROCESSION)


def test_only_what_asks_for_endings_looks_at_them() -> None:
    assert looks_at_ending(parse_search("a (b OR signal:*)", Language.PROCESSION))
    assert looks_at_ending(parse_search("a (b OR ended:oom)", Language.PROCESSION))
    assert not looks_at_ending(parse_search("cpu>5 ppid:1", Language.PROCESSION))
