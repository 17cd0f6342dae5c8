"""`kill -9` of a server while a host is silent, and while the minutes of its silence are evaluated again: what its
tables have of silences is enough for the next one."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.support.monitored_minutes import AFTERWARDS, EVALUATED_AGAIN, SILENCE_ENDS, SILENT
from tests.support.stores.folders import quick_folder

ROOT = Path(__file__).parents[3]
BEGIN = (int(time.time()) // 60 - 60) * 60


def run(stage: str, folder: Path, *, is_killed: bool = True) -> Any:
    """What it said."""
    command = [sys.executable, "-m", "tests.support.monitored_minutes", stage, str(folder), str(BEGIN)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert ended.returncode == (-signal.SIGKILL if is_killed else 0), ended.stderr
    return json.loads(ended.stdout) if ended.stdout else None


def test_what_is_known_of_a_silence_outlives_a_server_that_is_killed_whenever_it_writes(tmp_path: Path) -> None:
    with quick_folder(tmp_path) as folder:
        run(SILENT, folder)
        states = run(SILENCE_ENDS, folder)
        run(EVALUATED_AGAIN, folder)
        histories, silences, told = run(AFTERWARDS, folder, is_killed=False)

    # What web-1 ran when it told last is known: that one nginx is seen is no alert.
    assert states == {"1 host:web-1": "No Data", "1 host:web-2": "OK", "2 ": "No Data"}
    assert histories == [[[4, "No Data", "refuted"], [5, "Alert", "added"], [7, "OK", "added"], [8, "OK", None]]] * 2
    assert (silences, told) == ([], 0)
