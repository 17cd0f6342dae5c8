"""Whether this machine is being shut down, as systemd says: else an agent that ends says nothing of its host."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

SECONDS = 0.25
"""It is asked while the agent ends, which is to be quick."""
_RUNNING = Path("/run/systemd/system")
"""Is there where systemd is."""


def is_shutting_down(command: str = "systemctl", running: Path = _RUNNING) -> bool:
    """False where nobody can say."""
    if not running.exists():
        return False
    # An exit status that is not 0 only says that the machine is not simply running.
    try:
        said = subprocess.run(  # noqa: S603 - no part of it comes from anywhere else
            [command, "is-system-running"],
            env={"PATH": os.defpath},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return said.stdout.strip() == b"stopping"
