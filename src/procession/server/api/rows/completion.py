"""Keys and values of tags that begin so, among what a reader may see."""

from __future__ import annotations

from procession.accounts.restriction import Restricted
from procession.accounts.visibility import Visibility
from procession.analysis import ENDING_KEYS, TagCompletion, ValueCount
from procession.storage import AnalysisStore
from procession.window import Window

MOST_KEYS = 1000
"""Of the org, the most frequent first: among these are those that the reader may see."""


def complete_tag(
    analysis: AnalysisStore, visibility: Visibility, window: Window, prefix: str, limit: int
) -> TagCompletion:
    """As `AnalysisStore.complete_tag`."""
    if visibility.restriction.kinds is Restricted.NOTHING:
        return analysis.complete_tag(visibility.org_id, window, prefix, limit)
    key, colon, start = prefix.partition(":")
    if colon:
        if visibility.hides(key):
            return TagCompletion((), ())
        (facet,) = analysis.facets(visibility.selection(), window, [key], limit, start).facets
        return TagCompletion((), facet.values)
    of_org = analysis.complete_tag(visibility.org_id, window, prefix, MOST_KEYS).keys
    # How processes ended goes by these names among facets.
    keys = [one.value for one in of_org if one.value not in ENDING_KEYS and not visibility.hides(one.value)]
    found = analysis.facets(visibility.selection(), window, keys, 1).facets if keys else ()
    counts = [ValueCount(facet.key, facet.processes) for facet in found if facet.processes]
    counts.sort(key=lambda one: (-one.count, one.value))
    return TagCompletion(tuple(counts[:limit]), ())
