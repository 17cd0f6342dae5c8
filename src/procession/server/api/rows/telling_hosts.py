"""Hosts that told of their processes, among what a reader may see."""

from __future__ import annotations

from collections.abc import Mapping

from procession.accounts.visibility import Visibility
from procession.storage import AnalysisStore
from procession.window import Window

MOST_HOSTS = 100_000


def hosts_told(analysis: AnalysisStore, visibility: Visibility, window: Window) -> Mapping[str, int]:
    """As `AnalysisStore.hosts_told`: those that told of any process that the reader may see."""
    told = analysis.hosts_told(visibility.org_id, window)
    if visibility.has_all_rows:
        return told
    (facet,) = analysis.facets(visibility.selection(), window, ("host",), MOST_HOSTS).facets
    seen = {one.value for one in facet.values}
    return {host: at for host, at in told.items() if host in seen}


def oldest_sighting(analysis: AnalysisStore, visibility: Visibility) -> int | None:
    """As `AnalysisStore.oldest_sighting`. None for a reader of some rows: that of the org is that of others, too."""
    return analysis.oldest_sighting(visibility.org_id) if visibility.has_all_rows else None
