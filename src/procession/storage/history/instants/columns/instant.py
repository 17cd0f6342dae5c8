"""What there was at an instant."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from procession.analysis import InstantPin
from procession.process import ProcessKey
from procession.storage.history.instants.columns.newest_snapshots import Snapshots
from procession.storage.history.tables.constants import HOUR_SECONDS

Columns = dict[str, Any]
"""Name -> numpy array; all of one length."""


@dataclass(frozen=True, slots=True)
class Instant:
    """Columns: `host`, `seen_at`, `state`, and what was asked for of `start, pid, version, label_set` and the
    measures, with -1 for what is not known."""

    at: int
    columns: Columns
    snapshots: Snapshots
    is_known: bool
    looked_at: Collection[int] | None
    """The hosts whose snapshots were looked for; None: all."""
    pin: InstantPin | None = None
    """What it is made of, for the pages after one of it."""

    def __len__(self) -> int:
        return len(self.columns["host"])

    def keys(self, rows: Any) -> list[ProcessKey]:
        columns = (self.columns[name][rows].tolist() for name in ("start", "host", "pid"))
        return [ProcessKey(*key) for key in zip(*columns, strict=True)]

    def where(self, mask: Any) -> Instant:
        return replace(self, columns={name: values[mask] for name, values in self.columns.items()})

    def hours(self) -> list[int]:
        """The hours of its snapshots: where the descriptions are."""
        return sorted({at // HOUR_SECONDS for _, at in (*self.snapshots.plain, *self.snapshots.mixed)})


def is_process(columns: Columns, key: ProcessKey) -> Any:
    """Which rows are those of a process."""
    of_host = (columns["host"] == key.host_key) & (columns["pid"] == key.pid)
    return of_host & (columns["start"] == key.started_at)
