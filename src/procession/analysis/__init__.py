"""Questions about many processes at once, and their answers. Each is about one instant or one window.

The processes *at an instant* are, for each host, those of its newest complete snapshot at that moment or before, and
those that incomplete snapshots have added since. A snapshot older than REACH_SECONDS does not count. Left out are
processes that a snapshot showed as dead, and processes that had ended by that moment, even if their exits were reported
later. Where a pid was used again, only its last process counts.

Something *is known* of an instant or a window if any host sent a snapshot then, even an empty one. Where a selection
names hosts by `host:` tags, only these hosts count. Where nothing is known, an empty answer says nothing about what
ran.
"""

from procession.analysis.aggregates import (
    PERCENTILES,
    STATISTICS,
    Aggregate,
    Facet,
    Facets,
    Grouped,
    Groups,
    HostEntry,
    Hosts,
    TagCompletion,
    ValueCount,
)
from procession.analysis.comparison import ChangedGroup, ChangedProcess, Comparison, Match, Side
from procession.analysis.in_window import ENDING_KEYS, ProcessInWindow, WindowPage
from procession.analysis.instant import (
    MAX_NAMED_CHUNKS,
    REACH_SECONDS,
    InstantPage,
    InstantPin,
    Points,
    ProcessAtInstant,
)
from procession.analysis.over_time.trends import TREND_MEASURES, Band, Trend, Trends
from procession.analysis.over_time.turnover import ExitCode, Turnover
from procession.analysis.relations import Branch, Family, HostTree, Run, program_of
from procession.analysis.selection import (
    DESCRIPTION_ATTRIBUTES,
    MAX_DESCRIPTIONS,
    MEASURES,
    SORT_COLUMNS,
    WINDOW_SORT_COLUMNS,
    Order,
    Selection,
)
from procession.analysis.timeseries import MEANS, MINUTE_COLUMNS, Every, History, Series, TimeSeries, of_minute

__all__ = [
    "DESCRIPTION_ATTRIBUTES",
    "ENDING_KEYS",
    "MAX_DESCRIPTIONS",
    "MAX_NAMED_CHUNKS",
    "MEANS",
    "MEASURES",
    "MINUTE_COLUMNS",
    "PERCENTILES",
    "REACH_SECONDS",
    "SORT_COLUMNS",
    "STATISTICS",
    "TREND_MEASURES",
    "WINDOW_SORT_COLUMNS",
    "Aggregate",
    "Band",
    "Branch",
    "ChangedGroup",
    "ChangedProcess",
    "Comparison",
    "Every",
    "ExitCode",
    "Facet",
    "Facets",
    "Family",
    "Grouped",
    "Groups",
    "History",
    "HostEntry",
    "HostTree",
    "Hosts",
    "InstantPage",
    "InstantPin",
    "Match",
    "Order",
    "Points",
    "ProcessAtInstant",
    "ProcessInWindow",
    "Run",
    "Selection",
    "Series",
    "Side",
    "TagCompletion",
    "TimeSeries",
    "Trend",
    "Trends",
    "Turnover",
    "ValueCount",
    "WindowPage",
    "of_minute",
    "program_of",
]
