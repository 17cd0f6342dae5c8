"""Which chunks the pages of one list are made of: those that its first page was made of, whatever has come since.

When a chunk was received is known to the second. So a pin names those of the last two seconds one by one, and a chunk
that is received in a second goes into the tables before the next one is over: if not, the digest tells.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from procession.analysis import MAX_NAMED_CHUNKS, InstantPin
from procession.errors import InvalidRequest
from procession.storage.history.instants.columns.newest_snapshots import Snapshots, chunk_ids

_EDGE_SECONDS = 1
"""Before the newest second: what was received since then is named."""


def pinned(chunks: pa.Table, pin: InstantPin | None) -> pa.Table:
    """Without those that have come since."""
    if pin is None or not len(chunks):
        return chunks
    received_at = chunks["received_at"].to_numpy()
    is_named = np.isin(_short(_ids(chunks)), np.array(pin.newest, np.uint32))
    return chunks.filter(pa.array((received_at + _EDGE_SECONDS < pin.received_at) | is_named))


def pin_of(chunks: pa.Table, snapshots: Snapshots) -> InstantPin | None:
    """Of those that these snapshots are made of. None where there are none, or too many of the last seconds to name."""
    if not snapshots:
        return None
    ids, received_at = _ids(chunks), chunks["received_at"].to_numpy()
    is_used = np.isin(ids, np.array(snapshots.chunks, np.uint64))
    newest = int(received_at[is_used].max())
    named = np.unique(_short(ids[is_used & (received_at + _EDGE_SECONDS >= newest)]))
    if len(named) > MAX_NAMED_CHUNKS:
        return None
    return InstantPin(newest, tuple(named.tolist()), snapshots.digest()[:8])


def check(snapshots: Snapshots, pin: InstantPin | None) -> None:
    """Raises InvalidRequest where these are not the snapshots of the first page."""
    if pin is not None and snapshots.digest()[:8] != pin.digest:
        raise InvalidRequest(
            "Invalid query parameter page[cursor]: what the page before was made of cannot be told apart any more from"
            " what has come since; begin again with the first page"
        )


def _ids(chunks: pa.Table) -> Any:
    return chunk_ids({name: chunks[name].to_numpy() for name in ("host", "at", "request")})


def _short(ids: Any) -> Any:
    with np.errstate(over="ignore"):
        return ((ids * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(32)).astype(np.uint32)
