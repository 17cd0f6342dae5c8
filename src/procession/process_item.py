"""What readers are shown of a process: the attributes of the public API, and the detailed ones of Procession's API.

The names and the order of the fields are those of the JSON keys.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal

import msgspec

from procession.accounts.visibility import Visibility
from procession.analysis import ProcessAtInstant
from procession.command_line.arguments import arguments_of
from procession.discovery import Discovery
from procession.lifecycle.signals import signal_of
from procession.process import ExitCost, ProcessDetail, ProcessNumbers, ProcessSummary, id_text

_ENCODER = msgspec.json.Encoder()
_NULL = msgspec.Raw(b"null")


class PublicAttributes(msgspec.Struct):
    cmdline: str
    timestamp: str
    """When the newest sighting was taken; moments are shown as `utc_text` has them."""
    start: str
    user: str
    pid: int
    ppid: int
    host: str
    tags: tuple[str, ...]


class Listening(msgspec.Struct):
    """The ports on which a process listens; null where it is not known."""

    tcp: tuple[int, ...] | None
    udp: tuple[int, ...] | None


class ServiceItem(msgspec.Struct):
    name: str
    found_by: str | None


class TracerItem(msgspec.Struct):
    runtime_id: str
    service: str | None


class DetailedAttributes(PublicAttributes):
    args: msgspec.Raw
    """JSON: an array of texts, or null where it is not known where they end. Encoded already, since many short texts
    would take a hundred times their bytes as objects."""
    exe: str
    cwd: str
    root: str
    comm: str
    uid: int | None
    gid: int | None
    group: str
    namespace_pid: int | None
    nice: int | None
    container_id: str
    language: str | None
    services: list[ServiceItem] | None
    listens: Listening
    tracers: list[TracerItem] | None
    instrumented: bool | None
    injection: str | None
    ended: str | None
    exit_code: int | None
    signal: str | None
    oom_killed: bool | None
    oom_cgroup: str | None
    cost: ExitCost | None
    numbers: ProcessNumbers


class ProcessItem(msgspec.Struct):
    """A process as an element of a list."""

    type: Literal["process"]
    id: str
    attributes: PublicAttributes


def public_item(visibility: Visibility, process: ProcessSummary) -> ProcessItem:
    """That of a reader, as all of these: with no more of the process than he may see."""
    return _item(visibility.org_id, process, public_attributes(visibility.shown(process)))


def detailed_item(visibility: Visibility, process: ProcessSummary, detail: ProcessDetail) -> ProcessItem:
    return _item(visibility.org_id, process, detailed_attributes(visibility.shown(process), detail))


def item_at_instant(visibility: Visibility, found: ProcessAtInstant) -> ProcessItem:
    """The item of a process at an instant, at which it had not ended."""
    return detailed_item(visibility, found.process, ProcessDetail(numbers=found.numbers))


def public_attributes(process: ProcessSummary) -> PublicAttributes:
    return PublicAttributes(
        process.description.cmdline,
        utc_text(process.seen_at),
        utc_text(process.identity.started_at),
        process.description.user,
        process.identity.pid,
        process.description.ppid,
        process.identity.host,
        process.tags,
    )


def detailed_attributes(process: ProcessSummary, detail: ProcessDetail) -> DetailedAttributes:
    description = process.description
    return DetailedAttributes(
        **msgspec.structs.asdict(public_attributes(process)),
        args=_encoded(arguments_of(description.cmdline, description.argument_words)),
        exe=description.exe,
        cwd=description.cwd,
        root=description.root,
        comm=description.comm,
        uid=description.uid,
        gid=description.gid,
        group=description.group_name,
        namespace_pid=description.namespace_pid,
        nice=description.nice,
        container_id=description.container_id,
        **(_NOTHING_DISCOVERED if description.discovery is None else _discovered(description.discovery)),
        ended=None if detail.ended_at is None else utc_text(detail.ended_at),
        exit_code=detail.exit_code,
        signal=None if detail.exit_code is None else signal_of(detail.exit_code),
        oom_killed=detail.exit_facts.oom_killed,
        oom_cgroup=detail.exit_facts.oom_cgroup or None,
        cost=detail.exit_facts.cost,
        numbers=detail.numbers,
    )


def _discovered(discovery: Discovery) -> dict[str, Any]:
    services, tracers = discovery.services, discovery.tracers
    return {
        "language": discovery.language or None,
        "services": None if services is None else [ServiceItem(one.name, one.found_by or None) for one in services],
        "listens": Listening(discovery.tcp_ports, discovery.udp_ports),
        "tracers": None if tracers is None else [TracerItem(one.runtime_id, one.service or None) for one in tracers],
        "instrumented": discovery.is_instrumented,
        "injection": discovery.injection or None,
    }


_NOTHING_DISCOVERED = _discovered(Discovery())


def changed_attributes(fields: Iterable[str], before: PublicAttributes, after: PublicAttributes) -> list[str]:
    """What fields of a `ProcessDescription` that differ are called among the attributes."""
    found: list[str] = []
    for field in fields:
        if field == "discovery":
            found += [name for name in _NOTHING_DISCOVERED if getattr(before, name) != getattr(after, name)]
        else:
            found.append("group" if field == "group_name" else field)
    return found


@lru_cache(maxsize=65536)
def utc_text(moment: int) -> str:
    """UTC to the second, without saying so: `2021-02-04T11:51:47`."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _item(org_id: int, process: ProcessSummary, attributes: PublicAttributes) -> ProcessItem:
    return ProcessItem("process", id_text(org_id, process.identity), attributes)


def _encoded(arguments: list[str] | None) -> msgspec.Raw:
    return _NULL if arguments is None else msgspec.Raw(_ENCODER.encode(arguments))
