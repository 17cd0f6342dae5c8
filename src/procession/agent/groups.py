"""Names of groups, as the system of the agent knows them or as a file has them."""

from __future__ import annotations

import grp
from pathlib import Path

from procession.agent.users import parse_passwd

_KEEP_SECONDS = 600.0
_MAX_NAMES = 10_000


class GroupNames:
    """For one thread."""

    def __init__(self, file: Path | None = None) -> None:
        """`file` is the group file of another system, such as the one around the agent's container."""
        self._file = file
        self._known: dict[int, str] = {}
        self._until = 0.0

    def name_of(self, gid: int, moment: float) -> str:
        """Empty where the gid has no name."""
        if moment >= self._until:
            self._until = moment + _KEEP_SECONDS
            self._known = {} if self._file is None else self._read(self._file)
        name = self._known.get(gid)
        if name is None:
            name = self._ask(gid) if self._file is None else ""
            if len(self._known) < _MAX_NAMES:
                self._known[gid] = name
        return name

    def _read(self, file: Path) -> dict[int, str]:
        try:
            return parse_passwd(file.read_bytes())  # a group's name and gid stand where a user's name and uid do
        except OSError:
            return self._known

    @staticmethod
    def _ask(gid: int) -> str:
        try:
            return grp.getgrgid(gid).gr_name.encode("utf-8", "replace").decode("utf-8")
        except KeyError:
            return ""
