"""What goes to the engine: fixed text, and the values it binds."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

SEPARATOR = "\0"
"""Between texts that are stored as one; none of them can hold it, so no search matches across two of them."""


@dataclass(frozen=True, slots=True)
class First:
    """So many rows in the order of these columns, and those that are equal to the last of them there."""

    columns: str
    count: int
    is_far: bool = False
    """Whether there may be so much more that one engine, too, should give no more."""

    def of(self, text: str) -> str:
        """A SELECT from one table that gives them in order."""
        select, limit_by = re.fullmatch(r"(.*?)( LIMIT 1 BY [\w, ]+)?", text, re.DOTALL).groups()  # type: ignore[union-attr]
        return f"{select} ORDER BY {self.columns}{limit_by or ''} LIMIT {self.count} WITH TIES"


@dataclass(frozen=True, slots=True)
class Statement:
    text: str
    parameters: dict[str, Any] = field(default_factory=dict)
    is_whole: bool = False
    """Whether each shard of a cluster has to run all of it, subqueries too. What they give is then put together."""
    first: First | None = None
    """All that is needed of it. Each shard of a cluster gives no more, in this order; one engine gives everything, in
    no order, unless `is_far`."""


Rows = Callable[[Statement], Sequence[Any]]
"""Runs a statement."""

Aside = Callable[[Statement], Future[Sequence[Any]]]
"""Runs a statement on another connection, at the same time."""


def bind(parameters: dict[str, Any], kind: str, value: Any) -> str:
    """A place for a value, which is added to the parameters under a name of its own."""
    name = f"v{len(parameters)}"
    parameters[name] = [encodable(item) for item in value] if kind == "Array(String)" else encodable(value)
    return f"{{{name}:{kind}}}"


def encodable(value: Any) -> Any:
    """Half a surrogate cannot be stored, so it must be found nowhere: three separators never follow each other."""
    return re.sub("[\ud800-\udfff]", SEPARATOR * 3, value) if isinstance(value, str) else value
