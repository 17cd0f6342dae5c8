"""Texts that a stranger chose, made fit to be tags."""

from __future__ import annotations

MAX_TAG_LENGTH = 200


def tag_of(name: str, value: str | None) -> str:
    """Empty where there is no value. A comma would part it in two, and a blank make it hard to ask for."""
    text = "".join(" " if character == "," or not character.isprintable() else character for character in value or "")
    text = "_".join(text.split())
    return f"{name}:{text}"[:MAX_TAG_LENGTH] if text else ""
