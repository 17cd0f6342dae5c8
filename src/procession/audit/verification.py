"""Reads an audit trail as a whole, and says where it is not what was written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from procession.audit.chain import Anchor, BrokenChain, ChainLink
from procession.audit.folder import AuditFolder, Head, first_number_of
from procession.audit.recovery import lines_of

TELLING = ("damaged",)
"""Kinds of records that say themselves that something of the trail is missing."""


@dataclass
class AuditReport:
    records: int = 0
    """That were read, and fit."""
    files: int = 0
    anchors: int = 0
    last: ChainLink = field(default_factory=ChainLink)
    broken: str = ""
    """Where the chain breaks first, and why; empty where it does not."""
    told: list[str] = field(default_factory=list)
    """What the trail says of itself: that it was found damaged at a start."""
    gaps: int = 0
    """Times in which nothing could be written."""
    is_being_written: bool = False

    @property
    def is_good(self) -> bool:
        return not self.broken and not self.told


def verify(folder: AuditFolder) -> AuditReport:
    """Of a trail that may be written to meanwhile. Raises OSError where it cannot be read."""
    report = AuditReport()
    key = folder.key()
    # First, so that the files have at least what it says.
    head = None if key is None else folder.head(key)
    if key is None or head is None:
        missing = folder.key_file if key is None else folder.head_file
        report.broken = f"{missing} is missing, or not what was written"
        return report
    _walk_files(folder, key, head, report)
    if not report.broken and report.last.number < head.link.number:
        missing_from = report.last.number + 1
        report.broken = f"records {missing_from} to {head.link.number}, of which the head knows, are missing at the end"
    return report


def _walk_files(folder: AuditFolder, key: bytes, head: Head, report: AuditReport) -> None:
    for path in folder.files():
        if first_number_of(path) <= report.last.number and report.anchors:
            continue  # a stop came between the anchor and the removal of what it stands for
        report.files += 1
        for place, line in enumerate(_lines(path), 1):
            if _is_unfinished(line, head, report):
                report.is_being_written = True
                return
            try:
                _take(line, place, key, report)
                _check_head(report.last, head)
            except BrokenChain as error:
                report.broken = f"record {report.last.number + 1} ({path}, line {place}): {error}"
                return


def _take(line: bytes, place: int, key: bytes, report: AuditReport) -> None:
    anchor = Anchor.parse(line, key)
    if anchor is None:
        report.last = report.last.after(line)
        report.records += 1
        _listen(line, report)
        return
    if place != 1 or ChainLink(anchor.first - 1, anchor.before) != report.last:
        raise BrokenChain("this anchor is not in its place")
    report.last = anchor.link()
    report.anchors += 1


def _check_head(last: ChainLink, head: Head) -> None:
    if last.number == head.link.number and last != head.link:
        raise BrokenChain(f"it is another one than {head.file} had when it was written")


def _listen(line: bytes, report: AuditReport) -> None:
    if b'"kind":"damaged"' in line or b'"broken":' in line:
        record = json.loads(line)
        if record.get("kind") in TELLING or "broken" in record:
            report.told.append(f"record {record['number']} says: {record.get('reason') or record.get('broken')}")
    elif b'"kind":"gap"' in line:
        report.gaps += 1


def _is_unfinished(line: bytes, head: Head, report: AuditReport) -> bool:
    """What a writer is at, or was at when it was killed."""
    return report.last.number >= head.link.number and not line.endswith(b"\n")


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from lines_of(file)
