from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from procession.accounts.visibility import Visibility
from procession.analysis import MAX_NAMED_CHUNKS, SORT_COLUMNS, InstantPin, Order
from procession.errors import InvalidParameter
from procession.paging import Cursor, InstantCursor, fingerprint
from procession.process import MAX_UINT32, MAX_UINT64, ProcessIdentity, ProcessKey
from procession.window import Window
from tests.support.builders import NOON

FILTERS = fingerprint(Visibility(1), "nginx", "env:prod")
CURSOR = Cursor(Window(NOON - 900, NOON), ProcessKey.of(ProcessIdentity("web-1", 7, NOON - 5000)), FILTERS)

int64s = st.integers(-(2**63), 2**63 - 1)
windows = st.tuples(int64s, int64s).map(lambda pair: Window(min(pair), max(pair)))
keys = st.builds(ProcessKey, st.integers(0, MAX_UINT32), st.integers(0, MAX_UINT64), st.integers(0, MAX_UINT32))


@given(windows, keys, st.binary(min_size=8, max_size=8))
def test_a_cursor_keeps_the_window_of_the_first_page_and_the_last_process(
    window: Window, last: ProcessKey, filters: bytes
) -> None:
    cursor = Cursor(window, last, filters)

    assert Cursor.decode(cursor.encode(), fingerprint=filters) == cursor


def test_a_cursor_is_hex_of_one_length() -> None:
    text = CURSOR.encode()

    assert len(text) == 82
    assert set(text) <= set("0123456789abcdef")


@given(
    st.text()
    | st.text("0123456789abcdef", min_size=80, max_size=84)
    | st.binary(min_size=41, max_size=41).map(bytes.hex)
)
@example("")
@example("0" * 82)
@example("\ud800" * 82)
@example("٠" * 82)
def test_any_text_is_a_cursor_or_an_error_that_names_the_parameter(text: str) -> None:
    # One text of 256 begins as a cursor does, and then may pass for one of another query.
    with pytest.raises(InvalidParameter, match=r"Invalid query parameter page\[cursor\]: it (is not|comes from)"):
        Cursor.decode(text, fingerprint=FILTERS)


@pytest.mark.parametrize("change", [lambda text: text[:-2], lambda text: text + "00", lambda text: "x" + text[1:]])
def test_a_cursor_cut_or_lengthened_is_none(change: object) -> None:
    assert callable(change)
    with pytest.raises(InvalidParameter, match="it is not a cursor that this server gave"):
        Cursor.decode(change(CURSOR.encode()), fingerprint=FILTERS)


def test_a_cursor_of_another_version_is_refused() -> None:
    with pytest.raises(InvalidParameter, match="it is not a cursor that this server gave"):
        Cursor.decode("02" + CURSOR.encode()[2:], fingerprint=FILTERS)


def test_a_cursor_whose_window_ends_before_it_begins_is_refused() -> None:
    forged = Cursor(Window(NOON, NOON - 1), CURSOR.last, FILTERS)

    with pytest.raises(InvalidParameter, match="it is not a cursor that this server gave"):
        Cursor.decode(forged.encode(), fingerprint=FILTERS)


@pytest.mark.parametrize(
    "filters",
    [
        (2, "nginx", "env:prod"),
        (1, "nginX", "env:prod"),
        (1, "nginx", ""),
        (1, "nginxenv", ":prod"),
        (1, "", "nginxenv:prod"),
    ],
)
def test_a_cursor_of_other_filters_or_of_another_org_is_refused(filters: tuple[int, str, str]) -> None:
    with pytest.raises(InvalidParameter, match="it comes from a query with other parameters"):
        Cursor.decode(CURSOR.encode(), fingerprint=fingerprint(Visibility(filters[0]), *filters[1:]))


@given(st.integers(0, MAX_UINT32), st.text(), st.text())
def test_filters_of_any_text_have_a_fingerprint_of_8_bytes(org_id: int, search: str, tags: str) -> None:
    assert len(fingerprint(Visibility(org_id), search, tags)) == 8
    assert fingerprint(Visibility(org_id), search, tags) == fingerprint(Visibility(org_id), search, tags)


def test_half_a_surrogate_in_the_filters_breaks_nothing() -> None:
    assert fingerprint(Visibility(1), "\ud800", "") != fingerprint(Visibility(1), "\ud801", "")


pins = st.none() | st.builds(
    InstantPin,
    st.integers(1, MAX_UINT32),
    st.lists(st.integers(0, MAX_UINT32), max_size=MAX_NAMED_CHUNKS).map(tuple),
    st.binary(min_size=8, max_size=8),
)
orders = st.builds(Order, st.sampled_from(SORT_COLUMNS), st.booleans())


@given(st.integers(0, MAX_UINT32), orders, keys, st.binary(min_size=8, max_size=8), pins)
def test_a_cursor_of_an_instant_keeps_what_its_first_page_was_made_of(
    at: int, order: Order, last: ProcessKey, filters: bytes, pin: InstantPin | None
) -> None:
    cursor = InstantCursor(at, order, last, filters, pin)

    assert InstantCursor.is_one(cursor.encode())
    assert InstantCursor.decode(cursor.encode(), fingerprint=filters) == cursor


@pytest.mark.parametrize(
    "change", [lambda text: text[:-2], lambda text: text + "00" * 3, lambda text: text + "0" * 4008]
)
def test_a_cursor_of_an_instant_cut_or_lengthened_is_none(change: object) -> None:
    text = InstantCursor(NOON, Order("pid"), CURSOR.last, FILTERS, InstantPin(NOON, (1, 2), bytes(8))).encode()

    with pytest.raises(InvalidParameter, match="it is not a cursor"):
        InstantCursor.decode(change(text), fingerprint=FILTERS)  # type: ignore[operator]
