"""`procession audit`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from procession.audit import AuditFolder
from procession.audit.reading import AuditFilter, records, route_of
from procession.audit.verification import verify as verify_trail
from procession.cli.local.data_folder import LocalFiles
from procession.cli.options import settings_options
from procession.cli.terminal.moments import Moment, show_moment
from procession.cli.terminal.tables import print_table
from procession.config import ServerSettings
from procession.errors import UsageError

WHERE = settings_options(ServerSettings, only=("data_dir",))

MOST_CHARACTERS = 200
"""Of what was asked or done, in the table; `--json` has all of it."""

EXAMPLES = """\b
Examples:
  procession audit verify --data-dir /var/lib/procession
  procession audit show --since -1d --who dashboard
  procession audit show --route 'admin/keys' --json
"""


@click.group(epilog=EXAMPLES)
def audit() -> None:
    """Look at who asked and changed what, and check that nobody touched it: on the machine of the server.

    It reads the files of the audit trail, whether or not a server runs.
    """


@audit.command(epilog=EXAMPLES)
@WHERE
def verify(data_dir: str) -> None:
    """Check that each record is as it was written and in its place. Exits with 1, and names the first that is not."""
    folder = _folder(data_dir)
    with _readable(folder):
        report = verify_trail(folder)
    if report.broken:
        raise UsageError(f"the audit trail is broken: {report.broken}")
    click.echo(f"{report.records} records in {report.files} files of {folder.path} are as they were written")
    if report.anchors:
        click.echo(f"anchors   {report.anchors}: they stand for records whose time was over")
    if report.gaps:
        click.echo(
            f"gaps      {report.gaps}: times in which nothing could be written; `procession audit show` has them"
        )
    for told in report.told:
        click.echo(f"damaged   {told}")
    if report.told:
        raise click.exceptions.Exit(1)


@audit.command(epilog=EXAMPLES)
@click.option("--who", default="", metavar="TEXT", help="Only of keys and sessions with this in their id or name.")
@click.option("--route", default="", metavar="TEXT", help="Only with this in method and route, such as DELETE.")
@click.option("--text", default="", metavar="TEXT", help="Only with this in what was asked or changed.")
@click.option("--since", type=Moment(), help="Only from this moment on.")
@click.option("--until", type=Moment(), help="Only up to this moment.")
@click.option("--json", "as_json", is_flag=True, help="Print each record as one line of JSON.")
@WHERE
def show(who: str, route: str, text: str, since: int | None, until: int | None, as_json: bool, data_dir: str) -> None:
    """List records, the oldest first."""
    folder = _folder(data_dir)
    wanted = AuditFilter(since=since, until=until, who=who, route=route, text=text)
    with _readable(folder):
        if as_json:
            for record in records(folder, wanted):
                click.echo(json.dumps(record))
            return
        rows = [_row(record) for record in records(folder, wanted)]
    print_table(("NUMBER", "TIME", "WHO", "FROM", "KIND", "STATUS", "ROWS", "COUNT", "WHAT"), rows)


def _row(record: dict[str, Any]) -> tuple[object, ...]:
    who = record.get("who") or {}
    return (
        record.get("number", f"{record.get('first')}-{record.get('last')}"),
        show_moment(int(record.get("at", record.get("expired_at", 0)))),
        who.get("name", ""),
        record.get("from", ""),
        record.get("kind", ""),
        record.get("status", ""),
        record.get("rows", ""),
        record.get("count", ""),
        _what(record),
    )


_WITH_A_COLUMN = frozenset(
    ("number", "at", "kind", "who", "org_id", "from", "method", "route", "status", "rows", "count", "asked", "changes")
)
_FOR_PROGRAMS = frozenset(("hash", "mac", "before", "after"))


def _what(record: dict[str, Any]) -> str:
    asked = record.get("asked") or {}
    changes = record.get("changes", ())
    also = {name: value for name, value in record.items() if name not in _WITH_A_COLUMN | _FOR_PROGRAMS}
    parts = [
        route_of(record).strip(),
        *(f"{name}={value}" for name, value in asked.items()),
        *(f"{one.get('action', 'changed')} {one.get('kind')} {one.get('subject')}" for one in changes),
        *(f"{name}={value}" for name, value in also.items()),
    ]
    text = " ".join(part for part in parts if part)
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}…"


def _folder(data_dir: str) -> AuditFolder:
    folder = AuditFolder.of(LocalFiles.of(data_dir).data_dir)
    with _readable(folder):
        if not folder.files() and not folder.head_file.exists():
            raise UsageError(f"there is no audit trail in {folder.path}; name the server's folder with --data-dir")
    return folder


@contextmanager
def _readable(folder: AuditFolder) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(f"cannot read the audit trail in {folder.path}: {reason}") from None
