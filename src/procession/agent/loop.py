"""Collect, scrub, send, wait."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Sequence

from procession.agent.budget import Budget
from procession.agent.build import (
    allow_open_files,
    boot_file_of,
    container_users_of,
    containers_of,
    destinations_of,
    give_memory_back,
    groups_of,
    host_of,
    host_tags_of,
    listen_for_short_lived,
    max_cpu_of,
    process_filter_of,
    scrub_of,
    users_of,
)
from procession.agent.clock import Clock
from procession.agent.containers.watcher import ContainerWatcher, cgroup_root_of
from procession.agent.describe.collector import Collector
from procession.agent.describe.expressions import TagRules
from procession.agent.pace import Pace
from procession.agent.pipeline import Pipeline
from procession.agent.read.container_cache import ContainerCache
from procession.agent.read.proc_reader import ProcReader
from procession.agent.read.short_lived import ShortLived
from procession.agent.send.destination import Destination
from procession.agent.send.payload import Payload
from procession.agent.send.payload_maker import PayloadMaker, a_run
from procession.agent.send.sender import Report
from procession.agent.shutdown import is_shutting_down
from procession.config import AgentSettings

LIVE_SECONDS = 2.0
"""How often numbers go while somebody watches, where the answer says nothing else; and how often the loop looks whether
somebody does."""

_LIVE_RANGE = (1.0, 10.0)


def run_agent(settings: AgentSettings, *, stop: threading.Event, report: Report, clock: Clock | None = None) -> None:
    """Watch the processes of this machine until `stop` is set, and be gone within a second then.

    `report` takes lines for a person, from any thread. Raises UsageError for settings that cannot work.
    """
    clock = clock or Clock()
    host = host_of(settings)
    scrub = scrub_of(settings, report)
    process_filter, tag_rules = process_filter_of(settings), TagRules(settings.tag_rules, report)
    share = max_cpu_of(settings)
    allow_open_files()
    give_memory_back()
    with contextlib.ExitStack() as ending:
        reader = ending.enter_context(contextlib.closing(_reader_of(settings, clock)))
        destinations = destinations_of(settings, stop=stop, report=report)
        farewell: list[Payload] = []
        ending.callback(_end_all, destinations, farewell)
        short_lived = _short_lived_of(settings, reader, share, report)
        if short_lived is not None:
            ending.callback(short_lived.stop)
        containers = containers_of(settings, report)
        containers.start()
        ending.callback(containers.close)
        for destination in destinations:
            destination.start()
        maker = _payload_maker_of(settings, host, containers, clock)
        pipeline = Pipeline(
            reader=reader,
            short_lived=short_lived,
            collector=Collector(
                host=host,
                ticks_per_second=reader.ticks_per_second,
                page_bytes=reader.page_bytes,
                scrub=scrub,
                users=users_of(settings, report),
                groups=groups_of(settings, report),
                process_filter=process_filter,
                tag_rules=tag_rules,
                containers=containers,
                container_users=container_users_of(settings),
            ),
            maker=maker,
            destinations=destinations,
            report=report,
            clock=clock,
            containers=_container_watcher_of(settings, containers, reader),
        )
        pace = _pace_of(settings, share, clock, report)
        while not any(destination.failure for destination in destinations):
            if clock.wait(stop, _do_what_is_due(pipeline, pace, destinations)):
                break
        if stop.is_set() and is_shutting_down():
            farewell.append(maker.make_farewell(int(clock.now())))
    for destination in destinations:
        if destination.failure is not None:
            raise destination.failure


def _reader_of(settings: AgentSettings, clock: Clock) -> ProcReader:
    return ProcReader(
        settings.proc_root,
        kernel_threads=settings.kernel_threads,
        reads_environment=settings.process_env_tags,
        finds_out=True,
        reads_traffic=settings.traffic,
        monotonic=clock.monotonic,
        boot_file=boot_file_of(settings),
    )


def _short_lived_of(
    settings: AgentSettings, reader: ProcReader, share: float | None, report: Report
) -> ShortLived | None:
    if not settings.short_lived:
        return None
    per_interval = None if share is None else share * settings.interval_seconds
    return listen_for_short_lived(reader, report, cpu_seconds=per_interval)


def _pace_of(settings: AgentSettings, share: float | None, clock: Clock, report: Report) -> Pace:
    return Pace(
        interval_seconds=settings.interval_seconds,
        budget=Budget(share, settings.interval_seconds, clock),
        max_cpu=settings.max_cpu,
        clock=clock,
        report=report,
    )


def _container_watcher_of(settings: AgentSettings, containers: ContainerCache, reader: ProcReader) -> ContainerWatcher:
    return ContainerWatcher(
        containers.look_up,
        proc_root=str(settings.proc_root),
        ticks_per_second=reader.ticks_per_second,
        cgroup_root=cgroup_root_of(str(settings.proc_root)),
    )


def _payload_maker_of(settings: AgentSettings, host: str, containers: ContainerCache, clock: Clock) -> PayloadMaker:
    return PayloadMaker(
        host=host,
        run=a_run(),
        started_at=int(clock.now()),
        max_processes=settings.processes_per_payload,
        tags=host_tags_of(settings),
        containers=containers.look_up,
        interval_seconds=settings.interval_seconds,
        cpus=os.cpu_count(),
    )


def _do_what_is_due(pipeline: Pipeline, pace: Pace, destinations: Sequence[Destination]) -> float:
    """Gives how many seconds to wait then."""
    wishes = {item: seconds for item in destinations if (seconds := item.live_seconds) is not None}
    live_seconds = min(max(_LIVE_RANGE[0], *wishes.values()), _LIVE_RANGE[1]) if wishes else LIVE_SECONDS
    if not wishes:
        pipeline.stop_live_numbers()
    if pace.is_snapshot_due():
        every_seconds = pace.begin_snapshot()
        spare_spent = pipeline.take_snapshot(every_seconds=every_seconds, spare_seconds=pace.spare_seconds())
        pace.end_snapshot(live_seconds, spare_spent=spare_spent)
    elif wishes and pace.is_live_due(live_seconds):
        pace.begin_live(live_seconds)
        pipeline.send_live_numbers(set(wishes))
        pace.end_live()
    return pace.seconds_to_wait(live_seconds)


def _end_all(destinations: Sequence[Destination], farewell: Sequence[Payload]) -> None:
    begun = time.monotonic()
    for destination in destinations:
        destination.close(farewell[0] if farewell else None)
    for destination in destinations:
        destination.end(begun)
