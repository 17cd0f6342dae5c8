"""Those who do it, in processes of their own: what they cost is theirs."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

PATIENCE_SECONDS = 120


class Attacker:
    """A module of this folder that ends by itself and says in JSON what it was answered."""

    def __init__(self, module: str, *arguments: object) -> None:
        command = [sys.executable, "-m", f"tests.overload.{module}", *map(str, arguments)]
        # They would have processors of their own.
        self._process = subprocess.Popen(["nice", "-n", "19", *command], stdout=subprocess.PIPE, text=True)

    def result(self) -> dict[str, Any]:
        said, _ = self._process.communicate(timeout=PATIENCE_SECONDS)
        assert self._process.returncode == 0
        found: dict[str, Any] = json.loads(said)
        return found

    def __enter__(self) -> Attacker:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
