"""A request that is to be made, for channels that are reached by HTTP."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A POST. Where `url` leads is looked at by who sends it."""

    url: str
    body: bytes
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


def json_request(url: str, value: Mapping[str, Any] | list[Any]) -> HttpRequest:
    return HttpRequest(url, json.dumps(value, separators=(",", ":")).encode())
