from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from procession.process import ProcessDescription
from procession.search.pattern import Pattern, fold
from procession.storage.live.dictionaries import Descriptions
from procession.storage.live.text_index import BLOCK, TextIndex
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
