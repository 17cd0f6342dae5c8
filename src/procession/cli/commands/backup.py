"""`procession backup`."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import click

from procession.cli.local.data_folder import BackupNote, LocalFiles
from procession.cli.local.passphrase import passphrase_in, passphrase_option
from procession.cli.local.signals import ended_by_signals
from procession.cli.options import read_settings, settings_options
from procession.cli.serving.open_store import STORE_SETTINGS, folder_of
from procession.cli.serving.server_extra import require_engine
from procession.cli.terminal.byte_progress import ByteProgress
from procession.cli.terminal.moments import show_moment
from procession.config import ServerSettings
from procession.errors import UsageError

EXAMPLES = """\b
Examples:
  procession backup /mnt/backups/monday
  procession backup /mnt/backups/tuesday --since /mnt/backups/monday
  procession backup /mnt/backups/monday --passphrase-file /root/passphrase
"""


@click.command(epilog=EXAMPLES)
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--since",
    metavar="BACKUP",
    type=click.Path(path_type=Path),
    help="Copy only what this earlier backup in the same folder lacks. To restore takes both.",
)
@passphrase_option("Encrypt it with the first line of this file.")
@settings_options(ServerSettings, only=("data_dir", *STORE_SETTINGS))
def backup(path: Path, since: Path | None, passphrase_file: Path | None, **values: Any) -> None:
    """Copy a store into one new file, as it is at one moment, on the machine of the server.

    The server may run, and goes on taking what agents send. The file has processes, orgs, keys, views and tags, also
    what is only in the log; sessions are left out. Only its owner may read it.
    """
    require_engine()
    from procession.backup.archive import open_archive
    from procession.backup.backing_up import check_place, check_space, plan, write_backup
    from procession.backup.sizes import show_size
    from procession.cli.local.frozen_store import frozen_store

    settings = read_settings(ServerSettings, values)
    passphrase = passphrase_in(passphrase_file)
    check_place(path, since)
    with ended_by_signals(), contextlib.ExitStack() as opened:
        earlier = None if since is None else opened.enter_context(open_archive(since, passphrase))
        frozen = opened.enter_context(frozen_store(settings))
        planned = plan(frozen, earlier)
        free = check_space(path, planned.needed_bytes)
        kept = f", besides {show_size(planned.kept_bytes)} that {since} has" if since else ""
        click.echo(f"{path} takes {show_size(planned.new_bytes)}{kept}; {show_size(free)} are free", err=True)
        manifest = write_backup(planned, path, passphrase, ByteProgress("copied"))
        note = BackupNote(path.absolute(), manifest.taken_at, manifest.version)
        try:
            note.write(LocalFiles(folder_of(settings)))
        except UsageError as error:
            click.echo(f"the backup is whole, but `procession upgrade check` will not know of it: {error}", err=True)
    click.echo(f"{path} has the store as it was at {show_moment(manifest.taken_at)}")
