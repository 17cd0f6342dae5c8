"""Helm, built of its pinned sources by Go, once for each machine."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from pathlib import Path

from tests.support.lean import ROOT

CHARTS = ROOT / "deploy" / "helm"
MODULE = CHARTS / "tools"
_PACKAGE = "helm.sh/helm/v3"


def helm_program() -> Path:
    """Kept outside of the checkout, by its version: a clean clone need not build it again."""
    (version,) = re.findall(
        rf"^\t?(?:require )?{re.escape(_PACKAGE)} (v\S+)", (MODULE / "go.mod").read_text(), re.MULTILINE
    )
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    program = caches / "procession" / f"helm-{version}"
    if not program.exists():
        program.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=program.parent) as folder:
            new = Path(folder) / "helm"
            command = ["go", "build", "-mod=readonly", "-ldflags=-s -w", "-o", str(new)]
            subprocess.run([*command, f"{_PACKAGE}/cmd/helm"], cwd=MODULE, check=True)
            new.replace(program)
    return program


if __name__ == "__main__":
    helm_program()
