"""`procession upgrade`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from procession import __version__
from procession.cli.local.data_folder import BackupNote, LocalFiles
from procession.cli.options import read_settings, settings_options
from procession.cli.serving.open_store import STORE_SETTINGS, address_of, folder_of
from procession.cli.serving.server_extra import require_server
from procession.cli.terminal.moments import show_moment
from procession.cli.terminal.visible_text import visible
from procession.config import ServerSettings

if TYPE_CHECKING:
    from procession.storage.history.engine.address import ServerAddress
    from procession.storage.upgrade_check import UpgradePlan

EXAMPLES = """\b
Examples:
  procession upgrade check
  procession upgrade check --data-dir /var/lib/procession
"""

_OLD_BACKUP_SECONDS = 86400


@click.group(epilog=EXAMPLES)
def upgrade() -> None:
    """Go from one version to another: see docs/upgrading.md."""
    require_server()


@upgrade.command(epilog=EXAMPLES)
@settings_options(ServerSettings, only=("data_dir", *STORE_SETTINGS))
def check(**values: Any) -> None:
    """Say what the first start of this version does to a store, how long it may take, and what to do before.

    Nothing is changed, and a server may run on the store. Exits with 1 where this version cannot open it.
    """
    from procession.storage.upgrade_check import plan_for_folder, plan_for_servers

    settings = read_settings(ServerSettings, values)
    address = address_of(settings)
    if address is None or isinstance(address, Path):
        folder = folder_of(settings)
        plan = plan_for_folder(folder)
        lines = _of_folder(plan, folder)
    else:
        plan = plan_for_servers(address)
        lines = _of_servers(plan, address)
    for subject, text in lines:
        click.echo(visible(f"{subject:10} {text}"))
    if plan.newer:
        raise click.exceptions.Exit(1)


def _of_folder(plan: UpgradePlan, folder: Path) -> Iterator[tuple[str, str]]:
    from procession.backup.sizes import show_size

    last = "a build from before the first release" if plan.procession is None else f"Procession {plan.procession}"
    yield "store", f"{folder}, last opened by {last}; this is {__version__}"
    if plan.newer:
        yield "refused", f"a newer Procession wrote it ({plan.newer}); start that version: this one changes nothing"
        return
    yield from _tables(plan)
    yield "log", f"{show_size(plan.log_bytes)}, which the start reads and flushes"
    kept = "is read" if plan.is_checkpoint_kept else "has another format: the live table begins anew, nothing is lost"
    yield "checkpoint", f"{show_size(plan.checkpoint_bytes)}; it {kept}"
    yield "time", f"about {_duration(plan.seconds)} until the server answers; agents keep what they see meanwhile"
    room = "" if plan.has_space else "; make room first"
    yield "space", f"{show_size(plan.needed_bytes)} may be needed, {show_size(plan.free_bytes)} are free{room}"
    yield "server", "one runs on it: stop it before the new version is started" if plan.is_in_use else "none runs on it"
    yield "backup", _backup(BackupNote.of(LocalFiles(folder)))


def _of_servers(plan: UpgradePlan, address: ServerAddress) -> Iterator[tuple[str, str]]:
    yield "store", f"{address}; this is {__version__}"
    if plan.newer:
        yield "refused", f"a newer Procession made its tables ({plan.newer}); start that version"
        return
    yield from _tables(plan)
    if plan.to_apply:
        yield (
            "time",
            f"about {_duration(plan.seconds)} for `procession store init`; servers may go on meanwhile",
        )
    yield "backup", "ClickHouse makes its own: BACKUP DATABASE, see docs/backup.md"


def _tables(plan: UpgradePlan) -> Iterator[tuple[str, str]]:
    to_come = ", ".join(f"{one.number} ({one.name})" for one in plan.to_apply)
    yield "tables", f"at {plan.applied}; " + (f"to be applied: {to_come}" if to_come else "nothing is to be applied")


def _backup(note: BackupNote | None) -> str:
    if note is None:
        return "none was made of it here; make one: `procession backup PATH`"
    if not note.path.exists():
        return f"the last one, {note.path}, is not there; make another: `procession backup PATH`"
    age = time.time() - note.taken_at
    old = "; make another: `procession backup PATH`" if age > _OLD_BACKUP_SECONDS else ""
    return f"{note.path}, as of {show_moment(note.taken_at)}{old}"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
