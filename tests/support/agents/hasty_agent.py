"""A real agent, in a process of its own, whose clock goes as fast as it can: what takes an hour is over in seconds.

python -m tests.support.agents.hasty_agent URL PROC_ROOT SPOOL_DIR SECONDS_SINCE_NOON
"""

from __future__ import annotations

import sys
import threading

from procession.agent import run_agent
from procession.config import AgentSettings
from tests.support.clock import FastClock


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def main() -> None:
    url, proc_root, spool_dir, seconds = sys.argv[1:]
    clock = FastClock()
    clock.sleep(float(seconds))
    settings = AgentSettings(
        url=(url,), api_key=("k" * 32,), proc_root=proc_root, hostname="web-1", spool_dir=spool_dir, short_lived=False
    )
    run_agent(settings, stop=threading.Event(), report=_say, clock=clock)


if __name__ == "__main__":
    main()
