"""Names of users as the passwd files of containers have them. Whoever made the image, or runs in it, writes such a
file: it may be anything, and what it says is a claim of the container."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from typing import Final

from procession.agent.read.cgroups import container_id
from procession.agent.read.lookups import Lookups
from procession.agent.read.process_reading import ProcessFacts
from procession.agent.read.users import parse_passwd

MAX_FILE_BYTES: Final = 256 * 1024
"""Of a file that is larger nothing is read: an image has some dozen lines."""
MAX_NAME_LENGTH: Final = 64
WAIT_SECONDS: Final = 0.02

_MAX_LINES: Final = 64 * 1024
"""Bytes of a file of the kernel's."""
_FOLDER: Final = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC


class ContainerUsers:
    """What no container may hold up: the files are read by threads that nobody waits for longer than a moment."""

    def __init__(self, proc_root: str) -> None:
        self._proc_root = proc_root
        self._pids: dict[str, int] = {}
        """A process of each container."""
        self._users: dict[int, tuple[str, int]] = {}
        """The id of a container, and a uid outside of it, by number."""
        self._names = Lookups(self._read, wait_seconds=WAIT_SECONDS)

    @property
    def version(self) -> int:
        """Another one after each answer that says something new."""
        return self._names.version

    def get(self, facts: ProcessFacts) -> str:
        """The name, as far as it is known."""
        if facts.uid is None or not facts.container_id:
            return ""
        return self._names.get(hash((facts.container_id, facts.uid)))

    def expect(self, processes: Iterable[tuple[int, ProcessFacts]], moment: float) -> None:
        """These, by pid, are all that are of interest now."""
        first: dict[str, tuple[int, int]] = {}
        users: dict[int, tuple[str, int]] = {}
        for pid, facts in processes:
            if facts.container_id and facts.uid is not None:
                user = (facts.container_id, facts.uid)
                users[hash(user)] = user
                # The first one of a container has its root, whatever others may have changed theirs to.
                place = (facts.namespace_pid or pid, pid)
                first[facts.container_id] = min(first.get(facts.container_id, place), place)
        self._pids = {container: pid for container, (_, pid) in first.items()}
        self._users = users
        if users:
            self._names.expect(users, moment)

    def _read(self, number: int) -> str:
        container, uid = self._users.get(number, ("", 0))
        pid = self._pids.get(container)
        return "" if pid is None else name_in_container(f"{self._proc_root}/{pid}", container, uid)


def name_in_container(folder: str, container: str, uid: int) -> str:
    """Of a uid as the agent sees it; `folder`: that of a process in the container. Empty where there is none, where we
    may not look, and where the file is not a plain one below a plain folder: a link could lead out of the container,
    and a pipe or a device is not read."""
    try:
        with _Opened(os.open(folder, _FOLDER)) as process:
            # The folder stands for this process alone, so that all of it is of one, whoever gets the pid next.
            if container_id(_read_at(process, "cgroup")) != container:
                return ""
            inside = uid_inside(_read_at(process, "uid_map"), uid)
            if inside is None:
                return ""
            with _Opened(os.open("root", _FOLDER, dir_fd=process)) as root:
                name = parse_passwd(_passwd_below(root)).get(inside, "")
    except OSError:
        return ""
    return name if len(name) <= MAX_NAME_LENGTH and name.isprintable() else ""


def uid_inside(uid_map: bytes, uid: int) -> int | None:
    """What a uid is called in a user namespace. None: it is not in it."""
    for line in uid_map.splitlines():
        parts = line.split()
        if len(parts) == 3 and all(part.isdigit() for part in parts):
            first_inside, first, count = map(int, parts)
            if first <= uid < first + count:
                return first_inside + uid - first
    return None


def _passwd_below(root: int) -> bytes:
    """Raises OSError for what is no plain file of a fitting size."""
    with (
        _Opened(os.open("etc", _FOLDER | os.O_NOFOLLOW, dir_fd=root)) as etc,
        # So that nothing is opened before it is known what it is: opening a device may already do something.
        _Opened(os.open("passwd", os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=etc)) as place,
    ):
        found = os.fstat(place)
        if not stat.S_ISREG(found.st_mode) or found.st_size > MAX_FILE_BYTES:
            raise OSError("it is no plain file of a fitting size")
        # What it was opened as cannot be put in its place any more.
        with _Opened(os.open(f"/proc/self/fd/{place}", os.O_RDONLY | os.O_CLOEXEC)) as file:
            return _read_all(file, MAX_FILE_BYTES)


def _read_at(folder: int, name: str) -> bytes:
    with _Opened(os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=folder)) as file:
        return _read_all(file, _MAX_LINES)


def _read_all(file: int, most: int) -> bytes:
    found = bytearray()
    while len(found) < most and (data := os.read(file, most - len(found))):
        found += data
    return bytes(found)


class _Opened:
    """A descriptor, closed at the end."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def __enter__(self) -> int:
        return self._descriptor

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)
