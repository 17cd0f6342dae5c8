"""What `make torture` tells the tests, and what they tell it: a table is made of what they record."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path


def is_full() -> bool:
    """Whether the long form is asked for; `make test` runs a shorter one."""
    return os.environ.get("PROCESSION_TORTURE") == "full"


def quoted(line: str) -> str:
    """A line that something said, without what differs from run to run."""
    said = (
        re.sub(r"https?://[\w.-]+(:\d+)?", "URL", line).removeprefix("procession agent: ").removeprefix("procession: ")
    )
    said = re.sub(r"/[\w./-]*pytest-[\w./-]*", "PLACE", said)
    return f"“{said.strip()}”"


def record(what: str, *, times: int, lost: int, answered: str) -> None:
    """A line of the table: what was done, how often, what was lost by it, and what was answered meanwhile."""
    path = os.environ.get("PROCESSION_TORTURE_RESULTS")
    if not path:
        return
    line = json.dumps({"what": what, "times": times, "lost": lost, "answered": answered})
    with Path(path).open("a", encoding="utf-8") as results:
        results.write(line + "\n")
