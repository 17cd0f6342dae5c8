"""Which container a process runs in, by the names that runtimes give to control groups.

0::/system.slice/docker-<id>.scope                          Docker with systemd
0::/docker/<id>                                             Docker without
12:pids:/kubepods/burstable/pod<uid>/<id>                   Kubernetes, control groups version 1
0::/kubepods.slice/kubepods-pod<uid>.slice/cri-containerd-<id>.scope
0::/system.slice/containerd.service/kubepods-besteffort-pod<uid>.slice:cri-containerd:<id>
0::/machine.slice/libpod-<id>.scope/container               Podman
4:memory:/ecs/<task>/<task>-<number>                        Amazon's ECS on Fargate
3:cpu:/garden/<uuid>                                        Cloud Foundry
"""

from __future__ import annotations

import re

# Where containers are nested, the innermost comes last. A pod's uid is no container's id.
_ID = re.compile(
    rb"(?<![0-9a-f])(?:[0-9a-f]{64}|[0-9a-f]{32}-\d{1,20}|(?<=/)[0-9a-f]{8}(?:-[0-9a-f]{4}){4,5}(?=\Z))(?![0-9a-f])"
)
# What a runtime runs beside a container, under its id.
_BESIDE = re.compile(rb"conmon|\.mount\Z|\.swap\Z")


def container_id(cgroup: bytes) -> str:
    """From the bytes of `/proc/<pid>/cgroup`; empty outside of containers."""
    for line in cgroup.splitlines():
        path = line.split(b":", 2)[-1]
        for part in reversed(path.split(b"/")):
            found = None if _BESIDE.search(part) else _last_id(part)
            if found is not None:
                return found.decode("ascii")
    return ""


def _last_id(part: bytes) -> bytes | None:
    ids = _ID.findall(b"/" + part)
    return ids[-1] if ids else None
