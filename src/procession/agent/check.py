"""What an agent with these settings sees and may not see. Sends nothing and keeps nothing."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence

from procession.agent.build import (
    allow_open_files,
    container_runtimes_of,
    host_of,
    host_tags_of,
    process_filter_of,
    scrub_of,
    servers_of,
    spool_folder,
)
from procession.agent.describe.expressions import TagRules
from procession.agent.read.connector import ConnectorUnavailable, ProcConnector
from procession.agent.read.container_runtimes import ContainerNames, ContainerRuntimeError
from procession.agent.read.exits.kernel_log import PATH as KERNEL_LOG
from procession.agent.read.exits.kernel_log import KernelLog
from procession.agent.read.exits.task_stats import TaskStatsListener, TaskStatsUnavailable
from procession.agent.read.lookups import Lookups
from procession.agent.read.proc_reader import ProcReader
from procession.agent.read.process_reading import ProcessReading
from procession.agent.read.procfs import KERNEL_THREAD
from procession.agent.read.users import system_user_name
from procession.command_line.arguments import line_of
from procession.config import AgentSettings
from procession.errors import UsageError

NAME_SECONDS = 3.0
"""That a person waits for the name of the user."""


def check_agent(settings: AgentSettings) -> Iterator[str]:
    """Lines for a person. Raises UsageError for settings that cannot work, but for the address and the key: those may
    be missing still; and, after all lines, where no process can be read."""
    host = host_of(settings)
    refused: list[str] = []
    scrub = scrub_of(settings, refused.append)
    process_filter, rules = process_filter_of(settings), TagRules(settings.tag_rules, refused.append)
    runtimes = container_runtimes_of(settings)
    allow_open_files()
    with contextlib.closing(
        ProcReader(settings.proc_root, kernel_threads=True, reads_environment=settings.process_env_tags)
    ) as reader:
        everything = reader.read()
        begin = time.process_time()
        again = len(reader.read())
        cost = (time.process_time() - begin) / max(again, 1) * 1_000_000
        is_live, blindness = reader.is_live, reader.blindness
        unreadable = reader.unreadable
    processes = [reading for reading in everything if not reading.stat.flags & KERNEL_THREAD]
    threads = len(everything) - len(processes)

    users = Lookups(system_user_name)
    users.expect([os.geteuid()], 0.0, wait_seconds=NAME_SECONDS)
    user = users.get(os.geteuid()) or f"uid:{os.geteuid()}"
    yield f"host              {host}"
    yield f"runs as           {user}"
    shown = "sent too" if settings.kernel_threads else "left out"
    yield f"processes         {len(processes)} in {settings.proc_root}, and {threads} kernel threads, which are {shown}"
    if unreadable:
        yield f"not to be read    {unreadable} processes"
    yield from _readable(processes)
    yield f"traffic           {_traffic(is_live, settings)}"
    if process_filter:
        wanted = sum(map(process_filter.wants, processes))
        yield f"left out          {len(processes) - wanted} of {len(processes)}, by include- and exclude-patterns"
    yield from _containers(processes, runtimes, settings)
    yield f"host tags         {', '.join(host_tags_of(settings)) or 'none'}"
    yield from _process_tags(processes, rules, scrub, settings)
    yield f"between snapshots {_connector(is_live, settings)}"
    yield f"OOM kills         {_oom_kills(is_live, settings)}"
    yield f"cost at the end   {_task_stats(is_live, settings)}"
    yield f"secrets           {_scrubbing(processes, scrub, settings)}"
    yield from (f"                  {reason}; left out" for reason in refused)
    yield f"cost              {cost:.0f} µs a process and snapshot, when nothing has changed"
    yield from (f"sends to          {text}" for text in _destinations(settings))
    yield f"meanwhile         {_waiting(settings)}"
    if blindness:
        raise UsageError(f"{blindness}; an agent would send nothing")


def _readable(processes: Sequence[ProcessReading]) -> Iterator[str]:
    """A zombie has nothing left to read, which is not for want of rights."""
    living = [reading for reading in processes if reading.stat.vms_bytes != 0]
    for name, is_readable in (
        ("command lines", lambda reading: bool(reading.facts.arguments)),
        ("executables", lambda reading: bool(reading.facts.exe)),
        ("cwd and root", lambda reading: bool(reading.facts.cwd)),
        ("reads and writes", lambda reading: reading.io is not None),
        ("open files", lambda reading: reading.open_files is not None),
    ):  # type: tuple[str, Callable[[ProcessReading], bool]]
        count = sum(map(is_readable, living))
        is_short = count < len(living) and name != "command lines"  # a process may have an empty one
        hint = "; those of others take root" if is_short and os.geteuid() != 0 else ""
        yield f"{name:17} of {count} of {len(living)}{hint}"


def _traffic(is_live: bool, settings: AgentSettings) -> str:
    if not settings.traffic:
        return "is not read: traffic is off"
    if not is_live:
        return f"not known: {settings.proc_root} is no kernel's own"
    # A reader of its own: what the other costs again is without this.
    with contextlib.closing(ProcReader(settings.proc_root, finds_out=True, reads_traffic=True)) as reader:
        living = [reading for reading in reader.read() if reading.stat.vms_bytes != 0]
    count = sum(reading.traffic is not None for reading in living)
    is_short = count < len(living) and os.geteuid() != 0
    hint = "; those of others take root, those in other network namespaces CAP_SYS_ADMIN" if is_short else ""
    return f"of {count} of {len(living)} at the first look{hint}"


def _containers(
    processes: Sequence[ProcessReading], runtimes: Sequence[ContainerNames], settings: AgentSettings
) -> Iterator[str]:
    containers = {reading.facts.container_id for reading in processes} - {""}
    inside = sum(bool(reading.facts.container_id) for reading in processes)
    yield f"containers        {len(containers)}, with {inside} processes in them"
    if not settings.container_names:
        yield "their names       are not asked for: container-names is off"
    for runtime in runtimes:
        try:
            known = runtime.containers()
        except ContainerRuntimeError as error:
            yield f"their names       not from {runtime.name}: {runtime.path}: {error}"
        else:
            found = len(containers & known.keys())
            yield f"their names       from {runtime.name} at {runtime.path}: of {found} of {len(containers)}"


def _process_tags(
    processes: Sequence[ProcessReading],
    rules: TagRules,
    scrub: Callable[[tuple[str, ...]], tuple[str, ...]],
    settings: AgentSettings,
) -> Iterator[str]:
    if rules:
        tagged = sum(bool(rules.tags_of(line_of(scrub(reading.facts.arguments)))) for reading in processes)
        yield f"tag rules         {len(rules)}, which give tags to {tagged} of {len(processes)} processes"
    if settings.process_env_tags:
        tagged = sum(bool(reading.facts.service_tags) for reading in processes)
        yield f"environments      give tags to {tagged} of {len(processes)} processes"


def _connector(is_live: bool, settings: AgentSettings) -> str:
    if not settings.short_lived:
        return "not seen, as set"
    if not is_live:
        return f"not seen: {settings.proc_root} is no kernel's own"
    try:
        ProcConnector().close()
    except ConnectorUnavailable as error:
        return f"not seen: {error}"
    return "seen, with their start, end and exit code"


def _oom_kills(is_live: bool, settings: AgentSettings) -> str:
    if not settings.short_lived or not is_live:
        return "not known: no exit is seen"
    try:
        KernelLog().close()
    except OSError as error:
        return f"not known: {KERNEL_LOG}: {error.strerror}"
    return "seen, in the kernel's messages"


def _task_stats(is_live: bool, settings: AgentSettings) -> str:
    if not settings.short_lived or not is_live:
        return "not known: no exit is seen"
    try:
        TaskStatsListener().close()
    except TaskStatsUnavailable as error:
        return f"as of the last snapshot: {error}"
    return "told by the kernel"


def _scrubbing(
    processes: Sequence[ProcessReading], scrub: Callable[[tuple[str, ...]], tuple[str, ...]], settings: AgentSettings
) -> str:
    if settings.strip_proc_arguments:
        return "no arguments are sent at all"
    if not settings.scrub_args:
        return "are sent as they are: scrub-args is off"
    lines = [reading.facts.arguments for reading in processes]
    changed = sum(line_of(scrub(arguments)) != line_of(arguments) for arguments in lines)
    return f"hidden; at this moment {changed} of {len(lines)} command lines have some"


def _destinations(settings: AgentSettings) -> Iterator[str]:
    try:
        servers = servers_of(settings)
    except UsageError as error:
        yield f"nobody: {error}"
        return
    for client, _ in servers:
        yield f"{client.url} every {settings.interval_seconds:g} s"


def _waiting(settings: AgentSettings) -> str:
    place = str(spool_folder(settings)) if settings.spool else "memory, where it is lost when the agent ends"
    return f"up to {settings.queue_bytes / 2**20:.0f} MiB for each server wait in {place}"
