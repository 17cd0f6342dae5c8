"""The command as a whole: what every part of it has in common."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest

from procession import __version__
from procession.cli import COMMANDS, run
from procession.cli import procession as group
from tests.cli.conftest import Command


def test_version_is_the_packages(procession: Command) -> None:
    assert procession("--version").out == f"procession {__version__}\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(procession: Command, name: str) -> None:
    result = procession(name, "--help")

    assert result.code == 0
    assert "Examples:" in result.out
    assert f"procession {name}" in result.out


def test_every_command_exists() -> None:
    context = click.Context(group)

    assert [group.get_command(context, name) is not None for name in COMMANDS] == [True] * len(COMMANDS)
    assert group.get_command(context, "nothing") is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fly"], "procession: No such command 'fly' (see procession --help)"),
        (
            ["ps", "--limit", "0"],
            "procession: Invalid value for '--limit': 0 is not in the range x>=1 (see procession ps --help)",
        ),
        (["ps", "--xyzzy"], "procession: No such option '--xyzzy' (see procession ps --help)"),
        (
            ["ps", "--from", "yesterday"],
            (
                "procession: Invalid value for '--from': 'yesterday' is neither Unix seconds, nor like "
                "2023-11-14T22:13 (UTC), nor like -15m (s, m, h, d) (see procession ps --help)"
            ),
        ),
    ],
)
def test_a_wrong_call_is_one_line_that_says_where_help_is(
    procession: Command, arguments: list[str], message: str
) -> None:
    result = procession(*arguments)

    assert result.code == 2
    assert result.err == message + "\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script_for_the_shell(procession: Command, shell: str) -> None:
    result = procession("completion", shell)

    assert result.code == 0
    assert "_PROCESSION_COMPLETE" in result.out


def test_completion_offers_commands_and_options() -> None:
    asked = {"_PROCESSION_COMPLETE": "bash_complete", "COMP_WORDS": "procession ps --se", "COMP_CWORD": "2"}

    found = subprocess.run(
        [sys.executable, "-m", "procession.cli"], env=asked, capture_output=True, text=True, check=True
    )

    assert found.stdout.split() == ["plain,--search"]


def test_a_bug_is_one_line_that_says_how_to_see_more(procession: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("two\nlines")

    monkeypatch.setattr(group, "main", broken)

    result = procession("ps")

    assert result.code == 70
    assert result.err == "procession: internal error: RuntimeError: two lines; PROCESSION_DEBUG=1 shows where\n"

    monkeypatch.setenv("PROCESSION_DEBUG", "1")
    with pytest.raises(RuntimeError):
        run(["ps"])


def test_an_interrupt_is_quiet(procession: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(group, "main", interrupted)

    assert procession("ps").__dict__ == {"code": 130, "out": "", "err": ""}


def test_a_reader_that_goes_away_is_no_error() -> None:
    completed = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m procession.cli --help | true; echo ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert completed.stderr == ""
    assert completed.stdout.strip() in ("0", "1", "141")
