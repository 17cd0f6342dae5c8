from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procession.accounts.visibility import Visibility
from procession.errors import InvalidRequest
from procession.paging import Cursor
from procession.process import ProcessKey
from procession.query import ProcessQuery
from procession.search.parser import parse_search
from procession.search.tag_filter import TagFilter
from procession.server.public.parameters import filter_fingerprint, parse_parameters, parse_query
from procession.window import Window
from tests.support.builders import NOON

ORG = 1
RETENTION_HOURS = 36
LAST = ProcessKey(NOON - 5000, 42, 7)


def parse(query_string: str, now: int = NOON) -> ProcessQuery:
    return parse_query(
        Visibility(ORG), parse_parameters(query_string.encode()), now=now, retention_hours=RETENTION_HOURS
    )


def errors(query_string: str, now: int = NOON) -> tuple[str, ...]:
    with pytest.raises(InvalidRequest) as caught:
        parse(query_string, now)
    return caught.value.messages


def a_cursor(window: Window, filters: str = "") -> str:
    return Cursor(window, LAST, filter_fingerprint(parse_parameters(filters.encode()), Visibility(ORG))).encode()


def test_no_parameters_ask_for_the_first_thousand_of_the_last_15_minutes() -> None:
    assert parse("") == ProcessQuery(ORG, Window(NOON - 900, NOON), limit=1000)


def test_all_parameters_are_read() -> None:
    window = Window(NOON - 60, NOON - 1)
    cursor = a_cursor(window, "search=java&tags=env:prod")

    query = parse(
        f"search=java&tags=env:prod&from={window.from_at}&to={window.to_at}&page[limit]=7&page[cursor]={cursor}"
    )

    assert query == ProcessQuery(ORG, window, parse_search("java"), TagFilter.parse("env:prod"), LAST, 7)


@pytest.mark.parametrize("name", ["page[limit]", "page%5Blimit%5D", "page%5blimit%5d", "page[limit%5D"])
def test_brackets_may_be_encoded_or_not(name: str) -> None:
    assert parse(f"{name}=7").limit == 7


@pytest.mark.parametrize("text", ["a+b", "a%20b", "+a++b+", "a%09b"])
def test_blanks_may_be_a_plus_or_encoded(text: str) -> None:
    assert parse(f"search={text}").search == parse_search("a b")


def test_an_encoded_plus_is_a_plus() -> None:
    assert parse("search=g%2B%2B").search == parse_search("g++")


@pytest.mark.parametrize("text", ["caf%C3%A9", "café"])
def test_text_is_utf_8_encoded_or_not(text: str) -> None:
    assert parse(f"search={text}").search == parse_search("café")


@pytest.mark.parametrize("query_string", [b"search=%ff", b"search=\xff"])
def test_bytes_that_are_not_utf_8_are_no_error(query_string: bytes) -> None:
    assert parse_parameters(query_string) == {"search": "\ufffd"}


def test_the_last_of_a_repeated_parameter_counts() -> None:
    assert parse("page[limit]=x&page%5Blimit%5D=5").limit == 5
    assert errors("page[limit]=5&page[limit]=x")


def test_unknown_parameters_are_ignored() -> None:
    assert parse("page[offset]=3&filter=x&=&&limit=x") == parse("")


@pytest.mark.parametrize("query_string", ["search=", "search=+%20", "tags=", "tags=+,+,", "page[cursor]=", "search"])
def test_blank_texts_are_as_if_absent(query_string: str) -> None:
    assert parse(query_string) == parse("")


@pytest.mark.parametrize(("text", "limit"), [("1", 1), ("10000", 10_000), ("007", 7), ("0" * 18 + "7", 7)])
def test_a_limit_is_a_whole_number_from_1_to_10000(text: str, limit: int) -> None:
    assert parse(f"page[limit]={text}").limit == limit


@pytest.mark.parametrize(
    "text",
    [
        "0",
        "-0",
        "-1",
        "10001",
        "",
        "+",
        "x",
        "1.0",
        "1e3",
        "0x10",
        "%2B1",
        "1+",
        "1_000",
        "%D9%A1",
        "9" * 5000,
        "0" * 19 + "7",
    ],
)
def test_any_other_limit_is_refused(text: str) -> None:
    message = "Invalid query parameter page[limit]: it is not a whole number from 1 to 10000"

    assert errors(f"page[limit]={text}") == (message,)


@pytest.mark.parametrize("name", ["from", "to"])
@pytest.mark.parametrize(
    "text", ["", "x", "1.5", "now-1h", "2023-11-14", str(2**63), str(-(2**63) - 1), "9" * 5000, f"{NOON:020}"]
)
def test_a_bound_that_is_no_64_bit_whole_number_is_refused(name: str, text: str) -> None:
    assert errors(f"{name}={text}") == (f"Invalid query parameter {name}: it is not a whole number of Unix seconds",)


@pytest.mark.parametrize(
    ("bounds", "window"),
    [
        ("from={0}", Window(NOON - 3600, NOON - 2700)),
        ("to={0}", Window(NOON - 4500, NOON - 3600)),
        ("from={0}&to={0}", Window(NOON - 3600, NOON - 3600)),
    ],
)
def test_a_missing_bound_lies_15_minutes_from_the_other(bounds: str, window: Window) -> None:
    assert parse(bounds.format(NOON - 3600)).window == window


@pytest.mark.parametrize("bounds", [f"to={2**63 - 1}", f"from={NOON - 900}&to={NOON + 1}"])
def test_a_window_ends_now_at_the_latest(bounds: str) -> None:
    assert parse(bounds).window.to_at == NOON


def test_a_window_that_ends_before_it_begins_is_refused() -> None:
    assert errors(f"from={NOON}&to={NOON - 1}") == ("Invalid query parameter from: it is after to",)


@pytest.mark.parametrize("bounds", ["from=1000&to=1000", "from=1000", "to=1000", f"to={-(2**63)}", f"from={-(2**63)}"])
def test_a_window_older_than_everything_kept_is_refused_in_the_recorded_words(bounds: str) -> None:
    assert errors(bounds) == ("Only data from the past 36 hours are available",)


def test_a_filter_has_256_tags_at_most() -> None:
    tags = ",".join(f"a:{number}" for number in range(257))

    assert len(parse(f"tags={tags.rpartition(',')[0]}").tags.conditions) == 256
    assert errors(f"tags={tags}") == ("Invalid query parameter tags: it has more than 256 tags",)


def test_several_bad_parameters_give_several_messages() -> None:
    assert errors("search=(&from=x&to=y&page[limit]=0&page[cursor]=zz") == (
        "Invalid query parameter search: expected a term and found the end at character 2",
        "Invalid query parameter page[limit]: it is not a whole number from 1 to 10000",
        "Invalid query parameter page[cursor]: it is not a cursor that this server gave",
        "Invalid query parameter from: it is not a whole number of Unix seconds",
        "Invalid query parameter to: it is not a whole number of Unix seconds",
    )


def test_a_bad_window_is_named_beside_other_bad_parameters() -> None:
    assert errors(f"page[limit]=0&from={NOON}&to={NOON - 1}") == (
        "Invalid query parameter page[limit]: it is not a whole number from 1 to 10000",
        "Invalid query parameter from: it is after to",
    )


def test_the_window_of_a_cursor_wins_over_the_bounds_and_the_clock() -> None:
    window = Window(NOON - 900, NOON)
    cursor = a_cursor(window)

    assert parse(f"page[cursor]={cursor}", now=NOON + 600).window == window
    assert parse(f"page[cursor]={cursor}&from=5&to=6").window == window
    # A server whose clock is behind that of the server of page one.
    assert parse(f"page[cursor]={cursor}", now=NOON - 3).window == window


def test_a_bound_is_checked_beside_a_cursor_too() -> None:
    assert errors(f"page[cursor]={a_cursor(Window(NOON - 900, NOON))}&from=x")


def test_a_scan_that_outlives_the_retention_is_told_so() -> None:
    cursor = a_cursor(Window(NOON - 900, NOON))

    assert errors(f"page[cursor]={cursor}", now=NOON + 36 * 3600 + 1) == (
        "Only data from the past 36 hours are available",
    )


@pytest.mark.parametrize("filters", ["search=java", "tags=env:prod", "search=java&tags=env:prod"])
def test_a_cursor_is_good_only_with_the_filters_it_came_from(filters: str) -> None:
    window = Window(NOON - 900, NOON)

    assert parse(f"{filters}&page[cursor]={a_cursor(window, filters)}").after == LAST
    assert errors(f"{filters}&page[cursor]={a_cursor(window)}") == (
        "Invalid query parameter page[cursor]: it comes from a query with other parameters",
    )


@pytest.mark.parametrize("cursor", ["zz", "00", "1e3", "%00", "0" * 78, "a" * 78, "f" * 10_000, "+"])
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    assert errors(f"page[cursor]={cursor}") == (
        "Invalid query parameter page[cursor]: it is not a cursor that this server gave",
    )


@given(st.binary(max_size=200) | st.text('searchtgfompi[]=&%+0123456789-!():"*', max_size=200).map(str.encode))
def test_any_query_string_is_a_query_or_says_what_is_wrong(query_string: bytes) -> None:
    try:
        query = parse_query(Visibility(ORG), parse_parameters(query_string), now=NOON, retention_hours=RETENTION_HOURS)
    except InvalidRequest as error:
        assert all(error.messages)  # noqa: PT017 (either may happen)
    else:
        assert 1 <= query.limit <= 10_000
        assert query.window.to_at <= NOON
