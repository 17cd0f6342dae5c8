"""Parents, children and earlier runs of a process, among what a reader may see."""

from __future__ import annotations

from collections.abc import Sequence

from procession.accounts.visibility import Visibility
from procession.analysis import Family, HostTree, Order, ProcessAtInstant, Run
from procession.analysis.family_tree import FamilyTree
from procession.process import ProcessKey, ProcessSummary
from procession.search.pattern import Pattern
from procession.search.tag_filter import TagCondition, TagFilter
from procession.storage import AnalysisStore
from procession.window import Window

MOST_BRANCHES = 10_000
MOST_RUNS = 5000
"""Among so many of the newest are those that the reader may see."""
_MORE = 4


def host_tree(analysis: AnalysisStore, visibility: Visibility, host: str, at: int) -> HostTree:
    """As `AnalysisStore.host_tree`. Whose parent the reader may not see has none."""
    if visibility.has_all_rows:
        return analysis.host_tree(visibility.org_id, host, at)
    members = _members(analysis, visibility, host, at)
    # Of a host without any, that it is there at all is not told.
    return HostTree(len(members), FamilyTree(members).whole(), bool(members))


def seen_family(analysis: AnalysisStore, visibility: Visibility, process: ProcessSummary, at: int) -> Family | None:
    """As `AnalysisStore.family`, of a process that the reader may see, among those."""
    members = _members(analysis, visibility, process.identity.host, at)
    return FamilyTree(members).family(ProcessKey.of(process.identity))


def runs(
    analysis: AnalysisStore, visibility: Visibility, process: ProcessSummary, window: Window, limit: int
) -> Sequence[Run]:
    """As `AnalysisStore.runs`, of a process that the reader may see."""
    wanted, without_arguments = limit, not visibility.has_arguments
    while True:
        found = analysis.runs(visibility.org_id, process, window, wanted, without_arguments=without_arguments)
        rows = visibility.selection().tags
        seen = [run for run in found if rows.accepts(run.process.tags)]
        if len(seen) >= limit or len(found) < wanted or wanted >= MOST_RUNS:
            return seen[:limit]
        wanted *= _MORE


def _members(analysis: AnalysisStore, visibility: Visibility, host: str, at: int) -> list[ProcessAtInstant]:
    """In the order of start and pid."""
    named = TagFilter((TagCondition((Pattern.literal(f"host:{host}"),)),))
    page = analysis.instant_page(visibility.selection(tags=named), at, Order("start"), 0, MOST_BRANCHES)
    # Processes of other hosts may have a tag of that name.
    return [one for one in page.processes if one.process.identity.host == host]
