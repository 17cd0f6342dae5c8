"""What of the machine matters when somebody looks for a fault."""

from __future__ import annotations

import os
import platform
import resource
import shutil
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from procession import __version__

_LIBRARIES = (
    "chdb-core",
    "click",
    "clickhouse-connect",
    "cramjam",
    "httptools",
    "msgspec",
    "numpy",
    "protobuf",
    "pyarrow",
    "starlette",
    "uvloop",
)
_MOST_FILES = 1000


def versions() -> dict[str, Any]:
    installed = {(one.metadata["Name"] or "").lower(): one.version for one in distributions()}
    return {
        "procession": __version__,
        "python": platform.python_version(),
        "libraries": {name: installed.get(name) for name in _LIBRARIES},
    }


def system_facts(data_dir: Path, now: int) -> dict[str, Any]:
    uname = platform.uname()
    return {
        "at": now,
        "kernel": f"{uname.system} {uname.release} {uname.machine}",
        "distribution": _field(Path("/etc/os-release"), "PRETTY_NAME="),
        "processors": os.cpu_count(),
        "processors_to_use": len(os.sched_getaffinity(0)),
        "load": os.getloadavg(),
        "memory": _first_lines(Path("/proc/meminfo"), 5),
        "memory_limit": _content(Path("/sys/fs/cgroup/memory.max")),
        "processor_limit": _content(Path("/sys/fs/cgroup/cpu.max")),
        "open_files_limit": resource.getrlimit(resource.RLIMIT_NOFILE),
        "is_root": os.geteuid() == 0,
        "data_dir": str(data_dir),
        "disk_bytes": _disk(data_dir),
        "files": _files(data_dir),
    }


def _disk(folder: Path) -> dict[str, int] | None:
    try:
        return dict(zip(("total", "used", "free"), shutil.disk_usage(folder), strict=True))
    except OSError:
        return None


def _files(folder: Path) -> dict[str, int]:
    """Sizes of what lies in the folder itself, and of the folders in it as a whole. No content."""
    sizes: dict[str, int] = {}
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return {}
    for entry in entries[:_MOST_FILES]:
        sizes[entry.name] = sum(_size(path) for path in entry.rglob("*")) if entry.is_dir() else _size(entry)
    return sizes


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0


def _content(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None


def _first_lines(path: Path, count: int) -> list[str]:
    return [" ".join(line.split()) for line in (_content(path) or "").splitlines()[:count]]


def _field(path: Path, name: str) -> str | None:
    lines = (_content(path) or "").splitlines()
    return next((line.removeprefix(name).strip('"') for line in lines if line.startswith(name)), None)
