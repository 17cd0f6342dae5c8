"""Names of users and groups: those of the system of the agent, or of the processes, where that is another, as in a
container."""

from __future__ import annotations

import grp
import os
import pwd
import stat
import threading
from pathlib import Path

MAX_FILE_BYTES = 32 * 2**20


def system_user_name(uid: int) -> str:
    """As the system of the agent knows it; empty where it knows none. It may have to ask a directory server."""
    try:
        return pwd.getpwuid(uid).pw_name.encode("utf-8", "replace").decode("utf-8")
    except (KeyError, OverflowError):
        return ""


def system_group_name(gid: int) -> str:
    """The same of a group."""
    try:
        return grp.getgrgid(gid).gr_name.encode("utf-8", "replace").decode("utf-8")
    except (KeyError, OverflowError):
        return ""


class NamesFile:
    """A passwd or group file of another system, read again when it has changed. For many threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._names: dict[int, str] = {}
        self._read_as: tuple[int, int, int] | None = None
        self._reading = threading.Lock()

    def name_of(self, number: int) -> str:
        """Empty where the file has none. What was known stays while the file cannot be read."""
        with self._reading:
            try:
                found = self._path.stat()
                read_as = (found.st_ino, found.st_size, found.st_mtime_ns)
                if read_as != self._read_as:
                    self._names = parse_passwd(read_file(self._path))
                    self._read_as = read_as
            except OSError:
                pass
            return self._names.get(number, "")


def read_file(path: Path) -> bytes:
    """At most MAX_FILE_BYTES of a file. Raises OSError for anything but a regular file: opening a pipe would wait until
    somebody writes to it."""
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(fd, "rb") as file:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise OSError(f"{path} is no file")
        return file.read(MAX_FILE_BYTES)


def parse_passwd(data: bytes) -> dict[int, str]:
    """uid -> name. The first one counts, as everywhere; a line that is none is left out.

    A group file has its names and numbers in the same places."""
    names: dict[int, str] = {}
    for line in data.splitlines():
        parts = line.split(b":")
        if len(parts) > 2 and parts[0] and parts[2].isdigit() and len(parts[2]) <= 10:
            names.setdefault(int(parts[2]), parts[0].decode("utf-8", "replace"))
    return names


def passwd_file_of(proc_root: str, named: str) -> Path | None:
    """Where the names are: in the named file, next to a /proc that is mounted elsewhere, or in what its first process
    has for a root. None: ask the system."""
    if named:
        return Path(named)
    root = Path(proc_root)
    if root == Path("/proc"):
        return None
    for path in (root.parent / "etc" / "passwd", root / "1" / "root" / "etc" / "passwd"):
        try:
            read_file(path)
        except OSError:
            continue
        return path
    return None
