"""Whose a data folder is."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from procession.errors import UsageError


def refuse_root_in_folder_of_others(data_dir: Path) -> None:
    """What root would write into it the server of its owner could not open. Raises UsageError."""
    if os.geteuid() != 0:
        return
    try:
        owner = data_dir.stat().st_uid
    except OSError:
        return
    if owner == 0:
        return
    try:
        name = pwd.getpwuid(owner).pw_name
    except KeyError:
        raise UsageError(f"{data_dir} belongs to user {owner}, who could not read what root writes there") from None
    raise UsageError(
        f"{data_dir} belongs to {name}, who could not read what root writes there;"
        f" run it as `runuser -u {name} -- procession ...`"
    )
