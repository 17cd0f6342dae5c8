"""Where something stands in a line."""

from __future__ import annotations

Span = tuple[int, int]
"""Where it begins, and where what follows it begins."""

SEPARATOR = "\0"
"""What the kernel has between arguments."""
