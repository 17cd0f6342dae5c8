"""How many processes have which values of a tag key: in a window or at an instant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from procession.analysis import Facets, Selection, TagCompletion, ValueCount
from procession.patterns import fold
from procession.storage import analysis_sql as statements
from procession.storage.kinds import HOST, Kind, facets_of, keys_of
from procession.storage.session import Session
from procession.window import Window

_Counts = tuple[Mapping[str, int], Sequence[tuple[Kind, int]]]
"""Host -> processes; kinds and how many are of each."""


def facets(
    session: Session, selection: Selection, when: Window | int, keys: Sequence[str], limit: int, prefix: str
) -> Facets:
    window = statements.whole_slots(when) if isinstance(when, Window) else None
    folded = [fold(key) for key in keys]
    hosts, kinds = _counted(session, selection, when if window is None else window, by_host=HOST in folded)
    found = facets_of(folded, hosts, kinds, limit=limit, prefix=prefix)
    return Facets(sum(count for _, count in kinds), window, found)


def completion(session: Session, window: Window, prefix: str, limit: int) -> TagCompletion:
    key, separator, start = prefix.partition(":")
    by_host = not separator or fold(key) == HOST
    hosts, kinds = _counted(session, Selection(session.org_id), statements.whole_slots(window), by_host=by_host)
    if separator:
        (facet,) = facets_of([fold(key)], hosts, kinds, limit=limit, prefix=start)
        return TagCompletion((), facet.values)
    keys = [(name, count) for name, count in keys_of(hosts, kinds).items() if name.startswith(fold(prefix))]
    keys.sort(key=lambda item: (-item[1], item[0]))
    return TagCompletion(tuple(ValueCount(*item) for item in keys[:limit]), ())


def _counted(session: Session, selection: Selection, when: Window | int, *, by_host: bool) -> _Counts:
    """Hosts only if they are wanted."""
    if isinstance(when, Window):
        of_hosts, by_kind = _in_window(session, selection, when, by_host=by_host)
    else:
        of_hosts, by_kind = _at_instant(session, selection, when)
    names = session.host_names(of_hosts)
    hosts: dict[str, int] = {}
    for host, count in of_hosts.items():
        hosts[names.get(host, "")] = hosts.get(names.get(host, ""), 0) + count
    kinds = session.kinds(by_kind)
    return hosts, [(kinds[kind], count) for kind, count in by_kind.items() if kind in kinds]


def _in_window(
    session: Session, selection: Selection, window: Window, *, by_host: bool
) -> tuple[dict[int, int], dict[int, int]]:
    hosts: dict[int, int] = {}
    kinds: dict[int, int] = {}
    statement = statements.counts(
        selection.org_id,
        window,
        selection.search,
        selection.tags,
        by_host=by_host,
        is_past=window.to_at < session.now,
    )
    for host, kind, number in session.rows(statement):
        if host:
            hosts[host] = hosts.get(host, 0) + number
        else:
            kinds[kind] = kinds.get(kind, 0) + number  # each shard gives its own
    return hosts, kinds


def _at_instant(session: Session, selection: Selection, at: int) -> tuple[dict[int, int], dict[int, int]]:
    instant = session.instant(selection, at, ["kind"])
    found = []
    for name in ("host", "kind"):
        numbers, counts = np.unique(instant.columns[name], return_counts=True)
        found.append(dict(zip(numbers.tolist(), counts.tolist(), strict=True)))
    return found[0], found[1]
