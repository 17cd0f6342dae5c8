from __future__ import annotations

import os
import select
import struct
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator

import pytest

from procession.agent.read.connector import (
    EXEC,
    EXIT,
    FORK,
    MAX_WATCHED,
    THREAD_EXIT,
    ConnectorUnavailable,
    ProcConnector,
    ProcEvent,
    parse_event,
)


def is_readable(connector: ProcConnector, seconds: float) -> bool:
    """Within that time. `select` cannot wait for a descriptor beyond 1,023: the process of many tests may have more."""
    waiting = select.poll()
    waiting.register(connector, select.POLLIN)
    return bool(waiting.poll(seconds * 1000))


def a_message(kind: int, *numbers: int) -> bytes:
    event = struct.pack("=IIQ6I", kind, 1, 123, *numbers, *[0] * (6 - len(numbers)))
    return (
        struct.pack("=IHHII", 36 + len(event), 3, 0, 0, 0) + struct.pack("=IIIIHH", 1, 1, 0, 0, len(event), 0) + event
    )


@pytest.mark.parametrize(
    ("data", "event"),
    [
        (a_message(FORK, 7, 7, 9, 9), ProcEvent(FORK, 123, 9, 7)),
        (a_message(FORK, 8, 7, 9, 9), ProcEvent(FORK, 123, 9, 7)),  # by another thread of the parent
        (a_message(FORK, 7, 7, 9, 7), None),  # a thread
        (a_message(EXEC, 9, 9), ProcEvent(EXEC, 123, 9, 0)),
        (a_message(EXIT, 9, 9, 256, 17), ProcEvent(EXIT, 123, 9, 256)),
        (a_message(EXIT, 9, 7, 256, 17), ProcEvent(THREAD_EXIT, 123, 7, 256)),
        (a_message(0x200, 9, 9), None),
        (a_message(0, 0), None),
        (b"", None),
        (a_message(EXEC, 9, 9)[:60], None),
    ],
)
def test_only_what_happens_to_processes_is_an_event(data: bytes, event: ProcEvent | None) -> None:
    assert parse_event(data) == event


@pytest.fixture
def connector() -> Iterator[ProcConnector]:
    try:
        connector = ProcConnector()
    except ConnectorUnavailable as error:
        pytest.skip(str(error))
    yield connector
    connector.close()


@pytest.mark.may_skip
def test_the_kernel_reports_fork_exec_and_exit(connector: ProcConnector) -> None:
    process = subprocess.Popen(["sh", "-c", "exit 3"], preexec_fn=os.getpid)  # forks in any case
    process.wait()

    events: list[ProcEvent] = []
    while not events or (events[-1].pid, events[-1].kind) != (process.pid, EXIT):
        assert is_readable(connector, 10)
        while (event := connector.receive()) is not None:
            events.append(event)
            if (event.pid, event.kind) == (process.pid, EXIT):
                break

    mine = [event for event in events if event.pid == process.pid]
    assert [(event.kind, event.number) for event in mine] == [(FORK, os.getpid()), (EXEC, 0), (EXIT, 3 << 8)]
    assert mine[0].nanoseconds < mine[1].nanoseconds < mine[2].nanoseconds
    assert connector.lost() == 0


@pytest.mark.may_skip
def test_the_kernel_keeps_threads_to_itself(connector: ProcConnector) -> None:
    code = "import threading; t = [threading.Thread(target=int) for _ in range(20)]; [x.start() for x in t]"
    process = subprocess.Popen(["python3", "-c", code])
    process.wait()

    raw = []
    while is_readable(connector, 0.2):
        raw.append(os.read(connector.fileno(), 512))

    assert len(raw) >= 2
    assert all(parse_event(data) is not None for data in raw)


@pytest.mark.may_skip
def test_the_kernel_tells_of_the_threads_of_those_that_are_watched(connector: ProcConnector) -> None:
    code = "import threading; input(); t = [threading.Thread(target=int) for _ in range(20)]; [x.start() for x in t]"
    processes = [subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE) for _ in range(2)]
    others = list(range(2**22, 2**22 + MAX_WATCHED - 1))

    connector.watch_threads([*others, processes[0].pid])
    for process in processes:
        process.communicate(b"\n")

    events: list[ProcEvent] = []
    while is_readable(connector, 0.2):
        if (event := connector.receive()) is not None:
            events.append(event)
    kinds = [[event.kind for event in events if event.pid == process.pid][1:] for process in processes]
    assert [of_one[0] for of_one in kinds] == [EXEC, EXEC]
    # The first thread of a process does not wait for the last of the others: any of them may be told of after it.
    assert [Counter(of_one[1:]) for of_one in kinds] == [{THREAD_EXIT: 20, EXIT: 1}, {EXIT: 1}]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
@pytest.mark.may_skip
def test_without_root_there_is_a_connector_or_a_reason() -> None:
    code = (
        "import os; from procession.agent.read.connector import *; os.setgid(65534); os.setuid(65534)\n"
        "try: ProcConnector(); print('available')\nexcept ConnectorUnavailable as error: print(error)"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout

    assert said.strip() in ("available", "no process connector: Operation not permitted")
