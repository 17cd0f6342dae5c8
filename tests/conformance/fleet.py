"""The processes that the clients are asked about: 2,500 on 25 hosts now, and two of two hours ago."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from procession.process import ProcessDescription, ProcessIdentity, ProcessKey, ProcessSummary, Sighting, Snapshot

HOSTS = 25
PER_HOST = 100
TESTING_HOSTS = 5

NOW_AGO = 60
"""Seconds before the fleet is posted: when all of it was seen."""
EARLIER_AGO = 2 * 3600
"""The same of the two that were seen on the first host before."""

REUSED_PID = 1001
CHANGED_PID = 1002
UNICODE_CMDLINE = '/usr/bin/python3 /srv/café/löschen.py --name "a+b&c=d%20e" 日本'

Item = dict[str, Any]
"""A process as the API's JSON has it."""


def snapshots(posted_at: int) -> list[Snapshot]:
    return [*(_snapshot(host, posted_at) for host in range(HOSTS)), _earlier(posted_at)]


def items_seen(snapshots: Iterable[Snapshot], org_id: int, from_at: int, to_at: int) -> list[Item]:
    """What the API says of a window, in its order: of each process the newest sighting."""
    newest: dict[ProcessIdentity, ProcessSummary] = {}
    for snapshot in sorted(snapshots, key=lambda snapshot: snapshot.taken_at):
        if from_at <= snapshot.taken_at <= to_at:
            for sighting in snapshot.sightings:
                identity = ProcessIdentity(snapshot.host, sighting.pid, sighting.started_at)
                newest[identity] = ProcessSummary(identity, snapshot.taken_at, sighting.description)
    items = [_item(summary, org_id) for summary in newest.values()]
    items.sort(key=lambda item: item["id"], reverse=True)
    items.sort(key=lambda item: str(item["attributes"]["start"]))
    return items


def _item(summary: ProcessSummary, org_id: int) -> Item:
    identity, description = summary.identity, summary.description
    return {
        "type": "process",
        "id": ProcessKey.of(identity).id_of(org_id).hex(),
        "attributes": {
            "cmdline": description.cmdline,
            "timestamp": _moment(summary.seen_at),
            "start": _moment(identity.started_at),
            "user": description.user,
            "pid": identity.pid,
            "ppid": description.ppid,
            "host": identity.host,
            "tags": [
                *description.tags,
                f"host:{identity.host}",
                f"user:{description.user}",
                f"command:{description.command}",
                f"state_zombie:{str(description.is_zombie).lower()}",
            ],
        },
    }


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat()


def _host_name(host: int) -> str:
    return f"web-{host:02}"


def _snapshot(host: int, posted_at: int) -> Snapshot:
    sightings = tuple(_sighting(host, number, posted_at) for number in range(PER_HOST))
    return Snapshot(host=_host_name(host), taken_at=posted_at - NOW_AGO, sightings=sightings)


def _earlier(posted_at: int) -> Snapshot:
    """When one pid belonged to another process, and another process had other arguments."""
    tags = _host_tags(0)
    changed_at = _start(0, CHANGED_PID - 1000, posted_at)
    return Snapshot(
        host=_host_name(0),
        taken_at=posted_at - EARLIER_AGO,
        sightings=(
            Sighting(REUSED_PID, posted_at - 86_400, _description("/usr/bin/last-owner --of-it", "nobody", tags)),
            Sighting(CHANGED_PID, changed_at, _description("/usr/sbin/worker --not-yet", "root", tags)),
        ),
    )


def _sighting(host: int, number: int, posted_at: int) -> Sighting:
    tags = _host_tags(host)
    if number == 0 and host < TESTING_HOSTS:
        cmdline, user = "/opt/datadog-agent/embedded/bin/process-agent --cfgpath=/etc/datadog.yaml", "dd-agent"
    elif number == 3 and host == 7:
        cmdline, user = UNICODE_CMDLINE, "jürgen"
    elif number % 10 == 4:
        cmdline, user = f"/usr/bin/java -jar /srv/shop-{number}.jar", f"uid:{3000 + host}"
        tags = tuple(sorted({*tags, "container_name:shop", "kube_namespace:team-a"}))
    elif number % 10 == 5:
        cmdline, user = f"/usr/bin/java -jar /srv/elasticsearch-{number}.jar", "elastic"
    else:
        cmdline, user = f"/usr/sbin/worker --host {host} --number {number}", "www-data"
    description = _description(cmdline, user, tags, is_zombie=number == PER_HOST - 1)
    return Sighting(1000 + number, _start(host, number, posted_at), description)


def _start(host: int, number: int, posted_at: int) -> int:
    """Each second is that of several processes on several hosts, so that the order of ties shows."""
    return posted_at - 20_000 + (number * 7 + host) % 300


def _host_tags(host: int) -> tuple[str, ...]:
    tags = [f"env:{'prod' if host % 2 else 'staging'}", "p-bosh", f"rack:{host % 4}"]
    return tuple(sorted([*tags, "testing:true"] if host < TESTING_HOSTS else tags))


def _description(cmdline: str, user: str, tags: tuple[str, ...], *, is_zombie: bool = False) -> ProcessDescription:
    exe = cmdline.partition(" ")[0]
    name = exe.rpartition("/")[2]
    return ProcessDescription(
        cmdline=cmdline, exe=exe, comm=name[:15], command=name, user=user, ppid=1, is_zombie=is_zombie, tags=tags
    )
