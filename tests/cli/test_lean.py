"""What the package alone can do, without any extra: the agent, and the commands for people."""

from __future__ import annotations

import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.cli.conftest import RunningServer
from tests.support.builders import a_sighting, a_snapshot
from tests.support.lean import lean_packages, lean_procession, modules_of_others
from tests.support.running import clean_environment

PEOPLE = [
    ("--help",),
    ("completion", "bash"),
    ("debug", "bundle", "--output", "bundle.tar.gz"),
    ("diff", "--host", "web-1", "--host", "web-2"),
    ("hosts", "list"),
    ("keys", "list"),
    ("link",),
    ("monitors", "export"),
    ("monitors", "list"),
    ("orgs", "list"),
    ("users", "list"),
    ("ps",),
    ("ps", "--json"),
    ("status",),
    ("top", "--limit", "3"),
    ("tree", "web-1"),
]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return clean_environment(XDG_DATA_HOME=str(tmp_path / "share"))


@pytest.mark.parametrize("arguments", PEOPLE, ids=" ".join)
def test_a_command_for_people_runs_without_any_extra(
    arguments: tuple[str, ...],
    server: RunningServer,
    environment: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    server.add(*(a_snapshot(a_sighting(pid=7), host=host) for host in ("web-1", "web-2")))

    done = lean_procession(*arguments, environment=environment, listed=tmp_path / "modules")

    assert "needs the server" not in done.err
    assert "internal error" not in done.err
    assert "No module" not in done.err
    assert {name.split(".")[1] for name in done.modules if name.startswith("procession.")}.isdisjoint(
        ("server", "storage", "simulate", "agent")
    )


class Posted(BaseHTTPRequestHandler):
    """Takes what an agent posts, and tells."""

    arrived: threading.Event

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(202)
        self.send_header("content-length", "0")
        self.end_headers()
        if "collector" in self.path:
            self.arrived.set()

    def log_message(self, *arguments: object) -> None:
        pass


def test_the_agent_posts_and_imports_nothing_that_it_does_not_need(environment: dict[str, str], tmp_path: Path) -> None:
    arrived = threading.Event()
    handler = type("Handler", (Posted,), {"arrived": arrived})
    end_of_stdin, held_open = os.pipe()

    def stop_when_it_has_posted() -> None:
        arrived.wait(30)
        os.close(held_open)

    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as intake:
        threading.Thread(target=intake.serve_forever, daemon=True).start()
        threading.Thread(target=stop_when_it_has_posted, daemon=True).start()
        url = f"http://127.0.0.1:{intake.server_address[1]}"
        done = lean_procession(
            *("agent", "--until-stdin-ends", "--url", url, "--api-key", "a" * 32, "--interval-seconds", "1"),
            environment=environment,
            listed=tmp_path / "modules",
            stdin=end_of_stdin,
        )
        intake.shutdown()
    os.close(end_of_stdin)

    assert arrived.is_set(), done.err
    assert done.code == 0
    of_people = {"rich", "pygments", "markdown_it", "asyncio"}
    assert {name.partition(".")[0] for name in done.modules}.isdisjoint(of_people)
    ours = {name.split(".")[1] for name in done.modules if name.startswith("procession.")}
    assert ours.isdisjoint(("server", "storage", "simulate", "analysis"))


def test_agent_check_and_install_need_no_extra(environment: dict[str, str], tmp_path: Path) -> None:
    address = ("--url", "http://127.0.0.1:1", "--api-key", "a" * 32)

    check = lean_procession("agent", "check", *address, environment=environment, listed=tmp_path / "check")
    install = lean_procession(
        "agent", "install", *address, "--print", environment=environment, listed=tmp_path / "install"
    )

    assert (check.code, install.code) == (0, 0), check.err + install.err
    assert not (check.modules | install.modules) & modules_of_others()


@pytest.mark.parametrize(
    "arguments",
    [
        ("up",),
        ("serve",),
        ("serve", "--store", "https://procession@clickhouse:8443"),
        ("store", "init", "--store", "https://procession@clickhouse:8443", "--print"),
        ("simulate", "--hosts", "2"),
    ],
    ids=" ".join,
)
def test_a_command_that_needs_the_server_says_in_one_line_what_to_install(
    arguments: tuple[str, ...], environment: dict[str, str], tmp_path: Path
) -> None:
    done = lean_procession(*arguments, environment=environment, listed=tmp_path / "modules")

    command = " ".join(arguments[:2] if arguments[0] == "store" else arguments[:1])
    assert done.code == 1
    assert done.err.startswith(f"procession: `procession {command.split()[0]}")
    assert "needs the server, which is not installed here" in done.err
    assert "pip install 'procession[server]'" in done.err
    assert done.err.count("\n") == 1


def test_keys_of_a_folder_without_a_server_are_such_a_command(environment: dict[str, str], tmp_path: Path) -> None:
    done = lean_procession(
        "keys", "list", "--data-dir", str(tmp_path), environment=environment, listed=tmp_path / "modules"
    )

    assert done.code == 1
    assert done.err.startswith("procession: `procession keys list` needs the server, which is not installed here")


def test_nothing_heavy_comes_with_the_package_alone() -> None:
    assert lean_packages().isdisjoint(("chdb-core", "numpy", "pandas", "pyarrow", "uvloop", "clickhouse-connect"))
    assert {"chdb", "numpy", "pyarrow", "starlette"} <= modules_of_others()
