"""Programs -> what an agent says of their processes."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import msgspec

from procession.command_line.program_name import command_name
from procession.discovery import Discovery
from procession.process import ProcessDescription
from procession.scrubbing import Scrubber
from procession.simulate.programs import UIDS, Program, Service

_SCRUBBER = Scrubber()


@dataclass(frozen=True, slots=True)
class Describer:
    """Describes processes in one place: on a host, of a service, in a pod."""

    facts: Mapping[str, str]
    """What fills the braces of a text."""
    tags: tuple[str, ...]
    lots: random.Random
    container_id: str = ""

    def __call__(self, program: Program, ppid: int, number: int = 0) -> ProcessDescription:
        lots = self.lots
        facts = {"service": "system", "port": "9100", **self.facts, "n": f"{number:04}"}
        line = program.cmdline
        if "{hex}" in line:
            facts["hex"] = f"{lots.getrandbits(48):012x}"
        if "{ip}" in line:
            facts["ip"] = f"10.{lots.randrange(4)}.{lots.randrange(256)}.{lots.randrange(1, 255)}"
        first = line.partition(" ")[0]
        cmdline, exe = _scrubbed(_filled(line, facts)), _filled(program.exe or first, facts)
        comm = program.comm or exe.rpartition("/")[2][:15]
        return ProcessDescription(
            cmdline=cmdline,
            exe=exe,
            cwd=_filled(program.cwd, facts),
            root="/",
            comm=comm,
            command=_command(cmdline, exe, comm),
            user=program.user,
            uid=UIDS[program.user],
            gid=UIDS[program.user],
            group_name="" if program.user.startswith("uid:") else program.user,
            ppid=ppid,
            nice=0,
            namespace_pid=number + 1 if self.container_id else None,
            container_id=self.container_id,
            is_zombie=not line,
            tags=self.tags,
            discovery=_listening_on(int(facts["port"])) if program.listens else None,
        )

    def titles(self, program: Program, description: ProcessDescription) -> tuple[ProcessDescription, ...]:
        """How it is described while it does one thing or the other."""
        title = description.cmdline.removesuffix(program.doing[0])
        return tuple(msgspec.structs.replace(description, cmdline=title + doing) for doing in program.doing)

    def of_service(self, service: Service, version: str, port: int) -> Describer:
        facts = {**self.facts, "service": service.name, "version": version, "port": str(port)}
        tags = (f"service:{service.name}", f"team:{service.team}", f"version:{version}")
        return Describer(facts, _sorted((*self.tags, *tags)), self.lots)

    def of_pod(self) -> Describer:
        """A new pod of the service."""
        service, version = self.facts["service"], self.facts["version"]
        pod = f"{service}-{self.lots.getrandbits(36):09x}-{self.lots.getrandbits(20):05x}"
        container_id = f"{self.lots.getrandbits(256):064x}"
        tags = (
            f"container_name:{service}",
            f"image_name:registry.internal.example/{service}",
            f"image_tag:{version}",
            f"kube_deployment:{service}",
            f"kube_namespace:{self.facts['env']}-{service[0]}",
            f"pod_name:{pod}",
        )
        facts = {**self.facts, "pod": pod, "container": container_id}
        return Describer(facts, _sorted((*self.tags, *tags)), self.lots, container_id)

    def shim_of(self, pod: Describer) -> Describer:
        """What holds a pod stands outside of it."""
        return Describer(pod.facts, self.tags, self.lots)


def _sorted(tags: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(map(str.lower, tags)))


def _filled(text: str, facts: Mapping[str, str]) -> str:
    if "{" not in text:
        return text
    return _interned(text.format_map(facts))


@lru_cache(maxsize=200_000)
def _interned(text: str) -> str:
    """The same object for the same text: a large fleet has most of its texts a thousand times."""
    return text


@lru_cache(maxsize=200_000)
def _scrubbed(cmdline: str) -> str:
    """As an agent does: a fleet is posted without its secrets."""
    return _SCRUBBER.scrub_line(cmdline)


@lru_cache(maxsize=1000)
def _listening_on(port: int) -> Discovery:
    return Discovery(tcp_ports=(port,), udp_ports=())


@lru_cache(maxsize=50_000)
def _command(cmdline: str, exe: str, comm: str) -> str:
    return command_name(cmdline.split(" ") if cmdline else [], exe, comm)
