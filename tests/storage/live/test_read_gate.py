from __future__ import annotations

import threading

from procession.storage.live.read_gate import ReadGate


class Gate(ReadGate):
    def __init__(self) -> None:
        self.events: list[str] = []
        super().__init__(lambda: self.events.append("prepared"))

    def note(self, text: str) -> None:
        self.write(lambda: self.events.append(text))


def test_what_is_written_is_done_at_once_where_nobody_reads() -> None:
    gate = Gate()

    gate.note("one")

    assert gate.events == ["one"]


def test_a_writer_does_not_wait_for_a_reader() -> None:
    gate = Gate()

    with gate.reading():
        gate.note("one")  # would hang if it waited: the reader is this very thread
        during = list(gate.events)

    assert during == ["prepared"]
    assert gate.events == ["prepared", "one"]


def test_readers_are_let_in_together() -> None:
    gate = Gate()

    with gate.reading(), gate.reading():
        assert gate.events == ["prepared"]


def test_it_is_prepared_only_after_something_was_written() -> None:
    gate = Gate()

    for _ in range(2):
        with gate.reading():
            pass
    gate.note("one")
    with gate.reading():
        pass

    assert gate.events == ["prepared", "one", "prepared"]


def test_it_is_not_prepared_for_those_who_do_not_need_it_but_for_the_next_who_do() -> None:
    gate = Gate()

    gate.note("one")
    with gate.reading(is_prepared=False):
        assert gate.events == ["one"]
        with gate.reading():
            assert gate.events == ["one", "prepared"]
    with gate.reading():
        assert gate.events == ["one", "prepared"]


def test_who_reads_after_a_write_sees_it_though_another_still_reads() -> None:
    gate = Gate()
    seen: list[list[str]] = []

    def read() -> None:
        with gate.reading():
            seen.append(list(gate.events))

    later = threading.Thread(target=read)
    with gate.reading():
        gate.note("one")
        later.start()
        later.join(0.05)
        assert seen == []  # it waits for the reader that does not see the write
    later.join()

    assert seen == [["prepared", "one", "prepared"]]


def test_what_readers_see_does_not_change_while_they_read() -> None:
    gate, numbers, torn = Gate(), [0, 0], []
    is_over = threading.Event()

    def both() -> None:
        numbers[0] += 1
        numbers[1] += 1

    def write() -> None:
        while not is_over.is_set():
            gate.write(both)

    writer = threading.Thread(target=write)
    writer.start()
    for _ in range(300):
        with gate.reading():
            torn += [pair for pair in [(numbers[0], sum(range(50)) and numbers[1])] if pair[0] != pair[1]]
    is_over.set()
    writer.join()

    assert torn == []
    assert numbers[0] > 0


def test_who_reads_can_tell_whether_anything_was_written_since() -> None:
    gate = Gate()
    gate.note("one")

    with gate.reading():
        before = gate.writes
        gate.note("two")
        during = gate.writes
    with gate.reading():
        after = gate.writes

    assert (before, during, after) == (1, 1, 2)


def test_who_must_not_wait_reads_where_nobody_writes() -> None:
    gate = Gate()

    with gate.reading_at_once() as may_read:
        gate.note("one")
        during = list(gate.events)

    assert may_read
    assert during == []
    assert gate.events == ["one"]


def test_who_must_not_wait_does_not_read_what_somebody_changes() -> None:
    gate = Gate()
    found: list[bool] = []

    def look() -> None:
        with gate.reading_at_once() as may_read:
            found.append(may_read)

    def change() -> None:
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()

    gate.write(change)
    with gate.reading():
        gate.note("one")
        look()

    assert found == [False, False]
    look()
    assert found == [False, False, True]
