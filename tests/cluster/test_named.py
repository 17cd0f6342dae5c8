"""The suite runs on servers that a variable names: tried with nodes of our own, since there are no others here."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.cluster.nodes.running import ROOT, Cluster
from tests.cluster.nodes.stores import NAMED

CONTRACT = "tests/storage/contract/test_keys.py"
PAIR = "tests/cluster/test_two_servers.py"


def test_the_contract_and_two_servers_run_on_named_servers_and_leave_nothing_there(nodes: Cluster) -> None:
    command = (
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        CONTRACT,
        PAIR,
        "-k",
        "named_store or alive",
    )
    environment = os.environ | {NAMED: nodes.address("")}
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)

    assert result.returncode == 0, result.stdout + result.stderr
    assert " passed" in result.stdout
    assert result.stdout.splitlines()[0].startswith("....")
    for node in nodes.nodes:
        assert node.ask("SELECT name FROM system.databases WHERE name LIKE 'procession_test_%'") == b""
