"""The live table in a file, so that a start does not have to read it from elsewhere.

A file has sections, each with its length and a checksum: a head, and for each org what it has besides arrays, and its
arrays. It is written under another name, synced and renamed, so there is a whole one or none.
"""

from __future__ import annotations

import contextlib
import os
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec
import numpy as np

from procession.process import ProcessDescription
from procession.storage.live.columns import NUMBERS_ROW, Array, Columns
from procession.storage.live.dictionaries import Text
from procession.storage.live.hosts import Host, HostState
from procession.storage.live.org_table import OrgTable
from procession.storage.live.table import LiveTable

FORMAT: Final = 2
_MAGIC = b"procession live table %d\n" % FORMAT
_FIRST_LINE = re.compile(rb"procession live table ([1-9][0-9]{0,5})\n")
_LONGEST_LINE = 32
_SECTION = struct.Struct("<QI")  # length, checksum


class CheckpointError(Exception):
    """There is no checkpoint that can be read; what the table is to hold has to come from elsewhere."""


class _Head(msgspec.Struct):
    position: int
    since: int
    orgs: tuple[int, ...]
    numbers: str
    """How a row of numbers lies in its bytes."""


class _Org(msgspec.Struct):
    since: int
    exits_since: int
    newest: int
    texts: list[Text | None]
    labels: list[ProcessDescription | None]
    hosts: list[HostState | None]
    arrays: list[tuple[str, str, str]]
    """What they belong to, their names and types, in the order in which they come."""


def format_of(path: Path) -> int | None:
    """Which version of the format a file has; None where it is none, or cannot be read."""
    try:
        with path.open("rb") as file:
            line = _FIRST_LINE.match(file.read(_LONGEST_LINE))
    except OSError:
        return None
    return None if line is None else int(line[1])


def write_checkpoint(table: LiveTable, path: Path, position: int) -> None:
    """`position`: up to where in the log everything had been applied before this was called. What was applied since may
    be in the checkpoint as well; applied again, it changes nothing."""
    new = path.with_name(f"{path.name}.new")
    try:
        with new.open("wb") as file:
            _write_table(file, table, position)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError:
        # A part of one must not take the space of a disk that is full.
        with contextlib.suppress(OSError):
            new.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _write_table(file: BinaryIO, table: LiveTable, position: int) -> None:
    file.write(_MAGIC)
    orgs = table.org_ids()
    _write(file, msgspec.msgpack.encode(_Head(position, table.since, orgs, str(NUMBERS_ROW))))
    for org_id in orgs:
        # Copied while others wait, written while they do not.
        with table.reading(org_id) as of_org:
            state, arrays = _state_of(of_org)
        _write(file, msgspec.msgpack.encode(state))
        for array in arrays:
            _write(file, array.view("u1").data)


def read_checkpoint(path: Path, table: LiveTable) -> int:
    """Fill a table that is empty; gives the position. Raises CheckpointError, and then nothing is in it."""
    try:
        with path.open("rb") as file:
            if file.read(len(_MAGIC)) != _MAGIC:
                raise CheckpointError(f"{path} is no checkpoint that this version can read")
            head = msgspec.msgpack.decode(_read(file), type=_Head)
            if head.numbers != str(NUMBERS_ROW):
                raise CheckpointError(f"{path} has other numbers than this version")
            orgs = {org_id: _read_org(file) for org_id in head.orgs}
    except (OSError, EOFError, ValueError, KeyError, IndexError, msgspec.MsgspecError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}") from error
    table.restore(head.since, orgs)
    return head.position


def _state_of(table: OrgTable) -> tuple[_Org, list[Array]]:
    places, arrays = [], []
    for owner, columns, count in _columns(table):
        for field in fields(columns):
            array = getattr(columns, field.name)[:count].copy()
            places.append((owner, field.name, array.dtype.str))
            arrays.append(array)
    order = table.order.in_order()
    places.append(("order", "", order.dtype.str))
    arrays.append(order)
    state = _Org(
        table.since,
        table.exits_since,
        table.newest,
        list(table.descriptions.texts.values),
        list(table.descriptions.labels.values),
        [None if host is None else host.state() for host in table.hosts],
        places,
    )
    return state, arrays


def _columns(table: OrgTable) -> Iterator[tuple[str, Columns, int]]:
    yield "rows", table.rows, table.row_count
    yield "versions", table.versions, table.version_count
    yield "host_moments", table.host_moments, len(table.hosts)


def _read_org(file: BinaryIO) -> OrgTable:
    state = msgspec.msgpack.decode(_read(file), type=_Org)
    table = OrgTable(state.since)
    table.exits_since, table.newest = state.exits_since, state.newest
    arrays: dict[tuple[str, str], Any] = {}
    for owner, name, kind in state.arrays:
        arrays[owner, name] = np.frombuffer(bytearray(_read(file)), np.dtype(kind))
    for owner, columns, _ in _columns(table):
        for field in fields(columns):
            array = arrays[owner, field.name]
            if array.dtype != getattr(columns, field.name).dtype:
                raise ValueError(f"{owner} has {field.name} of another type")
            setattr(columns, field.name, array)
    # Other processes have other hashes: the next sightings find that the descriptions are the same.
    table.rows.hash[:] = 0
    table.row_count, table.version_count = len(table.rows.key), len(table.versions.first)
    table.descriptions.restore(state.texts, state.labels)
    table.restore_hosts([None if one is None else Host.of(one) for one in state.hosts])
    order = arrays["order", ""]
    table.order.restore(table.rows.key[order], order)
    return table


def _write(file: BinaryIO, section: bytes | memoryview) -> None:
    file.write(_SECTION.pack(len(section), zlib.crc32(section)))
    file.write(section)


def _read(file: BinaryIO) -> bytes:
    head = file.read(_SECTION.size)
    if len(head) < _SECTION.size:
        raise EOFError("it ends too early")
    length, checksum = _SECTION.unpack(head)
    if length > os.fstat(file.fileno()).st_size:
        raise EOFError("it ends too early")
    section = file.read(length)
    if len(section) < length or zlib.crc32(section) != checksum:
        raise ValueError("what is in it is damaged")
    return section
