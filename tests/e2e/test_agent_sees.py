"""What the agent sees of this machine, as the API of a real server tells it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from procession.agent.read.connector import ConnectorUnavailable, ProcConnector
from procession.agent.read.exits.kernel_log import KernelLog
from procession.agent.read.exits.task_stats import TaskStatsListener, TaskStatsUnavailable
from tests.support.agents.container_runtime import FakeContainerRuntime, a_container
from tests.support.agents.memory_cgroup import NoMemoryCgroup, memory_cgroup, run_out_of_memory
from tests.support.agents.zoo import control_group, needs_root
from tests.support.running import clean_environment, eventually, up

ME = os.getpid()
WAIT = "import sys; sys.stdin.read()"

Find = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def runtime() -> Iterator[FakeContainerRuntime]:
    with tempfile.TemporaryDirectory(prefix="runtime-") as folder:
        runtime = FakeContainerRuntime(Path(folder) / "docker.sock")
        yield runtime
        runtime.close()


@pytest.fixture(scope="module")
def find(tmp_path_factory: pytest.TempPathFactory, runtime: FakeContainerRuntime) -> Iterator[Find]:
    """The attributes of all processes that a search finds."""
    data_dir = tmp_path_factory.mktemp("data")
    options = ("--tag", "team:core", "--tag", "role:db", "--process-env-tags", "--max-cpu", "0")
    rules = ("--tag-rules", r"shop-(?P<shop>[a-z]{1,9})", "--exclude-patterns", f"hidden-{ME}")
    sockets = ("--docker-socket", str(runtime.path), "--podman-socket", "/nowhere")
    labels = ("--container-labels", "com.example.unit=unit")
    environment = clean_environment(DD_ENV="test", DD_SERVICE="", DD_VERSION="")
    with up(data_dir, *options, *rules, *sockets, *labels, environment=environment) as (_, url):
        keys = {
            "DD-API-KEY": (data_dir / "keys" / "api-key").read_text().strip(),
            "DD-APPLICATION-KEY": (data_dir / "keys" / "application-key").read_text().strip(),
        }

        def find(search: str, **query: str) -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = []
            cursor = ""
            while True:
                parameters = {"search": search, "page[limit]": "1000", **query}
                if cursor:
                    parameters["page[cursor]"] = cursor
                target = f"{url}/api/procession/v1/processes?{urllib.parse.urlencode(parameters)}"
                response = httpx.get(target, headers=keys, timeout=60)
                page = response.raise_for_status().json()
                found += (item["attributes"] for item in page["data"])
                cursor = page["meta"]["page"].get("after") or ""
                if not cursor or len(page["data"]) < 1000:
                    return found

        yield find


def started(name: str, **environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", WAIT, f"{name}-{ME}"], stdin=subprocess.PIPE, env={**os.environ, **environment}
    )


def test_tags_come_from_the_host_the_environment_and_the_command_line(find: Find) -> None:
    with started("shop-toys", DD_SERVICE="till", DD_VERSION="1.2", DD_ENV="") as process:
        (found,) = eventually(lambda: find(f"shop-toys-{ME}", tags="service:till"), what="its arrival")
        process.kill()

    assert found["pid"] == process.pid
    own = {tag for tag in found["tags"] if tag.split(":")[0] not in ("host", "user", "command", "state_zombie")}
    assert own == {"env:test", "team:core", "role:db", "service:till", "version:1.2", "shop:toys"}


def test_every_field_that_is_read_arrives(find: Find) -> None:
    with started("whole") as process:
        (found,) = eventually(
            lambda: [one for one in find(f"whole-{ME}") if one["numbers"]["cpu_total_percent"] is not None]
        )
        process.kill()

    assert (found["root"], found["comm"], found["ppid"]) == ("/", found["comm"][:15], ME)
    assert (found["uid"], found["gid"]) == (os.getuid(), os.getgid())
    assert found["group"]
    assert found["nice"] == os.getpriority(os.PRIO_PROCESS, 0)
    assert found["exe"] == str(Path(sys.executable).resolve())
    assert found["cwd"] == str(Path.cwd())
    # What Datadog's Agents say in place of sent and received, each alone.
    of_others = ["net_bytes_per_second", "net_connections_per_second"]
    assert [name for name, value in found["numbers"].items() if value is None] == of_others
    assert found["numbers"]["shared_bytes"] > 0


def test_what_is_excluded_never_arrives(find: Find) -> None:
    with started("hidden") as hidden, started("shown") as shown:
        (found,) = eventually(lambda: find(f"shown-{ME}"), what="the other's arrival")
        assert found["pid"] == shown.pid
        assert find(f"hidden-{ME}") == []
        hidden.kill()
        shown.kill()


@needs_root
@pytest.mark.may_skip
def test_a_process_has_the_name_image_and_labels_of_its_container(find: Find, runtime: FakeContainerRuntime) -> None:
    name = os.urandom(32).hex()
    labels = {"com.example.unit": "billing", "com.example.password": "hunter2"}
    runtime.containers = [a_container(name, "till-1", "registry/shop/till:7", **labels)]
    with control_group(f"docker-{name}.scope") as group, started("contained") as process:
        (group / "cgroup.procs").write_text(str(process.pid))
        tags = "container_name:till-1,image_name:registry/shop/till,image_tag:7,short_image:till,unit:billing"
        (found,) = eventually(lambda: find(f"contained-{ME}", tags=f"{tags},container_id:{name}"), what="its tags")
        process.kill()
        process.wait()

    assert found["container_id"] == name
    assert "hunter2" not in json.dumps(found)


@pytest.mark.may_skip
def test_a_process_that_the_kernel_kills_for_want_of_memory_is_found_by_that_with_its_cost(find: Find) -> None:
    try:
        ProcConnector().close()
        KernelLog().close()
        TaskStatsListener().close()
        with memory_cgroup() as folder:
            eventually(lambda: find("procession"), what="the first snapshot")
            process = run_out_of_memory(folder)
            process.wait()
    except (OSError, ConnectorUnavailable, TaskStatsUnavailable, NoMemoryCgroup) as error:
        pytest.skip(str(error))
    search = f"pid:{process.pid} ended:oom"

    (found,) = eventually(lambda: find(search, language="procession"), what="its end")

    assert (found["exit_code"], found["signal"], found["oom_killed"]) == (137, "SIGKILL", True)
    assert found["oom_cgroup"] == f"/{folder.name}"
    assert found["cost"]["is_final"]
    assert found["cost"]["peak_rss_bytes"] > 2**20
    assert find(f"pid:{process.pid} !ended:oom", language="procession") == []


@pytest.mark.may_skip
def test_nearly_all_of_a_thousand_processes_of_50_ms_arrive_with_start_end_and_exit_code(find: Find) -> None:
    try:
        ProcConnector().close()
    except ConnectorUnavailable as error:
        pytest.skip(str(error))
    eventually(lambda: find("procession"), what="the first snapshot")
    (agent,) = [pid for server in children_of(ME) for pid in children_of(server) if b"--until-stdin-ends" in line(pid)]
    put_first(agent)
    # Of others the command line is not known: they were gone before it was our turn.
    assert named_of_a_thousand(find) >= 950


def children_of(pid: int) -> list[int]:
    found = (thread / "children" for thread in Path(f"/proc/{pid}/task").iterdir())
    return [int(child) for children in found for child in children.read_text().split()]


def line(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def put_first(pid: int) -> None:
    """Whatever else the machine has to do, this process runs once it has something to do."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with suppress(PermissionError, ProcessLookupError):
            os.sched_setscheduler(int(thread.name), os.SCHED_RR, os.sched_param(1))


def named_of_a_thousand(find: Find) -> int:
    """How many of a thousand new processes were seen in time to read their command lines. Of nearly all, start, end
    and exit code are known, however busy the machine is."""
    code = (
        "import os\n"
        "for n in range(1000):\n"
        "  pid = os.posix_spawn('/bin/sh', ['sh', '-c', f'sleep 0.05; exit {n % 100}', f'n{n}'], os.environ)\n"
        "  print(pid, flush=True)\n"
        "  if n % 20 == 19: [os.wait() for _ in range(20)]\n"
    )
    begin = datetime.now(UTC).timestamp()
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    end = datetime.now(UTC).timestamp()
    exit_codes = {int(pid): number % 100 for number, pid in enumerate(run.stdout.split())}

    def complete() -> dict[int, dict[str, Any]]:
        seen = {one["pid"]: one for one in find("") if one["pid"] in exit_codes}
        return {pid: one for pid, one in seen.items() if one["exit_code"] == exit_codes[pid] and one["ended"]}

    known = eventually(lambda: found if len(found := complete()) >= 990 else {}, seconds=60, what="99 % of them")

    for one in known.values():
        assert begin - 2 <= moment(one["start"]) <= moment(one["ended"]) <= end + 1
    return sum(one["cmdline"].startswith("sh -c sleep 0.05; exit") for one in known.values())


def moment(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
