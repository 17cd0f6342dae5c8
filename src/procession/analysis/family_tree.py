"""Parents and children among the processes of a host."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from procession.analysis.instant import ProcessAtInstant
from procession.analysis.relations import Branch, Family
from procession.process import ProcessIdentity, ProcessKey


class FamilyTree:
    """The parents and children of one host, from its processes in the order of start and pid.

    Where several processes have the pid of a parent, the youngest of them is taken for it.
    """

    def __init__(self, members: Sequence[ProcessAtInstant]) -> None:
        self._all = members
        self._by_pid = {one.process.identity.pid: one for one in members}
        self._children: dict[ProcessIdentity, list[ProcessAtInstant]] = {}
        self._roots: list[ProcessAtInstant] = []
        for one in members:
            parent = self._parent(one)
            if parent is None:
                self._roots.append(one)
            else:
                self._children.setdefault(parent.process.identity, []).append(one)

    def whole(self) -> tuple[Branch, ...]:
        """Every process once, parents before their children, even where parents are in a circle."""
        shown: set[ProcessIdentity] = set()
        # A circle has no root, so all processes are tried after the roots.
        return tuple(branch for one in (*self._roots, *self._all) for branch in self._below(one, shown))

    def family(self, key: ProcessKey) -> Family | None:
        """A process with all its ancestors and descendants. None where the key is not among the processes."""
        one = next((one for one in self._all if ProcessKey.of(one.process.identity) == key), None)
        if one is None:
            return None
        ancestors = self._ancestors(one)
        process, *descendants = self._below(one, set())
        eldest = -len(ancestors)
        return Family(
            tuple(Branch(eldest + number, ancestor) for number, ancestor in enumerate(ancestors)),
            process,
            tuple(descendants),
        )

    def _parent(self, one: ProcessAtInstant) -> ProcessAtInstant | None:
        parent = self._by_pid.get(one.process.description.ppid)
        return None if parent is None or parent.process.identity.pid == one.process.identity.pid else parent

    def _below(self, root: ProcessAtInstant, shown: set[ProcessIdentity]) -> Iterator[Branch]:
        waiting = [(0, root)]
        while waiting:
            depth, one = waiting.pop()
            if one.process.identity in shown:
                continue
            shown.add(one.process.identity)
            yield Branch(depth, one)
            waiting += [(depth + 1, child) for child in reversed(self._children.get(one.process.identity, []))]

    def _ancestors(self, one: ProcessAtInstant) -> list[ProcessAtInstant]:
        """The most distant first."""
        found: list[ProcessAtInstant] = []
        parent = self._parent(one)
        while parent is not None and parent is not one and parent not in found:
            found.insert(0, parent)
            parent = self._parent(parent)
        return found
