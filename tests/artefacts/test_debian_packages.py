"""The Debian packages: their content, what lintian and systemd say of them, and their life in a system of their own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from procession import __version__
from release import debian_packages, debian_system
from release.debian_packages import AGENT, SERVER, DebianPackage
from release.source_tree import commit_time
from tests.artefacts.conftest import MOMENT, Dist
from tests.support.lean import ROOT
from tests.support.running import eventually

MOST_EXPOSED = {AGENT.service: 2.3, SERVER.service: 1.2}
"""What `systemd-analyze security` may give, of 10; less is better."""


def run(*command: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=1200)
    assert not check or done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done


@pytest.fixture(scope="module")
def agent(dist: Dist, tmp_path_factory: pytest.TempPathFactory) -> Path:
    for tool in ("dpkg-deb", "lintian"):
        if shutil.which(tool) is None:
            pytest.skip(f"there is no {tool} here")
    found = next(dist.folder.glob("procession-agent_*.deb"), None)
    return found or debian_packages.build(AGENT, dist.wheel, tmp_path_factory.mktemp("debian"), at=MOMENT)


def in_dist(dist: Dist, package: DebianPackage) -> Path:
    found = next(dist.folder.glob(f"{package.name}_*.deb"), None)
    if found is None:
        pytest.skip("made and tried by make artefacts: it has the engine")
    return found


def hold_lintian_clean(package: Path) -> None:
    done = run("lintian", "--allow-root", "--fail-on", "error,warning", package, check=False)

    assert (done.returncode, done.stdout) == (0, "")


def test_lintian_finds_nothing_in_the_agent(agent: Path) -> None:
    hold_lintian_clean(agent)


@pytest.mark.may_skip
@pytest.mark.timeout(1800)
def test_lintian_finds_nothing_in_the_server(dist: Dist) -> None:
    hold_lintian_clean(in_dist(dist, SERVER))


def test_the_package_of_the_agent_is_the_same_each_time(agent: Path, dist: Dist, tmp_path: Path) -> None:
    moment = commit_time() if "PROCESSION_DIST" in os.environ else MOMENT
    umask = os.umask(0o077)
    try:
        other = debian_packages.build(AGENT, dist.wheel, tmp_path, at=moment)
    finally:
        os.umask(umask)

    assert agent.read_bytes() == other.read_bytes()
    listed = run("dpkg-deb", "--contents", agent).stdout
    assert "chdb" not in listed
    assert "./lib/systemd/system/procession-agent.service" in listed
    assert re.search(r"^-rw------- root/root .* \./etc/procession/agent\.env$", listed, re.MULTILINE)
    assert run("dpkg-deb", "--ctrl-tarfile", agent).returncode == 0


@pytest.mark.parametrize("package", [AGENT, SERVER], ids=lambda package: package.name)
def test_the_unit_is_hardened(package: DebianPackage, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("there is no systemd-analyze here")
    unit = tmp_path / package.service
    unit.write_text(debian_packages.unit_of(package))

    said = run("systemd-analyze", "security", "--offline=true", "--threshold=100", unit).stdout

    score = float(re.findall(r"exposure level for \S+: ([0-9.]+)", said)[0])
    assert score <= MOST_EXPOSED[package.service], said
    page = (ROOT / "docs" / "releases.md").read_text()
    assert f"`{package.service}` {score}" in page


@dataclass(frozen=True)
class System:
    """A Debian of its own, in a folder."""

    root: Path

    def run(self, *command: str, user: str = "root", check: bool = True) -> subprocess.CompletedProcess[str]:
        return run("chroot", f"--userspec={user}:{user}", self.root, "env", "HOME=/nonexistent", *command, check=check)

    def install(self, *packages: Path) -> None:
        for package in packages:
            shutil.copy(package, self.root / "tmp")
        self.run("dpkg", "--install", *(f"/tmp/{package.name}" for package in packages))  # noqa: S108

    def has(self, path: str) -> bool:
        return os.path.lexists(self.root / path)


@pytest.fixture
def system(dist: Dist, tmp_path: Path) -> Iterator[System]:
    in_dist(dist, SERVER)
    if shutil.which("debootstrap") is None or os.geteuid() != 0:
        pytest.skip("needs debootstrap and root")
    root = tmp_path / "system"
    debian_system.make(root, ("python3", "adduser", "init-system-helpers", "libstdc++6"))
    run("mount", "-t", "proc", "proc", root / "proc")
    try:
        yield System(root)
    finally:
        run("umount", root / "proc")
        shutil.rmtree(root)


@pytest.mark.may_skip
@pytest.mark.timeout(1800)
def test_the_packages_are_installed_upgraded_removed_and_purged(system: System, dist: Dist, tmp_path: Path) -> None:
    agent, server = in_dist(dist, AGENT), in_dist(dist, SERVER)

    system.install(agent)
    assert system.run("procession", "--version").stdout == f"procession {__version__}\n"
    assert "needs the server" in system.run("procession", "up", check=False).stderr
    assert system.run("procession", "agent", "check", user="procession-agent").returncode == 0

    system.install(server)
    stores(system)
    settings = system.root / "etc/procession/agent.env"
    settings.write_text("PROCESSION_URL=https://mine.example.com\n")

    system.install(
        *(debian_packages.build(package, dist.wheel, tmp_path, at=MOMENT, revision="2") for package in (AGENT, SERVER))
    )
    assert system.run("dpkg-query", "--show", "procession-server").stdout.split()[1] == f"{__version__}-2"
    assert "mine.example.com" in settings.read_text()
    stores(system)

    system.run("dpkg", "--remove", "procession-server", "procession-agent")
    assert not system.has("usr/lib/procession")
    assert not system.has("usr/bin/procession")
    assert system.has("var/lib/procession/clickhouse")
    assert "mine.example.com" in settings.read_text()

    system.run("dpkg", "--purge", "procession-server", "procession-agent")
    assert not system.has("var/lib/procession")
    assert not system.has("etc/procession")


def stores(system: System) -> None:
    """The server of the package keeps what the agent of the package sends, each as its user."""
    for user, folder in (("procession", "procession"), ("procession-agent", "procession-agent")):
        system.run("install", "--directory", "--mode=0700", f"--owner={user}", f"--group={user}", f"/var/lib/{folder}")
    as_nobody = ("env", "HOME=/nonexistent", "procession")
    command = ["chroot", f"--userspec={SERVER.user}:{SERVER.user}", str(system.root), *as_nobody]
    data = ("--data-dir", "/var/lib/procession")
    with subprocess.Popen(
        [*command, "serve", *data, "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout is not None
            url = server.stdout.readline().split()[-1]
            key = (system.root / "var/lib/procession/keys/api-key").read_text().strip()
            with subprocess.Popen(
                [
                    *("chroot", f"--userspec={AGENT.user}:{AGENT.user}", str(system.root), *as_nobody, "agent"),
                    *(
                        "--url",
                        url,
                        "--api-key",
                        key,
                        "--hostname",
                        "web-1",
                        "--spool-dir",
                        "/var/lib/procession-agent",
                    ),
                ]
            ) as sending:
                eventually(
                    lambda: "web-1" in system.run("procession", "ps", *data, user="procession", check=False).stdout,
                    seconds=60,
                    what="a first snapshot",
                )
                sending.terminate()
        finally:
            server.terminate()
    assert server.returncode == 0
