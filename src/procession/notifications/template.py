"""Messages with `{{value}}` and `{{#is_alert}}`: Mustache that reads no files, calls no code, keeps its delimiters."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from procession.errors import InvalidRequest

MAX_TEMPLATE_CHARACTERS = 20_000
MAX_TAGS = 500
MAX_NESTING = 16
MAX_VALUE_CHARACTERS = 2_000

_TAG = re.compile(r"\{\{\{?\s*([#^/!&=<>$]?)")
_UNSUPPORTED = {"=": "a change of delimiters", ">": "a partial", "<": "a parent", "$": "a block"}

Value = str | bool


def check_template(text: str) -> None:
    """Raises InvalidRequest for a template that cannot be rendered, or is too large to be."""
    if len(text) > MAX_TEMPLATE_CHARACTERS:
        raise InvalidRequest(f"The message has more than {MAX_TEMPLATE_CHARACTERS} characters")
    kinds = _TAG.findall(text)
    if len(kinds) > MAX_TAGS:
        raise InvalidRequest(f"The message has more than {MAX_TAGS} template tags")
    depth = 0
    for kind in kinds:
        if kind in _UNSUPPORTED:
            raise InvalidRequest(f"The message has {_UNSUPPORTED[kind]}, which templates of messages cannot have")
        depth += (kind in ("#", "^")) - (kind == "/")
        if depth > MAX_NESTING:
            raise InvalidRequest(f"The sections of the message are nested deeper than {MAX_NESTING}")
    _render(text, {}, str)


def render(text: str, values: Mapping[str, Value], escape: Callable[[str], str]) -> str:
    """The text with its variables filled in, each escaped, also in `{{{name}}}`. What has no value is empty.

    Raises InvalidRequest as `check_template` does.
    """
    check_template(text)
    return _render(text, values, escape)


def _render(text: str, values: Mapping[str, Value], escape: Callable[[str], str]) -> str:
    import mstache  # only where something is sent or checked: a server without monitors does not load it

    escaped = {
        name: value if isinstance(value, bool) else escape(value[:MAX_VALUE_CHARACTERS])
        for name, value in values.items()
    }

    def look_up(_scope: Any, _scopes: Sequence[Any], name: str | bytes, default: Any = None) -> Any:
        # By name alone: the library's own way would also reach the attributes of Python's objects.
        return escaped.get(name if isinstance(name, str) else name.decode("utf-8", "replace"), default)

    try:
        # What is in `escaped` is escaped already, so that no spelling of a variable can leave that out.
        return mstache.render(text, {}, getter=look_up, escape=_unchanged, cache={}, recursion_limit=1)
    except (mstache.TokenException, RecursionError, ValueError) as error:  # as for a name of 5,000 digits
        raise InvalidRequest(f"The message is no template: {str(error).splitlines()[0]}") from None


def _unchanged(data: bytes) -> bytes:
    return data
