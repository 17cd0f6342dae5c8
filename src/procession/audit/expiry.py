"""What becomes of files whose time is over: a signed anchor stands for their records, so that the chain still holds."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from procession.audit.chain import MAX_LINE_BYTES, Anchor, BrokenChain, ChainLink
from procession.audit.folder import AuditFolder, first_number_of, replace_file
from procession.audit.recovery import last_line, lines_of

DAY_SECONDS = 86400


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    anchor: Anchor | None
    is_over: bool


def expired(
    folder: AuditFolder, key: bytes, retention_days: int, *, now: float, newest: Path | None
) -> list[dict[str, Any]]:
    """Which records were removed now, for the record of that. Raises OSError.

    A file is kept as long as the retention said when it was begun, or as `retention_days` says if that is longer.
    """
    files = [_file_of(path, key, retention_days, now) for path in folder.files() if path != newest]
    _remove_left_over(files)
    found = list[dict[str, Any]]()
    link = ChainLink()
    run = list[_File]()
    for file in files:
        if not file.path.exists():
            continue
        if file.anchor is None and not file.is_over:
            link = _replaced(run, link, key, now, found) if run else link
            run = []
            link = _end_of(file.path) or link
        else:
            run.append(file)
    if run:
        _replaced(run, link, key, now, found)
    return found


def first_fields(path: Path) -> dict[str, Any] | None:
    """What the first record of a file says of it; None where there is none, as of an anchor."""
    try:
        with path.open("rb") as file:
            fields = json.loads(file.readline(MAX_LINE_BYTES))
        return fields if {"at", "retention_days"} <= fields.keys() else None
    except (ValueError, AttributeError):
        return None


def _file_of(path: Path, key: bytes, retention_days: int, now: float) -> _File:
    with path.open("rb") as file:
        first = file.readline(MAX_LINE_BYTES)
    try:
        anchor = Anchor.parse(first, key)
    except BrokenChain:
        return _File(path, None, is_over=False)  # `verify` says what is wrong
    if anchor is not None:
        return _File(path, anchor, is_over=True)
    fields, last = first_fields(path), last_line(path)
    if fields is None or last is None:
        return _File(path, None, is_over=False)
    days = max(retention_days, int(fields["retention_days"]))
    try:
        newest_at = float(json.loads(last)["at"])
    except (ValueError, LookupError, TypeError):
        return _File(path, None, is_over=False)
    return _File(path, None, is_over=now - newest_at > days * DAY_SECONDS)


def _remove_left_over(files: list[_File]) -> None:
    """A stop may come between an anchor and the removal of what it stands for."""
    last = 0
    for file in files:
        if file.anchor is None and first_number_of(file.path) <= last:
            file.path.unlink()
        elif file.anchor is not None:
            last = max(last, file.anchor.last)


def _replaced(run: list[_File], before: ChainLink, key: bytes, now: float, found: list[dict[str, Any]]) -> ChainLink:
    """One anchor for neighbours, in the place of the first; gives where the chain goes on after it."""
    link, broken = before, ""
    for file in run:
        if file.anchor is not None:
            link = file.anchor.link()
            continue
        end, reason = _checked(file.path, link)
        broken = broken or reason
        removed = {"first": first_number_of(file.path), "last": end.number}
        found.append(removed | ({"broken": f"{file.path.name}: {reason}"} if reason else {}))
        link = end
    if len(run) > 1 or run[0].anchor is None:
        anchor = Anchor(before.number + 1, link.number, before.hash, link.hash, int(now))
        replace_file(run[0].path, anchor.line(key))
        for file in run[1:]:
            file.path.unlink()
    return link


def _checked(path: Path, link: ChainLink) -> tuple[ChainLink, str]:
    """The end of a file, and what is wrong with it: an anchor must not hide that what it stands for was changed."""
    start = link
    with path.open("rb") as file:
        for line in lines_of(file):
            try:
                link = link.after(line)
            except BrokenChain as error:
                return _end_of(path) or start, f"record {link.number + 1}: {error}"
    return link, ""


def _end_of(path: Path) -> ChainLink | None:
    line = last_line(path)
    if line is None:
        return None
    try:
        fields = json.loads(line)
        return ChainLink(int(fields["number"]), bytes.fromhex(fields["hash"]))
    except (ValueError, LookupError, TypeError):
        return None
