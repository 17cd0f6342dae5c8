"""The small programs around the clients: how each is built, and how it is run.

python -m tests.conformance.clients builds those of every run, for tests that PROCESSION_CLIENTS_BUILT tells of it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.running import clean_environment

HERE = Path(__file__).parent
BUILD_SECONDS = 1800
RUN_SECONDS = 240

Say = Callable[[str], None]


class CannotBuild(Exception):
    """The toolchain is there, but a step of it failed."""


@dataclass(frozen=True)
class Step:
    command: tuple[str, ...]
    cwd: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(self) -> None:
        result = subprocess.run(
            self.command,
            cwd=self.cwd,
            env=clean_environment(**self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=BUILD_SECONDS,
        )
        if result.returncode != 0:
            raise CannotBuild(f"{' '.join(self.command)} failed in {self.cwd}:\n{result.stdout[-4000:]}")


@dataclass(frozen=True)
class Language:
    """A language with a client: what has to be there, how its programs are built, and how they are run."""

    name: str
    fence: str
    """What its snippets are marked with in the docs."""
    tools: tuple[str, ...] = ()
    client: Callable[[], Sequence[Step]] = tuple
    """Installs the client, and builds what is asked with."""
    ask: Callable[[], tuple[str, ...]] = tuple
    keep: Callable[[], tuple[str, ...]] | None = None
    """Keeps monitors. None where its client is asked for processes only."""
    snippet: Callable[[str, Path], tuple[str, ...]] = lambda _text, _scratch: ()
    """Builds a snippet in an empty folder and gives the command that runs it."""

    @property
    def home(self) -> Path:
        return HERE / self.name

    def missing_tool(self) -> str | None:
        """The first tool that is not there, or does not run: a name on the PATH may be a shim that leads nowhere."""
        for tool in self.tools:
            name, *arguments = tool.split()
            if shutil.which(name) is None:
                return name
            if subprocess.run([name, *arguments], capture_output=True, stdin=subprocess.DEVNULL).returncode != 0:
                return name
        return None

    def build(self, say: Say) -> None:
        begin = time.monotonic()
        for step in self.client():
            say(f"{self.name}: {' '.join(step.command)}")
            step.run()
        say(f"{self.name}: ready after {time.monotonic() - begin:.0f} s")

    def start(self, cases: list[dict[str, Any]], scratch: Path) -> Run:
        return Run(self.ask(), cases, scratch)

    def start_keeping(self, cases: list[dict[str, Any]], scratch: Path) -> Run:
        assert self.keep is not None
        return Run(self.keep(), cases, scratch)


class Run:
    """A program under way with a list of cases; it answers with a line of JSON for each."""

    def __init__(self, command: Sequence[str], cases: list[dict[str, Any]], scratch: Path) -> None:
        scratch.mkdir(parents=True)
        (scratch / "cases.json").write_text(json.dumps(cases))
        self._command = command
        self._out = scratch / "out"
        self._log = scratch / "log"
        with self._out.open("wb") as out, self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*command, str(scratch / "cases.json")],
                env=clean_environment(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=log,
            )

    def results(self) -> dict[str, dict[str, Any]]:
        """By the names of their cases, once it has ended."""
        code = self._process.wait(RUN_SECONDS)
        assert code == 0, f"{' '.join(self._command)} ended with {code}:\n{self._log.read_text()[-4000:]}"
        results = [json.loads(line) for line in self._out.read_text().splitlines()]
        return {result["name"]: result for result in results}

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


# Python


def _python_snippet(text: str, scratch: Path) -> tuple[str, ...]:
    path = scratch / "processes.py"
    path.write_text(text)
    return sys.executable, "-P", str(path)


PYTHON = Language(
    "python",
    "python",
    ask=lambda: (sys.executable, "-P", str(HERE / "python" / "ask.py")),
    keep=lambda: (sys.executable, "-P", str(HERE / "python" / "monitors.py")),
    snippet=_python_snippet,
)


# TypeScript: the programs lie below the folder in which the client is installed, since that is where Node.js looks.


def _tsc(project: str) -> Step:
    return Step(("node_modules/.bin/tsc", "-p", project), HERE / "typescript")


def _install_typescript() -> list[Step]:
    home = HERE / "typescript"
    installed, lock = home / "node_modules" / ".package-lock.json", home / "package-lock.json"
    steps = [_tsc(".")]
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        steps.insert(0, Step(("npm", "ci", "--no-progress"), home))
    return steps


def _typescript_snippet(text: str, scratch: Path) -> tuple[str, ...]:
    home = HERE / "typescript"
    folder = home / "build" / "snippet"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "processes.ts").write_text(text)
    settings = {
        "extends": "../../tsconfig.json",
        "compilerOptions": {"rootDir": ".", "outDir": "out"},
        "include": ["*.ts"],
    }
    (folder / "tsconfig.json").write_text(json.dumps(settings))
    _tsc("build/snippet").run()
    return "node", str(folder / "out" / "processes.js")


TYPESCRIPT = Language(
    "typescript",
    "typescript",
    ("node --version", "npm --version"),
    _install_typescript,
    lambda: ("node", str(HERE / "typescript" / "build" / "ask.js")),
    lambda: ("node", str(HERE / "typescript" / "build" / "monitors.js")),
    _typescript_snippet,
)


# Go

GO_HOME = HERE / "go"
_GO_BUILD = ("go", "build", "-mod=readonly", "-modfile=build/client.mod")
"""With the files of the client that are used: `go/client_files.py`."""


def _go_snippet(text: str, _scratch: Path) -> tuple[str, ...]:
    folder = GO_HOME / "build" / "snippet"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "main.go").write_text(text)
    Step((*_GO_BUILD, "-o", "build/processes", "./build/snippet"), GO_HOME).run()
    return (str(GO_HOME / "build" / "processes"),)


GO = Language(
    "go",
    "go",
    ("go version",),
    lambda: [
        Step((sys.executable, "-P", "client_files.py"), GO_HOME),
        Step((*_GO_BUILD, "-o", "build/ask", "."), GO_HOME),
    ],
    lambda: (str(GO_HOME / "build" / "ask"),),
    lambda: (str(GO_HOME / "build" / "ask"), "monitors"),
    _go_snippet,
)


# Java

JAVA_HOME = HERE / "java"


def _classpath() -> str:
    return (JAVA_HOME / "target" / "classpath").read_text().strip()


def _java(program: str) -> tuple[str, ...]:
    # Without it, the client cannot send a PATCH, whoever the server is.
    opened = "--add-opens=java.base/java.net=ALL-UNNAMED"
    return "java", opened, "-cp", f"{JAVA_HOME / 'target' / 'classes'}:{_classpath()}", program


def _java_snippet(text: str, scratch: Path) -> tuple[str, ...]:
    path = scratch / "Processes.java"
    path.write_text(text)
    return "java", "-cp", _classpath(), str(path)


JAVA = Language(
    "java",
    "java",
    ("java -version", "javac -version", "mvn --version"),
    lambda: [Step(("mvn", "--batch-mode", "--quiet", "compile", "dependency:build-classpath"), JAVA_HOME)],
    lambda: _java("Ask"),
    lambda: _java("Monitors"),
    _java_snippet,
)


# Rust: by itself, since the client compiles for minutes.

RUST_HOME = HERE / "rust"
RUST_TARGET = RUST_HOME / "target"
_CARGO_BUILD = ("cargo", "build", "--locked")


def _rust_snippet(text: str, scratch: Path) -> tuple[str, ...]:
    """As a package of its own, by another name, that shares what was compiled already."""
    for name in ("Cargo.toml", "Cargo.lock"):
        manifest = (RUST_HOME / name).read_text()
        (scratch / name).write_text(manifest.replace('name = "ask"', 'name = "snippet"'))
    (scratch / "src").mkdir()
    (scratch / "src" / "main.rs").write_text(text)
    Step(_CARGO_BUILD, scratch, {"CARGO_TARGET_DIR": str(RUST_TARGET)}).run()
    return (str(RUST_TARGET / "debug" / "snippet"),)


RUST = Language(
    "rust",
    "rust",
    ("cargo --version",),
    lambda: [Step(_CARGO_BUILD, RUST_HOME)],
    lambda: (str(RUST_TARGET / "debug" / "ask"),),
    snippet=_rust_snippet,
)

IN_EVERY_RUN = (PYTHON, TYPESCRIPT, GO, JAVA)
BY_ITSELF = {RUST.name: RUST}


def main() -> None:
    def say(text: str) -> None:
        print(f"conformance, {text}", flush=True)  # noqa: T201

    for language in IN_EVERY_RUN:
        if (tool := language.missing_tool()) is not None:
            sys.exit(f"procession: {language.name} needs {tool}, which does not run here")
        try:
            language.build(say)
        except CannotBuild as error:
            sys.exit(f"procession: {error}")


if __name__ == "__main__":
    main()
