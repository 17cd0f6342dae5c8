"""The images for containers, by nothing but themselves: each runs as its user, without any power, on a read-only root.

There is no Docker where these tests run: namespaces are made by `unshare`, and what the image says is obeyed here.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from procession import __version__
from release.container_images import AGENT, DOCKERFILE, PAGE_BASE, PYTHON_BASE, SERVER, ContainerImage
from tests.artefacts.conftest import Dist
from tests.support.running import eventually

IMAGES = pytest.mark.parametrize("which", [AGENT, SERVER], ids=lambda image: str(image.name))

ENTER = """
set -e
mount --make-rprivate /
mount --bind "$ROOT" "$PLACE"
mount -o remount,bind,ro "$PLACE"
mount --bind "$ROOT$VOLUME" "$PLACE$VOLUME"
mount --rbind /dev "$PLACE/dev"
mount -t proc proc "$PLACE/proc"
mount -t tmpfs tmpfs "$PLACE/tmp"
[ -z "$LOOPBACK" ] || ip link set lo up
exec chroot "$PLACE" "$@"
"""


def test_there_is_a_base_for_all_that_the_dockerfile_begins_with() -> None:
    text = DOCKERFILE.read_text()
    stages = re.findall(r"^FROM (\S+) AS (\S+)$", text, re.MULTILINE)

    assert {base for base, _ in stages} - {name for _, name in stages} == {PYTHON_BASE, PAGE_BASE}
    assert {AGENT.target, SERVER.target} <= {name for _, name in stages}
    for image in (AGENT, SERVER):
        assert f"docker build --target {image.target} -t {image.tag} ." in text


@dataclass(frozen=True)
class Unpacked:
    config: dict[str, Any]
    root: Path

    @property
    def volume(self) -> str:
        (only,) = self.config["Volumes"]
        return str(only)


def unpack(archive: Path, folder: Path) -> Unpacked:
    parts = folder / "parts"
    with tarfile.open(archive) as files:
        files.extractall(parts, filter="data")
    (manifest,) = json.loads((parts / "manifest.json").read_text())
    root = folder / "root"
    root.mkdir()
    for layer in manifest["Layers"]:
        subprocess.run(
            [
                "tar",
                "--extract",
                "--numeric-owner",
                "--preserve-permissions",
                "--directory",
                root,
                "--file",
                parts / layer,
            ],
            check=True,
        )
    assert not list(root.rglob(".wh.*")), "a layer takes something away again"
    return Unpacked(json.loads((parts / manifest["Config"]).read_text())["config"], root)


def in_dist(dist: Dist, image: ContainerImage) -> Path:
    found = dist.folder / image.archive_name
    if not found.exists():
        pytest.skip("made and tried by make artefacts: it takes Buildah, root and minutes")
    return found


@pytest.fixture(scope="module")
def images(dist: Dist, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Unpacked]]:
    folder = tmp_path_factory.mktemp("images")
    found = {}
    for image in (AGENT, SERVER):
        archive = in_dist(dist, image)
        (folder / image.name).mkdir()
        found[image.name] = unpack(archive, folder / image.name)
    yield found
    shutil.rmtree(folder)


def last_stage(image: ContainerImage) -> str:
    text = DOCKERFILE.read_text()
    return re.split(rf"^FROM \S+ AS {image.target}$", text, flags=re.MULTILINE)[1].partition("\nFROM ")[0]


@pytest.mark.may_skip
@IMAGES
def test_an_image_says_of_itself_what_the_dockerfile_says(images: dict[str, Unpacked], which: ContainerImage) -> None:
    config, stage = images[which.name].config, last_stage(which)

    assert config["User"] == re.findall(r"^USER (.*)$", stage, re.MULTILINE)[0]
    assert config["Entrypoint"] == json.loads(re.findall(r"^ENTRYPOINT (.*)$", stage, re.MULTILINE)[0])
    assert config["Cmd"] == json.loads(re.findall(r"^CMD (.*)$", stage, re.MULTILINE)[0])
    assert list(config["Volumes"]) == json.loads(re.findall(r"^VOLUME (.*)$", stage, re.MULTILINE)[0])
    ports = re.findall(r"^EXPOSE (\d+)$", stage, re.MULTILINE)
    assert list(config.get("ExposedPorts") or ()) == [f"{port}/tcp" for port in ports]
    (check,) = re.findall(r"^    CMD (\[.*\])$", stage, re.MULTILINE)
    assert config["Healthcheck"]["Test"] == ["CMD", *json.loads(check)]
    environment = dict(item.split("=", 1) for item in config["Env"])
    (block,) = re.findall(r"^ENV ((?:.*\\\n)*.*)$", stage, re.MULTILINE)
    said = dict(item.split("=", 1) for item in shlex.split(block.replace("\\\n", " ")))
    path = said.pop("PATH").removesuffix("$PATH")
    assert environment.pop("PATH").startswith(path)
    assert environment == said


@pytest.mark.may_skip
@IMAGES
def test_an_image_has_no_more_than_it_needs(images: dict[str, Unpacked], which: ContainerImage) -> None:
    root = images[which.name].root

    assert bool(list(root.glob("opt/procession/lib/python3.*/site-packages/chdb"))) is (which is SERVER)
    assert not list(root.glob("opt/node"))
    assert not list(root.glob("build"))
    # What was lent to the steps that built it.
    for lent in ("etc/pip.conf", "root/.npmrc"):
        assert not (root / lent).exists() or not (root / lent).read_text()
    assert not list((root / "var/lib/apt/lists").iterdir())
    (home,) = root.glob(images[which.name].volume.lstrip("/"))
    assert (home.stat().st_uid, home.stat().st_mode & 0o777) == (7171, 0o700)


@dataclass(frozen=True)
class Container:
    image: Unpacked
    pid: int
    """Of its first process."""
    process: subprocess.Popen[bytes]
    said: Path

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        enter = ("nsenter", f"--target={self.pid}", "--mount", "--net", "--pid", "--root", "--wd")
        return subprocess.run([*enter, *as_user(self.image), *command], capture_output=True, text=True, timeout=60)

    def is_well(self) -> bool:
        kind, *command = self.image.config["Healthcheck"]["Test"]
        assert kind == "CMD"
        assert self.process.poll() is None, self.said.read_text()
        return self.run(*command).returncode == 0


def as_user(image: Unpacked, **more: str) -> list[str]:
    """The user that the image names, by what its own passwd says, and without any of root's powers."""
    lines = (line.split(":") for line in (image.root / "etc/passwd").read_text().splitlines())
    ((uid, gid),) = ((line[2], line[3]) for line in lines if line[0] == image.config["User"])
    variables = [*image.config["Env"], *(f"{name}={value}" for name, value in more.items())]
    rights = ("--clear-groups", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all")
    return ["setpriv", f"--reuid={uid}", f"--regid={gid}", *rights, "env", "-i", *variables]


@contextmanager
def running(image: Unpacked, folder: Path, *, beside: Container | None = None, **more: str) -> Iterator[Container]:
    """On a read-only root, in namespaces of its own; `beside`: whose network it shares."""
    place = folder / "place"
    place.mkdir(parents=True)
    network = ["nsenter", f"--net=/proc/{beside.pid}/ns/net"] if beside else []
    unshare = [
        "unshare",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "--ipc",
        "--uts",
        *([] if beside else ["--net"]),
    ]
    command = [*as_user(image, **more), *image.config["Entrypoint"], *image.config["Cmd"]]
    places = {"ROOT": str(image.root), "PLACE": str(place), "VOLUME": image.volume, "LOOPBACK": "" if beside else "1"}
    said = folder / "said"
    with said.open("wb") as output:
        process = subprocess.Popen(
            [*network, *unshare, "sh", "-c", ENTER, "sh", *command],
            env={"PATH": os.environ["PATH"], **places},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        eventually(lambda: children.read_text().strip() or process.poll() is not None, seconds=30, what="its process")
        yield Container(image, int(children.read_text().split()[0]), process, said)
    finally:
        for child in children.read_text().split() if process.poll() is None else ():
            os.kill(int(child), signal.SIGTERM)
        process.wait(60)


@pytest.mark.may_skip
@pytest.mark.timeout(600)
def test_the_images_run_as_their_user_on_a_read_only_root_and_are_well(
    images: dict[str, Unpacked], tmp_path: Path
) -> None:
    with running(images[SERVER.name], tmp_path / "server") as server:
        eventually(server.is_well, seconds=120, what="a server that is well")
        key = server.run("cat", "/var/lib/procession/keys/api-key").stdout.strip()
        sending = {"PROCESSION_URL": "http://127.0.0.1:7171", "PROCESSION_API_KEY": key, "PROCESSION_HOSTNAME": "web-1"}
        with running(images[AGENT.name], tmp_path / "agent", beside=server, **sending) as agent:
            eventually(agent.is_well, seconds=120, what="an agent that is well")
            for container in (server, agent):
                hold_it_may_do_nothing(container)
            eventually(
                lambda: "procession agent" in server.run("procession", "ps", "--search", "host:web-1").stdout,
                seconds=60,
                what="a first snapshot",
            )
        assert agent.process.returncode == 0, agent.said.read_text()
    assert server.process.returncode == 0, server.said.read_text()


def hold_it_may_do_nothing(container: Container) -> None:
    status = container.run("cat", "/proc/1/status").stdout
    assert re.search(r"^Uid:\t7171\t7171\t7171\t7171$", status, re.MULTILINE)
    assert set(re.findall(r"^Cap\w+:\t(\w+)$", status, re.MULTILINE)) == {"0" * 16}
    refused = container.run("touch", "/opt/procession/x")
    assert "Read-only file system" in refused.stderr
    assert container.run("procession", "--version").stdout == f"procession {__version__}\n"
