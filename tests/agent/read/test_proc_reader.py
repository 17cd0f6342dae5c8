from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from procession.agent.read.proc_reader import REVISIT_EVERY, ProcReader
from procession.agent.read.process_handle import MAX_CMDLINE_BYTES
from procession.agent.read.process_reading import ProcessReading
from procession.errors import UsageError
from tests.support.agents.proc_tree import BOOT_TIME, ProcTree


@pytest.fixture(params=[100, 0], ids=["kept open", "opened each time"])
def reader(request: pytest.FixtureRequest, tree: ProcTree) -> Iterator[ProcReader]:
    """Both ways of reading do the same."""
    reader = ProcReader(str(tree.root), max_kept=request.param)
    yield reader
    reader.close()


def read(reader: ProcReader) -> dict[int, ProcessReading]:
    return {reading.pid: reading for reading in reader.read()}


def test_reader_reads_all_of_a_process(tree: ProcTree, reader: ProcReader) -> None:
    tree.put(
        7,
        uid=33,
        gid=44,
        switches=(5, 6),
        io=(1, 2, 3, 4),
        open_files=9,
        start_ticks=99,
        cgroup=f"0::/docker/{'a' * 64}\n",
        nice=-5,
        root="/jail",
        memory_kb=(30, 10, 7),
    )

    reading = read(reader)[7]

    assert reading.stat.comm == "nginx"
    assert reading.stat.start_ticks == 99
    assert reading.facts.arguments == ("/usr/sbin/nginx", "-g", "daemon off;")
    assert (reading.facts.exe, reading.facts.cwd, reading.facts.root) == ("/usr/sbin/nginx", "/srv", "/jail")
    assert (reading.stat.nice, reading.status.shared_bytes, reading.status.swap_bytes) == (-5, 40 * 1024, 7 * 1024)
    assert (reading.facts.uid, reading.facts.gid, reading.facts.namespace_pid) == (33, 44, 7)
    assert reading.facts.container_id == "a" * 64
    assert reading.io is not None
    assert (reading.io.read_operations, reading.io.write_bytes) == (1, 4)
    assert reading.open_files == 9
    assert (reading.status.voluntary_switches, reading.status.involuntary_switches) == (5, 6)
    assert reader.boot.now() == BOOT_TIME


def test_reader_sees_processes_come_and_go(tree: ProcTree, reader: ProcReader) -> None:
    tree.put(7)
    assert read(reader).keys() == {7}

    tree.put(8)
    assert read(reader).keys() == {7, 8}

    tree.remove(7)
    assert read(reader).keys() == {8}


def test_reader_gives_the_same_object_while_nothing_changes(tree: ProcTree, reader: ProcReader) -> None:
    tree.put(7)

    readings = [read(reader)[7] for _ in range(2 * REVISIT_EVERY)]

    assert all(reading is readings[0] for reading in readings)


def test_reader_sees_each_change_of_a_number_at_once(tree: ProcTree, reader: ProcReader) -> None:
    tree.put(7)
    first = read(reader)[7]

    tree.put(7, user_ticks=5, switches=(20, 2), open_files=4)
    second = read(reader)[7]
    tree.put(7, user_ticks=5, switches=(20, 2), open_files=4, io=(1, 1, 1, 1))
    third = read(reader)[7]

    assert second.stat.user_ticks == 5
    assert (second.status.voluntary_switches, second.open_files) == (20, 4)
    assert third.io is not None
    assert third.io.read_bytes == 1
    assert first.facts is second.facts is third.facts


def test_reader_notices_an_exec_by_the_new_name(tree: ProcTree, reader: ProcReader) -> None:
    tree.put(7, comm=b"sh", cmdline=b"sh\0", image=0)
    for _ in range(3):
        read(reader)

    tree.put(7, comm=b"sleep", cmdline=b"sleep\09\0", image=0)

    assert read(reader)[7].facts.arguments == ("sleep", "9")


def test_reader_notices_an_exec_of_the_same_name_by_where_it_lies_in_memory(tree: ProcTree, reader: ProcReader) -> None:
    tree.put(7, cmdline=b"python3\0one\0", image=1)
    for _ in range(3):
        read(reader)

    tree.put(7, cmdline=b"python3\0two\0", image=2)

    assert read(reader)[7].facts.arguments == ("python3", "two")


@pytest.mark.parametrize("turns_before", range(3, 3 + REVISIT_EVERY))
def test_reader_notices_a_silent_change_within_some_turns_in_whichever_it_came(
    tree: ProcTree, reader: ProcReader, turns_before: int
) -> None:
    tree.put(7, cmdline=b"postgres: idle\0", cwd="/a", root="/", image=0, uid=0)
    for _ in range(turns_before):
        read(reader)

    # As without the right to see where it lies in memory. It has been asleep since, for all that its counters say.
    tree.put(7, cmdline=b"postgres: SELECT\0", cwd="/b", root="/jail", image=0, uid=33)
    facts = [read(reader)[7].facts for _ in range(REVISIT_EVERY)][-1]

    assert facts.arguments == ("postgres: SELECT",)
    assert (facts.cwd, facts.root, facts.uid) == ("/b", "/jail", 33)


def test_reader_visits_processes_more_often_where_snapshots_are_far_apart(tree: ProcTree) -> None:
    moments = iter([0.0, 25.0, 50.0, 75.0, 135.0, 195.0])
    reader = ProcReader(str(tree.root), monotonic=lambda: next(moments))
    seen = []
    for title in ("a", "b", "c", "d", "e", "f"):
        tree.put(7, cmdline=title.encode())
        seen.append(read(reader)[7].facts.arguments[0])
    reader.close()

    # None is older than a minute: every second turn of 25 s, and every turn of a minute.
    assert all(title >= least for title, least in zip(seen, "aabcef", strict=True))


def test_reader_visits_a_part_of_the_processes_at_each_turn(tree: ProcTree) -> None:
    for pid in range(100, 120):
        tree.put(pid, cmdline=b"one\0")
    reader = ProcReader(str(tree.root))
    for _ in range(REVISIT_EVERY):
        read(reader)
    for pid in range(100, 120):
        tree.put(pid, cmdline=b"two\0")

    changed = [
        sum(reading.facts.arguments == ("two",) for reading in read(reader).values()) for _ in range(REVISIT_EVERY)
    ]
    reader.close()

    assert changed == [4, 8, 12, 16, 20]


def test_reader_notices_a_new_user(tree: ProcTree, reader: ProcReader) -> None:
    tree.put(7, uid=0)
    for _ in range(3):
        read(reader)

    tree.put(7, uid=33, user_ticks=1)

    assert read(reader)[7].facts.uid == 33


def test_reader_tells_a_reused_pid_from_its_last_owner(tree: ProcTree, reader: ProcReader) -> None:
    tree.put(7, start_ticks=1, cmdline=b"old\0")
    for _ in range(3):
        read(reader)

    tree.put(7, start_ticks=2, cmdline=b"new\0")
    reading = read(reader)[7]

    assert reading.stat.start_ticks == 2
    assert reading.facts.arguments == ("new",)


def test_reader_keeps_what_it_knows_of_a_process_that_became_a_zombie(tree: ProcTree, reader: ProcReader) -> None:
    tree.put(7)
    read(reader)

    tree.put(7, state="Z", cmdline=b"", vms_bytes=0, rss_pages=0, image=0, exe="", cwd="")
    reading = read(reader)[7]

    assert reading.stat.state == "Z"
    assert reading.facts.arguments == ("/usr/sbin/nginx", "-g", "daemon off;")


def test_reader_shows_a_zombie_that_it_never_saw_alive_by_its_name(tree: ProcTree, reader: ProcReader) -> None:
    tree.put(7, state="Z", cmdline=b"", vms_bytes=0, exe="", cwd="")

    reading = read(reader)[7]

    assert (reading.stat.comm, reading.stat.state, reading.facts.arguments) == ("nginx", "Z", ())


def test_reader_leaves_kernel_threads_out(tree: ProcTree) -> None:
    tree.put(2, comm=b"kthreadd", cmdline=b"", flags=0x208040)
    tree.put(7, cmdline=b"")  # an empty command line does not make one

    for kernel_threads, pids in ((False, {7}), (True, {2, 7})):
        with contextlib.closing(ProcReader(str(tree.root), kernel_threads=kernel_threads)) as reader:
            assert read(reader).keys() == pids


def test_reader_skips_a_process_that_has_exited(tree: ProcTree, reader: ProcReader) -> None:
    tree.put(7)
    (tree.put(8) / "stat").unlink()
    (tree.put(11) / "stat").write_bytes(b"")
    (tree.root / "12").mkdir()
    (tree.root / "13").write_text("a file")

    assert read(reader).keys() == {7}


def test_reader_takes_a_process_whose_io_is_not_to_be_read(tree: ProcTree, reader: ProcReader) -> None:
    tree.put(7, io=None)

    readings = [read(reader)[7] for _ in range(2)]

    assert readings[0].io is None
    assert readings[1] is readings[0]


def test_reader_reads_arguments_of_100_kb_and_cuts_longer_ones(tree: ProcTree, reader: ProcReader) -> None:
    tree.put(7, cmdline=b"a\0" + b"x" * 100_000 + b"\0")
    tree.put(8, cmdline=b"x" * 3 * MAX_CMDLINE_BYTES)

    readings = read(reader)

    assert readings[7].facts.arguments == ("a", "x" * 100_000)
    assert len(readings[8].facts.arguments[0]) == MAX_CMDLINE_BYTES


def test_reader_leaves_no_descriptor_open(tree: ProcTree) -> None:
    def count() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    before = count()
    for pid in range(1, 20):
        tree.put(pid)
    (tree.put(30) / "status").unlink()
    reader = ProcReader(str(tree.root), max_kept=10)
    read(reader)
    kept = count()
    for pid in range(1, 15):
        tree.remove(pid)
    read(reader)
    reader.close()

    assert kept == before + 30
    assert count() == before


_WITHOUT_DESCRIPTORS = """
import contextlib, os, resource, sys
from procession.agent.read.proc_reader import ProcReader

limits = resource.getrlimit(resource.RLIMIT_NOFILE)
reader = ProcReader(sys.argv[1], max_kept=40)
others = []
# The limit is on the number of a descriptor: gaps below it would be as many more to be had.
while not others or others[-1] < 100:
    others.append(os.open("/", os.O_RDONLY))
resource.setrlimit(resource.RLIMIT_NOFILE, (others[-1] + 31, limits[1]))
counts = [len(reader.read()), len(reader.read())]
with contextlib.suppress(OSError):
    while True:
        others.append(os.open("/", os.O_RDONLY))
counts.append(len(reader.read()))
for other in others:
    os.close(other)
print(*counts)
"""
"""In a process of its own: whatever else a process does needs descriptors, too."""


def test_reader_goes_on_when_descriptors_run_out(tree: ProcTree) -> None:
    for pid in range(1, 40):
        tree.put(pid)

    said = subprocess.run(
        [sys.executable, "-c", _WITHOUT_DESCRIPTORS, str(tree.root)], check=True, capture_output=True, text=True
    ).stdout

    assert said == "39 39 39\n"


def test_what_is_no_proc_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"not the /proc of a Linux machine; --proc-root"):
        ProcReader(str(tmp_path))
    with pytest.raises(UsageError, match="no processes can be read in"):
        ProcReader(str(tmp_path / "nowhere"))


def test_an_environment_is_looked_at_only_where_that_is_asked_for(tree: ProcTree, reader: ProcReader) -> None:
    tree.put(7, environ=b"DD_ENV=prod\0SECRET=x\0")
    tree.put(8, environ=None)  # as where we may not read it
    asked = ProcReader(str(tree.root), reads_environment=True)

    assert read(reader)[7].facts.service_tags == ()
    assert read(asked)[7].facts.service_tags == ("env:prod",)
    assert read(asked)[8].facts.service_tags == ()
    found = asked.look_at(7)
    assert found is not None
    assert found.facts.service_tags == ("env:prod",)
    asked.close()


def test_kernel_threads_that_are_wanted_are_read_like_all_others(tree: ProcTree) -> None:
    def put(ticks: int) -> None:
        tree.put(
            2, flags=0x208040, cmdline=b"", exe="", cwd="/", vms_bytes=0, rss_pages=0, memory_kb=None, uid=0,
            system_ticks=ticks,
        )  # fmt: skip

    put(5)
    reader = ProcReader(str(tree.root), kernel_threads=True)
    before = read(reader)[2]
    put(9)
    after = read(reader)[2]
    reader.close()

    assert (before.stat.system_ticks, after.stat.system_ticks) == (5, 9)
    assert (after.facts.uid, after.facts.arguments, after.status.shared_bytes) == (0, (), None)
