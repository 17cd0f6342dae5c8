"""What a server and an agent both need of their machine: a clock, room on the disk, files that only they may read."""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import stat
import struct
from collections.abc import Iterator
from pathlib import Path

from procession import __version__
from procession.cli.client import Server
from procession.cli.doctor.finding import Finding, bad, good, warning
from procession.cli.terminal.number_format import bytes_text
from procession.clock_skew import MAX_SKEW_SECONDS
from procession.errors import UsageError

FULL_BYTES = 2**30
NEARLY_FULL_SHARE = 0.1
_UNSYNCHRONIZED = 0x40
"""STA_UNSYNC of adjtimex(2)."""
_TIMEX = struct.Struct("@Illlli")
"""The beginning of its struct timex, up to `status`."""
_TIMEX_BYTES = 512


def versions() -> Finding:
    return good("versions", f"Procession {__version__}, Python {platform.python_version()}, Linux {os.uname().release}")


def clock() -> Finding:
    """As the kernel has it; to ask takes no rights."""
    timex = ctypes.create_string_buffer(_TIMEX_BYTES)
    try:
        is_known = ctypes.CDLL(None).adjtimex(timex) >= 0
    except (OSError, AttributeError):
        is_known = False
    if not is_known:
        return warning("clock", "the kernel does not say whether anybody sets it", "see that the time is right")
    *_, status = _TIMEX.unpack_from(timex.raw)
    return clock_of(status)


def clock_of(status: int) -> Finding:
    if status & _UNSYNCHRONIZED:
        return warning(
            "clock",
            "nobody sets it",
            "have systemd-timesyncd or chrony run: what comes from a clock that is ahead is taken as of now",
        )
    return good("clock", "it is set by others")


def clock_against(subject: str, server: Server, now: float) -> Finding:
    """Ours, beside the clock of a server. Raises UsageError where it cannot be reached."""
    theirs = server.clock()
    if theirs is None:
        return warning(
            subject, f"{server.url} does not say what time it is", "see whether a proxy takes the header away"
        )
    ahead = now - theirs
    if abs(ahead) > MAX_SKEW_SECONDS:
        where = "ahead of" if ahead > 0 else "behind"
        return bad(subject, f"it is {abs(ahead):.0f} s {where} {server.url}", "set the clocks of both by NTP")
    return good(subject, f"as that of {server.url}, within {MAX_SKEW_SECONDS} s")


def disk(folder: Path, how_to_make_room: str) -> Finding:
    """Of the folder, or of what will hold it."""
    place = next((one for one in (folder, *folder.parents) if one.exists()), Path("/"))
    try:
        usage = shutil.disk_usage(place)
    except OSError as error:
        return bad("disk", f"{place} cannot be asked: {_reason(error)}", "look at what holds it")
    room = f"{bytes_text(usage.free)} of {bytes_text(usage.total)} are free for {folder}"
    if usage.free < FULL_BYTES:
        return bad("disk", room, how_to_make_room)
    if usage.free < usage.total * NEARLY_FULL_SHARE:
        return warning("disk", room, "make room before it is full")
    return good("disk", room)


def folder_rights(subject: str, folder: Path, how_to_make: str) -> Iterator[Finding]:
    """Whether we may write there, and nobody else may read."""
    try:
        found = folder.stat()
    except FileNotFoundError:
        yield warning(subject, f"there is no {folder} yet", how_to_make)
        return
    except OSError as error:
        yield bad(subject, f"{folder} cannot be looked at: {_reason(error)}", "run this as the user of the service")
        return
    if not os.access(folder, os.W_OK | os.X_OK):
        yield bad(subject, f"{folder} may not be written by this user", f"run this as its owner, uid {found.st_uid}")
    elif found.st_uid != os.geteuid():
        yield warning(subject, f"{folder} is of uid {found.st_uid}", "run this as the user of the service")
    elif stat.S_IMODE(found.st_mode) & 0o077:
        yield bad(subject, f"others may enter {folder}, mode {_mode(found)}", f"chmod 0700 {folder}")
    else:
        yield good(subject, f"{folder} is this user's alone")


def private_file(subject: str, path: Path) -> Finding:
    """One that holds a secret."""
    try:
        found = path.stat()
        path.open("rb").close()
    except OSError as error:
        return bad(
            subject, f"{path} cannot be read: {_reason(error)}", "name the file that holds the key, or mend its mode"
        )
    if stat.S_IMODE(found.st_mode) & 0o007:
        return bad(subject, f"everybody may read {path}, mode {_mode(found)}", f"chmod 0600 {path}, and make a new key")
    return good(subject, f"{path} is there, and not for everybody")


def reached(subject: str, server: Server) -> Finding:
    """Whether a Procession answers there, and of which version."""
    try:
        described = server.send("GET", "/openapi.json", headers={})
        version = str(described["info"]["version"]) if described["info"]["title"] == "Procession" else None
    except UsageError as error:
        return bad(subject, str(error), "start it, or mend the address")
    except (TypeError, LookupError):
        version = None
    if version is None:
        return bad(subject, f"what answers at {server.url} is not Procession", "mend the address")
    if version != __version__:
        return warning(
            subject, f"{server.url} is version {version}, this is {__version__}", "upgrade the older; the server first"
        )
    return good(subject, f"{server.url} answers, version {version}")


def _mode(found: os.stat_result) -> str:
    return f"{stat.S_IMODE(found.st_mode):04o}"


def _reason(error: OSError) -> str:
    return os.strerror(error.errno or 0).lower()
