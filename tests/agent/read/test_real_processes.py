"""Processes that the test starts, as the agent sees them and as others see them."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, cast

import psutil
import pytest

from procession.agent.read.proc_reader import REVISIT_EVERY
from procession.agent.read.process_handle import THOROUGH_EVERY
from procession.command_line.arguments import arguments_of
from procession.process import Sighting
from procession.wire.datadog import MessageType, SnapshotDecoder, SnapshotEncoder
from procession.wire.datadog.frame import Frame
from tests.support.agents.zoo import PR_SET_NAME, READY, Watcher, Zoo, await_rest, control_group, needs_root
from tests.support.builders import NOON, a_snapshot
from tests.support.stores.unpacked import unpack

PTRACE_TRACEME = 0


def ps(pid: int, *fields: str) -> list[str]:
    command = ["ps", "-o", ",".join(f"{field}=" for field in fields), "-p", str(pid)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()


def test_ps_and_psutil_agree_on_a_sleeping_process(zoo: Zoo, watcher: Watcher) -> None:
    code = (
        "import threading; barrier = threading.Barrier(3); forever = threading.Event(); "
        "run = lambda: (barrier.wait(), forever.wait()); "
        f"[threading.Thread(target=run, daemon=True).start() for _ in '12']; barrier.wait(); {READY} input()"
    )
    process = zoo.python(code, "an argument", "ünïcode")
    witness = psutil.Process(process.pid)
    await_rest(process.pid)

    sighting = watcher.see(process.pid)
    description, numbers = sighting.description, sighting.numbers

    assert description.cmdline == " ".join(witness.cmdline())
    assert description.exe == witness.exe()
    assert description.cwd == witness.cwd()
    assert description.user == witness.username()
    assert (description.uid, description.gid) == (witness.uids().real, witness.gids().real)
    assert description.ppid == os.getpid() == int(ps(process.pid, "ppid")[0])
    assert description.comm == witness.name() == ps(process.pid, "comm")[0]
    assert description.namespace_pid is not None
    assert not description.is_zombie
    assert sighting.started_at == int(witness.create_time())
    assert numbers.threads == 3 == int(ps(process.pid, "nlwp")[0])
    assert numbers.open_files == witness.num_fds()
    assert numbers.state == "S" == ps(process.pid, "state")[0]
    vms, rss = (int(kb) * 1024 for kb in ps(process.pid, "vsz", "rss"))
    assert numbers.vms_bytes == vms
    assert numbers.rss_bytes == pytest.approx(rss, rel=0.05)  # the kernel adds it up to some pages only
    switches = witness.num_ctx_switches()
    assert (numbers.voluntary_switches, numbers.involuntary_switches) == (switches.voluntary, switches.involuntary)


def test_all_processes_that_ps_lists_are_seen(zoo: Zoo, watcher: Watcher) -> None:
    started = {zoo.start("cat").pid for _ in range(20)}

    seen = {sighting.pid: sighting for sighting in watcher.snapshot().sightings}
    listed = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], check=True, capture_output=True, text=True)
    others = {int(pid): int(ppid) for pid, ppid in map(str.split, listed.stdout.splitlines())}

    assert started <= seen.keys()
    assert all(others[pid] == seen[pid].description.ppid for pid in started)
    assert 1 in seen


def test_a_busy_process_uses_about_one_core(zoo: Zoo, watcher: Watcher) -> None:
    process = zoo.python(READY + "input()\nwhile True: pass")
    assert watcher.see(process.pid).numbers.cpu_total_percent is None

    zoo.tell(process)
    witness = psutil.Process(process.pid)
    before = _used(witness)
    watcher.snapshot()
    begin = _used(witness)
    while _used(witness) - begin < 0.5:
        time.sleep(0.05)
    end = _used(witness)
    numbers = watcher.see(process.pid).numbers
    after = _used(witness)

    assert numbers.cpu_total_percent is not None
    seconds = numbers.cpu_total_percent / 100 * watcher.elapsed
    assert end - begin - 0.02 <= seconds <= after - before + 0.02  # a tick for each of the two parts
    assert numbers.cpu_user_percent is not None
    assert numbers.cpu_user_percent > numbers.cpu_total_percent / 2
    assert numbers.state == "R"


def _used(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def test_a_writing_process_has_rates(zoo: Zoo, watcher: Watcher, tmp_path: Path) -> None:
    code = (
        "import os, sys; fd = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY); "
        f"{READY} sys.stdin.readline(); [os.write(fd, b'x' * 4096) for _ in range(1000)]; print('done', flush=True); "
        "sys.stdin.readline()"
    )
    process = zoo.python(code, str(tmp_path / "file"))
    first = watcher.see(process.pid).numbers
    zoo.tell(process)
    zoo.await_line(process)
    numbers = watcher.see(process.pid).numbers

    assert first.write_operations_per_second is None
    assert numbers.write_operations_per_second is not None
    assert numbers.write_operations_per_second * watcher.elapsed == pytest.approx(1001, abs=2)
    assert watcher.see(process.pid).numbers.write_operations_per_second == 0


def test_a_zombie_is_shown_as_one(zoo: Zoo, watcher: Watcher) -> None:
    process = zoo.start("true")
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)

    sighting = watcher.see(process.pid)

    assert sighting.description.is_zombie
    assert sighting.description.comm == "true"
    assert sighting.description.command == "true"
    assert sighting.description.cmdline == ""
    assert sighting.numbers.state == "Z" == ps(process.pid, "state")[0]


def test_a_process_that_was_seen_alive_keeps_its_command_line_as_a_zombie(zoo: Zoo, watcher: Watcher) -> None:
    process = zoo.python(READY + "input()", "marker")
    watcher.snapshot()
    zoo.tell(process)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)

    sighting = watcher.see(process.pid)

    assert sighting.description.is_zombie
    assert sighting.description.cmdline.endswith("marker")


def test_a_stopped_process_is_in_state_t(zoo: Zoo, watcher: Watcher) -> None:
    process = zoo.start("cat")
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED)

    assert watcher.see(process.pid).numbers.state == "T"


def test_a_process_that_a_tracer_has_stopped_has_the_letter_of_the_kernel(zoo: Zoo, watcher: Watcher) -> None:
    code = f"import ctypes, os; ctypes.CDLL(None).ptrace({PTRACE_TRACEME}, 0, 0, 0); os.kill(os.getpid(), 19)"
    process = zoo.start(sys.executable, "-c", code)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED)

    sent = _sent(watcher.see(process.pid))

    assert sent.numbers.state == "t" == ps(process.pid, "state")[0]


def _sent(sighting: Sighting) -> Sighting:
    """As a server has it."""
    (body,) = SnapshotEncoder().encode(a_snapshot(sighting))
    (received,) = unpack(SnapshotDecoder().decode(Frame(MessageType.PROCESSES, body), taken_at=NOON)).sightings
    return received


@pytest.mark.parametrize(
    "arguments", [["an argument", "", "two  blanks", " "], ["", "x", ""], ["--password", "a b", "c d"], ["\n", "ü\t"]]
)
def test_arguments_end_where_they_did_on_the_way_to_the_server(
    zoo: Zoo, watcher: Watcher, arguments: list[str]
) -> None:
    process = zoo.python(READY + "input()", *arguments)

    seen = watcher.see(process.pid).description
    sent = _sent(watcher.see(process.pid)).description

    assert sent == seen
    assert sent.cmdline == " ".join(filter(None, psutil.Process(process.pid).cmdline()))
    assert arguments_of(sent.cmdline, sent.argument_words) == [sys.executable, "-c", READY + "input()", *arguments]


@pytest.mark.parametrize(
    ("first", "name"),
    [
        (None, "the sleeper"),
        ("./the sleeper", "the sleeper"),
        ("", "the sleeper"),
        ("-x", "the sleeper"),
        ("/dev/fd/3", "the sleeper"),
        ("my title: busy", "my title"),
        ("sleeper", "sleeper"),
    ],
)
@pytest.mark.parametrize("is_deleted", [False, True])
def test_a_program_with_a_blank_in_its_name_has_it_at_the_server_too(
    zoo: Zoo, watcher: Watcher, tmp_path: Path, first: str | None, name: str, is_deleted: bool
) -> None:
    program = tmp_path / "my app" / "the sleeper"
    program.parent.mkdir()
    shutil.copy(shutil.which("sleep") or "", program)
    process = zoo.start(str(program) if first is None else first, "600", executable=str(program))
    if is_deleted:
        program.unlink()

    seen = watcher.see(process.pid)

    assert seen.description.command == _sent(seen).description.command == name


@pytest.mark.parametrize("name", [b"a) R 1 (", b"two\nlines", b"  ", b"\xff\xfe(", b"(((((((((((((((", "päß".encode()])
def test_a_process_may_call_itself_anything(zoo: Zoo, watcher: Watcher, name: bytes) -> None:
    code = f"import ctypes; ctypes.CDLL(None).prctl({PR_SET_NAME}, {name!r}, 0, 0, 0); {READY} input()"
    process = zoo.python(code)

    sighting = watcher.see(process.pid)

    assert sighting.description.comm == name.decode("utf-8", "replace")
    assert sighting.description.ppid == os.getpid()


def test_arguments_may_hold_any_bytes(zoo: Zoo, watcher: Watcher) -> None:
    process = zoo.start(b"my (odd)\nname \xff", b"", b"-", executable=shutil.which("cat"))

    assert watcher.see(process.pid).description.cmdline == "my (odd)\nname \ufffd -"


def test_a_command_line_may_be_empty(zoo: Zoo, watcher: Watcher) -> None:
    process = zoo.start("", executable=shutil.which("cat"))

    description = watcher.see(process.pid).description

    assert description.cmdline == ""
    assert (description.comm, description.command) == ("cat", "cat")


def test_arguments_of_100_kb_arrive_whole(zoo: Zoo, watcher: Watcher) -> None:
    process = zoo.python(READY + "input()", "x" * 100_000, "end")

    assert watcher.see(process.pid).description.cmdline.endswith("x" * 100_000 + " end")


def test_a_deleted_executable_is_named(zoo: Zoo, watcher: Watcher, tmp_path: Path) -> None:
    copy = tmp_path / "my-cat"
    shutil.copy(shutil.which("cat") or "", copy)
    process = zoo.start(str(copy))
    copy.unlink()

    assert watcher.see(process.pid).description.exe == f"{copy} (deleted)"


def test_an_exec_is_noticed_at_once(zoo: Zoo, watcher: Watcher) -> None:
    again = READY + "input()"
    code = READY + f"import os, sys; input(); os.execv(sys.executable, [sys.executable, '-c', {again!r}, 'second'])"
    process = zoo.python(code, "first")
    assert watcher.see(process.pid).description.cmdline.endswith("first")
    for _ in range(2):
        before = watcher.see(process.pid)

    zoo.tell(process)
    zoo.await_line(process)
    after = watcher.see(process.pid)

    assert after.description.cmdline.endswith("second")
    assert after.description.comm == before.description.comm
    assert after.started_at == before.started_at


_TITLE = (
    "import os, sys; start = int(open('/proc/self/stat').read().rpartition(')')[2].split()[45]); "
    "memory = os.open('/proc/self/mem', 1); "
    "write = lambda: os.pwrite(memory, b'my title'.ljust(60, bytes(1)), start); "
)


def _asleep(zoo: Zoo, watcher: Watcher, code: str, turns_before: int) -> int:
    """One that does so much when it is told to, and sleeps; seen in so many turns before that, and once after it."""
    process = zoo.python(f"{_TITLE}{READY} input(); {READY} input(); {code}; {READY} input()", "x" * 80)
    watcher.snapshot()
    zoo.tell(process)
    zoo.await_line(process)
    for _ in range(turns_before):
        watcher.snapshot()
    zoo.tell(process)
    zoo.await_line(process)
    await_rest(process.pid)
    watcher.snapshot()
    return process.pid


@pytest.mark.parametrize("turns_before", range(3, 3 + REVISIT_EVERY))
def test_what_a_process_did_before_it_went_to_sleep_is_noticed_in_whichever_turn_it_was(
    zoo: Zoo, watcher: Watcher, turns_before: int
) -> None:
    pid = _asleep(zoo, watcher, "write(); os.chdir('/usr/bin'); files = [open('/dev/null') for _ in range(9)]",
                  turns_before)  # fmt: skip

    sighting = [watcher.see(pid) for _ in range(REVISIT_EVERY - 1)][-1]
    witness = psutil.Process(pid)

    assert sighting.description.cmdline.startswith("my title")
    assert sighting.description.cwd == "/usr/bin" == witness.cwd()
    assert sighting.numbers.open_files == witness.num_fds()
    switches = witness.num_ctx_switches()
    assert (sighting.numbers.voluntary_switches, sighting.numbers.involuntary_switches) == switches


@needs_root
@pytest.mark.may_skip
@pytest.mark.parametrize("turns_before", range(3, 3 + REVISIT_EVERY))
def test_a_process_that_becomes_another_user_is_noticed(zoo: Zoo, watcher: Watcher, turns_before: int) -> None:
    pid = _asleep(zoo, watcher, "os.setgid(1); os.setuid(1)", turns_before)

    description = [watcher.see(pid).description for _ in range(REVISIT_EVERY - 1)][-1]

    assert (description.uid, description.gid, description.user) == (1, 1, pwd.getpwuid(1).pw_name)


@pytest.mark.parametrize("goes_on", ["", "; threading.Thread(target=threading.Event().wait, daemon=True).start()"])
def test_a_title_that_another_thread_writes_is_noticed(zoo: Zoo, watcher: Watcher, goes_on: str) -> None:
    """Also of a thread that is gone again."""
    code = f"import threading; thread = threading.Thread(target=write); thread.start(); thread.join(){goes_on}"
    pid = _asleep(zoo, watcher, code, 4)

    assert [watcher.see(pid) for _ in range(REVISIT_EVERY - 1)][-1].description.cmdline.startswith("my title")


def test_a_title_that_somebody_else_writes_is_noticed_in_the_end(zoo: Zoo, watcher: Watcher) -> None:
    process = zoo.python(READY + "input()", "x" * 80)
    await_rest(process.pid)
    for _ in range(REVISIT_EVERY):
        watcher.snapshot()
    start = int(Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[45])
    try:
        memory = os.open(f"/proc/{process.pid}/mem", os.O_WRONLY)
    except PermissionError:
        pytest.skip("the memory of others is not to be written here")
    os.pwrite(memory, b"my title".ljust(60, b"\0"), start)
    os.close(memory)

    titles = [watcher.see(process.pid).description.cmdline for _ in range(REVISIT_EVERY * THOROUGH_EVERY)]

    assert titles[-1].startswith("my title")


def test_a_folder_and_an_executable_that_others_rename_and_delete_are_noticed(
    zoo: Zoo, watcher: Watcher, tmp_path: Path
) -> None:
    (tmp_path / "old").mkdir()
    shutil.copy(shutil.which("cat") or "", tmp_path / "my-cat")
    process = zoo.start("sh", "-c", f"cd {tmp_path}/old && echo ready && exec {tmp_path}/my-cat")
    zoo.await_line(process)
    await_rest(process.pid)
    for _ in range(REVISIT_EVERY):
        before = watcher.see(process.pid).description
    (tmp_path / "old").rename(tmp_path / "new")
    (tmp_path / "my-cat").unlink()
    after = [watcher.see(process.pid).description for _ in range(REVISIT_EVERY)][-1]

    assert (before.cwd, before.exe) == (f"{tmp_path}/old", f"{tmp_path}/my-cat")
    assert (after.cwd, after.exe) == (f"{tmp_path}/new", f"{tmp_path}/my-cat (deleted)")


@needs_root
@pytest.mark.may_skip
def test_without_rights_an_exec_of_the_same_name_is_noticed(zoo: Zoo) -> None:
    """As of a wrapper that a shell runs: the kernel does not say where either lies in memory."""
    again = f"{READY} sys.stdin.readline()"
    wrapper = f"import os, sys; {READY} sys.stdin.readline(); {READY} sys.stdin.readline(); "
    wrapper += f"os.execv(sys.executable, [sys.executable, '-c', {'import sys; ' + again!r}, 'second'])"
    processes = [zoo.python(wrapper, "first") for _ in range(REVISIT_EVERY)]
    pids = [process.pid for process in processes]
    code = (
        "import os, sys; from procession.agent.read.proc_reader import REVISIT_EVERY, ProcReader; "
        "os.setgroups([]); os.setgid(65534); os.setuid(65534); r = ProcReader(); "
        "turns = lambda: ([r.read() for _ in range(REVISIT_EVERY + 2)], print('ready', flush=True)); "
        "turns(); sys.stdin.readline(); turns(); sys.stdin.readline(); r.read(); "
        "seen = [{p.pid: p.facts.arguments[-1] for p in r.read() if p.facts.arguments} for _ in range(REVISIT_EVERY)]; "
        f"print(*[seen[-1][pid] for pid in {pids}], flush=True)"
    )
    nobody = zoo.python(code)
    for _ in range(2):
        for process in processes:
            zoo.tell(process)
            zoo.await_line(process)
        zoo.tell(nobody)
        said = zoo.await_line(nobody)

    assert said.split() == [b"second"] * len(pids)


def test_processes_that_exit_while_they_are_read_do_no_harm(zoo: Zoo, watcher: Watcher) -> None:
    code = "import os\n" + READY + "\nwhile True:\n  if not os.fork(): os._exit(0)\n  os.wait()"
    churn = zoo.python(code)

    for _ in range(30):
        assert churn.pid in {sighting.pid for sighting in watcher.snapshot().sightings}


@needs_root
@pytest.mark.may_skip
def test_the_user_is_named(zoo: Zoo, watcher: Watcher) -> None:
    process = zoo.start("cat", user="nobody")

    description = watcher.see(process.pid).description

    assert description.user == "nobody"
    assert description.uid == pwd.getpwnam("nobody").pw_uid


@needs_root
@pytest.mark.may_skip
def test_without_rights_what_is_readable_is_seen_and_the_rest_is_absent(zoo: Zoo) -> None:
    process = zoo.start("cat", "-")

    seen = _seen_by_nobody(process.pid)

    assert (seen["cmdline"], seen["comm"], seen["user"]) == ("cat -", "cat", "root")
    assert (seen["exe"], seen["cwd"]) == ("", "")
    assert seen["threads"] == 1
    assert seen["rss_bytes"] > 0
    assert seen["cpu_total_percent"] == 0
    assert seen["voluntary_switches"] > 0
    assert seen["read_bytes_per_second"] is None


def _seen_by_nobody(pid: int) -> dict[str, Any]:
    code = (
        "import json, os, sys, time; from procession.agent.read.proc_reader import ProcReader; "
        "from procession.agent.describe.collector import Collector; import msgspec; "
        "os.setgroups([]); os.setgid(65534); os.setuid(65534); r = ProcReader(); "
        "c = Collector(host='h', ticks_per_second=100, page_bytes=4096, scrub=tuple); "
        "c.collect(r.read(), taken_at=1, moment=1.0); "
        f"s = next(s for s in c.collect(r.read(), taken_at=2, moment=2.0).sightings if s.pid == {pid}); "
        "print(json.dumps(msgspec.to_builtins(s.description) | msgspec.to_builtins(s.numbers)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    return cast(dict[str, Any], json.loads(run.stdout))


@needs_root
@pytest.mark.may_skip
def test_the_pid_within_a_namespace_is_known(zoo: Zoo, watcher: Watcher) -> None:
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare")
    unshare = zoo.start("unshare", "--pid", "--fork", "--kill-child", "sh", "-c", "echo ready; cat")
    zoo.await_line(unshare)
    inner = psutil.Process(unshare.pid).children()[0]

    assert watcher.see(inner.pid).description.namespace_pid == 1


@needs_root
@pytest.mark.may_skip
def test_a_process_in_the_control_group_of_a_container_has_its_id(zoo: Zoo, watcher: Watcher) -> None:
    name = os.urandom(32).hex()
    process = zoo.start("cat")
    with control_group(f"docker-{name}.scope") as group:
        (group / "cgroup.procs").write_text(str(process.pid))
        container_id = watcher.see(process.pid).description.container_id
        zoo.end()

    assert container_id == name


def test_two_watchers_give_a_process_the_same_start(zoo: Zoo, watcher: Watcher) -> None:
    process = zoo.start("cat")

    with contextlib.closing(Watcher()) as another:
        starts = {one.see(process.pid).started_at for one in (watcher, another)}

    assert len(starts) == 1


def test_a_process_at_rest_has_its_new_parent_at_once(zoo: Zoo, watcher: Watcher) -> None:
    code = (
        "import os, sys, time; pid = os.fork()\n"
        "if not pid: time.sleep(1000)\n"
        "print(pid, flush=True); sys.stdin.readline()"
    )
    parent = zoo.start(sys.executable, "-c", code)
    child = int(zoo.await_line(parent))
    try:
        for _ in range(3):
            before = watcher.see(child)
        parent.kill()
        os.waitid(os.P_PID, parent.pid, os.WEXITED | os.WNOWAIT)
        watcher.snapshot()  # which may come upon the child before its dead parent
        after = watcher.see(child)
        expected = psutil.Process(child).ppid()
    finally:
        os.kill(child, signal.SIGKILL)

    assert before.description.ppid == parent.pid
    assert after.description.ppid == expected != parent.pid


def test_what_others_do_to_a_process_at_rest_is_noticed_after_some_turns(zoo: Zoo, watcher: Watcher) -> None:
    process = zoo.python(READY + "input()")
    for _ in range(3):
        before = watcher.see(process.pid)
    os.setpriority(os.PRIO_PROCESS, process.pid, 19)
    seen = [watcher.see(process.pid).description.nice for _ in range(REVISIT_EVERY)]

    assert before.description.nice != 19 or os.getpriority(os.PRIO_PROCESS, 0) == 19
    assert seen[-1] == 19


def test_a_process_that_has_rested_is_seen_when_it_does_something(zoo: Zoo, watcher: Watcher) -> None:
    code = (
        f"import sys, threading; {READY} sys.stdin.readline(); "
        f"t = threading.Thread(target=sys.stdin.readline); t.start(); {READY} t.join()"
    )
    process = zoo.python(code)
    for _ in range(REVISIT_EVERY + 2):
        before = watcher.see(process.pid)
    zoo.tell(process)
    zoo.await_line(process)
    after = watcher.see(process.pid)

    assert (before.numbers.threads, after.numbers.threads) == (1, 2)
    assert (after.numbers.voluntary_switches or 0) > (before.numbers.voluntary_switches or 0)
