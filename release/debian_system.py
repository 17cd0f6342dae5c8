"""A minimal Debian in a folder, by debootstrap."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterable
from pathlib import Path

DEBIAN = "bookworm"
LIMIT_SECONDS = 600.0
"""It takes one or two minutes. A mirror that sends nothing would be waited for without an end."""


def make(root: Path, packages: Iterable[str], *, limit_seconds: float = LIMIT_SECONDS) -> None:
    """Begun anew once, where it takes too long. Raises TimeoutExpired, and CalledProcessError with what it said last;
    nothing of it runs on, and what it mounted is gone."""
    try:
        _make(root, packages, limit_seconds)
    except subprocess.TimeoutExpired:
        shutil.rmtree(root, ignore_errors=True)
        _make(root, packages, limit_seconds)


def mirror() -> str:
    """Where this machine has its packages from."""
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.split()[0]


def _make(root: Path, packages: Iterable[str], limit_seconds: float) -> None:
    include = ",".join(packages)
    # What it mounts goes with a namespace of its own.
    command = ["unshare", "--mount", "debootstrap", "--variant=minbase", f"--include={include}", DEBIAN]
    said = root.with_name(f"{root.name}.log")
    with (
        said.open("wb") as log,
        subprocess.Popen(
            [*command, root, mirror()], stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        ) as process,
    ):
        try:
            code = process.wait(limit_seconds)
        except BaseException:
            # It has started others, which would go on.
            os.killpg(process.pid, signal.SIGKILL)
            raise
    if code:
        raise subprocess.CalledProcessError(code, command, output=said.read_text(errors="replace")[-2000:])
    said.unlink()
