"""What our own agent posts, as Datadog's own payload library reads it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from procession.agent.send.payload_maker import PayloadMaker
from procession.process import ProcessDescription, ProcessNumbers, Sighting, Snapshot
from procession.wire.datadog import ContainerInfo
from tests.support.builders import NOON

SOURCE = Path(__file__).parent / "agent"
CONTAINER = "c0" * 32


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    go = shutil.which("go")
    if go is None:
        pytest.skip("needs Go")
    program = tmp_path_factory.mktemp("agent") / "agent"
    subprocess.run([go, "build", "-o", str(program), "."], cwd=SOURCE, check=True, timeout=900)
    return program


def read(program: Path, frames: list[bytes]) -> list[dict[str, Any]]:
    lines = "".join(f"{frame.hex()}\n" for frame in frames)
    done = subprocess.run([str(program), "read"], input=lines, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def a_container(container_id: str) -> ContainerInfo:
    return ContainerInfo(
        container_id=container_id,
        runtime="docker",
        name="web",
        image="nginx:1.25",
        created_at=NOON - 50,
        tags=("container_name:web",),
    )


WHOLE = Sighting(
    7,
    NOON - 5,
    ProcessDescription(
        cmdline="nginx: worker process",
        exe="/usr/sbin/nginx",
        cwd="/srv",
        root="/jail",
        comm="nginx",
        user="www-data",
        uid=33,
        gid=34,
        group_name="www",
        ppid=6,
        namespace_pid=3,
        nice=-5,
        container_id=CONTAINER,
        tags=("app:shop",),
    ),
    ProcessNumbers(
        cpu_total_percent=1.5,
        cpu_user_percent=1.0,
        cpu_system_percent=0.5,
        rss_bytes=4096,
        vms_bytes=8192,
        shared_bytes=1024,
        swap_bytes=512,
        threads=4,
        open_files=9,
        read_bytes_per_second=1.0,
        write_bytes_per_second=2.0,
        read_operations_per_second=3.0,
        write_operations_per_second=4.0,
        voluntary_switches=10,
        involuntary_switches=2,
        net_received_bytes_per_second=5.0,
        net_sent_bytes_per_second=6.0,
        connections=7,
        net_bytes_per_second=8.0,
        net_connections_per_second=0.5,
        state="S",
    ),
)
BARE = Sighting(8, NOON - 4, ProcessDescription(comm="other", is_zombie=True), ProcessNumbers(state="Z"))


def test_their_library_finds_all_of_a_process_in_what_we_post(program: Path) -> None:
    maker = PayloadMaker(host="web-1", run=1, started_at=NOON, containers=a_container)
    payloads = maker.make(Snapshot(host="web-1", taken_at=NOON, sightings=(WHOLE, BARE)))

    (message,) = read(program, [payload.body for payload in payloads])

    assert message["hostName"] == "web-1"
    whole, bare = message["processes"]
    command = {"ppid": 6, "exe": "/usr/sbin/nginx", "cwd": "/srv", "root": "/jail", "comm": "nginx"}
    assert whole["command"] == {"args": ["nginx:", "worker", "process"], **command}
    assert (whole["pid"], whole["nsPid"], whole["createTime"]) == (7, 3, (NOON - 5) * 1000)
    assert whole["user"] == {"name": "www-data", "uid": 33, "gid": 34}
    assert whole["memory"] == {"rss": 4096, "vms": 8192, "shared": 1024, "swap": 512}
    cpu = {"totalPct": 1.5, "userPct": 1, "systemPct": 0.5, "numThreads": 4, "nice": 25}
    assert whole["cpu"] == {"lastCpu": "cpu", **cpu}
    assert whole["ioStat"] == {"readRate": 3, "writeRate": 4, "readBytesRate": 1, "writeBytesRate": 2}
    assert (whole["openFdCount"], whole["voluntaryCtxSwitches"], whole["involuntaryCtxSwitches"]) == (9, 10, 2)
    assert (whole["containerId"], whole["tags"], whole["state"]) == (CONTAINER, ["app:shop"], 3)
    assert (bare["command"]["comm"], bare["openFdCount"], bare["state"]) == ("other", -1, 7)
    assert "memory" not in bare
    (container,) = message["containers"]
    known = {"id": CONTAINER, "type": "docker", "name": "web", "image": "nginx:1.25", "tags": ["container_name:web"]}
    assert known.items() <= container.items()


def test_their_library_finds_the_numbers_in_what_we_post_live(program: Path) -> None:
    maker = PayloadMaker(host="web-1", run=1, started_at=NOON, containers=a_container)

    new, numbers = read(program, [payload.body for payload in maker.make_live(NOON, [BARE], [WHOLE, BARE])])

    assert [process["pid"] for process in new["processes"]] == [8]
    first, _ = numbers["stats"]
    assert (first["pid"], first["createTime"], first["threads"]) == (7, (NOON - 5) * 1000, 4)
    assert first["memory"] == {"rss": 4096, "vms": 8192, "shared": 1024, "swap": 512}
