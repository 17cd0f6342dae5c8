"""The columns of numbers that several tables have, the text that search looks at, and what was found out as a text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from procession.discovery import Discovery
from procession.packed import NUMBERS
from procession.process import ProcessDescription
from procession.search.pattern import fold
from procession.storage.history.engine.statement import SEPARATOR

_ROW = np.dtype([*((name, f"<{dtype}") for name, dtype in NUMBERS), ("state", "u1")])
_TYPES = {"f4": "Float32", "i4": "Int32", "i8": "Int64"}

NUMBER_COLUMNS = tuple((name, _TYPES[dtype]) for name, dtype in NUMBERS)
"""Fields of `ProcessNumbers` as arrays of `snapshots`, with their types. What is absent is stored as -1; none of them
can be negative."""


def number_columns(rows: Iterable[bytes]) -> dict[str, Any]:
    """`state` and NUMBER_COLUMNS as Arrow arrays, from packed numbers."""
    numbers = np.frombuffer(b"".join(rows), _ROW)
    return {name: pa.array(np.ascontiguousarray(numbers[name])) for name in ("state", *dict(NUMBER_COLUMNS))}


def searched_of(description: ProcessDescription) -> tuple[str, str, str]:
    """What a text search looks at."""
    return description.cmdline, description.exe, description.user


def searchable(texts: tuple[str, str, str]) -> str:
    """`descriptions.text`, of what is searched."""
    return SEPARATOR.join([fold(text).replace(SEPARATOR, "\ufffd") for text in texts])


def discovery_text(discovery: Discovery | None) -> str:
    """`descriptions.discovery`: JSON, or empty where nothing was found out."""
    return "" if discovery is None else _encode(discovery).decode()


def discovery_in(text: str) -> Discovery | None:
    """What such a text says."""
    return _decode(text) if text else None


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Discovery).decode
