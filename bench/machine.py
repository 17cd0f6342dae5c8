"""What the figures were measured on."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
from pathlib import Path
from typing import Any

from procession import __version__

_PACKAGES = ("chdb-core", "clickhouse-connect", "duckdb", "protobuf", "psycopg", "httptools", "uvloop")


def description() -> dict[str, Any]:
    return {
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "procession": __version__,
        "packages": {name: version for name in _PACKAGES if (version := _version(name))},
    }


def name() -> str:
    """Short, for a file: of the kind of machine, never of this one."""
    text = f"{_cpu_model()}-{len(os.sched_getaffinity(0))}-cores"
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def load() -> float:
    """How many others wanted a processor in the last minute."""
    return round(os.getloadavg()[0], 2)


def _cpu_model() -> str:
    found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    return found[1].strip() if found else platform.machine()


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
