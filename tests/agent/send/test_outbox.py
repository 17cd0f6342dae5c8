from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest

from procession.agent.send.outbox import Dropped, Outbox
from procession.agent.send.payload import Payload
from procession.agent.send.spool import Spool
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
    dropped = []
    for bodies in ((b"aaaa", b"aa"), (b"bbb",), (b"cccc",)):
        outbox.put(payloads(*bodies))
        dropped.append(outbox.dropped.snapshots)

    assert dropped == [0, 0, 1]
    assert drain(outbox) == [b"bbb", b"cccc"]


def test_what_was_delivered_makes_room() -> None:
    outbox = Outbox(10)
    outbox.put(payloads(b"aaaa", b"aaaa"))
    first = outbox.first()
    assert first is not None
    outbox.done(first)

    outbox.put(payloads(b"bbbbbb"))

    assert outbox.dropped == Dropped()
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
    assert outbox.dropped == Dropped()
    assert {path.name for path in tmp_path.iterdir()} == {"format", "lock"}


def test_what_waits_on_disk_is_bounded_and_does_not_wait_in_memory(tmp_path: Path) -> None:
    outbox = Outbox(200_000, Spool(tmp_path))
    for number in range(50):
        outbox.put(payloads(b"%d" % number * 10_000))
    for number in range(50):
        outbox.put(payloads(b"tiny %d" % number))

    held = sum(path.stat().st_blocks * 512 for path in tmp_path.iterdir() if path.name != "format")
    bodies = drain(outbox)

    assert held <= 200_000
    assert bodies[-1] == b"tiny 49"
    assert outbox.dropped.snapshots == 100 - len(bodies)


@pytest.mark.parametrize("on_disk", [True, False])
def test_the_oldest_live_data_go_before_any_snapshot(tmp_path: Path, on_disk: bool) -> None:
    outbox = Outbox(4 * 4096, Spool(tmp_path) if on_disk else None)
    for number, is_live in enumerate((False, True, True, False, True, False, False, True, False)):
        outbox.put(payloads(b"%d" % number * 4000), is_live=is_live)

    assert drain(outbox) == [b"3" * 4000, b"5" * 4000, b"6" * 4000, b"8" * 4000]
    assert outbox.dropped == Dropped(snapshots=1, live=4)
    assert str(outbox.dropped) == "1 snapshot and live numbers of 4 moments"


def test_what_was_left_is_bounded_by_what_is_allowed_now(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    for number in range(5):
        spool.write(payloads(b"%d" % number), is_live=number == 4)
    spool.close()

    outbox = Outbox(2 * 4096, Spool(tmp_path))

    assert outbox.dropped == Dropped(snapshots=2, live=1)
    assert drain(outbox) == [b"2", b"3"]


def test_with_one_of_its_chunks_all_of_a_live_moment_is_given_up() -> None:
    outbox = Outbox(100)
    outbox.put(payloads(b"1", b"2"), is_live=True)
    outbox.put(payloads(b"3"))

    first = outbox.first()
    assert first is not None
    outbox.give_up(first)
    outbox.give_up(first)  # nothing more happens

    assert drain(outbox) == [b"3"]
    assert outbox.dropped == Dropped(live=1)


def test_a_damaged_file_costs_its_snapshot_and_no_other(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    outbox = Outbox(100_000, spool)
    for body in (b"1", b"2", b"3"):
        outbox.put(payloads(body))
    files = sorted(tmp_path.glob("*.snapshot"))
    files[1].write_bytes(b"\x00garbage")
    (tmp_path / "00000000000000000009.new").write_bytes(b"half")
    spool.close()

    outbox = Outbox(100_000, Spool(tmp_path))

    assert drain(outbox) == [b"1", b"3"]
    assert outbox.dropped == Dropped(snapshots=1)
    assert outbox.damaged == 1
    assert {path.name for path in tmp_path.iterdir()} == {"format", "lock"}


def test_a_file_is_whole_or_left_out_wherever_it_ends_and_whatever_byte_is_another(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    entry = spool.write([Payload(b"body " * 5, {"X-Dd-Hostname": "web-1"})])
    whole = entry.path.read_bytes()
    damaged = [whole[:size] for size in range(len(whole))]
    damaged += [whole[:size] + bytes(len(whole) - size) for size in range(len(whole)) if any(whole[size:])]
    damaged += [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in range(len(whole))]

    found = []
    for data in damaged:
        entry.path.write_bytes(data)
        found.append(spool.read(entry))
    entry.path.write_bytes(whole)

    assert found == [[]] * len(damaged)
    assert [one.body for one in spool.read(entry)] == [b"body " * 5]


def test_what_is_strange_in_a_folder_stays_or_goes_and_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "lost+found").mkdir()
    (tmp_path / "2.snapshot").mkdir()
    (tmp_path / "²³.snapshot").touch()
    (tmp_path / "7.snapshot.new").write_bytes(b"half")

    outbox = Outbox(100_000, Spool(tmp_path))
    outbox.put(payloads(b"1"))

    assert drain(outbox) == [b"1"]
    assert not (tmp_path / "7.snapshot.new").exists()


def test_a_disk_that_takes_nothing_costs_nothing_while_the_agent_lives(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    outbox = Outbox(100_000, spool)
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
    with pytest.raises(UsageError, match=r"cannot keep snapshots in .*: there is a file in its place"):
        Spool(tmp_path / "file" / "x")
