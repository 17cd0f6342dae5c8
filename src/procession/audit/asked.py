"""What was asked, as text that may be kept: bounded, and without secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from procession.audit.entry import AuditEntry
from procession.scrubbing import MASK, Scrubber
from procession.scrubbing.redaction import without_login

MAX_CHARACTERS = 1000
"""Of one value."""
MOST_NAMES = 40
CUT = "…"

NAMES = frozenset(
    """at by container_id count current_only ended every filter filter[tags] force from group_by group_states host
    id_offset keys kind language limit match matches measures monitor_id monitor_ids monitor_tags name offset org_id
    other_at other_host other_search other_tags page page[limit] page[offset] page[size] page_size per_page points
    prefix processes query rank route search silent_hours sort sort_dir sort_field source start statistics subject tags
    text to who with_assets with_downtimes x y""".split()  # noqa: SIM905 (one line for many)
)
"""Parameters whose values are kept. Of others it is only kept that they were there: they may be anything."""

_MOVING = re.compile(rb"(?:^|&)(?:at|from|to|other_at|page%5Bcursor%5D|page\[cursor\])=[^&]*")
_MOMENT = re.compile(rb"(?:^|&)(?:at|to)=(\d{1,11})(?=&|$)")
_BOUND = re.compile(rb"(?:^|&)(from|to)=(\d{1,11})(?=&|$)")
_KEY = re.compile(r"(?<![0-9A-Za-z_-])(?:[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[A-Za-z0-9_-]{43})(?![0-9A-Za-z_-])")
"""A word as long as a key of ours, or as the token of a session or of a link."""

_HARMLESS = re.compile(r"[A-Za-z0-9_.*,-]{0,15}")
"""Too short for a token, and without a name in front that would make a secret of it."""

_NOW_SECONDS = 120

_LONG_QUERY = 1000
"""Characters from which on nothing of it is remembered."""

_SCRUBBER = Scrubber()


def asked_of(entry: AuditEntry) -> dict[str, Any]:
    """By name. What the cursor of a page holds is in the other parameters."""
    asked: dict[str, Any] = {}
    for name, value in entry.path.items():
        is_id = name == "process_id" and entry.who is not None and _is_process_of(str(value), entry.who.org_id)
        asked[name] = str(value) if is_id else scrubbed(str(value))
    others = 0
    for name, value in _parameters(entry.query.decode("utf-8", "replace"))[:MOST_NAMES]:
        if name in NAMES:
            asked[name] = scrubbed(value)
        elif name != "page[cursor]":
            others += 1
    if others:
        asked["other parameters"] = others
    if entry.body:
        asked["body"] = scrubbed(entry.body.decode("utf-8", "replace"))
    return asked


def _parameters(query: str) -> Sequence[tuple[str, str]]:
    """Names and values, decoded."""
    if len(query) > _LONG_QUERY:
        return _decoded(query)
    # Of a query most parameters are those of many others, and to decode one costs more than to look it up.
    return [pair for part in query.split("&") if part for pair in _decoded_part(part)]


def _decoded(query: str) -> Sequence[tuple[str, str]]:
    return tuple(parse_qsl(query, keep_blank_values=True, errors="replace"))


_decoded_part = lru_cache(maxsize=1024)(_decoded)


def scrubbed(text: str) -> str:
    """By the rules for command lines, and without what looks like a key of ours."""
    return text if _HARMLESS.fullmatch(text) else _scrubbed(text)


@lru_cache(maxsize=2048)
def _scrubbed(text: str) -> str:
    kept = text[: 4 * MAX_CHARACTERS]
    clean = _KEY.sub(MASK, without_login(_SCRUBBER.scrub_line(kept)))
    return clean if len(text) <= MAX_CHARACTERS >= len(clean) else clean[:MAX_CHARACTERS] + CUT


def scrubbed_change(value: Any, depth: int = 8) -> Any:
    """All texts in what was changed, likewise."""
    if isinstance(value, str):
        return scrubbed(value)
    if isinstance(value, Mapping):
        return {scrubbed(str(name)): scrubbed_change(one, depth - 1) for name, one in value.items()} if depth else CUT
    if isinstance(value, list | tuple | set | frozenset):
        shown = sorted(value, key=str) if isinstance(value, set | frozenset) else value
        return [scrubbed_change(one, depth - 1) for one in shown] if depth else CUT
    return value if isinstance(value, int | float | None) else scrubbed(str(value))


def is_about_now(entry: AuditEntry) -> bool:
    """Whether it is a question about the present, whose moments are others each time that a page asks it."""
    moments = _MOMENT.findall(entry.query)
    return all(abs(entry.at - int(moment)) < _NOW_SECONDS for moment in moments)


def without_moments(query: bytes) -> tuple[bytes, int | None]:
    """The rest of it, and how many minutes its window has."""
    bounds = {name: int(moment) for name, moment in _BOUND.findall(query)}
    minutes = (bounds[b"to"] - bounds[b"from"]) // 60 if len(bounds) == 2 else None
    return _MOVING.sub(b"", query), minutes


def _is_process_of(text: str, org_id: int) -> bool:
    """The id of a process begins with its org; a key that stands there by mistake does not."""
    return len(text) == 40 and text.startswith(org_id.to_bytes(4, "little").hex())
