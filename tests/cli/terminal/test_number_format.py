from __future__ import annotations

import pytest

from procession.cli.terminal.number_format import bytes_text, count_text, duration_text, percent_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (0, "0"),
        (999, "999"),
        (1000, "1.0K"),
        (1536, "1.5K"),
        (10 * 1024, "10K"),
        (1000 * 1024, "1.0M"),
        (3 * 2**19, "1.5M"),
        (2**40, "1.0T"),
        (2**70, "1024E"),
    ],
)
def test_bytes_have_four_digits_at_most_up_to_exabytes(value: float | None, text: str) -> None:
    assert bytes_text(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(-5, "0s"), (0, "0s"), (61, "1m 1s"), (3600, "1h 0m"), (90_061, "1d 1h"), (86_400, "1d 0h")]
)
def test_a_duration_has_its_two_greatest_units(seconds: int, text: str) -> None:
    assert duration_text(seconds) == text


def test_what_is_not_known_is_empty() -> None:
    assert (percent_text(None), count_text(None), percent_text(12.54), count_text(3.0)) == ("", "", "12.5", "3")
