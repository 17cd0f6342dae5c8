"""What other kernels leave out of /proc, or say differently: gVisor, WSL, old ones, hardened ones.

The process is there, and what is not known of it is absent, from the files to what a server reads of it.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from procession.agent.describe.collector import Collector
from procession.agent.read.proc_reader import ProcReader
from procession.agent.read.process_files import ProcessFiles
from procession.errors import UsageError
from procession.process import ProcessDescription, ProcessNumbers, Sighting
from procession.wire.datadog import MessageType, SnapshotDecoder, SnapshotEncoder, frame
from tests.support.agents.proc_tree import BOOT_TIME, ProcTree
from tests.support.stores.unpacked import unpack

FILES = ("status", "cmdline", "cgroup", "io", "environ", "fd", "exe", "cwd", "root")


@pytest.fixture(params=[0, 100], ids=["opened each time", "kept open"])
def reader(tree: ProcTree, request: pytest.FixtureRequest) -> Iterator[ProcReader]:
    reader = ProcReader(str(tree.root), max_kept=request.param, reads_environment=True)
    yield reader
    reader.close()


class Machine:
    """A reader and a collector, and what a server makes of what they give."""

    def __init__(self, reader: ProcReader) -> None:
        self._reader = reader
        self._collector = Collector(host="web-1", ticks_per_second=100, page_bytes=65536, scrub=tuple)
        self._encoder = SnapshotEncoder()
        self._moment = 0.0

    def sightings(self) -> dict[int, Sighting]:
        self._moment += 10
        snapshot = self._collector.collect(self._reader.read(), taken_at=BOOT_TIME + 9999, moment=self._moment)
        bodies = self._encoder.encode(snapshot)
        found: dict[int, Sighting] = {}
        for body in bodies:
            decoded = SnapshotDecoder().decode(frame.Frame(MessageType.PROCESSES, body), taken_at=snapshot.taken_at)
            found |= {sighting.pid: sighting for sighting in unpack(decoded).sightings}
        return found


@pytest.fixture
def machine(reader: ProcReader) -> Machine:
    return Machine(reader)


def remove(folder: Path, name: str) -> None:
    path = folder / name
    if path.is_dir() and not path.is_symlink():
        for one in path.iterdir():
            one.unlink()
        path.rmdir()
    else:
        path.unlink()


def put(tree: ProcTree, pid: int, **fields: Any) -> Path:
    return tree.put(pid, cgroup=f"0::/docker/{'a' * 64}\n", environ=b"DD_ENV=prod\0", **fields)


LOST: dict[str, dict[str, Any]] = {
    "status": {"user": "", "uid": None, "gid": None, "group_name": "", "namespace_pid": None},
    "cmdline": {"cmdline": "", "argument_words": ()},
    "cgroup": {"container_id": ""},
    "io": {},
    "environ": {"tags": ()},
    "fd": {},
    "exe": {"exe": ""},
    "cwd": {"cwd": ""},
    "root": {"root": ""},
}
LOST_NUMBERS: dict[str, tuple[str, ...]] = {
    "status": ("shared_bytes", "swap_bytes", "voluntary_switches", "involuntary_switches"),
    "io": ("read_operations_per_second", "write_operations_per_second", "read_bytes_per_second",
           "write_bytes_per_second"),
    "fd": ("open_files",),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_a_kernel_does_not_have_costs_what_is_in_it(tree: ProcTree, machine: Machine, name: str) -> None:
    put(tree, 7)
    remove(put(tree, 8), name)

    machine.sightings()
    found = machine.sightings()
    whole, part = found[7], found[8]

    assert part.started_at == whole.started_at
    assert part.description == changed(whole.description, **LOST[name])
    for number in ProcessNumbers.__struct_fields__:
        is_lost = number in LOST_NUMBERS.get(name, ())
        assert getattr(part.numbers, number) == (None if is_lost else getattr(whole.numbers, number)), number


def changed(description: ProcessDescription, **fields: Any) -> ProcessDescription:
    changed = msgspec.structs.replace(description, **fields)
    # Where there is no command line, its name comes from elsewhere; the pid in the namespace is of each its own.
    if "namespace_pid" not in fields:
        changed = msgspec.structs.replace(changed, namespace_pid=8)
    return changed


@pytest.mark.parametrize("name", [name for name in FILES if name not in ("fd", "exe", "cwd", "root")])
def test_an_empty_file_costs_what_is_in_it(tree: ProcTree, machine: Machine, name: str) -> None:
    (put(tree, 8) / name).write_bytes(b"")

    assert machine.sightings().keys() == machine.sightings().keys() == {8}


@pytest.mark.parametrize("name", ["status", "cmdline", "cgroup", "io", "schedstat", "environ"])
@pytest.mark.parametrize(
    "number",
    [errno.EIO, errno.EPERM, errno.EACCES, errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP],
    ids=errno.errorcode.get,
)
def test_an_error_of_one_file_costs_what_is_in_it(
    tree: ProcTree, machine: Machine, monkeypatch: pytest.MonkeyPatch, name: str, number: int
) -> None:
    """A kernel that fails so cannot be had here: the real call is made, and its answer thrown away."""
    put(tree, 7)
    tree_open = ProcessFiles._open

    def fail(files: ProcessFiles, file: str) -> int:
        fd = tree_open(files, file) if file != "schedstat" else -1
        if file == name:
            if fd >= 0:
                os.close(fd)
            raise OSError(number, os.strerror(number))
        return fd

    monkeypatch.setattr(ProcessFiles, "_open", fail)

    assert machine.sightings().keys() == machine.sightings().keys() == {7}


def test_a_process_that_goes_while_it_is_read_is_left_out(tree: ProcTree, reader: ProcReader) -> None:
    for name in ("status", "cmdline"):
        folder = put(tree, 8)
        remove(folder, name)
        (folder / "stat").write_bytes(b"")
        assert reader.read() == []


@pytest.mark.parametrize("line", ["Uid", "Gid", "NSpid", "Pid", "VmSwap", "RssFile", "voluntary_ctxt_switches"])
def test_a_line_of_status_that_a_kernel_does_not_have_costs_what_is_in_it(
    tree: ProcTree, machine: Machine, line: str
) -> None:
    status = put(tree, 8) / "status"
    lines = status.read_text().splitlines(keepends=True)
    status.write_text("".join(one for one in lines if not one.startswith(f"{line}:")))

    first, second = machine.sightings()[8], machine.sightings()[8]

    assert (first.pid, first.started_at) == (second.pid, second.started_at) == (8, BOOT_TIME + 123)
    assert (second.description.uid is None) == (line == "Uid")
    assert (second.description.user == "") == (line == "Uid")
    assert (second.description.gid is None) == (line == "Gid")
    assert (second.numbers.voluntary_switches is None) == (line == "voluntary_ctxt_switches")


@pytest.mark.parametrize("count", range(3, 53))
def test_a_stat_with_fewer_fields_is_a_process(tree: ProcTree, machine: Machine, count: int) -> None:
    stat = put(tree, 8, threads=3, nice=4) / "stat"
    fields = stat.read_bytes().split()
    stat.write_bytes(b" ".join(fields[:count]) + b"\n")

    machine.sightings()
    sighting = machine.sightings()[8]

    assert sighting.description.comm == "nginx"
    assert sighting.started_at == (BOOT_TIME + 123 if count >= 22 else BOOT_TIME)
    assert sighting.numbers.threads == (3 if count >= 20 else None)
    assert sighting.description.nice == (4 if count >= 19 else None)
    assert (sighting.numbers.cpu_total_percent is None) == (count < 15)
    assert sighting.numbers.vms_bytes == (8192 * 4096 if count >= 23 else None)
    assert sighting.numbers.rss_bytes == (100 * 65536 if count >= 24 else None)
    assert sighting.description.cmdline == "/usr/sbin/nginx -g daemon off;"


def test_a_stat_with_more_fields_is_a_process(tree: ProcTree, machine: Machine) -> None:
    stat = put(tree, 8, threads=3) / "stat"
    stat.write_bytes(stat.read_bytes().rstrip() + b" 1 2 three\n")

    assert machine.sightings()[8].numbers.threads == 3


NUMBERS = st.one_of(st.integers(-(2**70), 2**70), st.sampled_from([-1, 2**31, 2**32, 2**63, 2**64 - 1, 2**64, 10**30]))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(
    fields=st.dictionaries(st.integers(3, 51), NUMBERS, max_size=8),
    lines=st.dictionaries(
        st.sampled_from(["Uid", "Gid", "NSpid", "VmSwap", "RssFile", "Threads"]), NUMBERS, max_size=4
    ),
    io=st.lists(NUMBERS, min_size=4, max_size=4),
)
def test_numbers_of_any_size_reach_a_server_or_are_absent(
    tree: ProcTree, fields: dict[int, int], lines: dict[str, int], io: list[int]
) -> None:
    folder = put(tree, 8)
    reader = ProcReader(str(tree.root), kernel_threads=True)
    machine = Machine(reader)
    machine.sightings()
    stat = (folder / "stat").read_bytes().split()
    for position, number in fields.items():
        stat[position] = str(number).encode()
    (folder / "stat").write_bytes(b" ".join(stat) + b"\n")
    name, _, rest = (folder / "status").read_text().partition("\n")
    odd = "".join(f"{line}:\t{number} kB\n" for line, number in lines.items())
    (folder / "status").write_text(f"{name}\n{odd}{rest}")
    names = ("syscr", "syscw", "read_bytes", "write_bytes")
    (folder / "io").write_text("".join(f"{name}: {number}\n" for name, number in zip(names, io, strict=True)))

    for _ in range(2):
        assert machine.sightings().keys() == {8}
    reader.close()


@given(folders=st.lists(st.text(st.sampled_from("0123456789٣²x-+ "), min_size=1, max_size=12)))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
def test_folders_of_any_name_stop_nobody(tree: ProcTree, folders: list[str]) -> None:
    put(tree, 8)
    for name in folders:
        (tree.root / name).mkdir(exist_ok=True)
    reader = ProcReader(str(tree.root))

    assert [reading.pid for reading in reader.read()] == [8]
    reader.close()


def test_what_could_not_be_read_is_counted_and_said(tree: ProcTree, reader: ProcReader) -> None:
    put(tree, 7)
    remove(put(tree, 8), "stat")
    reader.read()
    some = (reader.found, reader.unreadable, reader.blindness)
    (tree.root / "7" / "stat").write_bytes(b"")
    reader.read()
    none = (reader.found, reader.unreadable, reader.blindness)
    put(tree, 8)
    reader.read()

    assert some == (2, 1, "")
    assert none[:2] == (2, 2)
    assert none[2] in (
        f"none of the 2 processes in {tree.root} can be read: {tree.root}/{what}"
        for what in ("8: No such file or directory", "7: not a stat file: b''")
    )
    assert (reader.found, reader.unreadable, reader.blindness) == (2, 1, "")


def test_kernel_threads_that_are_not_wanted_are_read_all_the_same(tree: ProcTree, reader: ProcReader) -> None:
    put(tree, 2, flags=0x208040)

    assert reader.read() == []
    assert reader.blindness == ""


def test_a_folder_without_processes_is_said_as_such(tree: ProcTree, reader: ProcReader) -> None:
    assert reader.read() == []
    assert reader.blindness == f"there are no processes in {tree.root}"


@pytest.mark.parametrize("text", [None, "", "cpu  1 2 3 4\n", "btime soon\n", "btime -5\n", "btime 99999999999\n"])
def test_a_machine_that_does_not_say_when_it_was_booted_is_one(tree: ProcTree, text: str | None) -> None:
    put(tree, 8, start_ticks=1000)
    (tree.root / "stat").unlink() if text is None else (tree.root / "stat").write_text(text)
    reader = ProcReader(str(tree.root))
    booted_at = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)

    started_at = Machine(reader).sightings()[8].started_at
    reader.close()

    assert abs(started_at - (booted_at + 10)) <= 2


def test_what_has_neither_processes_nor_that_is_no_proc(tree: ProcTree) -> None:
    (tree.root / "stat").unlink()

    with pytest.raises(UsageError, match="not the /proc of a Linux machine"):
        ProcReader(str(tree.root))
