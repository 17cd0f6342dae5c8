"""Names of users: those of the system of the agent, or of the processes, where that is another, as in a container."""

from __future__ import annotations

import pwd
from pathlib import Path

MAX_USER_NAMES = 10_000

_LOOK_SECONDS = 60.0
"""A file that has changed is read again."""


class UserNames:
    """Names of users, as the system of the agent knows them."""

    def __init__(self, *, keep_seconds: float = 600.0) -> None:
        self._keep_seconds = keep_seconds
        self._known: dict[int, tuple[float, str]] = {}

    def name_of(self, uid: int, moment: float) -> str:
        """`uid:118` where the uid has no name. Kept for a while, since a directory server may have to be asked."""
        known = self._known.get(uid)
        if known is not None and moment < known[0]:
            return known[1]
        try:
            name = pwd.getpwuid(uid).pw_name.encode("utf-8", "replace").decode("utf-8")
        except KeyError:
            name = f"uid:{uid}"
        if len(self._known) >= MAX_USER_NAMES:
            self._known.clear()
        self._known[uid] = (moment + self._keep_seconds, name)
        return name


class PasswdNames(UserNames):
    """Names of users as a passwd file has them."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file
        self._names: dict[int, str] = {}
        self._changed_at = 0
        self._look_at = 0.0

    def name_of(self, uid: int, moment: float) -> str:
        """`uid:118` where the uid has no name there. What was known stays while the file cannot be read."""
        if moment >= self._look_at:
            self._look_at = moment + _LOOK_SECONDS
            self._read()
        return self._names.get(uid) or f"uid:{uid}"

    def _read(self) -> None:
        try:
            changed_at = self._file.stat().st_mtime_ns
            if changed_at != self._changed_at:
                self._names = parse_passwd(self._file.read_bytes())
                self._changed_at = changed_at
        except OSError:
            return


def parse_passwd(data: bytes) -> dict[int, str]:
    """uid -> name. The first one counts, as everywhere; a line that is none is left out."""
    names: dict[int, str] = {}
    for line in data.splitlines():
        parts = line.split(b":")
        if len(parts) > 2 and parts[0] and parts[2].isdigit() and len(parts[2]) <= 10:
            names.setdefault(int(parts[2]), parts[0].decode("utf-8", "replace"))
    return names


def passwd_file_of(proc_root: str, named: str) -> Path | None:
    """Where the names are: in the named file, or beside a /proc that is mounted elsewhere, or in what its first process
    has for a root. None: ask the system."""
    if named:
        return Path(named)
    root = Path(proc_root)
    if root == Path("/proc"):
        return None
    for path in (root.parent / "etc" / "passwd", root / "1" / "root" / "etc" / "passwd"):
        try:
            with path.open("rb"):
                return path
        except OSError:
            continue
    return None
