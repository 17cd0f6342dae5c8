"""Which values of a column are among others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def is_in(values: Any, members: Any) -> Any:
    return pc.is_in(pa.array(values), value_set=_one_chunk(members)).to_numpy(zero_copy_only=False)


def _one_chunk(values: Any) -> Any:
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else pa.array(values)


def paired(hosts: Any, others: Any) -> Any:
    """64 bits for a host and what belongs to it, a version or a pid: hosts are hashes themselves."""
    with np.errstate(over="ignore"):
        mixed = hosts.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        return (mixed ^ (mixed >> np.uint64(29))) + others.astype(np.uint64)
