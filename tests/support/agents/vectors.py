"""Recorded payloads: see `tests/vectors/README.md`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent.parent.parent / "vectors"


@dataclass(frozen=True)
class Vector:
    name: str
    facts: dict[str, Any]

    @property
    def data(self) -> bytes:
        return vector(self.name)

    @property
    def decoded(self) -> dict[str, Any] | None:
        """Its content, by itself or by the vector that has the same; None where it is too large to be written down."""
        if "same_as" in self.facts:
            return _facts()[self.facts["same_as"]].get("decoded")
        return self.facts.get("decoded")

    @property
    def is_framed(self) -> bool:
        return "type" in self.facts

    @property
    def must_be_refused(self) -> bool:
        return "expect" in self.facts and "may accept" not in self.facts["expect"]

    def __str__(self) -> str:
        return self.name


def vector(name: str) -> bytes:
    return (_FOLDER / f"{name}.bin").read_bytes()


@lru_cache
def _facts() -> dict[str, dict[str, Any]]:
    return {entry["file"]: entry for entry in json.loads((_FOLDER / "expected.json").read_text())}


VECTORS = tuple(Vector(name.removesuffix(".bin"), facts) for name, facts in _facts().items())
FRAMED = tuple(vector for vector in VECTORS if vector.is_framed)
REFUSED = tuple(vector for vector in VECTORS if vector.must_be_refused)
