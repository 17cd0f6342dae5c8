"""A storm of forks does not take a real agent past its budget of CPU and memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from tests.support.agents.intake import FakeIntake
from tests.support.running import Running, running

SHARE = 0.02
INTERVAL = 2.0
STORM_SECONDS = 8.0
MEMORY_MIB = 64
"""Of a process with Python, protobuf and what a storm adds; the agent's usual size is measured elsewhere."""

# Bounded by itself in number, in width and in time; its children end by themselves in a moment.
STORM = f"""
import os, time
end = time.monotonic() + {STORM_SECONDS}
count = 0
while count < 20_000 and time.monotonic() < end:
    children = []
    for _ in range(50):
        pid = os.fork()
        if pid == 0:
            os._exit(3)
        children.append(pid)
    for pid in children:
        os.waitpid(pid, 0)
    count += 50
while time.monotonic() < end:
    time.sleep(0.1)
print(count, flush=True)
"""


@contextmanager
def a_real_agent(intake: FakeIntake) -> Iterator[tuple[Running, psutil.Process]]:
    options = ("--url", intake.url, "--api-key", "k" * 32, "--hostname", "web-1", "--max-cpu", f"{SHARE:.0%}")
    with running("agent", *options, "--interval-seconds", str(INTERVAL)) as started:
        started.line_with("sending the processes of web-1")
        yield started, psutil.Process(started.pid)


def cpu_of(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def test_a_storm_of_forks_costs_the_agent_no_more_than_its_budget() -> None:
    intake = FakeIntake()
    try:
        with a_real_agent(intake) as (_, agent):
            before, begin = cpu_of(agent), time.monotonic()
            storm = subprocess.Popen(
                [sys.executable, "-c", STORM], stdout=subprocess.PIPE, text=True, preexec_fn=lambda: os.nice(10)
            )
            try:
                said, _ = storm.communicate(timeout=60)
            finally:
                storm.kill()
                storm.wait()
            sent = len(intake.posted)
            used, passed = cpu_of(agent) - before, time.monotonic() - begin
            memory = agent.memory_info().rss / 2**20
            intake.wait_for(sent + 1, timeout=60)  # it goes on
    finally:
        intake.close()

    assert int(said) >= 2_000
    # What may be saved up, and the one round that found out how dear it is, come on top.
    assert used <= SHARE * passed + SHARE * INTERVAL + 0.3, f"{used:.2f} s of CPU in {passed:.1f} s"
    assert memory < MEMORY_MIB
