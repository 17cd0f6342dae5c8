from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procession.analysis import Selection
from procession.process import ProcessDescription
from procession.search.parser import parse_search
from procession.search.pattern import Pattern, fold
from procession.storage.live.dictionaries import Descriptions
from procession.storage.live.instants.analysis import LiveAnalysis
from procession.storage.live.text_index import BLOCK, MAX_REMEMBERED, UNKNOWN, YES, TextIndex
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.stores.analysis_oracle import OracleAnalysis
from tests.support.stores.live_store import LiveStore
from tests.support.stores.strategies import USERS, WORDS, cmdlines, words


def an_index(*texts: ProcessDescription) -> tuple[TextIndex, Descriptions]:
    index = TextIndex()
    descriptions = Descriptions(index.note)
    for text in texts:
        descriptions.parts_of(text)
    index.settle(descriptions.texts)
    return index, descriptions


pieces = st.sampled_from([text[start : start + 3] for text in (*WORDS, *USERS) for start in (0, 1, 2)])
patterns = st.lists(pieces, min_size=1, max_size=3).map("*".join).map(Pattern.parse)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.builds(ProcessDescription, cmdline=cmdlines, exe=words, user=st.sampled_from(USERS)), max_size=20),
    patterns,
)
def test_it_finds_the_texts_that_a_pattern_is_within(texts: list[ProcessDescription], pattern: Pattern) -> None:
    index, descriptions = an_index(*texts)

    known = descriptions.texts.values
    expected = [
        any(pattern.is_within(fold(field)) for field in (one.cmdline, one.exe, one.user)) for one in known if one
    ]
    assert index.find(pattern)[: len(known)].tolist() == expected
    assert index.are_in(range(len(known)), pattern) == expected


def test_a_word_is_not_found_across_two_fields_or_two_texts() -> None:
    index, _ = an_index(
        ProcessDescription(cmdline="ab", exe="cd", user="ef"), ProcessDescription(cmdline="gh", exe="ij", user="kl")
    )

    for text in ("abcd", "b*c", "efgh", "f\0g", "\0", "f\xffg"):
        assert not index.find(Pattern.parse(text)).any(), text


def test_a_text_in_the_place_of_another_is_found_and_the_other_is_not() -> None:
    index, descriptions = an_index(*(ProcessDescription(cmdline=f"number {one} of many") for one in range(3 * BLOCK)))
    is_used = np.ones(3 * BLOCK, bool)
    is_used[BLOCK + 5] = False
    descriptions.forget_unused(is_used, np.ones(1, bool))

    number = descriptions.parts_of(ProcessDescription(cmdline="something else")).text
    index.settle(descriptions.texts)

    assert number == BLOCK + 5
    assert np.flatnonzero(index.find(Pattern.parse("else"))).tolist() == [number]
    assert not index.find(Pattern.parse(f"number {BLOCK + 5} of")).any()
    assert np.flatnonzero(index.find(Pattern.parse(f"number {BLOCK + 6} of"))).tolist() == [BLOCK + 6]


def test_what_was_found_out_of_a_pattern_is_remembered_until_its_texts_are_others() -> None:
    index, descriptions = an_index(*(ProcessDescription(cmdline=f"number {one}") for one in range(BLOCK + 2)))
    word = Pattern.parse("number")
    count = len(descriptions.texts)
    known = index.remembered(word, count)
    assert set(known.tolist()) == {UNKNOWN}
    known[:] = YES
    assert index.remembered(word, count).tolist() == [YES] * count
    is_used = np.ones(count, bool)
    is_used[BLOCK] = False
    descriptions.forget_unused(is_used, np.ones(1, bool))

    descriptions.parts_of(ProcessDescription(cmdline="something else"))
    descriptions.parts_of(ProcessDescription(cmdline="one more"))
    index.settle(descriptions.texts)

    assert index.remembered(word, len(descriptions.texts)).tolist() == [YES] * BLOCK + [UNKNOWN] * 3


def test_the_patterns_that_nobody_asked_for_of_late_are_forgotten() -> None:
    index, _ = an_index(ProcessDescription(cmdline="a"))
    often = Pattern.parse("often")
    index.remembered(often, 1)[:] = YES
    for number in range(2 * MAX_REMEMBERED):
        index.remembered(Pattern.parse(f"word-{number}"), 1)[:] = YES
        index.remembered(often, 1)

    assert index.remembered(often, 1).tolist() == [YES]
    assert index.remembered(Pattern.parse("word-0"), 1).tolist() == [UNKNOWN]
    assert index.held_bytes() < 10_000 + MAX_REMEMBERED + index._signatures.nbytes


@pytest.mark.parametrize("search", ["ng OR cron", "NOT ng", "ng AND NOT 1", "NOT (ng AND 1)", "c* OR NOT ng", "absent"])
def test_many_processes_of_few_texts_are_searched_as_the_oracle_does(search: str) -> None:
    store = LiveStore()
    analysis, oracle = LiveAnalysis(store.table), OracleAnalysis(store)
    selection = Selection(1, parse_search(search))
    for step, lines in enumerate((["nginx 1", "cron"], ["nginx 1", "cron", "nginx 2"], ["cron 1", "nginx 2"])):
        at = NOON + 10 * step
        sightings = [a_sighting(pid, cmdline=lines[pid % len(lines)], exe="", user="root") for pid in range(1, 30)]
        store.add([(1, a_snapshot(*sightings, taken_at=at, chunk_count=1))])
        for _ in range(2):  # what was remembered says the same
            assert analysis.facets(selection, at, ("user",), 5) == oracle.facets(selection, at, ("user",), 5)
