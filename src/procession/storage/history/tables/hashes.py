"""64 bits that stand for a description, a tag set or a label set: the same on every server, not to be hit on
purpose."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec

from procession.process import ProcessDescription

_encode = msgspec.msgpack.Encoder().encode


def version_of(description: ProcessDescription) -> int:
    return _hash(description)


def tag_set_of(tags: Sequence[str]) -> int:
    return _hash(tags)


def label_set_of(description: ProcessDescription) -> int:
    """Of what processes are counted by: they are of one label set if all of it is the same."""
    shared = (description.command, description.user, description.container_id, description.is_zombie, description.tags)
    return _hash(shared)


def _hash(value: Any) -> int:
    return int.from_bytes(hashlib.blake2b(_encode(value), digest_size=8).digest(), "big")
