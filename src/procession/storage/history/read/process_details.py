"""How the processes of a page did at their newest sighting, and how they ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from procession.lifecycle.endings import ReportedExit, earliest_exit, ending_of, exit_order
from procession.packed import DEAD
from procession.process import Ending, ProcessDetail, ProcessKey, ProcessNumbers, ProcessSummary
from procession.storage.history.engine.statement import Submit
from procession.storage.history.read.complete_snapshots import CompleteSnapshots
from procession.storage.history.read.process_numbers import find_numbers
from procession.storage.history.statements.exits import exits_of_pids
from procession.storage.history.statements.snapshots import newest_states
from procession.window import Window


def find_details(
    submit: Submit, org_id: int, window: Window, processes: Sequence[ProcessSummary], *, may_go_on: bool = False
) -> tuple[ProcessDetail, ...]:
    """`may_go_on`: whether there may be newer sightings up to the end of the window."""
    if not processes:
        return ()
    seen = [(ProcessKey.of(process.identity), process.seen_at) for process in processes]
    # All of it at once: the engine takes longer to think of each than to read it.
    evidence = _EndingEvidence(submit, org_id, window.to_at, seen, may_go_on=may_go_on)
    numbers = find_numbers(submit, org_id, window, seen)
    used = [numbers.get(key, ProcessNumbers()) for key, _ in seen]
    endings = evidence.endings_of(seen, [one.state for one in used])
    return tuple(ProcessDetail(numbers=one).with_ending(ending) for one, ending in zip(used, endings, strict=True))


def find_endings(submit: Submit, org_id: int, until: int, seen: Sequence[tuple[ProcessKey, int]]) -> tuple[Ending, ...]:
    if not seen:
        return ()
    evidence = _EndingEvidence(submit, org_id, until, seen, may_go_on=True)
    return tuple(evidence.endings_of(seen, [""] * len(seen)))


class _EndingEvidence:
    """What tells how some processes ended: snapshots of their hosts, and exits of their pids."""

    def __init__(
        self, submit: Submit, org_id: int, until: int, seen: Sequence[tuple[ProcessKey, int]], *, may_go_on: bool
    ) -> None:
        keys, since = [key for key, _ in seen], min(at for _, at in seen)
        self._newest = submit(newest_states(org_id, Window(since, max(since, until)), keys)) if may_go_on else None
        self._snapshots = CompleteSnapshots(submit, org_id, since, until, {key.host_key for key in keys})
        self._exits = submit(exits_of_pids(org_id, min(earliest_exit(*one) for one in seen), until, keys))

    def endings_of(self, seen: Sequence[tuple[ProcessKey, int]], states: Sequence[str]) -> list[Ending]:
        """One for each process, from its newest sighting and its state there."""
        going_on = self._going_on()
        newest = {key: going_on.get(key, (at, state)) for (key, at), state in zip(seen, states, strict=True)}
        missing_at = self._snapshots.first_without({key: at for key, (at, state) in newest.items() if state != DEAD})
        missing_at |= {key: at for key, (at, state) in newest.items() if state == DEAD}
        exits = self._of_pids()
        return [
            ending_of(key, *newest[key], missing_at.get(key), exits.get((key.host_key, key.pid), ())) for key, _ in seen
        ]

    def _of_pids(self) -> Mapping[tuple[int, int], Sequence[ReportedExit]]:
        """By host key and pid, in order."""
        found: dict[tuple[int, int], list[ReportedExit]] = {}
        for row in self._exits.result():
            reported = ReportedExit(row.at, row.exit_code, row.executed_at, row.facts)
            found.setdefault((row.host, row.pid), []).append(reported)
        return {pid_of_host: sorted(exits, key=exit_order) for pid_of_host, exits in found.items()}

    def _going_on(self) -> Mapping[ProcessKey, tuple[int, str]]:
        """Newest sightings that are known by now, and the states there."""
        rows = () if self._newest is None else self._newest.result()
        return {row.key: (row.at, row.state) for row in rows}
