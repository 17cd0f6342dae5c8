"""Images for containers, out of the Dockerfile, by Buildah: every step in it is carried out as it stands there.

Only what the Dockerfile begins with is made here, of Debian's packages, since it takes a registry to fetch it: in
place of `python:3.11-slim` a minimal Debian 12 with its Python 3.11, and in place of `node:24-slim` the same with the
Node.js of requirements-page.lock.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from procession import __version__
from release import debian_system
from release.debian_packages import architecture
from release.source_tree import ROOT

DOCKERFILE = ROOT / "Dockerfile"
PYTHON_BASE = "python:3.11-slim"
PAGE_BASE = "node:24-slim"
PACKAGES = ("ca-certificates", "python3", "python3-venv", "python-is-python3")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_PAGE_BASE_STEPS = f"""\
FROM {PYTHON_BASE}
COPY requirements-page.lock /tmp/
RUN python -m venv /opt/node && /opt/node/bin/pip install --require-hashes --requirement /tmp/requirements-page.lock
ENV PATH=/opt/node/bin:$PATH NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
"""


@dataclass(frozen=True)
class ContainerImage:
    name: str
    target: str
    """Of the Dockerfile."""

    @property
    def tag(self) -> str:
        return f"{self.name}:{__version__}"

    @property
    def archive_name(self) -> str:
        return f"{self.name}-image_{__version__}_{architecture()}.tar.gz"


AGENT = ContainerImage("procession-agent", "agent")
SERVER = ContainerImage("procession", "server")


def why_none() -> str | None:
    """What lacks here to build images."""
    missing = [tool for tool in ("buildah", "debootstrap") if shutil.which(tool) is None]
    if missing:
        return f"there is no {' and no '.join(missing)} here"
    return None if os.geteuid() == 0 else "only root can build them"


@dataclass(frozen=True)
class Builder:
    """Buildah, with a store of its own in `folder`."""

    folder: Path

    def make_bases(self) -> None:
        context = self.folder / "base"
        root = context / "root"
        context.mkdir()
        debian_system.make(root, PACKAGES)
        for unused in ("var/cache/apt", "var/lib/apt/lists", "var/log"):
            shutil.rmtree(root / unused)
            (root / unused).mkdir()
        (context / "Dockerfile").write_text(f"FROM scratch\nCOPY root /\nENV PATH={_PATH}\n")
        self._build(context, PYTHON_BASE)
        shutil.rmtree(context)
        self._make_page_base(context)

    def _make_page_base(self, context: Path) -> None:
        context.mkdir()
        shutil.copy(ROOT / "requirements-page.lock", context)
        (context / "Dockerfile").write_text(_PAGE_BASE_STEPS)
        self._build(context, PAGE_BASE)

    def build(self, image: ContainerImage, tree: Path, into: Path, *, at: int) -> Path:
        """What `docker load` and `podman load` take. `tree`: the files of a commit."""
        self._build(tree, image.tag, "--layers", f"--timestamp={at}", f"--target={image.target}")
        place = into / image.archive_name
        unpacked = self.folder / "image.tar"
        self._buildah("push", "--quiet", image.tag, f"docker-archive:{unpacked}:{image.tag}")
        with place.open("wb") as packed:
            subprocess.run(["gzip", "--fast", "--no-name", "--stdout", unpacked], check=True, stdout=packed)
        unpacked.unlink()
        return place

    def _build(self, context: Path, tag: str, *options: str) -> None:
        # Docker's format has a place for health checks. What a step fetches, it fetches as this machine does.
        fixed = ("--format=docker", "--isolation=chroot", "--pull-never", f"--tag={tag}", "--quiet")
        self._buildah("build", *fixed, *(f"--volume={volume}" for volume in _lent()), *options, str(context))

    def _buildah(self, *arguments: str) -> None:
        store = (f"--root={self.folder / 'store'}", f"--runroot={self.folder / 'run'}", "--storage-driver=overlay")
        # What it mounts would keep the folder from being removed: it goes with a namespace.
        subprocess.run(["unshare", "--mount", "buildah", *store, *arguments], check=True, stdout=subprocess.DEVNULL)


def _lent() -> Iterator[str]:
    """Which authorities and registries this machine trusts and asks, for the steps that build; none of it stays."""
    for place, inside in (
        (Path("/etc/ssl/certs"), "/etc/ssl/certs"),
        (Path("/etc/pip.conf"), "/etc/pip.conf"),
        (Path.home() / ".npmrc", "/root/.npmrc"),
    ):
        if place.exists():
            yield f"{place}:{inside}:ro"
