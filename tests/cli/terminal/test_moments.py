from __future__ import annotations

import pytest

from procession.cli.terminal.moments import parse_moment, show_moment
from tests.cli.conftest import Command
from tests.support.builders import NOON


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1700000000", NOON),
        ("2023-11-14T22:13:20", NOON),
        ("2023-11-14 22:13:20", NOON),
        ("2023-11-14T22:13:20Z", NOON),
        ("2023-11-14T23:13:20+01:00", NOON),
        ("2023-11-14T22:13", NOON - 20),
        ("2023-11-14", NOON - 80_000),
        ("-30s", NOON - 30),
        ("-15m", NOON - 900),
        ("-2h", NOON - 7200),
        ("-1d", NOON - 86_400),
        ("now", NOON),
        ("now-15m", NOON - 900),
    ],
)
def test_a_moment_may_be_written_in_several_ways(text: str, moment: int) -> None:
    assert parse_moment(text, NOON) == moment


@pytest.mark.parametrize(
    "text", ["", "yesterday", "-15", "15m", "-1w", "2023-13-01", "1.5", "٣", "9" * 13, "001700000000"]
)
def test_anything_else_is_no_moment(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (fromisoformat words it in its own ways)
        parse_moment(text, NOON)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("1700000000000", "milliseconds"),
        ("1700000000000000", "microseconds"),
        ("1700000000000000000", "nanoseconds"),
    ],
)
@pytest.mark.parametrize(
    "arguments", [["ps", "--from"], ["ps", "--to"], ["top", "--at"], ["tree", "--at"], ["diff", "--at"]], ids=" ".join
)
def test_parts_of_seconds_are_told_from_seconds(
    procession: Command, arguments: list[str], text: str, unit: str
) -> None:
    result = procession(*arguments, text)

    assert (result.code, result.out) == (2, "")
    assert f"a time is in Unix seconds; {text} looks like {unit}, which would be 1700000000" in result.err


def test_a_moment_is_shown_in_utc() -> None:
    assert show_moment(NOON) == "2023-11-14 22:13:20"
