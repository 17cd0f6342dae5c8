"""The agent against `ps`, psutil and the kernel's own files: on every field, for processes of all kinds that the test
starts and that are at rest, so that nothing moves between one witness and the next."""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from procession.agent.read.proc_reader import ProcReader
from procession.agent.read.procfs import parse_boot_time
from procession.process import Sighting
from tests.support.agents.zoo import PR_SET_NAME, READY, Watcher, Zoo, await_rest, needs_root

Animal = Callable[[Zoo, Path], int]
"""Starts a process and gives its pid once it is at rest."""

WAIT = "sys.stdin.readline()"


def resting(code: str, *arguments: str) -> Animal:
    def start(zoo: Zoo, _: Path) -> int:
        pid = zoo.python(f"import sys, os; {code}; {READY}{WAIT}", *arguments).pid
        await_rest(pid)
        return pid

    return start


def stopped(zoo: Zoo, _: Path) -> int:
    process = zoo.start("cat")
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED)
    return process.pid


def of_a_deleted_executable(zoo: Zoo, folder: Path) -> int:
    copy = folder / "my-cat"
    shutil.copy(shutil.which("cat") or "", copy)
    process = zoo.start(str(copy))
    await_rest(process.pid)
    copy.unlink()
    return process.pid


def with_a_title(zoo: Zoo, _: Path) -> int:
    """What setproctitle does: the arguments are written over, and the kernel's name is set."""
    title = "my-server: worker [idle]"
    code = (
        "import os, ctypes, sys; stat = open('/proc/self/stat').read().rpartition(')')[2]; "
        "start, end = map(int, stat.split()[45:47]); "
        "memory = os.open('/proc/self/mem', 1); "
        f"os.pwrite(memory, {title.encode()!r}.ljust(end - start, bytes(1)), start); "
        f"ctypes.CDLL(None).prctl({PR_SET_NAME}, b'my-server', 0, 0, 0); {READY}{WAIT}"
    )
    pid = zoo.python(code, "x" * 80).pid
    await_rest(pid)
    return pid


def in_a_pid_namespace(zoo: Zoo, _: Path) -> int:
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare")
    unshare = zoo.start("unshare", "--pid", "--fork", "--kill-child", "sh", "-c", "echo ready; exec cat")
    zoo.await_line(unshare)
    inner = psutil.Process(unshare.pid).children()[0].pid
    await_rest(inner)
    return inner


def of_another_user(zoo: Zoo, _: Path) -> int:
    process = zoo.start("cat", user="nobody")
    await_rest(process.pid)
    return process.pid


def non_ascii(zoo: Zoo, _: Path) -> int:
    arguments = ("größe 進程".encode(), b"-c", b"echo ready; read line", "ünïcode".encode(), b"\xff\xfe")
    process = zoo.start(*arguments, executable=shutil.which("sh"))
    zoo.await_line(process)
    await_rest(process.pid)
    return process.pid


ANIMALS: dict[str, Animal] = {
    "sleeping": resting("pass", "an argument", ""),
    "stopped": stopped,
    "threaded": resting(
        "import threading; all_there = threading.Barrier(21); "
        "run = lambda: (all_there.wait(), threading.Event().wait()); "
        "[threading.Thread(target=run, daemon=True).start() for _ in range(20)]; all_there.wait()"
    ),
    "many files": resting("files = [open('/dev/null') for _ in range(500)]"),
    "sharing memory": resting("import mmap; m = mmap.mmap(-1, 8 << 20); [m.write(b'x' * 4096) for _ in range(2048)]"),
    "using memory": resting("data = b'x' * (32 << 20)"),
    "title": with_a_title,
    "deleted executable": of_a_deleted_executable,
    "non-ASCII": non_ascii,
    "huge arguments": resting("pass", *("x" * 100_000 for _ in range(2))),
    "nice": resting("os.setpriority(os.PRIO_PROCESS, 0, 15)"),
    "first of the queue": resting("os.setpriority(os.PRIO_PROCESS, 0, -7)"),
    "in another folder": resting("os.chdir('/usr/bin')"),
    "in another root": resting("os.chdir('/usr'); os.chroot('/usr')"),
    "another user's": of_another_user,
    "in a pid namespace": in_a_pid_namespace,
}
_ROOT_ONLY = {"first of the queue", "in another root", "another user's", "in a pid namespace"}


@pytest.mark.parametrize(
    "kind",
    [pytest.param(kind, marks=[needs_root, pytest.mark.may_skip] if kind in _ROOT_ONLY else []) for kind in ANIMALS],
)
def test_all_witnesses_agree_on_every_field(kind: str, zoo: Zoo, watcher: Watcher, tmp_path: Path) -> None:
    pid = ANIMALS[kind](zoo, tmp_path)
    watcher.snapshot()

    sighting = watcher.see(pid)

    agree_with_psutil(sighting)
    agree_with_ps(sighting)
    agree_with_the_kernel(sighting)


def roughly(size: int) -> object:
    """The kernel counts pages for each CPU and adds up in its own time."""
    return pytest.approx(size, rel=0.02, abs=400_000)


def agree_with_psutil(sighting: Sighting) -> None:
    witness = psutil.Process(sighting.pid)
    description, numbers = sighting.description, sighting.numbers
    memory, switches = witness.memory_info(), witness.num_ctx_switches()

    assert description.cmdline == " ".join(part for part in witness.cmdline() if part).encode(
        "utf-8", "surrogateescape"
    ).decode("utf-8", "replace")
    assert description.exe.removesuffix(" (deleted)") == witness.exe()
    assert description.cwd == witness.cwd()
    assert (description.uid, description.gid) == (witness.uids().real, witness.gids().real)
    assert description.user == pwd.getpwuid(witness.uids().real).pw_name
    assert description.group_name == grp.getgrgid(witness.gids().real).gr_name
    assert description.ppid == witness.ppid()
    assert description.nice == witness.nice()
    assert sighting.started_at == int(witness.create_time())
    assert numbers.threads == witness.num_threads()
    assert numbers.open_files == witness.num_fds()
    assert numbers.vms_bytes == memory.vms
    assert numbers.rss_bytes == roughly(memory.rss)
    assert numbers.shared_bytes == roughly(memory.shared)
    assert numbers.swap_bytes == witness.memory_full_info().swap
    assert (numbers.voluntary_switches, numbers.involuntary_switches) == (switches.voluntary, switches.involuntary)
    assert (numbers.cpu_total_percent, numbers.cpu_user_percent, numbers.cpu_system_percent) == (0, 0, 0)
    assert (numbers.read_bytes_per_second, numbers.write_bytes_per_second) == (0, 0)
    assert (numbers.read_operations_per_second, numbers.write_operations_per_second) == (0, 0)


def ps(pid: int, field: str) -> str:
    command = ["ps", "-ww", "-o", f"{field}=", "-p", str(pid)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def agree_with_ps(sighting: Sighting) -> None:
    description, numbers, pid = sighting.description, sighting.numbers, sighting.pid

    assert str(description.ppid) == ps(pid, "ppid")
    assert (str(description.uid), str(description.gid)) == (ps(pid, "ruid"), ps(pid, "rgid"))
    assert (description.user, description.group_name) == (ps(pid, "ruser:40"), ps(pid, "rgroup:40"))
    assert str(description.nice) == ps(pid, "nice")
    assert numbers.state == ps(pid, "state")
    assert str(numbers.threads) == ps(pid, "nlwp")
    assert str(numbers.vms_bytes and numbers.vms_bytes // 1024) == ps(pid, "vsz")
    assert numbers.rss_bytes == roughly(int(ps(pid, "rss")) * 1024)
    if description.cmdline.isascii():  # ps shows other bytes as question marks in some locales
        line = ps(pid, "args")
        assert line == description.cmdline[: len(line)]
        assert len(line) == len(description.cmdline) or len(line) > 100_000  # where ps has enough of it
        assert ps(pid, "comm") == description.comm


def agree_with_the_kernel(sighting: Sighting) -> None:
    folder = Path(f"/proc/{sighting.pid}")
    description = sighting.description
    stat = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
    start = parse_boot_time(Path("/proc/stat").read_bytes()) + int(stat[19]) // os.sysconf("SC_CLK_TCK")
    status = dict(
        line.split(":\t", 1) for line in (folder / "status").read_text(errors="replace").splitlines() if ":\t" in line
    )

    assert sighting.started_at == start
    assert description.exe == str((folder / "exe").readlink())
    assert description.cwd == str((folder / "cwd").readlink())
    assert description.root == str((folder / "root").readlink())
    assert description.comm == (folder / "comm").read_bytes().decode("utf-8", "replace").removesuffix("\n")
    assert description.namespace_pid == int(status["NSpid"].split("\t")[-1])
    assert description.container_id == ""
    assert not description.is_zombie
    assert sighting.numbers.open_files == len(list((folder / "fd").iterdir()))


def test_what_makes_each_kind_what_it_is_was_there_to_be_seen(zoo: Zoo, watcher: Watcher, tmp_path: Path) -> None:
    """So that the witnesses did not agree on something else."""
    kinds = [kind for kind in ANIMALS if kind not in _ROOT_ONLY]
    pids = {kind: ANIMALS[kind](zoo, tmp_path) for kind in kinds}
    seen = {sighting.pid: sighting for sighting in watcher.snapshot().sightings}
    numbers = {kind: seen[pid].numbers for kind, pid in pids.items()}
    descriptions = {kind: seen[pid].description for kind, pid in pids.items()}

    assert numbers["stopped"].state == "T"
    assert numbers["threaded"].threads == 21
    assert (numbers["many files"].open_files or 0) > 500
    assert (numbers["sharing memory"].shared_bytes or 0) > 8 << 20
    assert (numbers["using memory"].rss_bytes or 0) > 32 << 20
    assert descriptions["title"].cmdline == "my-server: worker [idle]"
    assert (descriptions["title"].comm, descriptions["title"].command) == ("my-server", "my-server")
    assert descriptions["deleted executable"].exe.endswith("/my-cat (deleted)")
    assert descriptions["non-ASCII"].cmdline == "größe 進程 -c echo ready; read line ünïcode \ufffd\ufffd"
    assert len(descriptions["huge arguments"].cmdline) > 200_000
    assert descriptions["nice"].nice == 15
    assert descriptions["in another folder"].cwd == "/usr/bin"


@pytest.mark.may_skip
def test_kernel_threads_are_seen_where_they_are_wanted(watcher: Watcher) -> None:
    threads = {process.pid: process for process in psutil.process_iter() if process.ppid() == 2}
    if not threads:
        pytest.skip("there are none to be seen in here")
    with contextlib.closing(ProcReader(kernel_threads=True)) as reader:
        seen = {reading.pid: reading for reading in reader.read()}
    common = threads.keys() & seen.keys()

    assert len(common) > len(threads) / 2  # they come and go
    assert all(seen[pid].stat.vms_bytes == 0 for pid in common)
    assert all(seen[pid].facts.uid == threads[pid].uids().real for pid in common)
    assert not threads.keys() & {sighting.pid for sighting in watcher.snapshot().sightings}
