"""Records of the log: what comes back is what went in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procession.lifecycle.events import ProcessExit, ProcessExits
from procession.packed import pack
from procession.process import ProcessDescription, Snapshot
from procession.storage.embedded.log_records import (
    EXITS,
    SNAPSHOT,
    exits_entry,
    exits_in,
    snapshot_entry,
    snapshot_in,
)
from procession.storage.wal import Entry, Record
from tests.support.stores import strategies

AT = 1_700_000_000


def record_of(entry: Entry) -> Record:
    return Record(1, entry.org_id, entry.kind, entry.received_at, entry.payload)


@given(strategies.fleets())
def test_a_chunk_comes_back_as_it_was(fleet: list[Snapshot]) -> None:
    for snapshot in fleet:
        entry = snapshot_entry(7, pack(snapshot), AT)

        assert (entry.org_id, entry.kind, entry.received_at) == (7, SNAPSHOT, AT)
        assert snapshot_in(record_of(entry)) == pack(snapshot)


@given(st.data())
def test_exits_come_back_as_they_were(data: st.DataObject) -> None:
    for exits in data.draw(strategies.exits_over(data.draw(strategies.fleets()))):
        entry = exits_entry(7, exits, AT)

        assert (entry.org_id, entry.kind) == (7, EXITS)
        assert exits_in(record_of(entry)) == exits


def test_a_chunk_of_no_process_comes_back() -> None:
    empty = pack(Snapshot(host="web-1", taken_at=AT, sightings=(), request_id=2**64 - 1, split_id=3, chunk_count=1))

    assert snapshot_in(record_of(snapshot_entry(1, empty, AT))) == empty


def test_processes_of_one_description_share_it() -> None:
    description = ProcessDescription(cmdline="sleep 9", argument_words=(5,), tags=("a:b",))
    exits = ProcessExits("web-1", (ProcessExit(pid=1, at=AT, exit_code=0, description=description),))

    assert exits_in(record_of(exits_entry(1, exits, AT))).exits[0].description == description


@pytest.mark.parametrize("payload", [b"", b"\0\0\0\0", b"\x10\0\0\0nonsense", b"\xff\xff\xff\x7f" + b"x" * 20])
def test_what_is_no_record_is_refused(payload: bytes) -> None:
    for read in (snapshot_in, exits_in):
        with pytest.raises(ValueError):  # noqa: PT011 — of several libraries
            read(Record(1, 1, SNAPSHOT, AT, payload))
