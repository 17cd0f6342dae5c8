"""Arithmetic on the numbers of queries.

    sum     = product (("+" | "-") product)*
    product = factor (("*" | "/") factor)*
    factor  = "-"* (number | name | "(" sum ")")

A name is that of a query. Blanks may stand anywhere between.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import NoReturn, TypeVar

from procession.errors import InvalidRequest

MAX_LENGTH = 500
MAX_OPEN_PARENTHESES = 16

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NUMBER = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_BLANKS = re.compile(r"\s*")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Operator:
    sign: str

    def result(self, left: float | None, right: float | None) -> float | None:
        """None where one of them is not known, and for what is no number: a quotient by 0, and what is too large."""
        if left is None or right is None or (self.sign == "/" and right == 0):
            return None
        found = _RESULTS[self.sign](left, right)
        return found if math.isfinite(found) else None


_RESULTS: dict[str, Callable[[float, float], float]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": lambda left, right: left / right,
}


@dataclass(frozen=True, slots=True)
class Formula:
    text: str
    steps: tuple[str | float | Operator, ...]
    """Operands before their operator."""

    @classmethod
    def parse(cls, text: str, names: Collection[str]) -> Formula:
        """Raises InvalidRequest for what is no formula of queries with these names."""
        if len(text) > MAX_LENGTH:
            raise InvalidRequest(f"Invalid formula: it has more than {MAX_LENGTH} characters")
        steps = tuple(_Parser(text, names).parse())
        if not any(isinstance(step, str) for step in steps):
            raise InvalidRequest("Invalid formula: it names no query")
        return cls(text.strip(), steps)

    @property
    def names(self) -> tuple[str, ...]:
        """Of its queries, in its order."""
        return tuple(dict.fromkeys(step for step in self.steps if isinstance(step, str)))

    @property
    def operators(self) -> int:
        return sum(isinstance(step, Operator) for step in self.steps)

    def evaluated(self, value: Callable[[str | float], T], result: Callable[[Operator, T, T], T]) -> T:
        """`value`: of a name or a number."""
        stack: list[T] = []
        for step in self.steps:
            if isinstance(step, Operator):
                right = stack.pop()
                stack.append(result(step, stack.pop(), right))
            else:
                stack.append(value(step))
        return stack.pop()


@dataclass(slots=True)
class _Parser:
    text: str
    names: Collection[str]
    position: int = 0
    open_parentheses: int = 0
    steps: list[str | float | Operator] = field(default_factory=list)

    def parse(self) -> list[str | float | Operator]:
        self._sum()
        if self.position < len(self.text):
            self._refuse("expected an operator")
        return self.steps

    def _sum(self) -> None:
        self._product()
        while sign := self._take("+-"):
            self._product()
            self.steps.append(Operator(sign))

    def _product(self) -> None:
        self._factor()
        while sign := self._take("*/"):
            self._factor()
            self.steps.append(Operator(sign))

    def _factor(self) -> None:
        is_negative = False
        while self._take("-"):
            is_negative = not is_negative
        if is_negative:
            self.steps.append(0.0)
        self._operand()
        if is_negative:
            self.steps.append(Operator("-"))

    def _operand(self) -> None:
        if self._take("("):
            self.open_parentheses += 1
            if self.open_parentheses > MAX_OPEN_PARENTHESES:
                self._refuse(f"more than {MAX_OPEN_PARENTHESES} open parentheses")
            self._sum()
            if not self._take(")"):
                self._refuse("expected )")
            self.open_parentheses -= 1
        elif found := _NUMBER.match(self.text, self.position):
            number = float(found[0])
            if not math.isfinite(number):
                self._refuse("a number that is too large")
            self.steps.append(number)
            self._go_to(found.end())
        elif found := NAME.match(self.text, self.position):
            self._name(found)
        else:
            self._refuse("expected a name, a number or (")

    def _name(self, found: re.Match[str]) -> None:
        begin = self.position
        self._go_to(found.end())
        if self.text[self.position : self.position + 1] == "(":
            self.position = begin
            self._refuse(f"{found[0]}() is a function, and functions are not answered")
        if found[0] not in self.names:
            self.position = begin
            self._refuse(f"there is no query {found[0]}")
        self.steps.append(found[0])

    def _take(self, signs: str) -> str:
        """The next character if it is one of these; else nothing."""
        self._go_to(self.position)
        sign = self.text[self.position : self.position + 1]
        if not sign or sign not in signs:
            return ""
        self._go_to(self.position + 1)
        return sign

    def _go_to(self, position: int) -> None:
        """There, past blanks."""
        blanks = _BLANKS.match(self.text, position)
        self.position = blanks.end() if blanks else position

    def _refuse(self, what: str) -> NoReturn:
        raise InvalidRequest(f"Invalid formula: {what}, at character {self.position + 1}")
