"""Network namespaces of this machine, entered by processes that are in them, or no longer."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from procession.agent.read.network.namespaces import NetworkNamespaces
from tests.support.agents.zoo import READY, WAIT, Zoo, needs_root

CONNECTED = f"""
import ctypes, fcntl, resource, socket, struct, sys
assert ctypes.CDLL(None).unshare(0x40000000) == 0
with socket.socket() as up:
    fcntl.ioctl(up, 0x8914, struct.pack("16sh", b"lo", 1).ljust(40, bytes(1)))
served = socket.create_server(("127.0.0.1", 0))
kept = []
for _ in range(int(sys.argv[1])):
    kept += [socket.create_connection(served.getsockname()), served.accept()[0]]
{READY}{WAIT}
"""
"""Has so many connections to itself, in a namespace of its own."""

SLEEPS = f"import sys; {READY}{WAIT}"


def a_process_elsewhere(zoo: Zoo) -> tuple[int, str]:
    """Its pid, and its network namespace."""
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-n", "true"], check=False).returncode:
        pytest.skip("no network namespaces can be made")
    process = zoo.python(f"import ctypes; assert ctypes.CDLL(None).unshare(0x40000000) == 0; {SLEEPS}")
    return process.pid, str(Path(f"/proc/{process.pid}/ns/net").readlink())


@pytest.mark.may_skip
@needs_root
def test_a_process_that_has_left_a_namespace_is_told_and_another_one_opens_it(zoo: Zoo) -> None:
    elsewhere, there = a_process_elsewhere(zoo)
    namespaces = NetworkNamespaces("/proc")

    found = namespaces.sockets({there: [os.getpid(), elsewhere]})
    strays = namespaces.strays
    again = namespaces.sockets({there: [elsewhere]})

    assert (found, strays) == ({there: []}, [os.getpid()])
    assert (again, namespaces.strays) == ({there: []}, [])


@pytest.mark.may_skip
@needs_root
def test_a_namespace_that_all_have_left_is_not_known(zoo: Zoo) -> None:
    _, there = a_process_elsewhere(zoo)

    assert NetworkNamespaces("/proc").sockets({there: [os.getpid()]}) == {}


@pytest.mark.may_skip
@needs_root
def test_a_namespace_of_very_many_sockets_hides_no_other(zoo: Zoo) -> None:
    a_process_elsewhere(zoo)
    whale, one, other = (zoo.python(CONNECTED, str(pairs)) for pairs in (150, 2, 3))
    pids = {str(Path(f"/proc/{process.pid}/ns/net").readlink()): [process.pid] for process in (whale, one, other)}
    namespaces = NetworkNamespaces("/proc")

    found = [{name: len(sockets) for name, sockets in namespaces.sockets(pids, 280).items()} for _ in range(2)]
    all_of_them = namespaces.sockets(pids, 400)

    _, *small = pids
    assert found == [dict(zip(small, (4, 6), strict=True))] * 2
    assert [len(all_of_them[name]) for name in pids] == [300, 4, 6]


@pytest.mark.may_skip
@needs_root
def test_namespaces_for_which_there_is_no_time_have_their_turn_in_the_next_look(zoo: Zoo) -> None:
    pids = {name: [pid] for pid, name in (a_process_elsewhere(zoo) for _ in range(3))}
    namespaces = NetworkNamespaces("/proc")

    found = [list(namespaces.sockets(pids, seconds=0.0)) for _ in range(6)]

    assert found == [[name] for name in pids] * 2


@pytest.mark.may_skip
@needs_root
def test_how_many_sockets_there_are_is_known_before_they_are_looked_at(zoo: Zoo) -> None:
    """Also without that, as in a copy of `/proc` that lacks the file, each has its share."""
    a_process_elsewhere(zoo)
    process = zoo.python(CONNECTED, "20")
    namespaces = NetworkNamespaces("/proc")
    nowhere = NetworkNamespaces("/nowhere")

    size, unknown = namespaces._size_of([process.pid]), nowhere._size_of([process.pid])

    assert size is not None
    assert 40 <= size <= 60
    assert unknown is None
