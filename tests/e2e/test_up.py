"""Everything together, on real input: this machine's own processes, through Datadog's own client."""

from __future__ import annotations

import getpass
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest
from datadog_api_client import ApiClient, Configuration
from datadog_api_client.v2.api.processes_api import ProcessesApi

from tests.support.running import PROCESSION, Running, clean_environment, eventually, running, up

SLEEPER = "import sys; sys.stdin.read()"


class Client:
    """The unmodified official client, given the host and the local keys."""

    def __init__(self, url: str, data_dir: Path) -> None:
        configuration = Configuration(host=url)
        configuration.api_key["apiKeyAuth"] = (data_dir / "keys" / "api-key").read_text().strip()
        configuration.api_key["appKeyAuth"] = (data_dir / "keys" / "application-key").read_text().strip()
        self.api = ProcessesApi(ApiClient(configuration))

    def find(self, **query: Any) -> list[Any]:
        return list(self.api.list_processes(**query).data)

    def one(self, search: str) -> Any | None:
        """The attributes of the only process found."""
        found = self.find(search=search)
        assert len(found) <= 1, found
        return found[0].attributes if found else None


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data") / "a folder"


@pytest.fixture(scope="module")
def started(data_dir: Path) -> Iterator[tuple[Running, str]]:
    with up(data_dir) as started:
        yield started


@pytest.fixture
def client(started: tuple[Running, str], data_dir: Path) -> Client:
    return Client(started[1], data_dir)


def a_child(name: str) -> subprocess.Popen[bytes]:
    """A process that ends when we let it, with a command line that nobody else has."""
    return subprocess.Popen([sys.executable, "-c", SLEEPER, f"{name}-{os.getpid()}"], stdin=subprocess.PIPE)


def test_a_process_is_found_as_the_kernel_has_it_and_its_time_stands_still_once_it_is_gone(client: Client) -> None:
    with a_child("mortal") as mortal, a_child("neighbour") as neighbour:
        try:
            name = f"mortal-{os.getpid()}"
            found = eventually(lambda: client.one(name), what="its arrival")

            assert found.pid == mortal.pid
            assert found.ppid == os.getpid()
            assert found.user == getpass.getuser()
            assert found.cmdline == f"{sys.executable} -c {SLEEPER} {name}"
            started_at = datetime.fromisoformat(found.start).replace(tzinfo=UTC).timestamp()
            assert abs(started_at - psutil.Process(mortal.pid).create_time()) <= 1

            mortal.kill()
            mortal.wait()
            killed_at = time.time()

            def neighbour_after_the_kill() -> Any:
                other = client.one(f"neighbour-{os.getpid()}")
                seen_at = datetime.fromisoformat(other.timestamp).replace(tzinfo=UTC).timestamp() if other else 0
                return other if seen_at > killed_at + 3 else None

            other = eventually(neighbour_after_the_kill, what="the neighbour's going on")
            dead = client.one(name)
            assert dead is not None
            assert other.pid == neighbour.pid
            assert dead.timestamp < other.timestamp
            assert datetime.fromisoformat(dead.timestamp).replace(tzinfo=UTC).timestamp() <= killed_at
        finally:
            mortal.kill()
            neighbour.kill()


def test_the_first_processes_answer_within_10_seconds_of_the_start(tmp_path: Path) -> None:
    begin = time.monotonic()
    options = ("--listen", "127.0.0.1:0", "--data-dir", str(tmp_path / "data"))
    with running("up", *options) as started:
        url = started.line_with("Procession runs at").split()[-1]
        client = Client(url, tmp_path / "data")
        # Not polled, so that the limit of queries stays untouched: the line tells.
        started.line_with("The first processes have arrived.")

        assert client.find()
        assert time.monotonic() - begin < 10


def test_search_tags_window_and_pages_work_through_the_client(client: Client) -> None:
    with a_child("sought") as child:
        try:
            name = f"sought-{os.getpid()}"
            eventually(lambda: client.one(name), what="its arrival")
            user, now = getpass.getuser(), int(time.time())

            assert [item.attributes.pid for item in client.find(search=name, tags=f"user:{user}")] == [child.pid]
            assert client.find(search=name, tags="user:nobody-at-all") == []
            assert client.find(search=name, _from=now - 7200, to=now - 3600) == []

            first = client.api.list_processes(page_limit=2)
            second = client.api.list_processes(page_limit=2, page_cursor=first.meta.page.after)
            assert len(first.data) == len(second.data) == 2
            assert not {item.id for item in first.data} & {item.id for item in second.data}

            everything = [item.id for item in client.api.list_processes_with_pagination(page_limit=3)]
            assert len(everything) == len(set(everything)) >= 5
        finally:
            child.kill()


def test_ps_shows_the_processes_in_another_terminal(started: tuple[Running, str], data_dir: Path) -> None:
    running_up, _ = started

    def ps(*arguments: str) -> str:
        command = [*PROCESSION, "ps", "--data-dir", str(data_dir), *arguments]
        return subprocess.run(
            command, env=clean_environment(), capture_output=True, text=True, check=True, timeout=60
        ).stdout

    search = f'"--data-dir {data_dir}"'
    eventually(lambda: ps("--search", search).splitlines()[1:], what="its own arrival")
    found = json.loads(ps("--search", search, "--json", "--from", "-1m"))
    assert running_up.pid in [item["attributes"]["pid"] for item in found]


def test_what_up_prints_works_when_pasted(data_dir: Path) -> None:
    with up(data_dir.with_name("pasted")) as (started, _):
        curl = started.line_with("curl -s")
        snippet = [started.line_with("from datadog_api_client import")]
        while snippet[-1] or not any(line.startswith("    ") for line in snippet):
            snippet.append(started.line_with(""))
        started.line_with("The first processes have arrived.")

        answer = subprocess.run(["bash", "-c", curl], capture_output=True, text=True, check=True, timeout=60)
        printed = subprocess.run(
            [sys.executable, "-"], input="\n".join(snippet), capture_output=True, text=True, check=True, timeout=60
        )

    assert json.loads(answer.stdout)["meta"]["page"]["size"] == 2
    assert len(printed.stdout.splitlines()) >= 5  # an argument may hold a newline


def test_keys_are_shown_at_the_first_start_and_only_then(tmp_path: Path) -> None:
    with up(tmp_path / "data") as (first, _):
        first.line_with("in another terminal")
        first.stop()
    secrets = [path.read_text().strip() for path in (tmp_path / "data" / "keys").iterdir()]
    with up(tmp_path / "data") as (second, _):
        second.line_with("in another terminal")
        second.stop()

    assert len(secrets) == 3
    assert all(secret in "\n".join(first.output) for secret in secrets)
    assert not any(secret in "\n".join(second.output) for secret in secrets)
    assert str(tmp_path / "data" / "keys") in "\n".join(second.output)


def test_keys_of_datadogs_variables_are_adopted_and_not_printed(tmp_path: Path) -> None:
    environment = clean_environment(DD_API_KEY="a" * 32, DD_APP_KEY="b" * 40)
    with up(tmp_path / "data", environment=environment) as (started, url):
        started.line_with("The first processes have arrived.")
        configuration = Configuration(host=url)
        configuration.api_key["apiKeyAuth"] = "a" * 32
        configuration.api_key["appKeyAuth"] = "b" * 40
        found = ProcessesApi(ApiClient(configuration)).list_processes().data
        started.stop()

    assert found
    assert "a" * 32 not in "\n".join(started.output)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything_within_3_seconds(tmp_path: Path, number: int) -> None:
    with up(tmp_path / "data") as (started, _):
        started.line_with("The first processes have arrived.")
        family = psutil.Process(started.pid).children(recursive=True)

        seconds = started.stop(number)

        assert len(family) == 1
        assert not any(child.is_running() for child in family)
        assert seconds < 3
        assert started.process.returncode == 0
        assert started.output[-1] == "Procession stops."


def test_a_request_that_never_ends_does_not_hold_up_the_stop(tmp_path: Path) -> None:
    with up(tmp_path / "data") as (started, url):
        started.line_with("The first processes have arrived.")
        host, port = url.removeprefix("http://").split(":")
        key = (tmp_path / "data" / "keys" / "api-key").read_text().strip()
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(
                f"POST /api/v1/collector HTTP/1.1\r\nhost: {host}\r\ndd-api-key: {key}\r\n"
                "content-length: 100\r\nexpect: 100-continue\r\n\r\n".encode()
            )
            # The server has begun to read it.
            assert connection.recv(100).startswith(b"HTTP/1.1 100")

            assert started.stop() < 3
            assert started.process.returncode == 0


def test_a_killed_server_leaves_no_agent_behind(tmp_path: Path) -> None:
    with up(tmp_path / "data") as (started, _):
        started.line_with("The first processes have arrived.")
        (agent,) = psutil.Process(started.pid).children()

        started.kill()

        eventually(lambda: not agent.is_running(), seconds=5, what="the agent's end")


def test_an_agent_that_was_killed_is_started_again(tmp_path: Path) -> None:
    with up(tmp_path / "data") as (started, _):
        started.line_with("The first processes have arrived.")
        (agent,) = psutil.Process(started.pid).children()

        agent.kill()

        started.line_with("the agent ended with code -9; it starts again in 5 s")
        started.line_with("sending the processes of", seconds=20)


def test_the_halves_work_apart(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    serve = ("serve", "--listen", "127.0.0.1:0", "--data-dir", str(data_dir))
    with running(*serve) as server:
        url = server.line_with("Procession listens at").split()[-1]
        key = ("--api-key-file", str(data_dir / "keys" / "api-key"))
        options = (*key, "--hostname", "apart", "--interval-seconds", "1")
        with a_child("apart") as child, running("agent", "--url", url, *options) as agent:
            agent.line_with("sending the processes of apart")
            client, name = Client(url, data_dir), f"apart-{os.getpid()}"
            found = eventually(lambda: client.find(tags="host:apart", search=name), what="the arrival")
            seconds = agent.stop()
            child.kill()

        assert [item.attributes.pid for item in found] == [child.pid]
        assert seconds < 3
        assert agent.process.returncode == 0
        assert server.stop() < 3
