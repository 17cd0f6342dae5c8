"""The containers of this machine: known by the processes in them, measured by their control groups."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from procession.agent.containers.control_group import SYSTEM_ROOT, ControlGroup, GroupReading
from procession.containers.container import Container, ContainerNumbers
from procession.process import Sighting
from procession.wire.datadog import ContainerInfo

CONTAINER_SECONDS: Final = 10.0
"""Between two looks."""

MAX_CONTAINERS: Final = 5000
"""Looked at; a machine has some hundred at most."""

_CGROUP_BYTES: Final = 64 * 1024


def cgroup_root_of(proc_root: str) -> str:
    """Beside a `/proc` that is mounted elsewhere, as at /host/proc, its `/sys` may be, too."""
    mounted = Path(proc_root).parent / SYSTEM_ROOT.removeprefix("/")
    return str(mounted) if mounted.is_dir() else SYSTEM_ROOT


class _Seen(msgspec.Struct):
    """What the processes of a container tell of it."""

    pid: int
    started_at: int
    open_files: int | None = 0
    threads: int | None = 0

    def add(self, sighting: Sighting) -> None:
        if 0 < sighting.started_at < self.started_at:
            self.pid, self.started_at = sighting.pid, sighting.started_at
        self.open_files = _sum(self.open_files, sighting.numbers.open_files)
        self.threads = _sum(self.threads, sighting.numbers.threads)


class _Known(msgspec.Struct):
    started_at: int
    group: ControlGroup | None
    reading: GroupReading = GroupReading()
    moment: float = 0.0


class ContainerWatcher:
    """For one thread."""

    def __init__(
        self,
        look_up: Callable[[str], ContainerInfo],
        *,
        proc_root: str,
        ticks_per_second: int,
        cgroup_root: str = SYSTEM_ROOT,
    ) -> None:
        """`look_up` says what a runtime knows of a container, by its id."""
        self._look_up = look_up
        self._proc_root = proc_root
        self._ticks_per_second = ticks_per_second
        self._cgroup_root = cgroup_root
        self._known: dict[str, _Known] = {}
        self._next_at = 0.0

    def look(self, sightings: Iterable[Sighting], *, moment: float) -> list[tuple[ContainerInfo, Container]] | None:
        """What they are and use, if it is time for it. `moment`, in seconds, comes from a clock that nobody sets."""
        if moment < self._next_at:
            return None
        self._next_at = moment + CONTAINER_SECONDS * 0.9  # rounds are not quite as far from each other as they should
        seen = _seen_in(sightings)
        self._known = {name: one for name, one in self._known.items() if name in seen}
        return [(self._look_up(name), self._container(name, one, moment)) for name, one in seen.items()]

    def _container(self, container_id: str, seen: _Seen, moment: float) -> Container:
        known = self._known.get(container_id)
        if known is None or known.group is None:
            group = ControlGroup.of(
                _cgroup_of(self._proc_root, seen.pid), container_id, self._cgroup_root, self._ticks_per_second
            )
            known = self._known[container_id] = _Known(seen.started_at, group)
        reading = GroupReading() if known.group is None else known.group.read()
        numbers = _numbers(reading, known.reading, moment - known.moment if known.moment else None, seen)
        # Its first process may have ended since.
        known.started_at = min(known.started_at, seen.started_at)
        known.reading, known.moment = reading, moment
        return Container(
            container_id=container_id, state="running", started_at=known.started_at or None, numbers=numbers
        )


def _seen_in(sightings: Iterable[Sighting]) -> Mapping[str, _Seen]:
    found: dict[str, _Seen] = {}
    for sighting in sightings:
        container_id = sighting.description.container_id
        if not container_id:
            continue
        one = found.get(container_id)
        if one is None:
            if len(found) >= MAX_CONTAINERS:
                continue
            one = found[container_id] = _Seen(sighting.pid, sighting.started_at)
        one.add(sighting)
    return found


def _numbers(now: GroupReading, before: GroupReading, elapsed: float | None, seen: _Seen) -> ContainerNumbers:
    def percent(name: str) -> float | None:
        newer, older = getattr(now, name), getattr(before, name)
        if newer is None or older is None or newer < older or not elapsed or elapsed <= 0:
            return None
        return float(100 * (newer - older) / elapsed)

    return ContainerNumbers(
        cpu_total_percent=percent("cpu_total_seconds"),
        cpu_user_percent=percent("cpu_user_seconds"),
        cpu_system_percent=percent("cpu_system_seconds"),
        cpu_limit_percent=now.cpu_limit_percent,
        cpu_throttled_percent=_throttled(now, before),
        memory_usage_bytes=now.memory_usage_bytes,
        memory_limit_bytes=now.memory_limit_bytes,
        memory_rss_bytes=now.memory_rss_bytes,
        memory_cache_bytes=now.memory_cache_bytes,
        threads=seen.threads if now.threads is None else now.threads,
        thread_limit=now.thread_limit,
        open_files=seen.open_files,
        oom_kills=now.oom_kills,
    )


def _throttled(now: GroupReading, before: GroupReading) -> float | None:
    """Of the periods since the look before. None without a limit: there are no periods then."""
    if now.periods is None or now.throttled_periods is None or now.cpu_limit_percent is None:
        return None
    periods = now.periods - (before.periods or 0)
    throttled = now.throttled_periods - (before.throttled_periods or 0)
    return 100 * throttled / periods if 0 <= throttled <= periods and periods else 0.0


def _cgroup_of(proc_root: str, pid: int) -> bytes:
    """Empty of a process that has gone, or of another user's where that is hidden."""
    try:
        descriptor = os.open(f"{proc_root}/{pid}/cgroup", os.O_RDONLY)
    except OSError:
        return b""
    try:
        return os.read(descriptor, _CGROUP_BYTES)
    except OSError:
        return b""
    finally:
        os.close(descriptor)


def _sum(total: int | None, number: int | None) -> int | None:
    """Not known as soon as one of them is not."""
    return None if total is None or number is None else total + number
