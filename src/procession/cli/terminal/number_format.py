"""Numbers of processes as people read them at a glance. What is not known is empty."""

from __future__ import annotations

UNITS = "KMGTPE"


def percent_text(value: float | None) -> str:
    """A percentage of one core, such as `12.5`; empty where it is not known."""
    return "" if value is None else f"{value:.1f}"


def count_text(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}"


def bytes_text(value: float | None) -> str:
    """In powers of 1024, of at most four digits: `812`, `1.5M`, `340G`."""
    if value is None:
        return ""
    if value < 1000:
        return f"{value:.0f}"
    for unit in UNITS:
        value /= 1024
        if value < 9.95:
            return f"{value:.1f}{unit}"
        if value < 999.5:
            break
    return f"{value:.0f}{unit}"


def duration_text(seconds: int) -> str:
    """In its two greatest units: `3d 4h`, `12m 7s`, `7s`."""
    seconds = max(seconds, 0)
    parts: list[str] = []
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        number, seconds = divmod(seconds, length)
        if number or parts or unit == "s":
            parts.append(f"{number}{unit}")
    return " ".join(parts[:2])
