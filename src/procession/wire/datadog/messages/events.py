"""How processes begin and end: CollectorProcEvent <-> ProcessEvents. The only message that is sent without a frame."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

from procession.lifecycle.events import ProcessEvents, ProcessExec, ProcessExit
from procession.process import MAX_UINT32, NO_EXIT_FACTS, ExitCost, ExitFacts
from procession.text.characters import encodable, text
from procession.text.tags import normal_tags
from procession.wire.datadog import process_pb2 as pb
from procession.wire.datadog.messages.commands import CommandReader
from procession.wire.datadog.messages.descriptions import NOBODY, describe, encode_description, owner_of
from procession.wire.datadog.messages.snapshot_decoder import DEFAULT_LIMITS, Limits, no_tags
from procession.wire.datadog.parsing import parse_in_parts
from procession.wire.datadog.scalars import MAX_NAME_LENGTH, host_of

MAX_INT64 = 2**63 - 1

_CostField = Literal["cpuUserMicroseconds", "cpuSystemMicroseconds", "peakRssBytes", "readBytes", "writtenBytes"]

MAX_CGROUP_LENGTH = 512
"""Of the name of a cgroup; pods have about 150."""

_COSTS: tuple[_CostField, ...] = (
    "cpuUserMicroseconds",
    "cpuSystemMicroseconds",
    "peakRssBytes",
    "readBytes",
    "writtenBytes",
)

_NANOSECONDS = 1_000_000_000
_EVENTS = pb.CollectorProcEvent.EVENTS_FIELD_NUMBER


def decode_events(
    body: bytes,
    *,
    host_tags: Callable[[str], Iterable[str]] = no_tags,
    commands: CommandReader | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> ProcessEvents:
    """Raises FrameError for what is damaged, PayloadTooLarge beyond the limits. Events of unknown kinds are skipped.
    `commands` may remember those of other events."""
    message, events = parse_in_parts(
        pb.CollectorProcEvent, pb.ProcessEvent, body, _EVENTS, {_EVENTS: limits.processes}, limits.process_bytes
    )
    host = host_of(message.hostname)
    tags = normal_tags(host_tags(host))
    reader = CommandReader() if commands is None else commands
    decoded = (_decode(event, tags, reader) for event in events)
    return ProcessEvents(host, tuple(event for event in decoded if event is not None))


def _decode(event: pb.ProcessEvent, tags: tuple[str, ...], commands: CommandReader) -> ProcessExec | ProcessExit | None:
    if event.WhichOneof("typedEvent") is None:
        return None
    pid = min(event.pid, MAX_UINT32)
    description = describe(
        event.command,
        owner_of(event.user, is_windows=False) if event.HasField("user") else NOBODY,
        commands,
        is_windows=False,
        container_id=text(event.containerId)[:MAX_NAME_LENGTH],
        tags=tags,
    )
    if event.HasField("exec"):
        at = _seconds(event.exec.execTime) or _seconds(event.collectionTime) or 0
        return ProcessExec(pid=pid, at=at, forked_at=_seconds(event.exec.forkTime), description=description)
    return ProcessExit(
        pid=pid,
        at=_seconds(event.exit.exitTime) or _seconds(event.collectionTime) or 0,
        executed_at=_seconds(event.exit.execTime),
        exit_code=event.exit.exitCode,
        description=description,
        facts=_facts_of(event.exit),
    )


def _facts_of(told: pb.ProcessExit) -> ExitFacts:
    cost = _cost_of(told)
    if not told.HasField("oomKilled"):
        return NO_EXIT_FACTS if cost is None else ExitFacts(cost=cost)
    return ExitFacts(told.oomKilled, text(told.oomCgroup)[:MAX_CGROUP_LENGTH] if told.oomKilled else "", cost)


def _cost_of(told: pb.ProcessExit) -> ExitCost | None:
    known = [min(getattr(told, name), MAX_INT64) if told.HasField(name) else None for name in _COSTS]
    if known.count(None) == len(known):
        return None
    user, system, peak, read, written = known
    return ExitCost(
        cpu_user_seconds=None if user is None else user / 1e6,
        cpu_system_seconds=None if system is None else system / 1e6,
        peak_rss_bytes=peak,
        read_bytes=read,
        written_bytes=written,
        is_final=told.costIsFinal,
    )


def _put_cost(cost: ExitCost, told: pb.ProcessExit) -> None:
    times = [None if one is None else round(one * 1e6) for one in (cost.cpu_user_seconds, cost.cpu_system_seconds)]
    for name, number in zip(_COSTS, (*times, cost.peak_rss_bytes, cost.read_bytes, cost.written_bytes), strict=True):
        if number is not None:
            setattr(told, name, number)
    told.costIsFinal = cost.is_final


def _seconds(moment: int) -> int | None:
    """Nanoseconds, as far as is known; a moment of this century shows by its size which unit it has."""
    if moment <= 0:
        return None
    while moment > MAX_UINT32:
        moment //= 1000
    return moment


def encode_events(events: ProcessEvents) -> bytes:
    """The whole body: this message travels bare and uncompressed."""
    message = pb.CollectorProcEvent(hostname=encodable(events.host), events=map(_encode, events.events), groupSize=1)
    return message.SerializeToString()


def _encode(event: ProcessExec | ProcessExit) -> pb.ProcessEvent:
    process = pb.Process()
    encode_description(event.description, process)
    encoded = pb.ProcessEvent(
        collectionTime=event.at * _NANOSECONDS,
        pid=event.pid,
        command=process.command,
        containerId=process.containerId,
    )
    if process.HasField("user"):
        encoded.user.CopyFrom(process.user)
    if isinstance(event, ProcessExec):
        encoded.type = pb.ProcEventType.Value("exec")
        encoded.exec.forkTime = (event.forked_at or 0) * _NANOSECONDS
        encoded.exec.execTime = event.at * _NANOSECONDS
    else:
        encoded.type = pb.ProcEventType.Value("exit")
        encoded.exit.execTime = (event.executed_at or 0) * _NANOSECONDS
        encoded.exit.exitTime = event.at * _NANOSECONDS
        encoded.exit.exitCode = event.exit_code
        if event.facts.oom_killed is not None:
            encoded.exit.oomKilled = event.facts.oom_killed
        encoded.exit.oomCgroup = encodable(event.facts.oom_cgroup)
        if event.facts.cost is not None:
            _put_cost(event.facts.cost, encoded.exit)
    return encoded
