"""What was read of one process at one moment."""

from __future__ import annotations

import msgspec

from procession.agent.read.discovery.ports import Ports
from procession.agent.read.network.traffic import Traffic
from procession.agent.read.procfs import NO_STATUS, IoCounters, Stat, Status


class ProcessFacts(msgspec.Struct, frozen=True, gc=False):
    """What hardly changes. Texts are empty and numbers None where we may not read them."""

    arguments: tuple[str, ...]
    exe: str
    cwd: str
    root: str
    uid: int | None
    gid: int | None
    namespace_pid: int | None
    container_id: str = ""
    service_tags: tuple[str, ...] = ()
    """From its environment, if that is to be looked at."""
    language: str = ""
    """As far as it was found out, as where it listens: see `procession.agent.read.discovery`."""
    ports: Ports | None = None


NO_FACTS = ProcessFacts((), "", "", "", None, None, None)


class ProcessReading(msgspec.Struct, frozen=True, gc=False):
    """Raw counters of one process. The same object as the time before where nothing has changed."""

    pid: int
    boot_time: int
    """When the machine was booted, as Unix time, by its clock when this process was first seen. A clock that is set
    later does not change when it started: it would be another process."""
    stat: Stat
    facts: ProcessFacts
    io: IoCounters | None = None
    open_files: int | None = None
    status: Status = NO_STATUS
    traffic: Traffic | None = None
    """None where it is not known."""
