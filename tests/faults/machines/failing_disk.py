"""A disk whose writes and syncs fail when they are told to: a file system of our own, which the kernel asks over FUSE.

It forgets as Linux does. What a sync that failed should have written is read from memory for as long as the machine
runs, but no later sync writes it, however well that goes. Only a power cut shows what was really there.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import struct
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Final

WRITES, SYNCS = "writes", "syncs"

_PAGE: Final = 4096
_MOST: Final = 128 * 1024
"""Bytes of one write."""
_ROOT: Final = 1

_HEADER = struct.Struct("<IIQQIIII")
_ANSWER = struct.Struct("<IiQ")
_ATTRIBUTES = struct.Struct("<QQQQQQIIIIIIIIII")
_ENTRY = struct.Struct("<QQQQII")
_ATTRIBUTES_FOR = struct.Struct("<QII")
_OPENED = struct.Struct("<QIi")
_INIT = struct.Struct("<IIIIHHIIHHI28x")
_READ = struct.Struct("<QQI")
_WRITE = struct.Struct("<QQIIQII")
_SETATTR = struct.Struct("<IIQQ")
_NAME_ENTRY = struct.Struct("<QQII")
_STATFS = struct.Struct("<QQQQQIIII24x")
_DIRECT: Final = 1
"""Each read and write reaches us; the kernel remembers none."""
_BIG_WRITES: Final = 1 << 5
_SIZE_CHANGES: Final = 1 << 3
_NO_ANSWER: Final = frozenset({2, 36, 42})
"""Forget, interrupt, and forget many."""


@dataclass
class _Node:
    mode: int
    names: dict[bytes, int] = field(default_factory=dict)
    """Of a folder."""
    synced_names: dict[bytes, int] = field(default_factory=dict)
    content: bytearray = field(default_factory=bytearray)
    synced: bytearray = field(default_factory=bytearray)
    dirty: set[int] = field(default_factory=set)
    """Pages that the next sync writes."""

    def sync(self) -> None:
        self.synced_names = dict(self.names)
        del self.synced[len(self.content) :]
        self.synced.extend(bytes(len(self.content) - len(self.synced)))
        for page in self.dirty:
            place = slice(page * _PAGE, min((page + 1) * _PAGE, len(self.content)))
            self.synced[place] = self.content[place]
        self.dirty.clear()

    def write(self, data: bytes, offset: int) -> None:
        self.content.extend(bytes(max(0, offset - len(self.content))))
        self.content[offset : offset + len(data)] = data
        self.dirty.update(range(offset // _PAGE, (offset + len(data)) // _PAGE + 1))

    def truncate(self, size: int) -> None:
        self.content.extend(bytes(max(0, size - len(self.content))))
        del self.content[size:]

    def lose_power(self) -> None:
        self.names, self.content = dict(self.synced_names), bytearray(self.synced)
        self.dirty.clear()


class FailingDisk:
    """Mounted at `place`. Raises OSError where that cannot be done here."""

    def __init__(self, folder: Path) -> None:
        self.place = folder / "disk"
        self.place.mkdir()
        self.failing = ""
        """WRITES or SYNCS; nothing fails else."""
        self.failed = 0
        """How many of them."""
        self._nodes = {_ROOT: _Node(stat.S_IFDIR | 0o755)}
        self._next = _ROOT + 1
        self._lock = threading.Lock()
        self._device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        try:
            self._mount()
        except OSError:
            os.close(self._device)
            raise
        self._thread = threading.Thread(target=self._answer_all, daemon=True)
        self._thread.start()

    def cut_power(self) -> None:
        """While nobody has a file of it open."""
        with self._lock:
            for node in self._nodes.values():
                node.lose_power()

    def close(self) -> None:
        subprocess.run(["umount", "--lazy", str(self.place)], capture_output=True)
        self._thread.join(10)
        os.close(self._device)

    def _mount(self) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        options = f"fd={self._device},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()}".encode()
        if libc.mount(b"procession-test", os.fsencode(self.place), b"fuse", 0, options):
            raise OSError(ctypes.get_errno(), "cannot mount a file system of our own")

    def _answer_all(self) -> None:
        while True:
            try:
                request = os.read(self._device, _MOST + 2 * _PAGE)
            except InterruptedError:
                continue
            except OSError as error:
                if error.errno in (errno.ENOENT, errno.EAGAIN):  # given up by who asked
                    continue
                return  # unmounted
            _, operation, unique, node, *_ = _HEADER.unpack_from(request)
            if operation in _NO_ANSWER:
                continue
            refused, body = self._answered(operation, node, request[_HEADER.size :])
            try:
                os.write(self._device, _ANSWER.pack(_ANSWER.size + len(body), -refused, unique) + body)
            except FileNotFoundError:
                continue

    def _answered(self, operation: int, node: int, body: bytes) -> tuple[int, bytes]:
        """Number of an error, and what is answered where that is 0."""
        answer = self._OPERATIONS.get(operation)
        if answer is None:
            return errno.ENOSYS, b""
        try:
            with self._lock:
                return 0, answer(self, node, body)
        except OSError as error:
            return error.errno or errno.EIO, b""

    def _fails(self, what: str) -> bool:
        self.failed += self.failing == what
        return self.failing == what

    def _begin(self, _node: int, body: bytes) -> bytes:
        major, minor, read_ahead, _ = struct.unpack_from("<IIII", body)
        return _INIT.pack(major, min(minor, 31), read_ahead, _BIG_WRITES, 8, 6, _MOST, 1, 0, 0, 0)

    def _attributes(self, number: int) -> bytes:
        node = self._nodes[number]
        size = len(node.content)
        blocks, links = (size + 511) // 512, 2 if stat.S_ISDIR(node.mode) else 1
        return _ATTRIBUTES.pack(
            number, size, blocks, 0, 0, 0, 0, 0, 0, node.mode, links, os.getuid(), os.getgid(), 0, _PAGE, 0
        )

    def _entry(self, number: int) -> bytes:
        """That nobody may remember."""
        return _ENTRY.pack(number, 0, 0, 0, 0, 0) + self._attributes(number)

    def _find(self, folder: int, body: bytes) -> bytes:
        number = self._nodes[folder].names.get(body.rstrip(b"\0"))
        if number is None:
            raise FileNotFoundError(errno.ENOENT, "there is none")
        return self._entry(number)

    def _tell(self, number: int, _body: bytes = b"") -> bytes:
        return _ATTRIBUTES_FOR.pack(0, 0, 0) + self._attributes(number)

    def _change(self, number: int, body: bytes) -> bytes:
        changes, _, _, size = _SETATTR.unpack_from(body)
        if changes & _SIZE_CHANGES:
            if self._fails(WRITES):
                raise OSError(errno.EIO, "told to fail")
            self._nodes[number].truncate(size)
        return self._tell(number)

    def _make(self, folder: int, name: bytes, mode: int) -> int:
        number, self._next = self._next, self._next + 1
        self._nodes[number] = _Node(mode)
        self._nodes[folder].names[name] = number
        return number

    def _make_folder(self, folder: int, body: bytes) -> bytes:
        (mode,) = struct.unpack_from("<I", body)
        return self._entry(self._make(folder, body[8:].rstrip(b"\0"), stat.S_IFDIR | mode))

    def _create(self, folder: int, body: bytes) -> bytes:
        _, mode = struct.unpack_from("<II", body)
        number = self._make(folder, body[16:].rstrip(b"\0"), stat.S_IFREG | stat.S_IMODE(mode))
        return self._entry(number) + self._open(number, b"")

    def _open(self, _number: int, _body: bytes) -> bytes:
        return _OPENED.pack(0, _DIRECT, 0)

    def _remove(self, folder: int, body: bytes) -> bytes:
        self._nodes[folder].names.pop(body.rstrip(b"\0"), None)
        return b""

    def _rename(self, folder: int, body: bytes, *, at: int = 8) -> bytes:
        (target,) = struct.unpack_from("<Q", body)
        old, new = body[at:].split(b"\0")[:2]
        self._nodes[target].names[new] = self._nodes[folder].names.pop(old)
        return b""

    def _rename_with_flags(self, folder: int, body: bytes) -> bytes:
        return self._rename(folder, body, at=16)

    def _read(self, number: int, body: bytes) -> bytes:
        _, offset, size = _READ.unpack_from(body)
        return bytes(self._nodes[number].content[offset : offset + size])

    def _write(self, number: int, body: bytes) -> bytes:
        _, offset, size, *_ = _WRITE.unpack_from(body)
        data = body[_WRITE.size : _WRITE.size + size]
        if self._fails(WRITES):
            self._nodes[number].write(data[: len(data) // 2], offset)
            raise OSError(errno.EIO, "told to fail, with half of it written")
        self._nodes[number].write(data, offset)
        return struct.pack("<II", size, 0)

    def _sync(self, number: int, _body: bytes) -> bytes:
        if self._fails(SYNCS):
            self._nodes[number].dirty.clear()
            raise OSError(errno.EIO, "told to fail")
        self._nodes[number].sync()
        return b""

    def _list(self, number: int, body: bytes) -> bytes:
        _, offset, size = _READ.unpack_from(body)
        found = b""
        for place, (name, entry) in enumerate([*self._nodes[number].names.items()][offset:], offset + 1):
            kind = stat.S_IFMT(self._nodes[entry].mode) >> 12
            one = _NAME_ENTRY.pack(entry, place, len(name), kind) + name + bytes(-len(name) % 8)
            if len(found) + len(one) > size:
                break
            found += one
        return found

    def _space(self, _number: int, _body: bytes) -> bytes:
        return _STATFS.pack(2**20, 2**20, 2**20, 2**20, 2**20, _PAGE, 255, _PAGE, 0)

    def _nothing(self, _number: int, _body: bytes) -> bytes:
        return b""

    _OPERATIONS: ClassVar[dict[int, Callable[[FailingDisk, int, bytes], bytes]]] = {
        1: _find,
        3: _tell,
        4: _change,
        9: _make_folder,
        10: _remove,
        11: _remove,
        12: _rename,
        14: _open,
        15: _read,
        16: _write,
        17: _space,
        18: _nothing,  # a file is closed
        20: _sync,
        25: _nothing,  # one of its descriptors is
        26: _begin,
        27: _open,
        28: _list,
        29: _nothing,
        30: _sync,
        35: _create,
        45: _rename_with_flags,
    }
    """By their numbers in the kernel."""
