"""Records of the log: what comes back is what went in."""

from __future__ import annotations

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from procession.lifecycle.events import ProcessExit, ProcessExits
from procession.packed import NUMBERS, STATE_NUMBERS, Listing, pack
from procession.process import ExitFacts, ProcessDescription, ProcessNumbers, Snapshot
from procession.storage.embedded import log_records
from procession.storage.embedded.log_records import (
    EXITS,
    SNAPSHOT,
    WHOLE_SNAPSHOT,
    exits_entry,
    exits_in,
    snapshot_entry,
    snapshot_in,
)
from procession.storage.wal import Entry, Record
from tests.support.builders import a_sighting, a_snapshot
from tests.support.stores import strategies
from tests.support.stores.unpacked import unpack

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


def test_an_exit_of_a_version_that_knew_less_of_it_is_read() -> None:
    exits = ProcessExits("web-1", (ProcessExit(pid=1, at=AT, exit_code=137, description=ProcessDescription()),))
    known = ProcessExit(
        pid=1, at=AT, exit_code=137, description=ProcessDescription(), facts=ExitFacts(oom_killed=True, oom_cgroup="/a")
    )
    entry = exits_entry(1, exits, AT)
    told = msgspec.msgpack.decode(log_records._decompressed(entry.payload))
    del told["exits"][0]["facts"]
    payload = log_records._compressed(msgspec.msgpack.encode(told))

    assert exits_in(record_of(Entry(1, EXITS, AT, payload))) == exits
    with_facts = ProcessExits("web-1", (known,))
    assert exits_in(record_of(exits_entry(1, with_facts, AT))) == with_facts


def written_by(numbers: tuple[tuple[str, str], ...], values: tuple[float, ...]) -> Record:
    """A record of one process, by a version whose rows have these numbers."""
    described = (*numbers, ("state", "u1"))
    chunk = [
        "web-1", AT, 3, 0, 1, [7], [AT - 9], [40],
        np.array([values], [(name, f"<{kind}") for name, kind in described]).tobytes(),
        ["cmdline", "not_known_here"], [["sleep 9", 1]],
        ",".join(f"{name}:{kind}" for name, kind in described),
    ]  # fmt: skip
    data = msgspec.msgpack.encode(chunk)
    payload = len(data).to_bytes(4, "little") + pa.Codec("zstd").compress(data, asbytes=True)
    return Record(1, 1, WHOLE_SNAPSHOT, AT, payload)


def numbers_in(record: Record) -> ProcessNumbers:
    snapshot = snapshot_in(record)
    assert [one.description for one in snapshot.listing.processes] == [ProcessDescription(cmdline="sleep 9")]
    return unpack(snapshot).sightings[0].numbers


def test_a_record_of_a_version_that_had_fewer_numbers_is_read_and_the_others_are_not_known() -> None:
    record = written_by((("threads", "i4"), ("rss_bytes", "i8")), (3, 2**40, STATE_NUMBERS["S"]))

    assert numbers_in(record) == ProcessNumbers(threads=3, rss_bytes=2**40, state="S")


def test_a_record_of_a_version_that_had_more_numbers_is_read_without_them() -> None:
    record = written_by((("faults", "i8"), *NUMBERS), (1, *(2 for _ in NUMBERS), STATE_NUMBERS["R"]))

    assert numbers_in(record) == ProcessNumbers(**{name: 2 for name, _ in NUMBERS}, state="R")


def test_a_record_of_a_version_that_did_not_name_its_numbers_is_read() -> None:
    names = [name for name, _ in NUMBERS]
    first = NUMBERS[: names.index("involuntary_switches") + 1]
    record = written_by(first, (*(2 for _ in first), STATE_NUMBERS["R"]))
    data = pa.decompress(record.payload[4:], int.from_bytes(record.payload[:4], "little"), "zstd", asbytes=True)
    unnamed = msgspec.msgpack.encode(msgspec.msgpack.decode(data)[:-1])
    payload = len(unnamed).to_bytes(4, "little") + pa.Codec("zstd").compress(unnamed, asbytes=True)

    numbers = numbers_in(Record(1, 1, WHOLE_SNAPSHOT, AT, payload))
    assert (numbers.state, numbers.involuntary_switches, numbers.connections) == ("R", 2, None)


@pytest.mark.parametrize("kind", ["", "i9", "O", "f8,"])
def test_a_record_whose_numbers_are_none_is_refused(kind: str) -> None:
    record = written_by(NUMBERS, (*(2 for _ in NUMBERS), 1))
    data = pa.decompress(record.payload[4:], int.from_bytes(record.payload[:4], "little"), "zstd", asbytes=True)
    other = msgspec.msgpack.encode([*msgspec.msgpack.decode(data)[:-1], f"rss_bytes:{kind}"])
    payload = len(other).to_bytes(4, "little") + pa.Codec("zstd").compress(other, asbytes=True)

    with pytest.raises(ValueError):  # noqa: PT011 — of several libraries
        snapshot_in(Record(1, 1, WHOLE_SNAPSHOT, AT, payload))


@pytest.mark.parametrize("payload", [b"", b"\0\0\0\0", b"\x10\0\0\0nonsense", b"\xff\xff\xff\x7f" + b"x" * 20])
def test_what_is_no_record_is_refused(payload: bytes) -> None:
    for read, kind in ((snapshot_in, SNAPSHOT), (snapshot_in, WHOLE_SNAPSHOT), (exits_in, EXITS)):
        with pytest.raises(ValueError):  # noqa: PT011 — of several libraries
            read(Record(1, 1, kind, AT, payload))


def test_a_record_names_its_numbers() -> None:
    entry = snapshot_entry(1, pack(a_snapshot(a_sighting(pid=7, numbers=ProcessNumbers(threads=3, state="S")))), AT)
    other = entry.payload.replace(b"threads:i4", b"strands:i4")

    assert len(other) == len(entry.payload)
    assert numbers_of(record_of(entry)).threads == 3
    assert numbers_of(Record(1, 1, SNAPSHOT, AT, other)) == ProcessNumbers(state="S")


def test_records_that_list_the_same_share_their_listing() -> None:
    snapshots = [pack(a_snapshot(a_sighting(pid=7), taken_at=at)) for at in (AT, AT + 10)]
    listings: dict[bytes, Listing] = {}

    found = [snapshot_in(record_of(snapshot_entry(1, one, AT)), listings) for one in snapshots]

    assert found == snapshots
    assert found[0].listing is found[1].listing


def test_of_large_listings_only_some_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_records, "_MOST_CHARACTERS", 2**20)
    listings: dict[bytes, Listing] = {}
    most = 0
    for number in range(18):
        found = snapshot_in(
            record_of(snapshot_entry(1, pack(a_snapshot(a_sighting(pid=7, cmdline=f"{number} {'x' * 2**16}"))), AT)),
            listings,
        )
        most = max(most, sum(one.characters for one in listings.values()))
        assert list(listings.values())[-1] is found.listing

    assert 2**19 < most <= 2**20


def numbers_of(record: Record) -> ProcessNumbers:
    return unpack(snapshot_in(record)).sightings[0].numbers
