"""What a process sends and receives over TCP."""

from __future__ import annotations

import msgspec


class Traffic(msgspec.Struct, frozen=True, gc=False):
    """Of one process, between two looks at its sockets."""

    connections: int
    """That are established."""
    received_bytes_per_second: float | None
    """None, as the next one, until its sockets were seen twice."""
    sent_bytes_per_second: float | None


NO_TRAFFIC = Traffic(0, 0.0, 0.0)
