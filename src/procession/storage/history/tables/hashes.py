"""64 bits that stand for a description, a tag set or a label set: the same on every server, not to be hit on
purpose."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import msgspec

from procession.discovery import discovered_tags
from procession.process import ProcessDescription

_encode = msgspec.msgpack.Encoder().encode

Key = TypeVar("Key")
Made = TypeVar("Made")

Tagged = tuple[tuple[str, ...], tuple[str, ...]]
"""Tags, and what was found out in the form of tags."""

LabelSet = tuple[str, str, str, bool, tuple[str, ...], tuple[str, ...]]
"""What processes are counted by: command, user, container, whether it is a zombie, tags, and what was found out."""


def version_of(description: ProcessDescription) -> int:
    """Where nothing was found out, as it was before that was kept."""
    if description.discovery is not None:
        return _hash(description)
    fields = msgspec.structs.asdict(description)
    del fields["discovery"]
    return _hash(fields)


def tagged_of(description: ProcessDescription) -> Tagged:
    return description.tags, discovered_tags(description.discovery)


def tag_set_of(tagged: Tagged) -> int:
    """Of tags alone, where nothing was found out."""
    return _hash(tagged if tagged[1] else tagged[0])


def labels_of(description: ProcessDescription) -> LabelSet:
    """Processes are of one label set if all of it is the same."""
    return (
        description.command,
        description.user,
        description.container_id,
        description.is_zombie,
        *tagged_of(description),
    )


def label_set_of(labels: LabelSet) -> int:
    return _hash(labels if labels[-1] else labels[:-1])


class Remembered(dict[Key, Made], Generic[Key, Made]):
    """What was made of each key: many processes of one insert have the same."""

    def __init__(self, make: Callable[[Key], Made]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: Key) -> Made:
        made = self[key] = self._make(key)
        return made


def _hash(value: Any) -> int:
    return int.from_bytes(hashlib.blake2b(_encode(value), digest_size=8).digest(), "big")
