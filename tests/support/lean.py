"""`procession ...` as one who installed no extra has it: what only an extra brings cannot be imported."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]

_PROGRAM = """
import json, sys
arguments, missing, listed = json.loads(sys.argv[1])
before = set(sys.modules)  # what .pth files of the environment have imported

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in missing:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
from procession.cli import run
code = run(arguments)
with open(listed, "w") as file:
    json.dump(sorted(set(sys.modules) - before), file)
sys.exit(code)
"""


@dataclass(frozen=True)
class LeanResult:
    code: int
    out: str
    err: str
    modules: frozenset[str]
    """All that it had imported at its end."""


@cache
def lean_packages() -> frozenset[str]:
    """Names of what comes with the package alone, with all that it needs."""
    lock = (ROOT / "requirements-agent.lock").read_text(encoding="utf-8")
    return frozenset(re.findall(r"^([a-z0-9.-]+)==", lock, re.MULTILINE))


@cache
def modules_of_others() -> frozenset[str]:
    """Modules that are installed here, and not with the package alone."""
    kept = lean_packages() | {"procession"}
    return frozenset(
        module
        for module, packages in packages_distributions().items()
        if not {canonicalize_name(name) for name in packages} & kept
    )


def lean_procession(
    *arguments: str, environment: Mapping[str, str], listed: Path, stdin: int = subprocess.DEVNULL
) -> LeanResult:
    """`listed` is a file for the names of its modules."""
    given = json.dumps([arguments, sorted(modules_of_others()), str(listed)])
    done = subprocess.run(
        [sys.executable, "-P", "-c", _PROGRAM, given],
        env=dict(environment),
        stdin=stdin,
        capture_output=True,
        text=True,
        timeout=60,
    )
    modules = json.loads(listed.read_text()) if listed.exists() else ()
    return LeanResult(done.returncode, done.stdout, done.stderr, frozenset(modules))
