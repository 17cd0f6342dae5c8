"""What of the peers a machine has, found without loading any of them."""

from __future__ import annotations

import shutil
from pathlib import Path


def postgresql() -> Path | None:
    """Where its programs are; None where it is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    initdb = shutil.which("initdb")
    return Path(initdb).parent if initdb else None
