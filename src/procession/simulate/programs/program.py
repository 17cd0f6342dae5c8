"""What a program is, a service made of some, and a host that runs services.

Braces in a text are filled when a process begins: `{host}`, `{env}`, `{region}`, `{service}`, `{version}`, `{port}`,
`{n}` (its number among its siblings), `{hex}` (its own), `{pod}`, `{container}`, `{ip}`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from procession.simulate.motion import Temper

IDLE = Temper(0.15, 0.25)
DAEMON = Temper(0.4, 0.45, threads=2, files=18)
WORKER = Temper(0.45, 0.6, threads=2, files=24)
SERVER = Temper(0.76, 0.85, threads=24, files=140)
JVM = Temper(0.93, 0.97, threads=90, files=420)
SHORT = Temper(0.95, 0.4, files=6)


@dataclass(frozen=True, slots=True)
class Program:
    cmdline: str
    temper: Temper = DAEMON
    exe: str = ""
    """Empty: the first word of the command line."""
    user: str = "root"
    cwd: str = "/"
    comm: str = ""
    """Empty: the last part of `exe`."""
    doing: tuple[str, ...] = ()
    """What its title ends in by turns, for one that says there what it does; the command line ends in the first."""
    listens: bool = False
    """Whether it listens on the port of its service, as an agent has found out. Of others nothing is said."""


@dataclass(frozen=True, slots=True)
class Service:
    """What is deployed as one: a process, and workers below it."""

    name: str
    team: str
    program: Program
    workers: tuple[Program, ...] = ()
    most_workers: int = 12
    port: int = 8080


@dataclass(frozen=True, slots=True)
class Role:
    """What a host is there for."""

    name: str
    weight: int
    services: tuple[Service, ...]
    in_containers: bool = False
    short_lived: tuple[Program, ...] = field(default=())


UIDS = {
    "root": 0,
    "daemon": 1,
    "www-data": 33,
    "messagebus": 101,
    "systemd-timesync": 997,
    "systemd-network": 998,
    "syslog": 104,
    "postgres": 113,
    "redis": 114,
    "kafka": 115,
    "elasticsearch": 116,
    "rabbitmq": 117,
    "memcache": 118,
    "node-exporter": 119,
    "dd-agent": 120,
    "polkitd": 996,
    "app": 1000,
    "deploy": 1001,
    "jenkins": 1002,
    "airflow": 50000,
    "nobody": 65534,
    "uid:10001": 10001,
}
"""Of the users that programs run as."""
