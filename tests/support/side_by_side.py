"""Where tests run side by side: which of them one worker runs, one after the other, and which come first.

xdist's own groups do not hold: it writes them into the ids of tests, which pytest does not let it do from 9.2 on.
"""

from __future__ import annotations

import os
import re
from pathlib import PurePosixPath

from xdist.scheduler import LoadScopeScheduling

TOGETHER = ("conformance", "browser", "faults", "cluster")
"""Folders whose tests share what takes long to start."""
ON_NODES = re.compile(r"\[.*\b(server_store|cluster_store)\b")
"""Stores on nodes as those of `tests/cluster`, which a test asks for as a parameter. Those that ask for the same one
share its nodes."""
GROUPS = ("conformance", "browser", "cluster_store", "faults", "cluster", "server_store")
"""The longest first, but for the first: there is no telling how long it takes to get what it compiles."""
LONG = ("e2e", "contract", "instants", "embedded", "backup", "artefacts")
"""Folders with files of a minute and more."""


def worker_count() -> int | None:
    """One more than there are processors, since most tests wait for something now and then. None: the environment
    says how many."""
    return None if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ else (os.cpu_count() or 1) + 1


def group_of(test: str) -> str:
    """What one worker runs: such a folder, all on such a store, or else the test's file. `test`: its id."""
    file = test.partition("::")[0]
    folder = PurePosixPath(file).parent.name
    if folder in TOGETHER:
        return folder
    found = ON_NODES.search(test)
    return file if found is None else found[1]


def turn_of(test: str) -> int:
    """What takes long comes first, so that no worker is left alone with it at the end."""
    group = group_of(test)
    if group in GROUPS:
        return GROUPS.index(group)
    return len(GROUPS) + (PurePosixPath(group).parent.name not in LONG)


class GroupScheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Needs `--no-loadscope-reorder`: xdist would have the groups with most tests first, however quick they are."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)
