"""One thing that was looked at: how it is, and what to do if it is not well."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from procession.cli.terminal.visible_text import visible


class Level(StrEnum):
    GOOD = "good"
    WARNING = "warning"
    """It works, and may stop to work, or does less than it could."""
    BAD = "bad"


@dataclass(frozen=True)
class Finding:
    subject: str
    level: Level
    found: str
    advice: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def line(self) -> str:
        advice = f"; {self.advice}" if self.advice else ""
        return visible(f"{self.level:8} {self.subject:14} {self.found}{advice}")


def good(subject: str, found: str) -> Finding:
    return Finding(subject, Level.GOOD, found)


def warning(subject: str, found: str, advice: str) -> Finding:
    return Finding(subject, Level.WARNING, found, advice)


def bad(subject: str, found: str, advice: str) -> Finding:
    return Finding(subject, Level.BAD, found, advice)


def exit_code(findings: Iterable[Finding]) -> int:
    """1 where something is bad. A warning is no reason to stop a script."""
    return int(any(finding.level is Level.BAD for finding in findings))
