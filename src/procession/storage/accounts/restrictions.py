"""Restrictions of keys and users as texts, beside their scopes or their role.

A server that does not know them would show too much: so what it cannot read opens nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from procession.accounts.restriction import Restriction

PREFIX: Final = "restricted:"
_ROWS: Final = f"{PREFIX}rows="
_ARGUMENTS: Final = f"{PREFIX}arguments"


def texts_of(restriction: Restriction) -> list[str]:
    rows = [_ROWS + restriction.rows] if restriction.rows else []
    return [*rows, _ARGUMENTS] if restriction.without_arguments else rows


def restriction_of(texts: Iterable[str]) -> Restriction | None:
    """None where a newer server restricts in something else as well. Other texts are none of ours."""
    rows, without_arguments = "", False
    for text in texts:
        if text.startswith(_ROWS):
            rows = text.removeprefix(_ROWS)
        elif text == _ARGUMENTS:
            without_arguments = True
        elif text.startswith(PREFIX):
            return None
    return Restriction(rows, without_arguments)
