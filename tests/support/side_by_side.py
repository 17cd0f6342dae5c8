"""Where tests run side by side: which of them one worker runs, one after the other, and which come first.

xdist's own groups do not hold: it writes them into the ids of tests, which pytest does not let it do from 9.2 on.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from xdist.scheduler import LoadScopeScheduling

TOGETHER = ("conformance", "cluster", "browser", "overload", "faults")
"""Folders whose tests share what takes long to start: the longest first."""
LONG = ("e2e", "contract", "instants")
"""Folders with files of a minute and more."""
ON_NODES = re.compile(r"\[.*\b(server_store|cluster_store)\b")
"""Stores on the nodes of `tests/cluster`, which a test asks for as a parameter."""


def group_of(test: str) -> str:
    """What one worker runs: such a folder, or else the test's file. `test`: its id."""
    file = test.partition("::")[0]
    folder = "cluster" if ON_NODES.search(test) else PurePosixPath(file).parent.name
    return folder if folder in TOGETHER else file


def turn_of(test: str) -> int:
    """What takes long comes first, so that no worker is left alone with it at the end."""
    group = group_of(test)
    if group in TOGETHER:
        return TOGETHER.index(group)
    return len(TOGETHER) + (PurePosixPath(group).parent.name not in LONG)


class GroupScheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Needs `--no-loadscope-reorder`: xdist would have the groups with most tests first, however quick they are."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)
