"""What goes to the engine: fixed text, and the values it binds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

SEPARATOR = "\0"
"""Between texts that are stored as one; none of them can hold it, so no search matches across two of them."""


RowT = TypeVar("RowT")


@dataclass(frozen=True, slots=True)
class First:
    """So many rows in the order of these columns, and those that are equal to the last of them there."""

    columns: str
    count: int
    is_far: bool = False
    """Whether there may be so much more that one engine, too, should give no more."""


@dataclass(frozen=True, slots=True)
class TableNames:
    """How a text names the tables that it reads."""

    database: str | None = None
    """None: that of the connection."""

    def __call__(self, table: str) -> str:
        return table if self.database is None else f"{self.database}.{table}"

    @property
    def database_value(self) -> str:
        """Stands for the name of their database as a text."""
        return "currentDatabase()" if self.database is None else f"'{self.database}'"


@dataclass(frozen=True, slots=True)
class ShardSelect:
    """A SELECT that each shard of a cluster has to run to its end, subqueries too. What they give is put together."""

    select: Callable[[TableNames], str]
    insert: str = ""
    """`INSERT INTO` a table and its columns, where the rows go."""
    settings: str = ""

    @property
    def text(self) -> str:
        """On one engine."""
        return f"{self.insert}{self.select(TableNames())}{self.settings}"


@dataclass(frozen=True, slots=True)
class Statement:
    body: str
    """Its text, but for `limit_by`."""
    parameters: dict[str, Any] = field(default_factory=dict)
    on_shards: ShardSelect | None = None
    """What a cluster runs instead of the text, if it must be told apart what each shard does."""
    first: First | None = None
    """All that is needed of it. Each shard of a cluster gives no more, in this order; one engine gives everything, in
    no order, unless `is_far`."""
    limit_by: str | None = None
    """Columns of which each combination is wanted once. A statement that has them is a SELECT from one table."""

    @property
    def text(self) -> str:
        """Gives everything, in no order."""
        return self.body + self._limit_by

    def text_of(self, first: First) -> str:
        """Of a SELECT from one table: gives these, in order."""
        return f"{self.body} ORDER BY {first.columns}{self._limit_by} LIMIT {first.count} WITH TIES"

    @property
    def _limit_by(self) -> str:
        return "" if self.limit_by is None else f" LIMIT 1 BY {self.limit_by}"


@dataclass(frozen=True, slots=True)
class Select(Statement, Generic[RowT]):
    """A statement whose rows have names."""

    row: Callable[[Any], RowT] = field(kw_only=True)
    """Makes one of what the engine gives: a tuple."""


class Rows(Protocol):
    """Runs a statement."""

    def __call__(self, statement: Select[RowT]) -> Sequence[RowT]: ...


class Submit(Protocol):
    """Runs a statement on another connection, at the same time."""

    def __call__(self, statement: Select[RowT]) -> Future[Sequence[RowT]]: ...


class SubmitTable(Protocol):
    """The same, for an Arrow table."""

    def __call__(self, statement: Statement) -> Future[Any]: ...


class NumberList(list[int]):
    """A bound list of whole numbers that knows its type."""

    def __init__(self, numbers: Iterable[int], sql_type: str) -> None:
        super().__init__(numbers)
        self.sql_type = sql_type


def bind(parameters: dict[str, Any], sql_type: str, value: Any) -> str:
    """Stands for a value in a text: it is added to the parameters under a name of its own."""
    name = f"v{len(parameters)}"
    if sql_type == "Array(String)":
        parameters[name] = [encodable(item) for item in value]
    else:
        parameters[name] = NumberList(value, sql_type) if sql_type.startswith("Array(") else encodable(value)
    return placeholder(name, sql_type)


def placeholder(name: str, sql_type: str) -> str:
    return f"{{{name}:{sql_type}}}"


def encodable(value: Any) -> Any:
    """Half a surrogate cannot be stored, so it must be found nowhere: three separators never follow each other."""
    return re.sub("[\ud800-\udfff]", SEPARATOR * 3, value) if isinstance(value, str) else value
