"""What a Procession has to know to open the store in a folder. A file says it, so that an older one changes nothing:
to open the engine already writes."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

import msgspec

from procession import __version__
from procession.errors import UsageError
from procession.storage.embedded.log_records import NEWEST_KIND
from procession.storage.history.tables.migrations import NEWEST
from procession.storage.live.checkpoint import FORMAT as CHECKPOINT_FORMAT
from procession.storage.live.checkpoint import format_of
from procession.storage.wal import FORMAT_VERSION, RECORD_VERSION, newest_format_in

VERSION_FILE: Final = "store.version"
LOG: Final = "wal"
CHECKPOINT: Final = "live.checkpoint"


class FolderVersion(msgspec.Struct, frozen=True, kw_only=True):
    """Each number is the newest of its kind that may be in the folder."""

    procession: str = __version__
    """The last one that opened it: for people."""
    tables: int = NEWEST
    """Number of a migration."""
    applied: int = NEWEST
    """The newest migration that is done; less than `tables` only while they are brought up to date."""
    segments: int = FORMAT_VERSION
    records: int = RECORD_VERSION
    record_kinds: int = NEWEST_KIND
    checkpoint: int = CHECKPOINT_FORMAT


OURS: Final = FolderVersion()

_NAMES: Final = {
    "tables": "its tables are at",
    "segments": "the format of its log is",
    "records": "the format of its log's records is",
    "record_kinds": "its log has records of kind",
    "checkpoint": "the format of its checkpoint is",
}


def read_version(folder: Path) -> FolderVersion | None:
    """None where no file says it: there is no store, or a build from before the first release has made it."""
    try:
        return msgspec.json.decode((folder / VERSION_FILE).read_bytes(), type=FolderVersion)
    except (OSError, msgspec.MsgspecError):
        return None


def newer_in(folder: Path) -> str | None:
    """What only a newer Procession can read, in words, with what this one knows."""
    said = read_version(folder) or OURS
    found = {name: getattr(said, name) for name in _NAMES}
    found["segments"] = max(found["segments"], newest_format_in(folder / LOG) or 0)
    found["checkpoint"] = max(found["checkpoint"], format_of(folder / CHECKPOINT) or 0)
    for name, words in _NAMES.items():
        if found[name] > (known := getattr(OURS, name)):
            return f"{words} {found[name]}, this one knows {known}"
    return None


def refuse_newer(folder: Path) -> None:
    """Raises UsageError, and has changed nothing."""
    if what := newer_in(folder):
        raise UsageError(newer_message(folder, what))


def newer_message(folder: Path, what: str) -> str:
    return (
        f"the data folder {folder} was written by a newer Procession ({what});"
        " start that version, or use another folder with --data-dir"
    )


def write_version(folder: Path, version: FolderVersion) -> None:
    """Where it is not there already. Raises UsageError."""
    if read_version(folder) == version:
        return
    path = folder / VERSION_FILE
    new = path.with_name(f"{path.name}.new")
    try:
        with new.open("wb") as file:
            file.write(msgspec.json.encode(version) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            new.unlink(missing_ok=True)
        raise UsageError(f"cannot write to {folder}: {(error.strerror or str(error)).lower()}") from error
