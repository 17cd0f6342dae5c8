"""How many files this process may have open, and so how many connections."""

from __future__ import annotations

import logging
import resource

OTHER_FILES = 1024
"""How many of the files that may be open are left to the store, which has some hundred open while it merges."""

_log = logging.getLogger(__name__)


def most_connections(wanted: int) -> int:
    """How many connections there may be: `wanted`, or fewer if this process may not open as many files. Raises the soft
    limit on open files, which is often 1024."""
    files, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + OTHER_FILES
    if files != resource.RLIM_INFINITY and files < needed:
        is_enough = most_files == resource.RLIM_INFINITY or most_files >= needed
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed if is_enough else most_files, most_files))
    if most_files == resource.RLIM_INFINITY:
        return wanted
    possible = max(most_files - OTHER_FILES, most_files // 2)
    if possible < wanted:
        _log.warning(
            "at most %(connections)d connections at once, not %(wanted)d, since only %(files)d files may be open"
            " (ulimit -Hn)",
            {"event": "connections-limited", "connections": possible, "wanted": wanted, "files": most_files},
        )
    return min(wanted, possible)
