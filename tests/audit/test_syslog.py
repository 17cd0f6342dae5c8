"""Copies for syslog, taken by sockets of our own as a syslog server has them."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from procession.audit.chain import ChainLink
from procession.audit.syslog import SyslogAddress, SyslogCopy
from procession.errors import UsageError
from tests.audit.trails import a_change, a_writer, all_records, folder_in, lines_in, until

MESSAGE = re.compile(rb"<110>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z (\S+) procession \d+ audit - (\{.*\})", re.DOTALL)


@pytest.fixture
def ending() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def unframed(stream: bytes) -> list[bytes]:
    found = []
    while stream:
        length, _, rest = stream.partition(b" ")
        found.append(rest[: int(length)])
        stream = rest[int(length) :]
    return found


def line_of(message: bytes) -> bytes:
    found = MESSAGE.fullmatch(message)
    assert found, message
    return found[2] + b"\n"


@pytest.mark.parametrize("scheme", ["udp", "unix"])
def test_datagrams_have_the_lines_of_the_files(tmp_path: Path, ending: ExitStack, scheme: str) -> None:
    family = socket.AF_UNIX if scheme == "unix" else socket.AF_INET
    server = ending.enter_context(socket.socket(family, socket.SOCK_DGRAM))
    server.settimeout(30)
    server.bind(str(tmp_path / "log") if scheme == "unix" else ("127.0.0.1", 0))
    url = f"unix:{tmp_path}/log" if scheme == "unix" else f"udp://127.0.0.1:{server.getsockname()[1]}"
    folder = folder_in(tmp_path)

    writer = a_writer(folder, syslog=SyslogAddress.parse(url))
    writer.write(a_change()).result(30)
    writer.close()
    messages = [server.recv(65536) for _ in range(3)]

    assert [line_of(message) for message in messages] == lines_in(folder)


def test_a_stream_has_them_each_with_its_length_and_the_chain_holds(tmp_path: Path, ending: ExitStack) -> None:
    server = ending.enter_context(socket.create_server(("127.0.0.1", 0)))
    server.settimeout(30)
    received: list[bytes] = []

    def take() -> None:
        connection, _ = server.accept()
        with connection:
            while data := connection.recv(65536):
                received.append(data)

    thread = threading.Thread(target=take, daemon=True)
    thread.start()
    folder = folder_in(tmp_path)
    writer = a_writer(folder, syslog=SyslogAddress.parse(f"tcp://127.0.0.1:{server.getsockname()[1]}"))
    for number in range(20):
        writer.write(a_change(query=b"search=%d" % number)).result(30)
    writer.close()
    thread.join(30)

    link = ChainLink()
    for message in unframed(b"".join(received)):
        link = link.after(line_of(message))
    assert link.number == len(lines_in(folder)) == 22


def test_what_waits_for_a_server_that_is_away_is_bounded_and_what_is_lost_is_told(
    tmp_path: Path, ending: ExitStack
) -> None:
    lost: list[int] = []
    copy = SyslogCopy(SyslogAddress.parse(f"unix:{tmp_path}/log"), lost.append, retry_seconds=0.01, most_waiting=10)
    copy.send([b"%d\n" % number for number in range(100)])
    until(lambda: copy._is_away)
    server = ending.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
    server.settimeout(30)
    server.bind(str(tmp_path / "log"))

    messages = [server.recv(65536) for _ in range(10)]
    until(lambda: lost)
    copy.close()

    assert [message.rpartition(b" ")[2] for message in messages][-1] == b"99"
    assert 89 <= sum(lost) <= 91


def test_copies_that_were_lost_are_recorded(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    writer = a_writer(folder, syslog=SyslogAddress.parse(f"unix:{tmp_path}/log"))
    writer._copies_lost(7)
    writer.close()

    assert [record["missed"] for record in all_records(folder, "copy-gap")] == [7]


@pytest.mark.parametrize(
    "text", ["", "host:514", "http://host", "tcp://", "udp://host:x", "unix:log", "unix://host/log", "udp://host/path"]
)
def test_what_is_no_address_is_said_to_be_none(text: str) -> None:
    with pytest.raises(UsageError, match="none of udp://host:514, tcp://host:601 and unix:/dev/log"):
        SyslogAddress.parse(text)


def test_ports_are_those_of_syslog() -> None:
    assert SyslogAddress.parse("udp://logs").place == ("logs", 514)
    assert SyslogAddress.parse("tcp://[::1]").place == ("::1", 601)
