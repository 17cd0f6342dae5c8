"""All that is wrong with the parameters of a request, so that the client hears of it at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from procession.errors import InvalidParameter, InvalidRequest

P = ParamSpec("P")
T = TypeVar("T")


class ParameterErrors:
    def __init__(self, *, has_hints: bool) -> None:
        """`has_hints`: whether messages say what may help."""
        self._has_hints = has_hints
        self._messages: list[str] = []

    def add(self, *errors: InvalidRequest) -> None:
        for error in errors:
            if isinstance(error, InvalidParameter) and self._has_hints:
                self._messages.append(error.with_hint())
            else:
                self._messages.extend(error.messages)

    def value_of(self, parse: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """What `parse` returns for these arguments; None where it raises InvalidRequest, which is kept."""
        try:
            return parse(*args, **kwargs)
        except InvalidRequest as error:
            self.add(error)
            return None

    def raise_any(self) -> None:
        """Raises InvalidRequest with a message for each error, in their order, if there are any."""
        if self._messages:
            raise self.together()

    def together(self) -> InvalidRequest:
        """One error that says all of them."""
        return InvalidRequest(*self._messages)
