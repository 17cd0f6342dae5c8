"""`procession restore`."""

from __future__ import annotations

import time
from pathlib import Path

import click

from procession.cli.local.data_folder import LocalFiles
from procession.cli.local.owner import refuse_root_in_folder_of_others
from procession.cli.local.passphrase import passphrase_in, passphrase_option
from procession.cli.local.signals import ended_by_signals
from procession.cli.options import settings_options
from procession.cli.serving.server_extra import require_engine
from procession.cli.terminal.byte_progress import ByteProgress
from procession.cli.terminal.moments import show_moment
from procession.cli.terminal.visible_text import visible
from procession.config import ServerSettings

EXAMPLES = """\b
Examples:
  procession restore /mnt/backups/monday --data-dir /var/lib/procession
  procession restore /mnt/backups/monday --data-dir ./acme --org acme
"""


@click.command(epilog=EXAMPLES)
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--org", metavar="NAME", help="Name or number of the only org to bring back [all].")
@passphrase_option("Its first line is the passphrase of the backup.")
@settings_options(ServerSettings, only=("data_dir",))
def restore(path: Path, org: str | None, passphrase_file: Path | None, data_dir: str) -> None:
    """Bring a backup back into a data folder that has no store, on this machine.

    Every file is checked. What goes wrong leaves nothing; what is broken off is begun anew by the next restore, and no
    server starts on it. Nobody is signed in afterwards.
    """
    require_engine()
    from procession.backup.archive import open_archive
    from procession.backup.restoring import restore as bring_back

    folder = LocalFiles.of(data_dir).data_dir
    refuse_root_in_folder_of_others(folder)
    with ended_by_signals(), open_archive(path, passphrase_in(passphrase_file)) as archive:
        restored = bring_back(archive, folder, org=org, progress=ByteProgress("restored"), now=lambda: int(time.time()))
    names = ", ".join(visible(name) for _, name in restored.orgs)
    click.echo(f"{folder} has the store as it was at {show_moment(restored.taken_at)}: {names}")
    if count := restored.keys_in_force:
        are = "1 key is" if count == 1 else f"{count} keys are"
        click.echo(f"{are} in force as they were then, also those revoked since: see `procession keys list`", err=True)
    if count := restored.muted_monitors:
        are = "1 monitor is" if count == 1 else f"{count} monitors are"
        click.echo(f"{are} muted until you unmute them: nobody is called about what is over")
