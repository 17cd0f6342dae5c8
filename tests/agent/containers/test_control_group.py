"""What the kernel says of control groups: of real ones where they can be made here, and of files as they are."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from procession.agent.containers.control_group import SYSTEM_ROOT, ControlGroup, GroupReading

ID = "ab" * 32
VERSION_2 = {
    "cpu.stat": "usage_usec 3500000\nuser_usec 2500000\nsystem_usec 1000000\nnr_periods 40\nnr_throttled 10\n",
    "cpu.max": "150000 100000\n",
    "memory.current": "52428800\n",
    "memory.max": "104857600\n",
    "memory.stat": "anon 41943040\nfile 8388608\nkernel 1\n",
    "memory.events": "low 0\nhigh 0\nmax 3\noom 2\noom_kill 1\n",
    "pids.current": "7\n",
    "pids.max": "max\n",
}
READ = GroupReading(
    cpu_total_seconds=3.5,
    cpu_user_seconds=2.5,
    cpu_system_seconds=1.0,
    periods=40,
    throttled_periods=10,
    cpu_limit_percent=150.0,
    memory_usage_bytes=52428800,
    memory_limit_bytes=104857600,
    memory_rss_bytes=41943040,
    memory_cache_bytes=8388608,
    threads=7,
    oom_kills=1,
)
VERSION_1 = {
    "cpuacct/{}/cpuacct.usage": "3500000000\n",
    "cpuacct/{}/cpuacct.stat": "user 250\nsystem 100\n",
    "cpu/{}/cpu.stat": "nr_periods 40\nnr_throttled 10\nthrottled_time 5\n",
    "cpu/{}/cpu.cfs_quota_us": "150000\n",
    "cpu/{}/cpu.cfs_period_us": "100000\n",
    "memory/{}/memory.usage_in_bytes": "52428800\n",
    "memory/{}/memory.limit_in_bytes": "104857600\n",
    "memory/{}/memory.stat": "cache 1\nrss 2\ntotal_cache 8388608\ntotal_rss 41943040\n",
    "memory/{}/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n",
    "pids/{}/pids.current": "7\n",
    "pids/{}/pids.max": "max\n",
}


def reading(root: Path | str, cgroup: str, container_id: str = ID) -> GroupReading | None:
    group = ControlGroup.of(cgroup.encode(), container_id, str(root), 100)
    return None if group is None else group.read()


def made(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_version_2_is_read(tmp_path: Path) -> None:
    folder = f"system.slice/docker-{ID}.scope"
    root = made(tmp_path, {f"{folder}/{name}": text for name, text in VERSION_2.items()})

    assert reading(root, f"0::/{folder}\n") == READ
    # A process may have moved to a folder below, as in an init system that runs inside.
    assert reading(root, f"0::/{folder}/init.scope\n") == READ


def test_version_1_says_the_same(tmp_path: Path) -> None:
    root = made(tmp_path, {name.format(f"docker/{ID}"): text for name, text in VERSION_1.items()})
    cgroup = f"4:memory:/docker/{ID}\n3:cpu:/docker/{ID}\n2:cpuacct:/docker/{ID}\n1:pids:/docker/{ID}\n0::/\n"

    assert reading(root, cgroup) == READ


def test_without_limits_there_are_none(tmp_path: Path) -> None:
    files = VERSION_2 | {"cpu.max": "max 100000\n", "memory.max": "max\n"}
    root = made(tmp_path / "2", {f"docker/{ID}/{name}": text for name, text in files.items()})
    ones = VERSION_1 | {"cpu/{}/cpu.cfs_quota_us": "-1\n", "memory/{}/memory.limit_in_bytes": "9223372036854771712\n"}
    old = made(tmp_path / "1", {name.format(f"docker/{ID}"): text for name, text in ones.items()})

    for found in (reading(root, f"0::/docker/{ID}"), reading(old, f"3:cpu,memory:/docker/{ID}")):
        assert found is not None
        assert (found.cpu_limit_percent, found.memory_limit_bytes, found.memory_usage_bytes) == (None, None, 52428800)


@pytest.mark.parametrize(
    "cgroup", ["", "0::/", f"0::/../../docker/{ID}", f"0::/docker/{'cd' * 32}", f"0::/docker/{ID}", "x", "::", "0::"]
)
def test_where_there_is_no_folder_nothing_is_known(tmp_path: Path, cgroup: str) -> None:
    assert reading(tmp_path, cgroup) is None


@pytest.mark.parametrize("text", ["", "x\n", "-5\n", "9" * 400, "1 2 3\n", "usage_usec\n", "\xff\xfe", "usage_usec x"])
def test_what_no_kernel_writes_is_not_known(tmp_path: Path, text: str) -> None:
    root = made(tmp_path, {f"docker/{ID}/{name}": text for name in VERSION_2})

    assert reading(root, f"0::/docker/{ID}") == GroupReading()


@pytest.fixture
def real_groups() -> Iterator[list[Path]]:
    """Of version 1, made for a container of this test."""
    folders = [Path(SYSTEM_ROOT, name, "procession-test", ID) for name in ("cpu", "cpuacct", "memory", "pids")]
    made_here: list[Path] = []
    try:
        for folder in folders:
            folder.mkdir(parents=True)
            made_here.append(folder)
    except OSError as error:
        pytest.skip(f"no control group can be made here: {error}")
    finally:
        if len(made_here) < len(folders):
            for folder in made_here:
                folder.rmdir()
    yield folders
    for folder in folders:
        folder.rmdir()
        folder.parent.rmdir()


BUSY = "import sys\nx = bytearray(30_000_000)\nprint('ready', flush=True)\nwhile True: x[::4096] = x[::4096]"


def test_a_real_process_in_a_real_group_is_measured_and_throttled(real_groups: list[Path]) -> None:
    cpu, _, memory, pids = real_groups
    (cpu / "cpu.cfs_period_us").write_text("10000")
    (cpu / "cpu.cfs_quota_us").write_text("1000")
    (memory / "memory.limit_in_bytes").write_text(str(200 * 2**20))
    (pids / "pids.max").write_text("50")
    move = "".join(f"open({str(folder / 'cgroup.procs')!r}, 'w').write('0')\n" for folder in real_groups)
    with subprocess.Popen([sys.executable, "-c", move + BUSY], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            group = ControlGroup.of(
                Path(f"/proc/{process.pid}/cgroup").read_bytes(), ID, SYSTEM_ROOT, os.sysconf("SC_CLK_TCK")
            )
            assert group is not None
            found = group.read()
            until = time.monotonic() + 60
            while not (found.throttled_periods and found.cpu_total_seconds) and time.monotonic() < until:
                found = group.read()
        finally:
            process.kill()
            process.wait()

    assert found.cpu_limit_percent == 10.0
    assert found.memory_limit_bytes == 200 * 2**20
    assert (found.threads, found.thread_limit) == (1, 50)
    assert found.periods is not None
    assert found.throttled_periods is not None
    assert 0 < found.throttled_periods <= found.periods
    assert found.memory_usage_bytes is not None
    assert 30_000_000 < found.memory_usage_bytes < 200 * 2**20
    assert found.cpu_total_seconds is not None
    assert found.cpu_total_seconds > 0
    assert found.oom_kills == 0
