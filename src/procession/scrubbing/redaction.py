"""Hides secrets in what one person may hand to another: settings, addresses, lines of a log."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from procession.scrubbing import MASK, Scrubber

_SCRUBBER = Scrubber()
_LOGIN = re.compile(r"(?<=://)[^/\s@?#]*:[^/\s?#]*(?=@)|(?<=://)[^/\s@?#:]{16,}(?=@)")
"""In a URL: a name with its password, or a token in place of both."""
_QUERY_VALUE = re.compile(r"(?<=[?&])(?!cluster=)([^=&\s#]*)=([^&\s#]+)")
_TOKEN = re.compile(r"(?<![A-Za-z0-9_-])(?=[A-Za-z_-]*\d)[A-Za-z0-9_-]{20,}={0,2}(?![A-Za-z0-9_-])")
"""A word as long as keys are, with a digit in it."""


def without_login(address: str) -> str:
    """An address without the password in it, and without the values of its query but the store's cluster."""
    return _QUERY_VALUE.sub(rf"\1={MASK}", _LOGIN.sub(MASK, address))


def without_secrets(line: str) -> str:
    """A line in which every word that looks like a secret is hidden, and some more."""
    scrubbed = "\n".join(_SCRUBBER.scrub_line(part) for part in line.split("\n"))
    return _TOKEN.sub(MASK, _LOGIN.sub(MASK, scrubbed))


def shown_settings(settings: Any) -> dict[str, Any]:
    """Each setting of a settings class by its name, without what is secret in it."""
    return {
        field.name.replace("_", "-"): shown_setting(field, getattr(settings, field.name))
        for field in dataclasses.fields(settings)
    }


def shown_setting(field: dataclasses.Field[Any], value: Any) -> Any:
    if field.metadata.get("secret"):
        return MASK if value else value
    if isinstance(value, str):
        return without_login(value) if "://" in value else value
    if isinstance(value, tuple):
        return [without_login(item) if "://" in item else item for item in value]
    return value
