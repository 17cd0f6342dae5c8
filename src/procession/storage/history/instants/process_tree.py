"""Parents and children on a host, and earlier runs of a command."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from procession.analysis import Branch, Family, HostTree, ProcessAtInstant, Run, Selection
from procession.process import ProcessIdentity, ProcessKey, ProcessSummary, host_key
from procession.storage.history.instants import analysis_statements as statements
from procession.storage.history.instants.instant import Instant, first_rows
from procession.storage.history.instants.query_context import Session
from procession.storage.history.read.details import find_details
from procession.storage.history.tables.constants import HOUR_SECONDS
from procession.window import Window

MAX_BRANCHES = 10_000
NEXT_SNAPSHOT_SECONDS = 600
"""So long after its newest sighting it is looked for how a run ended."""

NOT_YET_ROLLED_SECONDS = 2 * HOUR_SECONDS
"""Before the end of the window: these are looked for in the snapshots, too."""

_COLUMNS = ("start", "pid", "version")


def host_tree(session: Session, host: str, at: int) -> HostTree:
    instant, placed = _of_host(session, host_key(host), at)
    return HostTree(len(instant), tuple(_Relations(placed).whole()), instant.is_known)


def family(session: Session, key: ProcessKey, at: int) -> Family | None:
    _, placed = _of_host(session, key.host_key, at)
    of_key = {ProcessKey.of(one.process.identity): one for one in placed}
    if key not in of_key:
        return None
    relations = _Relations(placed)
    ancestors = relations.ancestors(of_key[key])
    process, *descendants = relations.below(of_key[key], 0, set())
    return Family(
        tuple(Branch(depth - len(ancestors), one) for depth, one in enumerate(ancestors)),
        process,
        tuple(descendants),
    )


def _of_host(session: Session, host: int, at: int) -> tuple[Instant, tuple[ProcessAtInstant, ...]]:
    instant = session.instant(Selection(session.org_id), at, _COLUMNS, hosts=[host])
    rows = first_rows([instant.columns["start"], instant.columns["pid"]], MAX_BRANCHES)
    return instant, session.placed(instant, rows)


class _Relations:
    """Among processes in the order of their starts. Of several with one pid, the youngest is the parent."""

    def __init__(self, placed: Sequence[ProcessAtInstant]) -> None:
        self._all = placed
        self._by_pid = {one.process.identity.pid: one for one in placed}
        self._children: dict[ProcessIdentity, list[ProcessAtInstant]] = {}
        self._roots: list[ProcessAtInstant] = []
        for one in placed:
            parent = self._parent(one)
            if parent is None:
                self._roots.append(one)
            else:
                self._children.setdefault(parent.process.identity, []).append(one)

    def _parent(self, one: ProcessAtInstant) -> ProcessAtInstant | None:
        parent = self._by_pid.get(one.process.description.ppid)
        return None if parent is None or parent.process.identity.pid == one.process.identity.pid else parent

    def whole(self) -> Iterator[Branch]:
        """Every process once, whatever they say of each other."""
        shown: set[ProcessIdentity] = set()
        for one in (*self._roots, *self._all):  # those in a circle have no root
            if one.process.identity not in shown:
                yield from self.below(one, 0, shown)

    def below(self, root: ProcessAtInstant, depth: int, shown: set[ProcessIdentity]) -> Iterator[Branch]:
        waiting = [(depth, root)]
        while waiting:
            depth, one = waiting.pop()
            if one.process.identity in shown:
                continue
            shown.add(one.process.identity)
            yield Branch(depth, one)
            waiting += [(depth + 1, child) for child in reversed(self._children.get(one.process.identity, []))]

    def ancestors(self, one: ProcessAtInstant) -> list[ProcessAtInstant]:
        """The eldest first."""
        found: list[ProcessAtInstant] = []
        parent = self._parent(one)
        while parent is not None and parent is not one and parent not in found:
            found.insert(0, parent)
            parent = self._parent(parent)
        return found


def runs(session: Session, process: ProcessSummary, window: Window, limit: int) -> tuple[Run, ...]:
    """Other processes of the same command on its host that were seen in the window, the newest start first."""
    key = ProcessKey.of(process.identity)
    found: dict[tuple[int, int], tuple[int, int, int]] = {}
    recent = max(window.from_at, window.to_at - NOT_YET_ROLLED_SECONDS)
    for statement in (
        statements.runs_rolled_up(session.org_id, key.host_key, window),
        statements.runs_seen(session.org_id, key.host_key, recent, window.to_at),
    ):
        for pid, start, version, label_set, last in session.rows(statement):
            if (pid, start) != (key.pid, key.started_at):
                found[pid, start] = max(found.get((pid, start), (0, 0, 0)), (last, version, label_set))
    numbers = sorted({label_set for _, _, label_set in found.values()})
    commands = dict(zip(numbers, session.label_sets(numbers).texts("command"), strict=True))
    same = [
        (ProcessKey(start, key.host_key, pid), last, version)
        for (pid, start), (last, version, label_set) in found.items()
        if commands[label_set] == process.description.command
    ]
    same.sort(reverse=True)
    return tuple(_runs(session, process, same[:limit]))


def _runs(session: Session, like: ProcessSummary, found: Sequence[tuple[ProcessKey, int, int]]) -> list[Run]:
    """Of keys, newest sightings and versions. What was last seen in the same hour is looked up together."""
    hours: dict[int, list[tuple[ProcessKey, int, int]]] = {}
    for one in found:
        hours.setdefault(one[1] // HOUR_SECONDS, []).append(one)
    runs: dict[ProcessKey, Run] = {}
    for some in hours.values():
        keys, moments, versions = [one[0] for one in some], [one[1] for one in some], [one[2] for one in some]
        window = Window(min(moments), max(moments))
        summaries = [
            ProcessSummary(ProcessIdentity(like.identity.host, key.pid, key.started_at), last, about)
            for key, last, about in zip(keys, moments, session.descriptions(keys, versions, window), strict=True)
        ]
        after = Window(window.from_at, window.to_at + NEXT_SNAPSHOT_SECONDS)
        details = find_details(session.aside, session.org_id, after, summaries, may_go_on=True)
        for key, summary, detail in zip(keys, summaries, details, strict=True):
            if detail.ended_at is not None and detail.ended_at > summary.seen_at + NEXT_SNAPSHOT_SECONDS:
                detail = msgspec.structs.replace(detail, ended_at=None, exit_code=None)
            runs[key] = Run(summary, detail, summary.description.cmdline == like.description.cmdline)
    return [runs[key] for key, _, _ in found]
