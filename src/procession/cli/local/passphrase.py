"""Where the passphrase of a backup comes from: never from the command line, which every user of a machine sees."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from procession.errors import UsageError

Command = TypeVar("Command", bound=Callable[..., Any])

_MOST_BYTES = 64 * 1024


def passphrase_option(text: str) -> Callable[[Command], Command]:
    return click.option("--passphrase-file", metavar="FILE", type=click.Path(path_type=Path), help=text)


def passphrase_in(path: Path | None) -> str | None:
    """The first line. Raises UsageError."""
    if path is None:
        return None
    try:
        with path.open(encoding="utf-8") as file:
            passphrase = file.readline(_MOST_BYTES).rstrip("\r\n")
    except OSError as error:
        raise UsageError(f"cannot read the passphrase in {path}: {(error.strerror or '').lower()}") from None
    except UnicodeDecodeError:
        raise UsageError(f"cannot read the passphrase in {path}: it is not a text") from None
    if not passphrase:
        raise UsageError(f"there is no passphrase in the first line of {path}")
    return passphrase
