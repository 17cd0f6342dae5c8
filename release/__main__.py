"""`make artefacts`: make all that is handed to users out of the last commit, twice, and try each artefact."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from release import bill_of_materials, checksums, container_images, debian_packages, python_packages
from release.source_tree import ROOT, commit_time, is_committed, write_source_tree

DIST = ROOT / "dist"


def main() -> int:
    if not is_committed():
        print("artefacts: there are changes that are not committed; they will not be in it", file=sys.stderr)
    at = commit_time()
    shutil.rmtree(DIST, ignore_errors=True)
    DIST.mkdir()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first, second = folder / "one", folder / "another-one-with-a-longer-name"
        print("artefacts: the files of the last commit, and the page", flush=True)
        write_source_tree(first)
        write_source_tree(second, node_modules=first / "web" / "node_modules")
        print("artefacts: wheel and sdist, twice", flush=True)
        made = python_packages.build(first, DIST, at=at)
        python_packages.hold_same(made, python_packages.build(second, folder / "again", at=at, umask=0o077))
        print("artefacts: Debian packages", flush=True)
        wheel = next(path for path in made if path.suffix == ".whl")
        for package in (debian_packages.AGENT, debian_packages.SERVER):
            debian_packages.build(package, wheel, DIST, at=at)
        make_images(first, folder / "images", at=at)
    bill_of_materials.write(DIST, at)
    checksums.write(DIST)
    for path in sorted(DIST.iterdir()):
        print(f"artefacts: {path.relative_to(ROOT)}, {path.stat().st_size / 1e6:.1f} MB", flush=True)
    return try_them()


def make_images(tree: Path, folder: Path, *, at: int) -> None:
    if reason := container_images.why_none():
        print(f"artefacts: no images for containers: {reason}", file=sys.stderr, flush=True)
        return
    print("artefacts: images for containers", flush=True)
    folder.mkdir()
    builder = container_images.Builder(folder)
    builder.make_bases()
    for image in (container_images.AGENT, container_images.SERVER):
        builder.build(image, tree, DIST, at=at)


def try_them() -> int:
    """With the tests that use nothing but an artefact."""
    environment = {**os.environ, "PROCESSION_DIST": str(DIST)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/artefacts", *sys.argv[1:]]
    return subprocess.run(command, cwd=ROOT, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
