"""Where tests run side by side: which of them one worker runs, one after the other, and which come first.

xdist's own groups do not hold: it writes them into the ids of tests, which pytest does not let it do from 9.2 on.
"""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath

import pytest
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


def import_share(config: pytest.Config) -> None:
    """Import this worker's share of the files before all of them are collected. In a fresh checkout pytest rewrites and
    compiles each file once and keeps that; workers that go through them in the same order would each do so with all."""
    worker = getattr(config, "workerinput", None)
    if worker is None:
        return
    number, count = int(worker["workerid"].removeprefix("gw")), int(worker["workercount"])
    for file in [*_files(config.args)][number::count]:
        with suppress(ValueError):
            name = ".".join(file.resolve().relative_to(config.rootpath).with_suffix("").parts)
            # What is wrong with a file, its collection says.
            with suppress(Exception, pytest.skip.Exception):
                importlib.import_module(name)


def _files(arguments: Sequence[str]) -> Iterator[Path]:
    for argument in arguments:
        path = Path(argument.partition("::")[0])
        yield from sorted(path.rglob("test_*.py")) if path.is_dir() else [path]


class GroupScheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Needs `--no-loadscope-reorder`: xdist would have the groups with most tests first, however quick they are."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)
