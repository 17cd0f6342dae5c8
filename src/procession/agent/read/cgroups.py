"""Which container a process runs in, by the names that runtimes give to control groups.

0::/system.slice/docker-<id>.scope                          Docker with systemd
0::/docker/<id>                                             Docker without
12:pids:/kubepods/burstable/pod<uid>/<id>                   Kubernetes, control groups version 1
0::/kubepods.slice/kubepods-pod<uid>.slice/cri-containerd-<id>.scope
0::/system.slice/containerd.service/kubepods-besteffort-pod<uid>.slice:cri-containerd:<id>
0::/kubepods/besteffort/pod<uid>/crio-<id>                  CRI-O without systemd
0::/machine.slice/libpod-<id>.scope/container               Podman
0::/system.slice/web.service/libpod-payload-<id>            Podman, in the group of a service
4:memory:/ecs/<task>/<task>-<number>                        Amazon's ECS on Fargate
3:cpu:/garden/<uuid>                                        Cloud Foundry

A folder is a container's only if its whole name is one of these. Ids are part of the names of many more: pods of Podman
(`machine-libpod_pod_<id>.slice`, `/libpod_parent/<id>`), what a runtime runs beside a container
(`libpod-conmon-<id>.scope`, `crio-conmon-<id>`, `/kata_overhead/<id>`), health checks (`<id>.service`) and mounts.
"""

from __future__ import annotations

import functools
import re

_CONTAINER = re.compile(
    rb"(?:"
    # A runtime that passes its name on to systemd, or to nobody who knows what to do with it: `pod.slice:crio:<id>`.
    rb"(?:.*:|(?P<runtime>[a-z][a-z0-9.]*(?:-[a-z][a-z0-9.]*)*)-)?(?P<id>[0-9a-f]{64})(?:\.scope)?"
    rb"|(?P<task>[0-9a-f]{32}-\d{1,20})"
    rb"|(?P<garden>[0-9a-f]{8}(?:-[0-9a-f]{4}){4,5})"
    rb")",
    re.DOTALL,
)
_MONITOR = b"conmon"
_FOLDERS_OF_OTHERS = frozenset((b"libpod_parent", b"kata_overhead"))
"""A mere id below these is that of a pod, or of the container that a helper serves."""
_GONE = b" (deleted)"
"""What the kernel adds to the path of a group that is no more, whose last process is a zombie."""


@functools.lru_cache(maxsize=1024)  # most processes share theirs with others
def container_id(cgroup: bytes) -> str:
    """The innermost container, from the bytes of `/proc/<pid>/cgroup`; empty outside of containers."""
    found: list[bytes] = []
    for line in cgroup.split(b"\n"):
        # Version 1 has a line for each hierarchy, and not every one of them is divided as deeply.
        nested = _containers(line.split(b":", 2)[-1].removesuffix(_GONE))
        if len(nested) > len(found):
            found = nested
    return found[-1].decode("ascii") if found else ""


def _containers(path: bytes) -> list[bytes]:
    """Their ids, the outermost first."""
    found: list[bytes] = []
    above = b""
    for folder in path.split(b"/"):
        if folder == _MONITOR and found and above.startswith(b"libpod-"):
            found.pop()  # an old Podman has it below the container that it watches, and runs beside
        elif (name := _CONTAINER.fullmatch(folder)) is not None:
            runtime = name["runtime"] or b""
            if _MONITOR not in runtime.split(b"-") and (runtime or above not in _FOLDERS_OF_OTHERS):
                found.append(name["id"] or name["task"] or name["garden"])
        above = folder
    return found
