from __future__ import annotations

import threading

from procession.agent.outbox import Outbox, Payload


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
    dropped = [outbox.put(payloads(b"aaaa", b"aa")), outbox.put(payloads(b"bbb")), outbox.put(payloads(b"cccc"))]

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
