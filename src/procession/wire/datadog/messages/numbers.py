"""What a process used: CPUStat, MemoryStat, IOStat and so on <-> ProcessNumbers.

A number is named once in each direction. One table for both would be shorter, but a server decodes the numbers of every
process in every snapshot, and going through a table takes a third longer. Besides, each field has its own way to say
that it is not known: -1, 0, or no message. A test fails while a field of ProcessNumbers is missing in one direction.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from procession.packed import ABSENT, NO_STATE, ROW, STATE_NUMBERS, numbers_from
from procession.process import MAX_UINT64, ProcessNumbers
from procession.wire.datadog import process_pb2 as pb
from procession.wire.datadog.parsing import parse

_Io = tuple[float, float, float, float]
_NO_IO: _Io = (ABSENT, ABSENT, ABSENT, ABSENT)
_Tcp = tuple[float, float, int]
_NO_TCP: _Tcp = (ABSENT, ABSENT, ABSENT)
_Networks = tuple[float, float]
_NO_NETWORKS: _Networks = (ABSENT, ABSENT)

STATE_LETTERS = ("", "D", "R", "S", "T", "W", "X", "Z")
"""By their number on the wire; 0 is unknown."""

_ABSENT = -1.0
_MAX_FLOAT = 3.5e38
"""Above what a finite float of the wire can be."""


_NEAREST = {"t": "T"}
"""What others are told of a state that their format has no number for. A tracer has stopped the process."""


def decode_numbers(process: pb.ReadProcess | pb.ReadProcessStat, state: int) -> ProcessNumbers:
    """Not a number, infinite or below zero: not known."""
    *values, state_number = _row_values(process, state)
    return numbers_from(values, state_number)


def decode_row(process: pb.ReadProcess, state: int) -> bytes:
    """The same as a packed row."""
    return ROW.pack(*_row_values(process, state))


def _row_values(process: pb.ReadProcess | pb.ReadProcessStat, state: int) -> tuple[Any, ...]:
    """What a packed row has, in its order, with the number of the state."""
    state_number = STATE_NUMBERS.get(process.stateLetter)
    if state_number is None:
        letter = STATE_LETTERS[state] if 0 <= state < len(STATE_LETTERS) else ""
        state_number = STATE_NUMBERS.get(letter, NO_STATE)
    cpu = process.cpu
    threads = cpu.numThreads
    cpu_total, cpu_user, cpu_system = cpu.totalPct, cpu.userPct, cpu.systemPct
    if not cpu_total and not threads and not process.HasField("cpu"):
        cpu_total = cpu_user = cpu_system = ABSENT
    else:
        # Compared in place: a call for each costs more than all of them.
        cpu_total = cpu_total if 0.0 <= cpu_total <= _MAX_FLOAT else ABSENT
        cpu_user = cpu_user if 0.0 <= cpu_user <= _MAX_FLOAT else ABSENT
        cpu_system = cpu_system if 0.0 <= cpu_system <= _MAX_FLOAT else ABSENT

    memory = process.memory
    rss, vms, shared, swap = memory.rss, memory.vms, memory.shared, memory.swap
    has_memory = bool(rss or vms) or process.HasField("memory")

    io = process.ioStat
    reads, writes, read_bytes, write_bytes = decode_io(io) if io or process.HasField("ioStat") else _NO_IO

    tcp = process.tcpStat
    received, sent, connections = decode_tcp(tcp) if tcp or process.HasField("tcpStat") else _NO_TCP

    networks = process.networks
    both, opened = decode_networks(networks) if networks or process.HasField("networks") else _NO_NETWORKS

    voluntary, involuntary = process.voluntaryCtxSwitches, process.involuntaryCtxSwitches
    has_switches = voluntary or involuntary  # whatever runs was switched to
    open_files = process.openFdCount
    return (
        cpu_total,
        cpu_user,
        cpu_system,
        rss if has_memory and rss >= 0 else ABSENT,
        vms if has_memory and vms >= 0 else ABSENT,
        # Who has memory shares some: its program. Agents that do not look for it leave both 0.
        shared if shared > 0 else ABSENT,
        swap if swap > 0 or (swap == 0 and shared > 0) else ABSENT,
        threads if threads > 0 else ABSENT,
        open_files if open_files >= 0 else ABSENT,
        read_bytes,
        write_bytes,
        reads,
        writes,
        voluntary if has_switches and voluntary >= 0 else ABSENT,
        involuntary if has_switches and involuntary >= 0 else ABSENT,
        received,
        sent,
        connections,
        both,
        opened,
        state_number,
    )


def decode_io(data: bytes) -> _Io:
    """Operations read and written, bytes read and written."""
    # Nearly all processes have one of few values: nothing read and written, or no right to know. Bytes that are much
    # longer than an IOStat are not remembered.
    return _remembered_io(data) if len(data) <= 20 else _decode_io(data)


def _decode_io(data: bytes) -> _Io:
    io = parse(pb.IOStat, data)
    return _rate(io.readRate), _rate(io.writeRate), _rate(io.readBytesRate), _rate(io.writeBytesRate)


_remembered_io = lru_cache(maxsize=4096)(_decode_io)


def decode_tcp(data: bytes) -> _Tcp:
    """Bytes received and sent, and connections."""
    return _remembered_tcp(data) if len(data) <= 20 else _decode_tcp(data)


def _decode_tcp(data: bytes) -> _Tcp:
    tcp = parse(pb.TcpStat, data)
    return _rate(tcp.receivedBytesRate), _rate(tcp.sentBytesRate), tcp.connections if tcp.connections >= 0 else ABSENT


_remembered_tcp = lru_cache(maxsize=4096)(_decode_tcp)


def decode_networks(data: bytes) -> _Networks:
    """Bytes, received and sent together, and connections; each in a second."""
    return _remembered_networks(data) if len(data) <= 10 else _decode_networks(data)


def _decode_networks(data: bytes) -> _Networks:
    networks = parse(pb.ProcessNetworks, data)
    return _rate(networks.bytesRate), _rate(networks.connectionRate)


_remembered_networks = lru_cache(maxsize=4096)(_decode_networks)


def _rate(value: float) -> float:
    return value if 0.0 <= value <= _MAX_FLOAT else ABSENT


def decode_nice(wire: int) -> int | None:
    """The wire has 20 less it, as the kernel's own call answers; 0 is not known."""
    return 20 - wire if 0 < wire <= 40 else None


def encode_numbers(numbers: ProcessNumbers, process: pb.Process | pb.ProcessStat, nice: int | None = None) -> None:
    """Fill all but the state, whose field has another name in each."""
    cpu = (numbers.cpu_total_percent, numbers.cpu_user_percent, numbers.cpu_system_percent)
    if numbers.threads is not None or nice is not None or any(share is not None for share in cpu):
        process.cpu.lastCpu = "cpu"
        process.cpu.totalPct, process.cpu.userPct, process.cpu.systemPct = map(_or_absent, cpu)
        process.cpu.numThreads = numbers.threads or 0
        process.cpu.nice = 0 if nice is None else 20 - nice
    if numbers.rss_bytes is not None or numbers.vms_bytes is not None:
        process.memory.SetInParent()
        process.memory.rss = _or_none(numbers.rss_bytes)
        process.memory.vms = _or_none(numbers.vms_bytes)
        process.memory.shared = numbers.shared_bytes or 0
        process.memory.swap = numbers.swap_bytes or 0
    process.ioStat.readRate = _or_absent(numbers.read_operations_per_second)
    process.ioStat.writeRate = _or_absent(numbers.write_operations_per_second)
    process.ioStat.readBytesRate = _or_absent(numbers.read_bytes_per_second)
    process.ioStat.writeBytesRate = _or_absent(numbers.write_bytes_per_second)
    process.openFdCount = -1 if numbers.open_files is None else numbers.open_files
    if numbers.voluntary_switches is not None or numbers.involuntary_switches is not None:
        process.voluntaryCtxSwitches = _or_none(numbers.voluntary_switches)
        process.involuntaryCtxSwitches = _or_none(numbers.involuntary_switches)
    tcp = (numbers.net_received_bytes_per_second, numbers.net_sent_bytes_per_second)
    if numbers.connections is not None or any(rate is not None for rate in tcp):
        process.tcpStat.SetInParent()
        process.tcpStat.receivedBytesRate, process.tcpStat.sentBytesRate = map(_or_absent, tcp)
        process.tcpStat.connections = -1 if numbers.connections is None else numbers.connections
    networks = (numbers.net_bytes_per_second, numbers.net_connections_per_second)
    if any(rate is not None for rate in networks):
        process.networks.SetInParent()
        process.networks.bytesRate, process.networks.connectionRate = map(_or_absent, networks)


def encode_state(letter: str) -> tuple[pb.ProcessState.ValueType, str]:
    """Its number, and the letter where that does not say it."""
    known = letter if letter in STATE_LETTERS else _NEAREST.get(letter, "")
    number = pb.ProcessState.ValueType(STATE_LETTERS.index(known))
    return number, "" if letter == known or letter not in STATE_NUMBERS else letter


def _or_none(count: int | None) -> int:
    """-1 in 64 bits where it is not known. For fields whose message has another number that may be known."""
    return MAX_UINT64 if count is None else count


def _or_absent(value: float | None) -> float:
    return _ABSENT if value is None else value
