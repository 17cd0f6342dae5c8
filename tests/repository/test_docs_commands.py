"""Every command line of README and `docs/` is one: it runs here, options and all, against a server and an agent of its
own, or is in `NOT_RUN` with the reason, and is then checked as far as that goes without running it."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
import yaml

from procession import __version__
from procession.cli import procession
from tests.repository.doc_commands import ROOT, Line, lines
from tests.support.running import PROCESSION, Running, clean_environment, up

ALL = tuple(dict.fromkeys(lines()))
OURS = [line for line in ALL if line.program == "procession"]

NOT_RUN = {
    "docker run": "needs a container engine",
    "docker build": "needs a container engine",
    "docker compose": "needs a container engine",
    "docker load": "needs a container engine; tests/artefacts runs the images",
    "docker login": "an example of a command line with a secret",
    "kubectl exec": "an example of a command line with a secret",
    "docker exec": "an example of a command line with a secret",
    "kubectl create": "needs a Kubernetes cluster",
    "kubectl label": "needs a Kubernetes cluster",
    "kubectl -n procession": "needs a Kubernetes cluster",
    "kubectl get": "an example of a command line without a secret",
    "helm install": "needs a Kubernetes cluster; tests/repository/test_helm.py renders what it would install",
    "helm lint": "tests/repository/test_helm.py runs it",
    "helm --set": "an example of a command line with a secret",
    "curl -u user:x": "an example of a command line with a secret",
    "systemctl": "needs systemd",
    "editor": "changes a file by hand",
    "pip": "needs a registry of packages",
    "uvx": "needs a registry of packages; tests/artefacts runs it with the wheel",
    "npm": "needs a registry of packages",
    "apt": "needs a registry of packages",
    "make": "each chore takes minutes, and has a place in the continuous integration",
    "python -m bench": "measures for minutes",
    "cd deploy": "only leads to `docker compose`",
    "export PROCESSION_TEST_CLICKHOUSE": "only leads to `make test`",
    "export PROCESSION_STORE_PASSWORD": "only leads to `docker compose`",
    "procession store init  --store": "needs ClickHouse servers",
    "procession store check --store": "needs ClickHouse servers",
    "procession upgrade check --store": "needs ClickHouse servers",
    "python -m tests.upgrade.keeping": "keeps a file in the repository; tests/upgrade opens it",
    "procession serve       --store": "needs ClickHouse servers",
}

CLUSTER = "'https://procession@clickhouse:8443/procession?cluster=fleet'"

STAY = re.compile(r"procession (up|serve|agent --url|simulate --hosts (20|500))\b")
"""These run until they are stopped: it is enough that they begin."""

OTHER_CODES = {
    # The fleet of the test is one host, which began a moment ago.
    r"tree --host web-1 --at -2h": (1, "no host had sent anything"),
    r"tree --host web-1 --pid 2417": (1, "web-1 had no process 2417"),
    r"diff --at -1h": (2, "nothing is known of this moment"),
    r"diff --at 20": (2, "Only data from the past 168 hours|nothing is known of this moment"),
    r"diff --host web-1 --host web-2": (2, "there is no host 'web-2'"),
    # The server of the test has no monitors, and its folder no file of them.
    "monitors show": (2, "there is no monitor 'nginx is gone'"),
    "monitors test": (2, "there is no monitor 'nginx is gone'"),
    "monitors backtest": (2, "there is no monitor 'nginx is gone'"),
    "monitors mute": (2, "there is no monitor 'nginx is gone'"),
    "monitors unmute": (2, "there is no monitor 'nginx is gone'"),
    "monitors apply": (2, "cannot read monitors.json"),
    # Ours by its key, and nothing of it is revoked.
    r"agent uninstall": (1, ""),
}


def has_options(line: Line) -> bool:
    return any(word.startswith("-") for word in line.text.split())


def reason_not_to_run(line: Line) -> str | None:
    text = line.text.removeprefix("sudo ")
    return next((reason for start, reason in NOT_RUN.items() if text.startswith(start)), None)


def arguments_of(text: str) -> list[str]:
    words = shlex.split(text.removeprefix("sudo ").removeprefix(".venv/bin/"))
    while re.match(r"[A-Z_]+=", words[0]):
        words.pop(0)
    return words[1:]


def parse(arguments: list[str], *, is_name: bool) -> None:
    """Down the tree of commands, as click does before it calls anything. Raises ClickException. What `is_name`
    only names a command, which is then not given what it needs."""
    command: click.Command = procession
    context: click.Context | None = None
    name = "procession"
    while True:
        if is_name and not arguments:
            return
        if is_name and not isinstance(command, click.Group):
            raise click.UsageError(f"{name} has no command {arguments[0]}")
        context = command.make_context(name, list(arguments), parent=context)
        rest = [*context._protected_args, *context.args]
        if not isinstance(command, click.Group) or not rest:
            return
        found, child, arguments = command.resolve_command(context, rest)
        assert found is not None
        assert child is not None
        name, command = found, child


@pytest.fixture(autouse=True)
def _no_settings_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROCESSION_CONFIG", os.devnull)
    for name in ("DD_API_KEY", "DD_APP_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("line", OURS, ids=str)
def test_each_option_of_a_command_in_the_docs_exists(line: Line) -> None:
    # `procession keys create|list|revoke` names three.
    variants = [line.text]
    if choice := re.search(r"\b\w+(\|\w+)+$", line.text):
        variants = [line.text[: choice.start()] + one for one in choice[0].split("|")]
    for text in variants:
        parse(arguments_of(text), is_name=line.is_inline and not has_options(line))


@pytest.mark.parametrize(
    ("text", "is_name"),
    [
        ("procession keys create --kind api --name agents", False),
        ("procession keys make", True),
        ("procession top --every 2", False),
        ("procession hosts tag web-1 --delete", False),
        ("procession keys create", False),
    ],
)
def test_a_command_that_is_none_would_be_found(text: str, is_name: bool) -> None:
    with pytest.raises(click.ClickException):
        parse(arguments_of(text), is_name=is_name)


def test_every_line_runs_or_has_a_reason_not_to() -> None:
    runnable = ("procession", "curl", "tar", "export DD_", "export PROCESSION_URL")
    left = [
        str(line)
        for line in ALL
        if reason_not_to_run(line) is None and not line.text.removeprefix(".venv/bin/").startswith(runnable)
    ]

    assert left == []


def test_no_reason_is_left_over() -> None:
    unused = [start for start in NOT_RUN if not any(line.text.removeprefix("sudo ").startswith(start) for line in ALL)]

    assert unused == []


@dataclass
class Reservation:
    """A server with its agent, and a folder with what the lines name."""

    url: str
    folder: Path
    environment: dict[str, str]

    def here(self, text: str) -> str:
        """The line with addresses and times that are of this test; every option stays."""
        text = text.replace("https://two.example.com", self.url.replace("127.0.0.1", "localhost"))
        text = re.sub(
            r"http://127\.0\.0\.1:7171|https?://[a-z]+\.example\.(com|org)(:7171)?|http://10\.0\.0\.5:7171",
            self.url,
            text,
        )
        text = (
            re.sub(r"(?<!_)URL", self.url, text)
            .replace("0.0.0.0:7171", "127.0.0.1:0")
            .replace("127.0.0.1:7272", "127.0.0.1:0")
            .replace("/tmp/demo", str(self.folder / "demo"))  # noqa: S108
            .replace("./tried", str(self.folder / "tried"))
            .replace("/root/passphrase", "passphrase")
            .replace("/mnt/backups", "sealed" if "--passphrase-file" in text else "backups")
        )
        text = re.sub(r"/etc/procession/api-key|\bFILE\b", "api-key", text)
        text = re.sub(r"/var/lib/procession\b(?!-)", str(self.folder / "share" / "procession"), text)
        # A moment of the day on which the page was written is older than what is kept by now.
        text = re.sub(r"(top --at )20\S+", rf"\g<1>{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime())}", text)
        # A day of a hundred hosts takes minutes.
        text = text.replace("--hosts 100 --hours 24", "--hosts 2 --hours 0.05")
        return text.replace("procession-debug-20260301-120000", "procession-debug-here")

    def prepare(self, text: str) -> str:
        """What has to be there for the line, whichever were tried before it. Gives it with what it is told to begin
        with, and a restore with a folder that has no store."""
        sealed = " --passphrase-file passphrase" if "passphrase" in text else ""
        for path in re.findall(r"(?:restore|--since) (\S+)", text):
            if not (self.folder / path).exists():
                assert self.run(f"procession backup {path}{sealed}").returncode == 0
        if made := re.match(r"procession backup (\S+)", text):
            # What builds on one that is made again is of no use any more.
            path = self.folder / made[1]
            for old in [path] if "--since" in text else list(path.parent.iterdir()):
                old.unlink(missing_ok=True)
        if "orgs remove" in text:
            assert self.run("procession orgs create acme").returncode == 0
            return f"echo y | {text}"
        if text.startswith("procession restore"):
            empty = tempfile.mkdtemp(dir=self.folder)
            return re.sub(r" --data-dir \S+", "", text) + f" --data-dir {empty}"
        return text.replace(
            "procession store init --print", f"PROCESSION_STORE={CLUSTER} procession store init --print"
        )

    def run(self, text: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-uc", text], cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=120
        )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reservation]:
    with a_place(tmp_path_factory.mktemp("docs")) as place:
        yield place


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reservation]:
    """For fleets that are none: elsewhere there is one host."""
    with a_place(tmp_path_factory.mktemp("simulated")) as place:
        yield place


@contextmanager
def a_place(folder: Path) -> Iterator[Reservation]:
    data = folder / "share" / "procession"
    bin_folder = folder / "bin"
    bin_folder.mkdir()
    script = bin_folder / "procession"
    script.write_text(f'#!/bin/sh\nexec {shlex.join(PROCESSION)} "$@"\n')
    script.chmod(0o755)
    with up(data, "--hostname", "web-1") as (started, url):
        started.line_with("The first processes have arrived.")
        keys = {name: (data / "keys" / f"{name}-key").read_text().strip() for name in ("api", "application")}
        for name in ("api-key", "one.key", "two.key", "key"):
            (folder / name).write_text(keys["api"])
            (folder / name).chmod(0o600)
        environment = clean_environment(
            HOME=str(folder),
            XDG_DATA_HOME=str(folder / "share"),
            XDG_STATE_HOME=str(folder / "state"),
            PATH=f"{bin_folder}:{os.environ['PATH']}",
            DD_API_KEY=keys["api"],
            DD_APP_KEY=keys["application"],
        )
        (folder / "passphrase").write_text("correct horse\n")
        for name in (".local", "backups", "sealed"):
            (folder / name).mkdir()
        (folder / ".local" / "share").symlink_to(folder / "share")
        yield Reservation(url, folder, environment)


def runs(line: Line) -> bool:
    is_named_only = line.is_inline and not has_options(line)
    return reason_not_to_run(line) is None and not is_named_only


@pytest.mark.parametrize("line", [line for line in ALL if runs(line)], ids=str)
def test_a_command_line_in_the_docs_does_what_it_says(request: pytest.FixtureRequest, line: Line) -> None:
    place: Reservation = request.getfixturevalue("simulated" if "simulate" in line.text else "place")
    text = place.here(line.text.removeprefix(".venv/bin/"))
    if line.text.startswith("procession agent install"):
        # Without systemd: the same settings, and the same files below a folder of the test.
        text += f" --root {place.folder / 'root'}"
    if line.text.startswith("tar "):
        bundle = next(place.folder.glob("procession-debug-*.tar.gz"), None)
        assert bundle or place.run("procession debug bundle").returncode == 0
        text = re.sub(r"procession-debug-\S+", next(place.folder.glob("procession-debug-*.tar.gz")).name, text)
        text = text.replace("| less", "| cat")
    if STAY.match(line.text):
        begins(place, text)
        return

    done = place.run(place.prepare(text))

    code, said = next((told for start, told in OTHER_CODES.items() if text.startswith(f"procession {start}")), (0, ""))
    # The agent also sees the line itself, which has what it searches for: then something differs, or nothing does yet.
    finds_itself = text.startswith("procession diff") and "--search" in text and code == 0
    assert done.returncode in ((0, 1) if finds_itself else (code,)), done.stdout[-2000:] + done.stderr
    assert re.search(said, done.stderr), done.stderr
    assert "Traceback" not in done.stderr
    if line.program == "curl":
        assert "data" in json.loads(done.stdout)


def begins(place: Reservation, text: str) -> None:
    """Says something that is no complaint, and is there still until it is stopped."""
    arguments = shlex.split(text)[1:]
    if arguments[0] in ("up", "serve") and "--listen" not in arguments:
        arguments += ["--listen", "127.0.0.1:0"]
    arguments = [str(place.folder / one) if (place.folder / one).is_file() else one for one in arguments]
    environment = {name: value for name, value in place.environment.items() if not name.startswith("DD_")}
    environment["DD_HOSTNAME"] = "web-1"
    if arguments[0] in ("up", "serve") and "--data-dir" not in arguments:
        environment["XDG_DATA_HOME"] = str(place.folder / f"other-{len(text)}")
    running = Running(*arguments, environment=environment)
    try:
        expected = {"agent": "sending the processes of", "serve": "http", "up": "http", "simulate": ""}[arguments[0]]
        running.line_with(expected)
        assert running.process.poll() is None
    finally:
        running.kill()


@pytest.mark.parametrize("line", [line for line in ALL if line.program == "make"], ids=str)
def test_a_chore_in_the_docs_exists(line: Line) -> None:
    (target, *variables) = arguments_of(line.text)

    assert re.search(rf"^{re.escape(target)}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for variable in variables:
        name, _, value = variable.partition("=")
        assert name == "ARGS"
        for path in (word for word in value.split() if word.startswith("tests")):
            assert (ROOT / path).exists()


@pytest.mark.parametrize("line", [line for line in ALL if line.program == "python -m"], ids=str)
def test_a_measurement_in_the_docs_has_its_options(line: Line) -> None:
    module, *arguments = shlex.split(line.text)[2:]
    assert importlib.util.find_spec(module) is not None
    if not arguments:
        return

    # What stands before --help is read first, and refused if it is none.
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments, "--help"], cwd=ROOT, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("line", [line for line in ALL if line.text.startswith("docker compose")], ids=str)
def test_compose_files_and_services_in_the_docs_exist(line: Line) -> None:
    words = shlex.split(line.text)
    files = [words[place + 1] for place, word in enumerate(words) if word == "-f"]
    services = {name for file in files for name in yaml.safe_load((ROOT / "deploy" / file).read_text())["services"]}
    named = words[words.index("--wait") + 1 :]

    assert files
    assert named
    assert set(named) <= services


OUR_IMAGE = re.compile(r" procession(-agent)?:")


@pytest.mark.parametrize(
    "line", [line for line in ALL if line.text.startswith("docker ") and OUR_IMAGE.search(line.text)], ids=str
)
def test_an_image_of_ours_in_the_docs_is_of_this_version_and_has_arguments_that_exist(line: Line) -> None:
    words = shlex.split(line.text.replace("$(hostname)", "web-1"))
    image = next(place for place, word in enumerate(words) if OUR_IMAGE.match(f" {word}"))

    assert words[image].partition(":")[2] == __version__
    if words[1] == "run":
        parse(words[image + 1 :], is_name=False)


@pytest.mark.parametrize("line", [line for line in ALL if line.text.startswith("docker run -d")], ids=str)
def test_options_of_docker_in_the_docs_are_those_that_docker_has(line: Line, tmp_path: Path) -> None:
    docker = shutil.which("docker")
    if docker is None:
        # Where there is no client at least the form holds: options, each with its value, and an image.
        assert re.search(r" [a-z0-9./-]+:[a-z0-9.]+( |$)", line.text)
        return

    environment = clean_environment(DOCKER_HOST=f"unix://{tmp_path}/none", PROCESSION_API_KEY="a" * 32)
    done = subprocess.run(
        ["bash", "-c", line.text], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60
    )

    assert "unknown" not in done.stderr
    assert "connect" in done.stderr
