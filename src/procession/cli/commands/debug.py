"""`procession debug`."""

from __future__ import annotations

import io
import os
import tarfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from procession.cli.options import CONFIG_FILE, read_settings, settings_options
from procession.config import ClientSettings
from procession.errors import UsageError

EXAMPLES = """\b
Examples:
  procession debug bundle
  procession debug bundle --data-dir /var/lib/procession --output /tmp/procession.tar.gz
  tar -xzOf procession-debug-*.tar.gz | less           # look at it before you send it
"""


@click.group(epilog=EXAMPLES)
def debug() -> None:
    """Collect what helps to find a fault."""


@debug.command(epilog=EXAMPLES)
@click.option(
    "--output", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="Where to write it [here]."
)
@settings_options(ClientSettings, only=("data_dir",))
@click.pass_context
def bundle(ctx: click.Context, /, output: Path | None, **settings: Any) -> None:
    """Write a .tar.gz with version, settings, size of the store, metrics, errors and the last lines of the log.

    It is about the server that runs on the data folder; without one it has what can be known without asking. Keys,
    passwords, command lines of processes and values of variables are left out. Look at it before you send it.
    """
    from procession.cli.local.debug_bundle import collect

    now = int(time.time())
    path = output or Path(time.strftime("procession-debug-%Y%m%d-%H%M%S.tar.gz", time.gmtime(now)))
    files = collect(read_settings(ClientSettings, settings), ctx.meta.get(CONFIG_FILE), os.environ, now)
    write(path, files, now)
    print(f"{path}: {len(files)} files, for whoever looks for a fault. Look at it before you send it.")


def write(path: Path, files: Mapping[str, str], now: int) -> None:
    """Readable for its owner only. Raises UsageError, also where there is such a file already."""
    try:
        # Not Path.open: nobody else may read it from its first byte on.
        with (
            os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file,
            tarfile.open(fileobj=file, mode="w:gz") as archive,
        ):
            for name, text in files.items():
                data = text.encode("utf-8", "backslashreplace")
                entry = tarfile.TarInfo(f"procession-debug/{name}")
                entry.size, entry.mtime, entry.mode = len(data), now, 0o600
                archive.addfile(entry, io.BytesIO(data))
    except OSError as error:
        raise UsageError(f"cannot write {path}: {os.strerror(error.errno or 0).lower()}") from None
