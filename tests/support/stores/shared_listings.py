"""Packed snapshots as a decoder makes them: chunks that list the same processes have the same listing."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from procession.packed import AnySnapshot, Listing, PackedSnapshot, pack


class SharedListings:
    def __init__(self) -> None:
        self._listings: dict[tuple[str, Listing], Listing] = {}

    def of(self, snapshots: Sequence[tuple[int, AnySnapshot]]) -> list[tuple[int, PackedSnapshot]]:
        return [(org_id, self._shared(pack(snapshot))) for org_id, snapshot in snapshots]

    def _shared(self, snapshot: PackedSnapshot) -> PackedSnapshot:
        listing = self._listings.setdefault((snapshot.host, snapshot.listing), snapshot.listing)
        return msgspec.structs.replace(snapshot, listing=listing)
