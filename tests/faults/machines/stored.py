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
