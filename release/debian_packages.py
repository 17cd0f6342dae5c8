"""Debian packages of the agent and of the server, each with a private environment, out of the wheel and the lock files.

`procession-agent` has the program, and what the agent and the commands for people need. `procession-server` adds what
only a server needs to the same environment, and depends on it.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from procession import __version__
from procession.cli import COMMANDS
from procession.cli.local.service_units import unit_text
from release.source_tree import ROOT
from tests.support.lean import lean_packages
from tests.support.licences import python_packages

REVISION = "1"
HOME = "usr/lib/procession"
PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"
PACKAGES = f"{HOME}/lib/{PYTHON}/site-packages"
TEMPLATES = Path(__file__).parent / "debian"


@dataclass(frozen=True)
class DebianPackage:
    name: str
    service: str
    user: str
    environment: str
    command: str
    compression: tuple[str, ...]
    """Options of dpkg-deb: what is large is packed quickly."""


AGENT = DebianPackage(
    "procession-agent", "procession-agent.service", "procession-agent", "agent.env", "agent", ("-Zxz",)
)
SERVER = DebianPackage(
    "procession-server", "procession-server.service", "procession", "server.env",
    "serve --data-dir /var/lib/procession", ("-Zgzip", "-z1"),
)  # fmt: skip


def architecture() -> str:
    return subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True).stdout.strip()


def build(package: DebianPackage, wheel: Path, into: Path, *, at: int, revision: str = REVISION) -> Path:
    """The same bytes for the same wheel, lock files and moment."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name) / "root"
        root.mkdir(mode=0o755)
        _add_environment(package, wheel, root)
        _add_service(package, root)
        version = f"{__version__}-{revision}"
        _add_documents(package, root, version, at)
        _add_control(package, root, version)
        _level(root, at)
        into.mkdir(parents=True, exist_ok=True)
        place = into / f"{package.name}_{version}_{architecture()}.deb"
        subprocess.run(
            ["dpkg-deb", "--root-owner-group", *package.compression, "--build", root, place],
            env={**os.environ, "SOURCE_DATE_EPOCH": str(at)},
            check=True,
            stdout=subprocess.DEVNULL,
        )
        return place


def _add_environment(package: DebianPackage, wheel: Path, root: Path) -> None:
    """A virtual environment over Debian's Python: wheels are unpacked, and nothing is run."""
    place = root / PACKAGES
    place.mkdir(parents=True)
    lean = lean_packages()
    is_agent = package is AGENT
    needed = {one.name for one in python_packages(to_run=True) if (one.name in lean) is is_agent}
    with tempfile.TemporaryDirectory() as name:
        for found in [*_wheels(needed, Path(name)), *([wheel] if is_agent else [])]:
            zipfile.ZipFile(found).extractall(place)
    # Programs of others, tests and headers that no program of ours uses.
    for unused in (
        "chdb/include",
        "bin",
        "pyarrow/include",
        "pyarrow/tests",
        "pandas/tests",
        "numpy/tests",
        "numpy/random/tests",
    ):
        shutil.rmtree(place / unused, ignore_errors=True)
    if is_agent:
        (root / HOME / "bin").mkdir()
        (root / HOME / "bin" / "python3").symlink_to(f"../../../bin/{PYTHON}")
        (root / HOME / "pyvenv.cfg").write_text("home = /usr/bin\ninclude-system-site-packages = false\n")
        _write(root / "usr/bin/procession", _template("procession"), 0o755)


def _wheels(names: Iterable[str], folder: Path) -> list[Path]:
    """Those of the lock file, by hash."""
    wanted = set(names)
    entries = re.split(r"\n(?=\S)", (ROOT / "requirements.lock").read_text(encoding="utf-8"))
    chosen = folder / "requirements.txt"
    chosen.write_text("\n".join(entry for entry in entries if entry.partition("==")[0] in wanted) + "\n")
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "download"]
    options = ["--only-binary", ":all:", "--no-deps", "--require-hashes", "--dest", str(folder)]
    subprocess.run([*command, *options, "--requirement", str(chosen)], check=True)
    return sorted(folder.glob("*.whl"))


def _add_service(package: DebianPackage, root: Path) -> None:
    _write(root / "lib/systemd/system" / package.service, unit_of(package))
    # It may hold a key.
    _write(root / "etc/procession" / package.environment, _template(package.environment), 0o600)


def unit_of(package: DebianPackage) -> str:
    return unit_text(
        package.service,
        command=f"/usr/bin/procession {package.command}",
        environment=Path("/etc/procession") / package.environment,
        origin=f"Of the package {package.name}.",
        user=package.user,
    )


def _add_documents(package: DebianPackage, root: Path, version: str, at: int) -> None:
    place = root / "usr/share/doc" / package.name
    _write(place / "copyright", _template("copyright"))
    _write(root / "usr/share/lintian/overrides" / package.name, _template(f"{package.name}.lintian-overrides"))
    stamp = subprocess.run(
        ["date", "--utc", "--rfc-email", f"--date=@{at}"], capture_output=True, text=True, check=True
    ).stdout.strip()
    changelog = _template("changelog").format(name=package.name, version=version, date=stamp)
    _write_gzip(place / "changelog.Debian.gz", changelog)
    if package is AGENT:
        commands = "".join(f".TP\n.B {name}\n{text}\n" for name, text in COMMANDS.items())
        manual = _template("procession.1").format(version=__version__, commands=commands)
        _write_gzip(root / "usr/share/man/man1/procession.1.gz", manual)


def _add_control(package: DebianPackage, root: Path, version: str) -> None:
    files = [path for path in sorted(root.rglob("*")) if path.is_file() and not path.is_symlink()]
    size = sum(path.stat().st_size for path in files) // 1024
    minor = sys.version_info.minor
    python = f"python3 (>= 3.{minor}), python3 (<< 3.{minor + 1})"
    control = _template(f"{package.name}.control").format(
        version=version, architecture=architecture(), size=size, python=python
    )
    sums = "".join(f"{hashlib.md5(path.read_bytes()).hexdigest()}  {path.relative_to(root)}\n" for path in files)  # noqa: S324
    _write(root / "DEBIAN/control", control)
    _write(root / "DEBIAN/md5sums", sums)
    _write(root / "DEBIAN/conffiles", f"/etc/procession/{package.environment}\n")
    for script in ("postinst", "prerm", "postrm"):
        text = _template(script).replace("#NAME#", package.name).replace("#SERVICE#", package.service)
        text = text.replace("#USER#", package.user).replace("#STARTS#", "no" if package is AGENT else "yes")
        _write(root / "DEBIAN" / script, text, 0o755)


def _level(root: Path, at: int) -> None:
    """Modes and times that do not come from whoever builds it."""
    for path in [root, *sorted(root.rglob("*"))]:
        if path.is_symlink():
            continue
        if path.is_dir():
            path.chmod(0o755)
        elif path.is_relative_to(root / "usr/lib"):
            path.chmod(0o644)
    for path in [*root.rglob("*"), root]:
        os.utime(path, (at, at), follow_symlinks=False)


def _template(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)


def _write_gzip(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    path.chmod(0o644)
