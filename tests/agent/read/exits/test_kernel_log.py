from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from procession.agent.read.exits.kernel_log import PATH, KernelLog, message_in


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (b"6,339,5140900,-;hello\n", b"hello"),
        (b"3,339,5140900,c,caller=T7;a;b\n SUBSYSTEM=x\n DEVICE=y\n", b"a;b"),
        (b"6,339,5140900,-;a\\x0ab\n", b"a\\x0ab"),
        (b"6,1,2,-;", b""),
        (b"12,339,5140900,-;what a program wrote\n", None),
        (b"30,339,5140900,-;a daemon\n", None),
        (b"x,339;hello\n", None),
        (b"6,339,5140900,-", None),
        (b"", None),
    ],
)
def test_only_what_the_kernel_says_itself_is_a_message(record: bytes, message: bytes | None) -> None:
    assert message_in(record) == message


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "kmsg"
    path.write_bytes(b"6,1,1,-;before\n")
    return path


def say(path: Path, record: bytes) -> None:
    with path.open("ab") as file:
        file.write(record)


def test_what_was_said_before_is_not_taken_and_what_is_said_then_is_taken_once(file: Path) -> None:
    log = KernelLog(str(file))
    say(file, b"6,2,2,-;now\n")

    assert log.take() == ([b"now"], True)
    assert log.take() == ([], True)
    log.close()


def test_a_flood_is_left_out_and_says_so(file: Path) -> None:
    log = KernelLog(str(file), max_records=1)
    say(file, b"6,2,2,-;now\n")

    assert log.take() == ([b"now"], False)
    say(file, b"6,3,3,-;then\n")
    assert log.take() == ([b"then"], False)
    log.close()


def test_where_there_is_none_or_it_is_no_log_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        KernelLog(str(tmp_path / "nothing"))


@pytest.fixture
def real() -> Iterator[KernelLog]:
    try:
        log = KernelLog()
    except OSError as error:
        pytest.skip(str(error))
    yield log
    log.close()


@pytest.mark.may_skip
def test_what_root_writes_into_this_kernels_log_is_not_the_kernels(real: KernelLog) -> None:
    try:
        Path(PATH).write_bytes(b"<4>Out of memory: Killed process 1 (init) total-vm:1kB, anon-rss:1kB")
    except OSError as error:
        pytest.skip(str(error))

    messages, _ = real.take()

    assert not [message for message in messages if b"Killed process 1 (init)" in message]
