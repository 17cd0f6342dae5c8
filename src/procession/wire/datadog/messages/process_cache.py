"""Processes that are known by their bytes: four of five do nothing between two snapshots, and say the same again."""

from __future__ import annotations

import msgspec

from procession.packed import PackedSighting
from procession.wire.datadog.cache_budget import Allowance
from procession.wire.datadog.messages.descriptions import Surroundings

_BYTES_OF_ONE = 450
"""With its numbers and its places in two snapshots, without what the process is: a `DescriptionDecoder` has that, and
counts it."""

_BYTES_OF_HOST = 1000


class Recognised(msgspec.Struct, frozen=True, gc=False):
    """What bytes of a process said, and where: the same bytes elsewhere have other tags."""

    sighting: PackedSighting
    surroundings: Surroundings
    key: int
    """Of the pid and the start."""


class OfHost:
    """By the hash of their bytes, those of its last two snapshots. Python's hash has a secret in it: whoever sends the
    bytes cannot know it; and of one host's few hundred, two hardly ever have the same 64 bits."""

    __slots__ = ("before", "moment", "now")

    def __init__(self) -> None:
        self.before: dict[int, Recognised] = {}
        self.now: dict[int, Recognised] = {}
        self.moment = (0, 0)
        """When it was, and the number of its group."""


class RecognisedHosts:
    """For many threads, of which each may see a little less than the others."""

    def __init__(self, allowance: Allowance) -> None:
        self._hosts: dict[tuple[int, str], OfHost] = {}
        self._allowance = allowance

    def of(self, host: tuple[int, str], moment: tuple[int, int]) -> OfHost:
        """For one chunk of a snapshot. A host is an org's, whose hosts may be called as those of others."""
        found = self._hosts.get(host)
        if found is None:
            found = OfHost()
            if self._allowance.admits(_BYTES_OF_HOST):
                self._hosts[host] = found
        if found.moment != moment:
            gone = len(found.before.keys() - found.now.keys())
            found.before, found.now, found.moment = found.now, {}, moment
            self._allowance.give_back(gone * _BYTES_OF_ONE, gone)
        return found

    def note(self, host: OfHost, bytes_hash: int, one: Recognised) -> None:
        if self._allowance.admits(_BYTES_OF_ONE):
            host.now[bytes_hash] = one

    def forget(self) -> None:
        self._hosts = {}
