"""Network namespaces of this machine, entered by processes that are in them, or no longer."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from procession.agent.read.network.namespaces import NetworkNamespaces
from tests.support.agents.zoo import READY, WAIT, Zoo, needs_root

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
