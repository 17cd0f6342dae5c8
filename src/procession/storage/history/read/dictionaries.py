"""What the numbers in the tables stand for: tags, names of hosts, descriptions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from procession.process import ProcessDescription
from procession.storage.history.engine.connection import Connection, rows_of
from procession.storage.history.engine.statement import Statement
from procession.storage.history.read import process_statements
from procession.storage.history.tables import constants


class Names:
    """What numbers stand for, looked up once: a number never changes its meaning."""

    _MOST = 200_000

    def __init__(self, statement: Callable[[int, Iterable[int]], Statement], value: Callable[[Any], Any]) -> None:
        self._statement = statement
        self._value = value
        self._known: dict[tuple[int, int], Any] = {}

    def of(self, connection: Connection, org_id: int, numbers: Iterable[int]) -> dict[int, Any]:
        wanted = set(numbers)
        found = {number: self._known[org_id, number] for number in wanted if (org_id, number) in self._known}
        missing = wanted - found.keys()
        if missing:
            rows = rows_of(connection)(self._statement(org_id, missing))
            fresh = {number: self._value(value) for number, value in rows}
            if len(self._known) > self._MOST:
                self._known = {}
            self._known |= {(org_id, number): value for number, value in fresh.items()}
            found |= fresh
        return found


class Texts(NamedTuple):
    """What to read of descriptions."""

    columns: str
    tag_set: int
    """Its place in a row that begins with `start, host, pid, version`."""
    description: Callable[[Any, tuple[str, ...]], ProcessDescription]
    """From such a row and its tags."""


def description_of(row: Any, tags: tuple[str, ...]) -> ProcessDescription:
    """From a row of `process_statements.descriptions`."""
    cmdline, exe, cwd, comm, command, user, uid, gid, ppid, namespace_pid, container_id, is_zombie = row[4:16]
    root, group, nice, argument_words = row[17:21]
    return ProcessDescription(
        cmdline=cmdline,
        argument_words=tuple(argument_words),
        exe=exe,
        cwd=cwd,
        root=root,
        comm=comm,
        command=command,
        user=user,
        uid=None if uid < 0 else uid,
        gid=None if gid < 0 else gid,
        group_name=group,
        ppid=ppid,
        namespace_pid=None if namespace_pid < 0 else namespace_pid,
        nice=None if nice == constants.NO_NICE else nice,
        container_id=container_id,
        is_zombie=is_zombie,
        tags=tags,
    )


def _brief_description_of(row: Any, tags: tuple[str, ...]) -> ProcessDescription:
    cmdline, command, user, ppid, is_zombie = row[4:9]
    return ProcessDescription(cmdline=cmdline, command=command, user=user, ppid=ppid, is_zombie=is_zombie, tags=tags)


ALL = Texts(process_statements.ALL_TEXTS, 16, description_of)
BRIEF = Texts(process_statements.BRIEF_TEXTS, 9, _brief_description_of)
