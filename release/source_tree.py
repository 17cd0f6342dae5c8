"""The files of a commit, in a folder of their own, with the page built there."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

ROOT = Path(__file__).parent.parent


def commit_time() -> int:
    """Unix seconds: the moment that all files of an artefact carry."""
    done = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=True)
    return int(done.stdout)


def is_committed() -> bool:
    done = subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, text=True, check=True)
    return not done.stdout.strip()


def write_source_tree(folder: Path, *, node_modules: Path | None = None) -> None:
    """What git has of the last commit, and the page made of that. `node_modules` saves to install them again."""
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(folder, filter="data")
    web = folder / "web"
    if node_modules is None:
        _npm(web, "ci")
    else:
        shutil.copytree(node_modules, web / "node_modules", symlinks=True, copy_function=os.link)
    _npm(web, "run", "build", "--", "--logLevel", "warn")


def _npm(web: Path, *arguments: str) -> None:
    # Node.js of the machine, or the one that `make` got itself.
    path = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(["npm", "--silent", *arguments], cwd=web, env={**os.environ, "PATH": path}, check=True)
