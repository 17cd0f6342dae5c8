"""Where the passphrase of a backup and the password of a user come from: never from the command line, which every user
of a machine sees."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TextIO, TypeVar

import click

from procession.errors import UsageError

Command = TypeVar("Command", bound=Callable[..., Any])

_MOST_BYTES = 64 * 1024


def passphrase_option(text: str) -> Callable[[Command], Command]:
    return click.option("--passphrase-file", metavar="FILE", type=click.Path(path_type=Path), help=text)


def password_option(command: Command) -> Command:
    text = "File that holds the password, or - for standard input [it is asked for]."
    return click.option("--password-file", metavar="FILE", help=text)(command)


def passphrase_in(path: Path | None) -> str | None:
    """The first line. Raises UsageError."""
    return None if path is None else _first_line(lambda: path.open(encoding="utf-8"), f"passphrase in {path}")


def password_from(path: str | None) -> str:
    """The first line of the file, or of standard input; without a file somebody is asked at the terminal, twice. Raises
    UsageError."""
    if path == "-":
        return _first_line(lambda: contextlib.nullcontext(sys.stdin), "password in standard input")
    if path is not None:
        return _first_line(lambda: Path(path).open(encoding="utf-8"), f"password in {path}")
    if not sys.stdin.isatty():
        raise UsageError(
            "there is no terminal to ask for the password: give a file with --password-file, or - for stdin"
        )
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt="The same again", err=True)
    return password


def _first_line(opened: Callable[[], AbstractContextManager[TextIO]], what: str) -> str:
    try:
        with opened() as file:
            line = file.readline(_MOST_BYTES).rstrip("\r\n")
    except OSError as error:
        raise UsageError(f"cannot read the {what}: {(error.strerror or '').lower()}") from None
    except UnicodeDecodeError:
        raise UsageError(f"cannot read the {what}: it is not a text") from None
    if not line:
        raise UsageError(f"there is no {what.replace(' in ', ' in the first line of ', 1)}")
    return line
