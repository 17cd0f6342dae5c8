"""What is in a store, read past the product's own queries, in a process of its own: one may have the folder open.

python -m tests.faults.machines.stored DATA_DIR
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
_CHUNKS = "SELECT host, at, request, pid FROM snapshots FINAL ORDER BY host, at, request"
"""As queries see it: of two rows with the same key, one counts."""

_SLOT = "intDiv(at % 3600, 10)"
_PRESENCE = f"""
SELECT org, hour, host, pid, start, version, first, last, low, high, arrayStringConcat(groupArray(side)) FROM (
    SELECT 'written' AS side, org, hour, host, pid, start, version, min(first) AS first, max(last) AS last,
        groupBitOr(low_slots) AS low, groupBitOr(high_slots) AS high
    FROM presence GROUP BY org, hour, host, pid, start, version
    UNION ALL
    SELECT ' seen', org, intDiv(at, 3600) AS hour, host, pid, start, version, min(at), max(at),
        groupBitOr(if({_SLOT} < 256, bitShiftLeft(toUInt256(1), {_SLOT}), 0)),
        groupBitOr(if({_SLOT} < 256, 0, bitShiftLeft(toUInt128(1), {_SLOT} % 256)))
    FROM snapshots ARRAY JOIN pid, start, version GROUP BY org, hour, host, pid, start, version
) GROUP BY ALL"""  # noqa: S608
"""Processes by the hour, and whether they are in `presence`, in `snapshots`, or alike in both."""

_START = """
import sys
from pathlib import Path
from procession.storage.embedded_store import open_history
open_history(Path(sys.argv[1]), sets_retention=False).close()
"""


@dataclass(frozen=True)
class Chunk:
    """A payload that was stored."""

    host_key: int
    taken_at: int
    request_id: int
    pids: frozenset[int]


def chunks_of(data_dir: Path) -> list[Chunk]:
    """Of the store in a folder that nobody has open."""
    return as_chunks(ask(data_dir, _CHUNKS))


def presence_of(data_dir: Path) -> tuple[int, list[list[Any]]]:
    """In how many rows it is what the snapshots say, and those in which it is not, once the next start has written what
    a server left that was killed."""
    subprocess.run([sys.executable, "-c", _START, str(data_dir)], cwd=ROOT, check=True, timeout=120)
    rows = ask(data_dir, _PRESENCE)
    differing = [row for row in rows if not ("written" in row[-1] and "seen" in row[-1])]
    return len(rows) - len(differing), differing


def as_chunks(rows: Sequence[Sequence[Any]]) -> list[Chunk]:
    return [Chunk(host, at, request, frozenset(pids)) for host, at, request, pids in rows]


def ask(data_dir: Path, statement: str) -> list[list[Any]]:
    """The rows of a statement."""
    result = subprocess.run(
        [sys.executable, "-m", "tests.faults.machines.stored", str(data_dir), statement],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    found: list[list[Any]] = json.loads(result.stdout)
    return found


def main() -> None:
    from procession.storage.history.engine.embedded import EmbeddedEngine

    engine = EmbeddedEngine(Path(sys.argv[1]))
    with engine.connection() as connection:
        rows = [list(row) for row in connection.query(sys.argv[2]).result_rows]
    engine.close()
    sys.stdout.write(json.dumps(rows, default=list))


if __name__ == "__main__":
    main()
