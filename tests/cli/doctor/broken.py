"""`procession doctor` on a machine that is really broken in some way, in a process of its own."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence

import pytest

from tests.support.running import PROCESSION, clean_environment


def doctor(*arguments: object, before: Sequence[str] = (), **environment: str) -> dict[str, str]:
    """Subject -> its line. `before` is a command that becomes this one."""
    if before and shutil.which(before[0]) is None:
        pytest.skip(f"there is no {before[0]} here")
    done = subprocess.run(
        [*before, *PROCESSION, "doctor", *map(str, arguments), "--json"],
        env=clean_environment(PROCESSION_SPOOL="true", **environment),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    assert done.returncode == any(one["level"] == "bad" for one in found)
    return {one["subject"]: f"{one['level']}: {one['found']}; {one['advice']}" for one in found}


def without(*rights: str) -> tuple[str, ...]:
    """Root who has none of these."""
    return ("setpriv", f"--bounding-set={','.join(f'-{one}' for one in rights)}")
