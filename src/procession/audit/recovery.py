"""How an audit trail goes on after a stop, of whatever kind."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from procession.audit.chain import MAX_LINE_BYTES, Anchor, BrokenChain, ChainLink, number_of
from procession.audit.folder import AuditFolder, Head, first_number_of, replace_file, sync_folder


@dataclass
class _Behind:
    """What stands behind the newest record of which the head knows."""

    link: ChainLink
    path: Path
    end: int
    torn: bytes = b""


class Recovery:
    """Where a trail goes on after a stop, of whatever kind, and what is to be recorded of that."""

    def __init__(self, folder: AuditFolder, key: bytes) -> None:
        self._folder = folder
        self._key = key
        self.link = ChainLink()
        self.path: Path | None = None
        """None: the next record begins a file."""
        self.end = 0
        self.records: list[dict[str, Any]] = []
        head = folder.head(key)
        if head is not None:
            self._go_on_after(head)
        elif folder.head_file.exists() or folder.files():
            self._go_on_without_head()
        else:
            self._write_head()

    def _go_on_after(self, head: Head) -> None:
        path = self._folder.path / head.file
        self.link = head.link
        if head.link.number and (reason := _wrong_end(path, head)):
            self.records.append({"kind": "damaged", "reason": reason})
            return
        behind = _Behind(head.link, path, head.end)
        later = [file for file in self._folder.files() if first_number_of(file) > head.link.number and file != path]
        for file, offset in ((path, head.end), *((file, 0) for file in later)):
            if behind.torn:
                behind.torn += file.read_bytes()
                file.unlink()
            elif file.exists():
                _walk(file, offset, behind)
        if behind.torn:
            _cut(behind.path, behind.end)
            sync_folder(self._folder.path)
            cut = {"bytes": len(behind.torn), "sha256": hashlib.sha256(behind.torn).hexdigest()}
            self.records.append({"kind": "torn", **cut})
        self.link = behind.link
        if behind.end:
            self.path, self.end = behind.path, behind.end

    def _go_on_without_head(self) -> None:
        self.records.append({"kind": "damaged", "reason": "the head was missing, or not signed by this server"})
        for file in reversed(self._folder.files()):
            if (link := last_link(file, self._key)) is not None:
                self.link = link
                break
        self._write_head()

    def _write_head(self) -> None:
        name = self._folder.file_of(self.link.number + 1).name
        replace_file(self._folder.head_file, Head(self.link, name, 0).encode(self._key))


def _walk(file: Path, offset: int, behind: _Behind) -> None:
    with file.open("rb") as opened:
        opened.seek(offset)
        end = offset
        for line in lines_of(opened):
            try:
                behind.link = behind.link.after(line)
            except BrokenChain:
                opened.seek(end)
                behind.torn = opened.read()
                break
            end += len(line)
    behind.path, behind.end = file, end


def _cut(path: Path, end: int) -> None:
    if not end:
        path.unlink(missing_ok=True)
        return
    file = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        os.ftruncate(file, end)
        os.fdatasync(file)
    finally:
        os.close(file)


def _wrong_end(path: Path, head: Head) -> str:
    """What is wrong with the record that the head calls the newest; empty where nothing is."""
    try:
        size = path.stat().st_size
        line = _line_before(path, head.end) if size >= head.end else None
    except FileNotFoundError:
        return f"{path.name} was missing"
    if line is None:
        return f"{path.name} was shorter than it was written"
    link = _link_in(line)
    return "" if link == head.link else f"the end of {path.name} was not what was written"


def last_link(file: Path, key: bytes) -> ChainLink | None:
    """Of the last whole record in a file, or of an anchor."""
    with contextlib.suppress(BrokenChain), file.open("rb") as opened:
        if (anchor := Anchor.parse(opened.readline(MAX_LINE_BYTES), key)) is not None:
            return anchor.link()
    data = file.read_bytes()
    end = data.rfind(b"\n") + 1
    line = _line_before(file, end) if end else None
    return None if line is None else _link_in(line)


def last_line(path: Path) -> bytes | None:
    """That ends; None where there is none."""
    return _line_before(path, path.stat().st_size)


def _line_before(path: Path, end: int) -> bytes | None:
    with path.open("rb") as file:
        start = max(0, end - MAX_LINE_BYTES)
        file.seek(start)
        data = file.read(end - start)
    if not data.endswith(b"\n"):
        return None
    return data[data.rfind(b"\n", 0, -1) + 1 :]


def _link_in(line: bytes) -> ChainLink | None:
    """As the line says it of itself."""
    try:
        return ChainLink(number_of(line), bytes.fromhex(json.loads(line)["hash"]))
    except (BrokenChain, ValueError, LookupError, TypeError):
        return None


def lines_of(file: IO[bytes]) -> Iterator[bytes]:
    """Each with its end, the last perhaps without; what is longer than a record comes in pieces that are none."""
    while line := file.readline(MAX_LINE_BYTES):
        yield line
