from __future__ import annotations

import pytest

from procession.cli.terminal.visible_text import visible


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[2Jnginx", r"\x1b[2Jnginx"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("two\nlines\r", r"two\x0alines\x0d"),
        ("\x9b31m", r"\x9b31m"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("\u2028", r"\u2028"),
        ("\udc80", r"\udc80"),
        ("tab\there", r"tab\x09here"),
    ],
)
def test_what_would_steer_the_terminal_is_written_out(hostile: str, shown: str) -> None:
    assert visible(hostile) == shown


def test_other_text_stays_as_it_is() -> None:
    text = "/usr/bin/größe --名前=[bold]x[/bold] 🐘"

    assert visible(text) == text
