from __future__ import annotations

import pytest

from procession.errors import InvalidParameter
from procession.process import MAX_UINT64
from procession.text.whole_number import moment_parameter, number_parameter, whole_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("-0", 0),
        ("007", 7),
        ("-1", -1),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ("0" * 18 + "7", 7),
        ("-" + "0" * 18 + "7", -7),
    ],
)
def test_digits_are_a_whole_number(text: str, number: int) -> None:
    assert whole_number(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "+1",
        "1.0",
        "1e3",
        "0x1",
        "1_000",
        " 1",
        "1 ",
        "1\n",
        "\u0661",
        "\u00b2",
        "--1",
        "1" * 21,
        "1" * 10**6,
        "0" * 19 + "7",
        "-" + "0" * 19 + "7",
        "0" * 20,
    ],
)
def test_anything_else_is_none(text: str) -> None:
    assert whole_number(text) is None


@pytest.mark.parametrize("text", ["9223372036854775808", "-9223372036854775809", "99999999999999999999"])
def test_64_bits_are_the_bounds_where_nothing_else_is_said(text: str) -> None:
    assert whole_number(text) is None


def test_bounds_are_within() -> None:
    assert [whole_number(str(number), 1, 3) for number in range(5)] == [None, 1, 2, 3, None]
    assert whole_number("-0", 0, 9) is None
    assert whole_number("0" * 19 + "7", 0, 9) == 7
    assert whole_number("0" * 20 + "7", 0, 9) is None
    assert whole_number(str(MAX_UINT64), 0, MAX_UINT64) == MAX_UINT64
    assert whole_number(str(MAX_UINT64 + 1), 0, MAX_UINT64) is None


def test_parameters_name_themselves_and_the_rule() -> None:
    assert number_parameter("limit", "7", least=1, most=9) == 7
    assert number_parameter("limit", "-0", least=0, most=9) == 0
    assert moment_parameter("from", "1700000000") == 1_700_000_000
    with pytest.raises(InvalidParameter, match=r"^Invalid query parameter limit: it is not a whole number from 1"):
        number_parameter("limit", "10", least=1, most=9)
    with pytest.raises(InvalidParameter, match=r"^Invalid query parameter from: it is not a whole number of Unix sec"):
        moment_parameter("from", "yesterday")
