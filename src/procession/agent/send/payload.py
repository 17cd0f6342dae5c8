"""What is posted."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(eq=False, slots=True)
class Payload:
    """One message, ready to be posted."""

    body: bytes
    headers: dict[str, str]
    path: str = "/api/v1/collector"
    is_answered: bool = True
    """Whether a server that takes it answers in the wire's own way."""
    is_tried_once: bool = False
    """Numbers that somebody watches are worth nothing once the next come."""
    changes: bytes | None = None
    """What may be posted instead, to a server that has the frame before. Only in memory: what is on disk needs no
    other."""
