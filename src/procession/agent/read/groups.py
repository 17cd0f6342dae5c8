"""Names of groups, as the system of the agent knows them."""

from __future__ import annotations

import grp


def system_group_name(gid: int) -> str:
    """Empty where the gid has none. It may have to ask a directory server."""
    try:
        return grp.getgrgid(gid).gr_name.encode("utf-8", "replace").decode("utf-8")
    except (KeyError, OverflowError):
        return ""
