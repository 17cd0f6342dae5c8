"""A real agent that looks at a host's /proc mounted elsewhere, as it does in a container."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from procession.lifecycle.events import ProcessExit
from procession.wire.datadog import decode_events
from tests.support.agents.intake import FakeIntake, Posted
from tests.support.running import PROCESSION, clean_environment, eventually

MOUNT = 'mount -t proc -o ro proc "$1/proc" && shift && exec "$@"'


def a_mount(host: Path) -> list[str]:
    """What comes behind it runs with /proc mounted once more, where nobody else sees it."""
    return ["unshare", "--mount", "sh", "-c", MOUNT, "sh", str(host)]


@pytest.mark.may_skip
def test_an_agent_reads_another_proc_with_the_names_of_its_users(tmp_path: Path) -> None:
    host = tmp_path / "host"
    (host / "proc").mkdir(parents=True)
    (host / "etc").mkdir()
    (host / "etc" / "passwd").write_text(f"captain:x:{os.getuid()}:0:::\n")
    if subprocess.run([*a_mount(host), "true"], capture_output=True, check=False).returncode:
        pytest.skip("may not mount /proc")
    intake = FakeIntake()
    options = ("--url", intake.url, "--api-key", "k" * 32, "--hostname", "node-1", "--interval-seconds", "1")
    agent = subprocess.Popen(
        [*a_mount(host), *PROCESSION, "agent", *options, "--proc-root", str(host / "proc"), "--max-cpu", "0"],
        env=clean_environment(),
        stderr=subprocess.PIPE,
    )
    try:
        (first,) = intake.wait_for(1, 60)
        subprocess.run([sys.executable, "-c", "exit(7)"], check=False)
        exits = eventually(lambda: [event for post in list(intake.posted) for event in exits_of(post)], what="an exit")
    finally:
        agent.terminate()
        agent.communicate(timeout=30)
        intake.close()

    (ours,) = [sighting for sighting in first.snapshot.sightings if sighting.pid == os.getpid()]
    assert ours.description.user == "captain"
    assert ours.description.cwd == str(Path.cwd())
    assert exits


def exits_of(post: Posted) -> list[ProcessExit]:
    if post.path != "/api/v2/proclcycle":
        return []
    return [
        event for event in decode_events(post.body).events if isinstance(event, ProcessExit) and event.exit_code == 7
    ]
