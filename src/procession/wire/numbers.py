"""What a process used: CPUStat, MemoryStat, IOStat and so on <-> ProcessNumbers."""

from __future__ import annotations

from procession.process import ProcessNumbers
from procession.wire import process_pb2 as pb

STATE_LETTERS = ("", "D", "R", "S", "T", "W", "X", "Z")
"""By their number on the wire; 0 is unknown."""

_ABSENT = -1.0
_MAX_FLOAT = 3.5e38
"""Above what a finite float of the wire can be."""


def decode_numbers(process: pb.ReadProcess | pb.ProcessStat, state: int) -> ProcessNumbers:
    """Not a number, infinite or below zero: not known."""
    cpu_total: float | None
    cpu_user: float | None
    cpu_system: float | None
    threads: int | None
    cpu = process.cpu
    cpu_total, cpu_user, cpu_system, threads = cpu.totalPct, cpu.userPct, cpu.systemPct, cpu.numThreads
    if not threads and not cpu_total and not process.HasField("cpu"):
        cpu_total = cpu_user = cpu_system = threads = None
    else:
        if not 0.0 <= cpu_total <= _MAX_FLOAT:
            cpu_total = None
        if not 0.0 <= cpu_user <= _MAX_FLOAT:
            cpu_user = None
        if not 0.0 <= cpu_system <= _MAX_FLOAT:
            cpu_system = None
        if threads <= 0:  # every process has one
            threads = None

    rss: int | None
    vms: int | None
    memory = process.memory
    rss, vms = memory.rss, memory.vms
    if not vms and not rss and not process.HasField("memory"):
        rss = vms = None

    reads: float | None
    writes: float | None
    read_bytes: float | None
    write_bytes: float | None
    io = process.ioStat
    reads = io.readRate
    if reads == _ABSENT:  # by far the most frequent: an agent without root may read almost nobody's
        reads = writes = read_bytes = write_bytes = None
        if io.writeRate >= 0 or io.readBytesRate >= 0 or io.writeBytesRate >= 0:
            writes, read_bytes, write_bytes = io.writeRate, io.readBytesRate, io.writeBytesRate
    else:
        writes, read_bytes, write_bytes = io.writeRate, io.readBytesRate, io.writeBytesRate
        if not (reads or writes or read_bytes or write_bytes or process.HasField("ioStat")):
            reads = writes = read_bytes = write_bytes = None
    if reads is not None and not 0.0 <= reads <= _MAX_FLOAT:
        reads = None
    if writes is not None and not 0.0 <= writes <= _MAX_FLOAT:
        writes = None
    if read_bytes is not None and not 0.0 <= read_bytes <= _MAX_FLOAT:
        read_bytes = None
    if write_bytes is not None and not 0.0 <= write_bytes <= _MAX_FLOAT:
        write_bytes = None

    voluntary: int | None = process.voluntaryCtxSwitches
    involuntary: int | None = process.involuntaryCtxSwitches
    if not voluntary and not involuntary:  # not collected: a process that ran was switched to at least once
        voluntary = involuntary = None
    open_files = process.openFdCount
    return ProcessNumbers(
        cpu_total_percent=cpu_total,
        cpu_user_percent=cpu_user,
        cpu_system_percent=cpu_system,
        rss_bytes=rss,
        vms_bytes=vms,
        threads=threads,
        open_files=open_files if open_files >= 0 else None,
        read_bytes_per_second=read_bytes,
        write_bytes_per_second=write_bytes,
        read_operations_per_second=reads,
        write_operations_per_second=writes,
        voluntary_switches=voluntary,
        involuntary_switches=involuntary,
        state=STATE_LETTERS[state] if 0 <= state < 8 else "",
    )


def encode_numbers(numbers: ProcessNumbers, process: pb.Process | pb.ProcessStat) -> None:
    """Fill all but the state, whose field has another name in each."""
    cpu = (numbers.cpu_total_percent, numbers.cpu_user_percent, numbers.cpu_system_percent)
    if numbers.threads is not None or any(share is not None for share in cpu):
        process.cpu.lastCpu = "cpu"
        process.cpu.totalPct, process.cpu.userPct, process.cpu.systemPct = map(_or_absent, cpu)
        process.cpu.numThreads = numbers.threads or 0
    if numbers.rss_bytes is not None or numbers.vms_bytes is not None:
        process.memory.SetInParent()
        process.memory.rss = numbers.rss_bytes or 0
        process.memory.vms = numbers.vms_bytes or 0
    process.ioStat.readRate = _or_absent(numbers.read_operations_per_second)
    process.ioStat.writeRate = _or_absent(numbers.write_operations_per_second)
    process.ioStat.readBytesRate = _or_absent(numbers.read_bytes_per_second)
    process.ioStat.writeBytesRate = _or_absent(numbers.write_bytes_per_second)
    process.openFdCount = -1 if numbers.open_files is None else numbers.open_files
    process.voluntaryCtxSwitches = numbers.voluntary_switches or 0
    process.involuntaryCtxSwitches = numbers.involuntary_switches or 0


def _or_absent(value: float | None) -> float:
    return _ABSENT if value is None else value
