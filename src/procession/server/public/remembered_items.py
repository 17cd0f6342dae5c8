"""Processes as JSON, remembered but for the moment of their newest sighting: whoever looks on asks for the same page
every few seconds."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from procession.accounts.visibility import Visibility
from procession.process import ProcessDescription, ProcessIdentity, ProcessSummary
from procession.process_item import public_item, utc_text

_MOST_BYTES = 24 * 2**20
_OVERHEAD_BYTES = 500
"""About what an entry takes, besides its text."""

_ENCODER = msgspec.json.Encoder()
_CMDLINE, _MOMENT = b'"attributes":{"cmdline":', b',"timestamp":"'

_Key = tuple[Visibility, ProcessIdentity, ProcessDescription]


class _Pieces(NamedTuple):
    """What stands before and behind the moment."""

    before: bytes
    behind: bytes


class RememberedItems:
    """For any number of threads: at worst, two make the same."""

    def __init__(self, max_bytes: int = _MOST_BYTES) -> None:
        self._max_bytes = max_bytes
        self._pieces: dict[_Key, _Pieces] = {}
        self.held_bytes = 0
        """About what it takes."""

    def of(self, visibility: Visibility, process: ProcessSummary) -> msgspec.Raw:
        """The JSON of a `public_item`."""
        key = visibility, process.identity, process.description
        found = self._pieces.get(key)
        if found is None:
            found = _pieces_of(visibility, process)
            self._remember(key, found)
        return msgspec.Raw(found.before + utc_text(process.seen_at).encode() + found.behind)

    def _remember(self, key: _Key, pieces: _Pieces) -> None:
        size = _OVERHEAD_BYTES + 2 * (len(pieces.before) + len(pieces.behind))  # the description has it all again
        if self.held_bytes + size > self._max_bytes:
            self._pieces, self.held_bytes = {}, 0
        self._pieces[key] = pieces
        self.held_bytes += size


def _pieces_of(visibility: Visibility, process: ProcessSummary) -> _Pieces:
    item = public_item(visibility, process)
    data = _ENCODER.encode(item)
    # The command line stands before the moment, and may hold what looks like one.
    cmdline = _CMDLINE + _ENCODER.encode(item.attributes.cmdline)
    begin = data.index(cmdline) + len(cmdline) + len(_MOMENT)
    return _Pieces(data[:begin], data[begin + len(item.attributes.timestamp) :])
