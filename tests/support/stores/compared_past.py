"""What the oracle has of one side of a comparison."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from procession.analysis import REACH_SECONDS, Grouped, Match, ProcessAtInstant, Selection
from procession.process import ProcessDescription, ProcessKey, host_key
from tests.support.stores.analysis_oracle import OracleAnalysis, grouped
from tests.support.stores.oracle import OracleStore


@dataclass
class Side:
    found: list[ProcessAtInstant]
    identities: Any
    rss_bytes: Any
    seen_at: Any
    versions: Any
    is_known: bool
    told: Collection[int]


class OraclePast:
    def __init__(self, analysis: OracleAnalysis, store: OracleStore) -> None:
        self._analysis = analysis
        self._store = store

    def side(self, selection: Selection, at: int, _: Match) -> Side:
        found = self._analysis.at_instant(selection, at)
        keys = [ProcessKey.of(one.process.identity) for one in found]
        identities = np.array(
            [(one.host_key, one.started_at, one.pid) for one in keys],
            [(name, "u8") for name in ("host", "start", "pid")],
        )
        chunks = self._store.snapshots(selection.org_id)
        return Side(
            found,
            identities,
            np.array([-1 if one.numbers.rss_bytes is None else one.numbers.rss_bytes for one in found], "i8"),
            np.array([one.process.seen_at for one in found], "u4"),
            np.array([self.version_of(one.process.description) for one in found], "u8"),
            self._analysis.is_known(selection, at),
            {host_key(one.host) for one in chunks if at - REACH_SECONDS <= one.taken_at <= at},
        )

    def processes(self, side: Side, places: Any) -> tuple[ProcessAtInstant, ...]:
        return tuple(side.found[place] for place in places.tolist())

    def grouped(self, side: Side, mask: Any, match: Match) -> Mapping[str | None, Grouped]:
        chosen = [side.found[place] for place in np.flatnonzero(mask).tolist()]
        return grouped(chosen, match.value, ("cpu_total_percent", "rss_bytes"))

    def host_names(self, org_id: int, hosts: Collection[int]) -> Mapping[int, str]:
        return {host_key(one.host): one.host for one in self._store.snapshots(org_id) if host_key(one.host) in hosts}

    @staticmethod
    def version_of(description: ProcessDescription) -> int:
        return hash(description) % 2**64
