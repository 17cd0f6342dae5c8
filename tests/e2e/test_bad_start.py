"""What bad input gets at the start: one line that names the thing, what is wrong with it and what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.commands.test_ps import answering
from tests.support.running import PROCESSION, clean_environment, eventually, running

FREE_PORT = ("--listen", "127.0.0.1:0")


def complaint(*command: str, seconds: float = 60) -> str:
    """The only line of a command that fails."""
    result = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, timeout=seconds)

    assert result.returncode not in (0, 70), result
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    return line


@pytest.mark.parametrize("command", ["up", "serve"])
def test_a_port_in_use_is_named_with_its_user(tmp_path: Path, command: str) -> None:
    with answering(lambda _: None) as url:
        address = url.removeprefix("http://")

        line = complaint(*PROCESSION, command, "--listen", address, "--data-dir", str(tmp_path))

        assert line.startswith(f"procession: cannot listen on {address}: it is in use by process {os.getpid()} (")
        assert line.endswith("; choose another address with --listen")
        # The one connection that it waits for.
        subprocess.run([*PROCESSION, "ps", "--url", url, "--api-key", "a", "--application-key", "b"], check=False)


def test_a_folder_in_use_is_named_with_its_user(tmp_path: Path) -> None:
    with running("serve", *FREE_PORT, "--data-dir", str(tmp_path)) as server:
        server.line_with("Procession listens at")

        line = complaint(*PROCESSION, "up", *FREE_PORT, "--data-dir", str(tmp_path))

        assert line == (
            f"procession: the data folder {tmp_path} is in use by process {server.pid}; "
            f"stop it, or give this one another folder with --data-dir"
        )
        # The address of the one that runs stays where the local commands find it.
        assert (tmp_path / "address").exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    # Root may write anywhere but into the kernel's own folders.
    folder = Path("/sys/procession") if os.geteuid() == 0 else tmp_path / "locked" / "data"
    (tmp_path / "locked").mkdir(mode=0o500)

    line = complaint(*PROCESSION, "up", *FREE_PORT, "--data-dir", str(folder))

    assert line.startswith(f"procession: cannot write {folder}: ")
    assert line.endswith("; name another folder with --data-dir")


def test_a_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")

    line = complaint(*PROCESSION, "up", *FREE_PORT, "--data-dir", str(tmp_path / "data"))

    assert line == (f"procession: cannot write {tmp_path}/data: file exists; name another folder with --data-dir")


@pytest.mark.parametrize("size", ["200k", "1200k"])
def test_a_full_disk_is_named(tmp_path: Path, size: str) -> None:
    """A disk of this size, in a name space where we may mount one."""
    mount = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-euc")
    script = 'mount -t tmpfs -o "size=$1" none "$2"; shift 2; exec "$@"'
    if subprocess.run([*mount, script, "sh", size, str(tmp_path), "true"], capture_output=True).returncode != 0:
        pytest.skip("may not mount a small disk")

    line = complaint(
        *mount, script, "sh", size, str(tmp_path), *PROCESSION, "up", *FREE_PORT, "--data-dir", str(tmp_path)
    )

    assert str(tmp_path) in line
    # By the step that first finds no room: the engine as it starts, or the first keys in its tables.
    assert "space" in line or "its disk is full" in line


def test_a_system_without_proc_is_told_so(tmp_path: Path) -> None:
    nowhere = str(tmp_path / "proc")

    of_up = complaint(*PROCESSION, "up", *FREE_PORT, "--data-dir", str(tmp_path / "data"), "--proc-root", nowhere)
    of_agent = complaint(*PROCESSION, "agent", "--api-key", "a", "--proc-root", nowhere)

    for line in (of_up, of_agent):
        assert nowhere in line
        assert "--proc-root" in line
    assert not (tmp_path / "data").exists()


def test_an_agent_without_a_key_is_told_how_to_give_one() -> None:
    assert complaint(*PROCESSION, "agent") == (
        "procession: there is no API key; give one by --api-key-file FILE or in DD_API_KEY"
    )


def test_an_agent_with_a_wrong_key_says_so_and_tries_again(tmp_path: Path) -> None:
    with running("serve", *FREE_PORT, "--data-dir", str(tmp_path)) as server:
        url = server.line_with("Procession listens at").split()[-1]
        with running("agent", "--url", url, "--api-key", "wrong") as agent:
            line = agent.line_with("refuses the API key")

            assert url in line
            assert "next try in 60 s" in line
            assert agent.process.poll() is None
            assert agent.stop() < 3


def test_an_agent_without_a_server_says_so_and_tries_again() -> None:
    with running("agent", "--url", "http://127.0.0.1:1", "--api-key", "any") as agent:
        line = agent.line_with("cannot reach http://127.0.0.1:1: connection refused")

        assert "keeping 1 snapshot, next try in" in line
        assert agent.stop() < 3


def test_an_agent_at_a_server_that_is_not_procession_says_so_and_tries_again() -> None:
    page = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\nconnection: close\r\n\r\n<html>"
    with (
        answering(lambda connection: connection.sendall(page)) as url,
        running("agent", "--url", url, "--api-key", "any") as agent,
    ):
        line = agent.line_with("is no intake")

        assert url in line
        assert "next try in" in line
        assert agent.process.poll() is None


def test_a_stop_in_the_midst_of_a_start_is_quiet(tmp_path: Path) -> None:
    with running("serve", *FREE_PORT, "--data-dir", str(tmp_path)) as server:
        eventually(lambda: (tmp_path / "lock").exists())

        seconds = server.stop()

    assert seconds < 3
    assert not any("Traceback" in line or "Error" in line for line in server.output)


def test_the_command_needs_no_terminal_and_no_home(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "PROCESSION_CONFIG": os.devnull}

    with running("serve", *FREE_PORT, "--data-dir", str(tmp_path), environment=environment) as server:
        server.line_with("Procession listens at")


def test_python_finds_the_command_outside_of_any_checkout(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-P", "-m", "procession.cli", "--version"], cwd=tmp_path, capture_output=True, text=True
    )

    assert result.stdout.startswith("procession ")
