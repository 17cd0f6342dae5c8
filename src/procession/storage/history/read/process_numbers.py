"""What processes used at their newest sightings, or since then by live numbers."""

from __future__ import annotations

from collections.abc import Sequence

from procession.lifecycle.endings import starts_near, told_by
from procession.process import ProcessKey, ProcessNumbers
from procession.storage.history.engine.statement import Submit
from procession.storage.history.statements.live_numbers import newest_live_numbers
from procession.storage.history.statements.snapshots import numbers_at
from procession.window import Window

LIVE_SECONDS = 300
"""Before the end of the window: what is older than this is no news of a process that lives."""


def find_numbers(
    submit: Submit, org_id: int, window: Window, seen: Sequence[tuple[ProcessKey, int]]
) -> dict[ProcessKey, ProcessNumbers]:
    """Of processes at their newest sightings in the window. One of which nothing is known is left out."""
    seen_at, keys = dict(seen), [key for key, _ in seen]
    since = max(min(seen_at.values()), window.to_at - LIVE_SECONDS)
    of_sightings = submit(numbers_at(org_id, seen))
    live = submit(newest_live_numbers(org_id, since, window.to_at, keys))
    found: dict[ProcessKey, ProcessNumbers] = {}
    for one in of_sightings.result():
        if one.at == seen_at.get(one.key):
            known = found.get(one.key)
            if known is None or told_by(one.numbers.state) > told_by(known.state):
                found[one.key] = one.numbers
    for one in sorted(live.result(), key=lambda one: one.at):
        key = _known_under(one.key, seen_at)
        if key is not None and one.at > seen_at[key]:
            found[key] = one.numbers
    return found


def _known_under(reported: ProcessKey, known: dict[ProcessKey, int]) -> ProcessKey | None:
    """Live numbers are stored under the start that the host reports, which may be near that of the process."""
    near = (ProcessKey(start, reported.host_key, reported.pid) for start in starts_near(reported.started_at))
    return next((key for key in near if key in known), None)
