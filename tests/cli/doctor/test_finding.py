from __future__ import annotations

import pytest

from procession.cli.doctor.finding import Finding, bad, exit_code, good, warning


@pytest.mark.parametrize(
    ("findings", "code"),
    [
        ([], 0),
        ([good("disk", "room")], 0),
        ([good("disk", "room"), warning("clock", "nobody sets it", "set it")], 0),
        ([warning("clock", "nobody sets it", "set it"), bad("disk", "full", "make room")], 1),
    ],
)
def test_only_what_is_bad_fails(findings: list[Finding], code: int) -> None:
    assert exit_code(findings) == code


def test_a_line_says_how_it_is_and_what_to_do_and_holds_no_control_characters() -> None:
    assert bad("disk", "full\x1b[2J", "make room").line == "bad      disk           full\\x1b[2J; make room"
