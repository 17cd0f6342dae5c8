from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest

from procession.agent.outbox import Outbox
from procession.agent.payload import Payload
from procession.agent.spool import Spool
from procession.errors import UsageError


def payloads(*bodies: bytes) -> list[Payload]:
    return [Payload(body, {}) for body in bodies]


def drain(outbox: Outbox) -> list[bytes]:
    bodies = []
    while outbox.snapshots and (payload := outbox.first()) is not None:
        bodies.append(payload.body)
        outbox.done(payload)
    return bodies


def test_what_comes_first_goes_first() -> None:
    outbox = Outbox(1000)
    outbox.put(payloads(b"1a", b"1b"))
    outbox.put(payloads(b"2"))

    assert outbox.snapshots == 2
    assert drain(outbox) == [b"1a", b"1b", b"2"]


def test_a_payload_stays_until_it_is_done() -> None:
    outbox = Outbox(1000)
    outbox.put(payloads(b"1", b"2"))

    first = outbox.first()
    assert first is not None
    assert outbox.first() is first

    outbox.done(first)
    outbox.done(first)  # nothing more happens
    assert drain(outbox) == [b"2"]


def test_the_oldest_snapshots_go_when_it_is_full() -> None:
    outbox = Outbox(10)
    dropped = [outbox.put(payloads(*bodies)) for bodies in ((b"aaaa", b"aa"), (b"bbb",), (b"cccc",))]

    assert dropped == [0, 0, 1]
    assert outbox.dropped == 1
    assert drain(outbox) == [b"bbb", b"cccc"]


def test_what_was_delivered_makes_room() -> None:
    outbox = Outbox(10)
    outbox.put(payloads(b"aaaa", b"aaaa"))
    first = outbox.first()
    assert first is not None
    outbox.done(first)

    assert outbox.put(payloads(b"bbbbbb")) == 0
    assert drain(outbox) == [b"aaaa", b"bbbbbb"]


def test_the_newest_snapshot_stays_however_large() -> None:
    outbox = Outbox(0)
    outbox.put(payloads(b"a" * 100, b"b" * 100))
    outbox.put(payloads(b"c" * 100, b"d" * 100))

    assert drain(outbox) == [b"c" * 100, b"d" * 100]


def test_a_payload_that_had_to_go_while_it_was_sent_is_no_longer_asked_for() -> None:
    outbox = Outbox(5)
    outbox.put(payloads(b"aaa"))
    sent = outbox.first()
    assert sent is not None
    outbox.put(payloads(b"bbbb"))

    outbox.done(sent)

    assert drain(outbox) == [b"bbbb"]


def test_a_snapshot_without_payloads_is_none() -> None:
    outbox = Outbox(5)
    outbox.put([])

    assert outbox.snapshots == 0


def test_waiting_ends_when_something_comes_or_the_outbox_closes() -> None:
    filled, closed = Outbox(5), Outbox(5)
    got: list[Payload | None] = []
    threads = [threading.Thread(target=lambda outbox=outbox: got.append(outbox.first())) for outbox in (filled, closed)]
    for thread in threads:
        thread.start()

    (payload,) = payloads(b"a")
    filled.put([payload])
    threads[0].join(5)
    closed.close()
    threads[1].join(5)

    assert got == [payload, None]


def test_what_is_on_disk_outlives_the_agent_and_arrives_in_order_and_once(tmp_path: Path) -> None:
    """An hour without a server; the agent is killed twice, which is to be forgotten without a word of goodbye."""
    arrived: list[bytes] = []
    for begin, end in ((0, 100), (100, 200), (200, 360)):
        spool = Spool(tmp_path)
        outbox = Outbox(10_000_000, spool)
        for number in range(begin, end):
            outbox.put(payloads(b"%d a" % number, b"%d b" % number))
        outbox.first()
        spool.close()  # as the kernel does for one that is killed

    outbox = Outbox(10_000_000, Spool(tmp_path))
    assert outbox.snapshots == 360
    arrived = drain(outbox)

    assert arrived == [b"%d %s" % (number, part) for number in range(360) for part in (b"a", b"b")]
    assert outbox.dropped == 0
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]


def test_what_waits_on_disk_is_bounded_and_does_not_wait_in_memory(tmp_path: Path) -> None:
    outbox = Outbox(100_000, Spool(tmp_path))
    for number in range(50):
        outbox.put(payloads(b"%d" % number * 10_000))

    held = sum(path.stat().st_size for path in tmp_path.iterdir())
    bodies = drain(outbox)

    assert held <= 100_000
    assert bodies[-1] == b"49" * 10_000
    assert outbox.dropped == 50 - len(bodies)


def test_a_damaged_file_costs_its_snapshot_and_no_other(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    outbox = Outbox(1000, spool)
    for body in (b"1", b"2", b"3"):
        outbox.put(payloads(body))
    files = sorted(tmp_path.glob("*.snapshot"))
    files[1].write_bytes(b"\x00garbage")
    (tmp_path / "00000000000000000009.new").write_bytes(b"half")
    spool.close()

    outbox = Outbox(1000, Spool(tmp_path))

    assert drain(outbox) == [b"1", b"3"]
    assert outbox.dropped == 1
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]


def test_a_disk_that_takes_nothing_costs_nothing_while_the_agent_lives(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    outbox = Outbox(1000, spool)
    outbox.put(payloads(b"1"))
    shutil.rmtree(tmp_path / "spool")

    with pytest.raises(OSError, match="No such file"):
        outbox.put(payloads(b"2"))

    assert drain(outbox) == [b"1", b"2"]


def test_a_folder_belongs_to_one_agent_and_to_nobody_else(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "a" / "b")
    spool.write(payloads(b"x"))

    assert (tmp_path / "a" / "b").stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "a" / "b").iterdir())
    with pytest.raises(UsageError, match=r"another agent keeps its snapshots in .*; --spool-dir names another"):
        Spool(tmp_path / "a" / "b")
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"cannot keep snapshots in .*: Not a directory"):
        Spool(tmp_path / "file" / "x")
