"""Monitors that almost everybody wants: to begin with, and to change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from procession.monitors.monitor import TYPE


@dataclass(frozen=True, slots=True)
class Starter:
    id: str
    about: str
    """What it is for, and what to change."""
    name: str
    query: str
    message: str
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def body(self) -> dict[str, Any]:
        """As it is sent to make a monitor of it."""
        return {
            "type": TYPE,
            "name": self.name,
            "query": self.query,
            "message": self.message,
            "tags": [],
            "options": dict(self.options),
        }


STARTERS = (
    Starter(
        "gone",
        "A service that has to run: change nginx to its name. Hosts that had it and do not tell of it any more count.",
        "nginx is gone",
        "processes('command:nginx').by('host').rollup('count_now') < 1",
        "{{#is_alert}}nginx is gone from {{host.name}}: {{reason}}\n{{processes}}{{/is_alert}}"
        "{{#is_recovery}}nginx is back on {{host.name}}{{/is_recovery}}",
    ),
    Starter(
        "crash-loop",
        "Something crashes and is started again, over and over.",
        "A command starts again and again",
        "processes('').by('host','command').rollup('starts').last('10m') > 20",
        "{{command.name}} started {{value}} times on {{host.name}} in 10 minutes\n{{processes}}",
    ),
    Starter(
        "memory",
        "The processes of one command use much memory on a host.",
        "A command uses more than 8 GB",
        "processes('').by('host','command').rollup('sum','rss_bytes') > 8000000000",
        "{{command.name}} uses {{value}} bytes on {{host.name}}\n{{processes}}",
        {"thresholds": {"critical": 8_000_000_000, "warning": 6_000_000_000}},
    ),
    Starter(
        "cpu",
        "A single process keeps several cores busy.",
        "A process uses more than four cores",
        "processes('').by('host','command').rollup('max','cpu_total_percent') > 400",
        "A {{command.name}} on {{host.name}} uses {{value}}% of a core\n{{processes}}",
    ),
    Starter(
        "too-many",
        "A host runs far more processes than it should: a fork bomb, or jobs that pile up.",
        "Too many processes on a host",
        "processes('').by('host').rollup('count_now') > 2000",
        "{{host.name}} runs {{value}} processes\n{{processes}}",
        {"thresholds": {"critical": 2000, "warning": 1500}},
    ),
    Starter(
        "new-root",
        "A command runs as root that was never seen before.",
        "A new command runs as root",
        "processes('user:root').by('command').rollup('first_seen').last('1h') > 0",
        "{{command.name}} runs as root for the first time\n{{processes}}",
    ),
    Starter(
        "zombies",
        "Processes that ended and that nobody waits for.",
        "Zombies pile up",
        "processes('state_zombie:true').by('host').rollup('count_now') > 50",
        "{{value}} zombies on {{host.name}}\n{{processes}}",
    ),
    Starter(
        "open-files",
        "A process comes near the usual limit of open files.",
        "A process has many files open",
        "processes('').by('host','command').rollup('max','open_files') > 900",
        "{{command.name}} on {{host.name}} has {{value}} files open\n{{processes}}",
    ),
)
