"""What the kernel says of a container's control group, version 1 and 2: what it uses, and what it may use."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import Final

import msgspec

SYSTEM_ROOT: Final = "/sys/fs/cgroup"

_NO_LIMIT: Final = 2**62
"""Version 1 says a number near 2^63 for none."""
_MAX_COUNT: Final = 2**63 - 1
_FILE_BYTES: Final = 16 * 1024
_CONTROLLERS: Final = ("cpu", "cpuacct", "memory", "pids")


class GroupReading(msgspec.Struct, frozen=True, kw_only=True):
    """None: the kernel does not say, or there is no limit. Counters go on for as long as the group is there."""

    cpu_total_seconds: float | None = None
    cpu_user_seconds: float | None = None
    cpu_system_seconds: float | None = None
    periods: int | None = None
    throttled_periods: int | None = None
    cpu_limit_percent: float | None = None
    """Of one core."""
    memory_usage_bytes: int | None = None
    memory_limit_bytes: int | None = None
    memory_rss_bytes: int | None = None
    memory_cache_bytes: int | None = None
    threads: int | None = None
    thread_limit: int | None = None
    oom_kills: int | None = None


class ControlGroup:
    """The group of one container. Each look reads its files anew; one that is gone says nothing."""

    def __init__(self, folders: dict[str, str], ticks_per_second: int) -> None:
        """`folders`: by controller; that of version 2 has the name ""."""
        self._folders = folders
        self._ticks_per_second = ticks_per_second

    @classmethod
    def of(cls, cgroup: bytes, container_id: str, root: str, ticks_per_second: int) -> ControlGroup | None:
        """From the bytes of `/proc/<pid>/cgroup` of a process in it. None where that names no folder of the container
        below `root`: the paths are relative for who is in another cgroup namespace."""
        folders: dict[str, str] = {}
        for line in cgroup.split(b"\n"):
            _, names, path = (*line.split(b":", 2), b"", b"")[:3]
            folder = _folder_of(os.fsdecode(path), container_id)
            if folder is None:
                continue
            if not names:
                folders[""] = _existing(root, folder) or _existing(f"{root}/unified", folder) or ""
            for name in names.decode("ascii", "replace").split(","):
                if name in _CONTROLLERS:
                    folders[name] = _existing(f"{root}/{name}", folder) or ""
        folders = {name: folder for name, folder in folders.items() if folder}
        return cls(folders, ticks_per_second) if folders else None

    def read(self) -> GroupReading:
        found: dict[str, float | int | None] = {}
        if "" in self._folders:
            found |= self._version_2(self._folders[""])
        # Version 1 where its controllers are mounted: then version 2 has none of them.
        if "cpuacct" in self._folders:
            found |= self._version_1_usage(self._folders["cpuacct"])
        if "cpu" in self._folders:
            found |= _version_1_limit(self._folders["cpu"])
        if "memory" in self._folders:
            found |= _version_1_memory(self._folders["memory"])
        if "pids" in self._folders:
            found |= _pids(self._folders["pids"])
        return GroupReading(**found)  # type: ignore[arg-type]  # each by its name

    def _version_2(self, folder: str) -> dict[str, float | int | None]:
        cpu, memory = _pairs(folder, "cpu.stat"), _pairs(folder, "memory.stat")
        quota, _, period = _text(folder, "cpu.max").partition(" ")
        return {
            "cpu_total_seconds": _seconds(cpu.get("usage_usec"), 1e6),
            "cpu_user_seconds": _seconds(cpu.get("user_usec"), 1e6),
            "cpu_system_seconds": _seconds(cpu.get("system_usec"), 1e6),
            "periods": cpu.get("nr_periods"),
            "throttled_periods": cpu.get("nr_throttled"),
            "cpu_limit_percent": _share(_count(quota), _count(period)),
            "memory_usage_bytes": _number(folder, "memory.current"),
            "memory_limit_bytes": _limit(folder, "memory.max"),
            "memory_rss_bytes": memory.get("anon"),
            "memory_cache_bytes": memory.get("file"),
            "oom_kills": _pairs(folder, "memory.events").get("oom_kill"),
            **_pids(folder),
        }

    def _version_1_usage(self, folder: str) -> dict[str, float | int | None]:
        ticks = _pairs(folder, "cpuacct.stat")
        return {
            "cpu_total_seconds": _seconds(_number(folder, "cpuacct.usage"), 1e9),
            "cpu_user_seconds": _seconds(ticks.get("user"), self._ticks_per_second),
            "cpu_system_seconds": _seconds(ticks.get("system"), self._ticks_per_second),
        }


def _version_1_limit(folder: str) -> dict[str, float | int | None]:
    cpu = _pairs(folder, "cpu.stat")
    return {
        "periods": cpu.get("nr_periods"),
        "throttled_periods": cpu.get("nr_throttled"),
        "cpu_limit_percent": _share(_number(folder, "cpu.cfs_quota_us"), _number(folder, "cpu.cfs_period_us")),
    }


def _version_1_memory(folder: str) -> dict[str, float | int | None]:
    memory = _pairs(folder, "memory.stat")
    return {
        "memory_usage_bytes": _number(folder, "memory.usage_in_bytes"),
        "memory_limit_bytes": _limit(folder, "memory.limit_in_bytes"),
        "memory_rss_bytes": memory.get("total_rss", memory.get("rss")),
        "memory_cache_bytes": memory.get("total_cache", memory.get("cache")),
        "oom_kills": _pairs(folder, "memory.oom_control").get("oom_kill"),
    }


def _pids(folder: str) -> dict[str, float | int | None]:
    return {"threads": _number(folder, "pids.current"), "thread_limit": _limit(folder, "pids.max")}


def _folder_of(path: str, container_id: str) -> str | None:
    """The path down to the folder of the container; a process may be in one below it. None where there is none."""
    parts = PurePosixPath(path).parts
    if ".." in parts or "\0" in path:
        return None
    named = [place for place, part in enumerate(parts) if container_id in part]
    return "/".join(parts[1 : named[-1] + 1]) if named else None


def _existing(root: str, folder: str) -> str | None:
    path = f"{root}/{folder}"
    return path if Path(path).is_dir() else None


def _text(folder: str, name: str) -> str:
    """Empty where there is no such file, or we may not read it."""
    try:
        descriptor = os.open(f"{folder}/{name}", os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return ""
    try:
        return os.read(descriptor, _FILE_BYTES).decode("ascii", "replace").strip()
    except OSError:
        return ""
    finally:
        os.close(descriptor)


def _pairs(folder: str, name: str) -> dict[str, int]:
    lines = (line.split(" ") for line in _text(folder, name).split("\n"))
    found = ((line[0], _count(line[1])) for line in lines if len(line) == 2)
    return {key: value for key, value in found if value is not None}


def _number(folder: str, name: str) -> int | None:
    return _count(_text(folder, name))


def _limit(folder: str, name: str) -> int | None:
    limit = _number(folder, name)
    return limit if limit is not None and 0 < limit < _NO_LIMIT else None


def _count(text: str) -> int | None:
    """None of `max`, and of what is below 0."""
    if not (text.isascii() and text.isdigit()) or len(text) > 20:
        return None
    return min(int(text), _MAX_COUNT)


def _seconds(count: int | None, each_second: float) -> float | None:
    return None if count is None else count / each_second


def _share(quota: int | None, period: int | None) -> float | None:
    return 100 * quota / period if quota and period else None
