"""The wheel and the sdist, the same bytes wherever and whenever they are made of the same files."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_BUILD = "import os, sys; os.umask(int(sys.argv.pop(1), 8)); from hatchling.cli import hatchling; sys.exit(hatchling())"


class NotReproducible(Exception):
    """Two builds of the same files differ."""


def build(tree: Path, into: Path, *, at: int, umask: int = 0o022) -> list[Path]:
    """Wheel and sdist of the files in `tree`, which bear the moment `at`."""
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(at), "PYTHONHASHSEED": "random"}
    command = [sys.executable, "-P", "-c", _BUILD, f"{umask:o}", "build", "--directory", str(into)]
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"cannot build {tree}:\n{done.stdout}{done.stderr}")
    return sorted([*into.glob("*.whl"), *into.glob("*.tar.gz")])


def hold_same(one: list[Path], other: list[Path]) -> None:
    """Raises NotReproducible."""
    if [path.name for path in one] != [path.name for path in other]:
        raise NotReproducible(f"two builds made {one} and {other}")
    for left, right in zip(one, other, strict=True):
        if left.read_bytes() != right.read_bytes():
            raise NotReproducible(f"two builds of {left.name} differ: compare {left} and {right}")
