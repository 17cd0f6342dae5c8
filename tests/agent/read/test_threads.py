"""Processes whose first thread has exited, or of which another thread runs a new program: they go on."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from procession.agent.read.proc_reader import REVISIT_EVERY, Life, ProcReader
from procession.agent.read.process_reading import ProcessReading
from tests.support.agents.proc_tree import ProcTree
from tests.support.agents.zoo import READY, WAIT, Watcher, Zoo, leave, program_without_leader


def lines_of_ps(pid: int) -> list[list[str]]:
    """State, threads, KiB and arguments of each thread."""
    command = ["ps", "-L", "-ww", "-o", "lwp=,s=,nlwp=,vsz=,rss=", "-p", str(pid)]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return [line.split() for line in lines]


def test_a_process_whose_first_thread_has_exited_is_what_it_was(zoo: Zoo, watcher: Watcher, tmp_path: Path) -> None:
    process = zoo.python(
        program_without_leader(
            f"os.chdir({str(tmp_path)!r}); data = b'x' * (32 << 20); f = [open('/dev/null') for _ in range(50)]"
        ),
        "an argument",
    )
    before = watcher.see(process.pid)
    leave(zoo, process)
    witness = {state: line for line in lines_of_ps(process.pid) for state in (line[1],)}
    assert witness["Z"][0] == str(process.pid)

    for _ in range(2 * REVISIT_EVERY):
        after = watcher.see(process.pid)
        assert after.started_at == before.started_at
        assert after.description == before.description
        assert after.numbers.state == "S" == witness["S"][1]
        assert after.numbers.threads == 2 == int(witness["S"][2])
        assert after.numbers.vms_bytes == int(witness["S"][3]) * 1024
        assert after.numbers.rss_bytes == pytest.approx(int(witness["S"][4]) * 1024, rel=0.05)
        assert after.numbers.open_files == before.numbers.open_files
        assert after.numbers.shared_bytes == pytest.approx(before.numbers.shared_bytes, rel=0.1)


def test_one_that_was_never_seen_with_its_first_thread_is_known_all_the_same(zoo: Zoo, watcher: Watcher) -> None:
    process = zoo.python(program_without_leader(), "an argument")
    leave(zoo, process)
    thread = int(next(line[0] for line in lines_of_ps(process.pid) if line[1] != "Z"))

    description = watcher.see(process.pid).description
    glimpse = watcher.reader.look_at(process.pid)

    assert description.cmdline.endswith("an argument")
    assert description.cwd == str(Path(f"/proc/{process.pid}/task/{thread}/cwd").readlink())
    assert description.exe == str(Path(f"/proc/{process.pid}/task/{thread}/exe").readlink())
    assert description.namespace_pid == process.pid
    assert (description.uid, description.is_zombie) == (os.getuid(), False)
    assert glimpse is not None
    assert (glimpse.facts.arguments[-1], glimpse.facts.cwd) == ("an argument", description.cwd)


@pytest.mark.parametrize("max_kept", [100, 0], ids=["kept open", "opened each time"])
def test_what_goes_on_counts_for_the_process(zoo: Zoo, max_kept: int) -> None:
    work = (
        "begin = time.thread_time(); fd = os.open('/dev/null', 1)\n"
        "  while time.thread_time() - begin < 0.3: pass\n"
        "  for _ in range(100): os.write(fd, b'x')\n"
        f"  {READY}{WAIT}"
    )
    process = zoo.python(program_without_leader(after=work))
    reader = ProcReader(max_kept=max_kept)

    def see() -> ProcessReading:
        return next(reading for reading in reader.read() if reading.pid == process.pid)

    leave(zoo, process)
    before = see()
    leave(zoo, process)
    after = see()
    times = psutil.Process(process.pid).cpu_times()
    reader.close()

    assert ticks_of(after) == pytest.approx((times.user + times.system) * 100, abs=3)
    assert ticks_of(after) - ticks_of(before) >= 28
    assert after.io is not None
    assert before.io is not None
    assert (
        100 < (after.io.write_operations or 0) - (before.io.write_operations or 0) < 105
    )  # and what it says of itself


def test_a_title_that_the_other_thread_writes_is_noticed(zoo: Zoo, watcher: Watcher, tmp_path: Path) -> None:
    work = (
        f"os.chdir({str(tmp_path)!r}); stat = open(f'/proc/self/task/{{threading.get_native_id()}}/stat').read()\n"
        "  os.pwrite(os.open('/proc/thread-self/mem', 1), b'my title'.ljust(60, bytes(1)), "
        "int(stat.rpartition(')')[2].split()[45]))\n"
        f"  {READY}{WAIT}"
    )
    process = zoo.python(program_without_leader(after=work), "x" * 80)
    leave(zoo, process)
    for _ in range(REVISIT_EVERY):
        watcher.snapshot()
    leave(zoo, process)

    description = [watcher.see(process.pid).description for _ in range(REVISIT_EVERY)][-1]

    assert description.cmdline.startswith("my title")
    assert description.cwd == str(tmp_path)


@pytest.mark.parametrize("leader_is", ["gone", "there"])
@pytest.mark.parametrize("max_kept", [100, 0], ids=["kept open", "opened each time"])
def test_a_program_that_another_thread_runs_is_the_same_process(zoo: Zoo, max_kept: int, leader_is: str) -> None:
    run = f"os.execv(sys.executable, [sys.executable, '-c', {f'import sys; {READY}{WAIT}'!r}, 'second'])"
    code = program_without_leader(after=run)
    if leader_is == "there":
        code = (
            f"import os, sys, threading\ndef go_on(): {WAIT}; {run}\n"
            f"threading.Thread(target=go_on).start(); {READY}threading.Event().wait()"
        )
    process = zoo.python(code, "first")
    reader = ProcReader(max_kept=max_kept)

    def see() -> ProcessReading:
        return next(reading for reading in reader.read() if reading.pid == process.pid)

    see()
    if leader_is == "gone":
        leave(zoo, process)
    before = see()
    leave(zoo, process)
    after = see()
    rested = [see() for _ in range(REVISIT_EVERY)][-1]
    witness = psutil.Process(process.pid)
    reader.close()

    assert before.facts.arguments[-1] == "first"
    assert after.facts.arguments[-1] == "second" == witness.cmdline()[-1]
    assert (after.stat.start_ticks, after.boot_time) == (before.stat.start_ticks, before.boot_time)
    assert ticks_of(after) >= ticks_of(before)
    assert (rested.stat.state, rested.stat.threads) == ("S", 1)
    assert rested.facts is after.facts


def test_one_of_which_all_threads_have_exited_is_a_zombie(zoo: Zoo, watcher: Watcher) -> None:
    process = zoo.python(program_without_leader(), "an argument")
    leave(zoo, process)
    before = watcher.see(process.pid)
    process.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)

    after = watcher.see(process.pid)

    assert (before.numbers.state, after.numbers.state) == ("S", "Z")
    assert after.description.is_zombie
    assert after.description.cmdline.endswith("an argument")


def test_children_of_such_a_process_keep_their_parent(zoo: Zoo, watcher: Watcher) -> None:
    process = zoo.python(program_without_leader("import subprocess; child = subprocess.Popen(['sleep', '1000'])"))
    child = psutil.Process(process.pid).children()[0]
    leave(zoo, process)

    seen = [watcher.see(child.pid).description.ppid for _ in range(REVISIT_EVERY)]
    child.kill()

    assert set(seen) == {process.pid}


def test_a_copy_without_threads_has_zombies_only(tree: ProcTree) -> None:
    tree.put(7, state="Z", threads=3, vms_bytes=0)

    with contextlib.closing(ProcReader(str(tree.root))) as reader:
        assert [reading.stat.state for reading in reader.read()] == ["Z"]


def test_a_copy_of_such_a_process_is_read_as_the_process_itself(tree: ProcTree) -> None:
    """As the kernel lays it out: all that belongs to memory is with the thread that lives."""
    folder = tree.put(7, state="Z", threads=3, vms_bytes=0, rss_pages=0, cmdline=b"", exe="", cwd="", root="",
                      memory_kb=None, open_files=0, user_ticks=50)  # fmt: skip
    tasks = ProcTree(folder / "task")
    tasks.put(7, state="Z", vms_bytes=0, cmdline=b"", exe="", cwd="", root="", memory_kb=None)
    tasks.put(8, state="Z", vms_bytes=0, cmdline=b"", exe="", cwd="", root="", memory_kb=None)
    tasks.put(9, state="D", uid=33, cgroup=f"0::/docker/{'a' * 64}\n", switches=(1, 1), user_ticks=3)
    reader = ProcReader(str(tree.root), kernel_threads=True)

    first, second = (next(iter(reader.read())) for _ in range(2))
    reader.close()

    assert first is second
    assert (first.stat.state, first.stat.threads, first.stat.user_ticks) == ("D", 3, 50)
    assert first.facts.arguments == ("/usr/sbin/nginx", "-g", "daemon off;")
    assert (first.facts.uid, first.facts.namespace_pid, first.facts.container_id) == (33, 7, "a" * 64)
    assert (first.facts.exe, first.facts.cwd, first.open_files) == ("/usr/sbin/nginx", "/srv", 3)
    assert first.status.voluntary_switches == 10


def ticks_of(reading: ProcessReading) -> int:
    user, system = reading.stat.user_ticks, reading.stat.system_ticks
    assert user is not None
    assert system is not None
    return user + system


def test_a_process_is_over_with_the_last_of_its_threads(zoo: Zoo) -> None:
    whole, leaderless = zoo.python(f"import sys; {READY}{WAIT}"), zoo.python(program_without_leader())
    leave(zoo, leaderless)
    zombie = subprocess.Popen(["true"])
    os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
    gone = subprocess.Popen(["true"])
    gone.wait()
    reader = ProcReader()

    processes = (whole, leaderless, zombie, gone)
    lives = [reader.life_of(process.pid) for process in processes]
    are_over = [reader.is_over(process.pid) for process in processes]

    zombie.wait()
    assert lives == [Life.WHOLE, Life.WITHOUT_LEADER, Life.OVER, Life.OVER]
    assert are_over == [False, False, True, True]


@pytest.mark.may_skip
def test_a_process_of_another_pid_namespace_is_not_taken_for_one_of_ours() -> None:
    """Whose system calls know other processes by the same pids, or none."""
    unshare = ["unshare", "--pid", "--fork"]
    if subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode:
        pytest.skip("there is no pid namespace to be had")
    code = (
        "import os, sys; from procession.agent.read.proc_reader import ProcReader; "
        f"assert os.getpid() == 1; reader, pid = ProcReader(), {os.getpid()}; "
        "print(reader.life_of(pid).name, reader.is_over(pid))"
    )

    answer = subprocess.run([*unshare, sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert answer.stdout == "WHOLE False\n"
