"""Values that are too long to be sent beside a statement."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from procession.storage.history.engine.statement import placeholder

MAX_BYTES = 96 * 1024
"""Of a value as it is sent, in an address: a server takes no more than 128 KiB for one."""


def with_long_texts(text: str, parameters: dict[str, Any] | None) -> tuple[str, dict[str, Any] | None]:
    """Long texts, and lists of them, stand in the statement itself: nothing but hexadecimal digits gets into it."""
    if not parameters:
        return text, parameters
    kept = dict(parameters)
    for name, value in parameters.items():
        if isinstance(value, str) and _is_long(value):
            text = text.replace(placeholder(name, "String"), _literal(value))
            del kept[name]
        elif isinstance(value, list) and value and isinstance(value[0], str) and _is_long("".join(value)):
            literals = ", ".join(map(_literal, value))
            text = text.replace(placeholder(name, "Array(String)"), f"[{literals}]")
            del kept[name]
    return text, kept


def _is_long(value: str) -> bool:
    # No character takes more than twelve bytes, and most take one.
    return len(value) > MAX_BYTES // 12 and len(quote(value, errors="replace")) > MAX_BYTES


def _literal(value: str) -> str:
    return f"unhex('{value.encode(errors='replace').hex()}')"
