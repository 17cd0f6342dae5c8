"""The files of one process, and of one of its threads: opened each time, or kept open."""

from __future__ import annotations

import errno
import os
import sys

from procession.agent.read.procfs import text

_NOT_THE_FILE = (errno.EMFILE, errno.ENFILE, errno.ESRCH)
"""There are no descriptors left, or no process. All else is about the file: it is another user's, or of a kernel that
has no such file, or cannot say."""
_PAGE = 4096
"""Up to here the kernel gives a whole file in one go."""
_CHUNK = 64 * 1024


class ProcessFiles:
    """Below one folder of `/proc`. Raises OSError where it is the process that is gone, or descriptors are."""

    __slots__ = ("_dir_fd", "_folder", "_io_fd", "_path", "_stat_fd", "run_fd", "thread")

    def __init__(self, folder: str) -> None:
        self.thread = ""
        """Folder of the thread whose files stand for those of the process, such as `task/7/`: a first thread that has
        exited has none any more. Empty: the first one."""
        self._folder = folder
        self._path = folder  # in front of a file's name; nothing while the folder is open
        self._dir_fd: int | None = None
        self._stat_fd = self._io_fd = -1
        self.run_fd = -1
        """The descriptor of `schedstat`; -1 while it is not open."""

    def keep_open(self) -> None:
        """Keep descriptors of the files open. On an error, none is kept."""
        try:
            self._dir_fd = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
            self._path = ""
            self._stat_fd = self._open("stat")
            self.run_fd = self._open_if_there("schedstat")
            self._io_fd = self._open_if_there("io")
        except OSError:
            self.close()
            raise

    def close(self) -> bool:
        """Whether anything was open."""
        if self._dir_fd is None:
            return False
        for fd in (self._dir_fd, self._stat_fd, self._io_fd, self.run_fd):
            if fd >= 0:
                os.close(fd)
        self._dir_fd, self._path = None, self._folder
        self._stat_fd = self._io_fd = self.run_fd = -1
        return True

    def schedstat(self) -> bytes:
        """`schedstat` of the first thread, if `run_fd` is not open; empty where it cannot be read."""
        return self.read_if_there("schedstat") if self._dir_fd is None else b""

    def stat(self) -> bytes:
        """`stat` of the first thread."""
        return os.pread(self._stat_fd, _PAGE, 0) if self._stat_fd >= 0 else self.read("stat")

    def io(self) -> bytes:
        """Empty where it is not to be had."""
        try:
            if self._io_fd >= 0:
                return os.pread(self._io_fd, _PAGE, 0)
            return self.read("io") if self._dir_fd is None else b""
        except OSError as error:
            if error.errno in _NOT_THE_FILE:
                raise
            return b""

    def of_thread(self, name: str, max_bytes: int = _CHUNK) -> bytes:
        """A file of `thread`, where one stands for the process; empty where it cannot be read."""
        try:
            return self.read(self.thread + name, max_bytes)
        except OSError as error:
            return self._nothing(error)

    def link(self, name: str) -> str:
        """Where it leads to; empty for another user's, or where there is none."""
        try:
            path = os.readlink(self._path + self.thread + name, dir_fd=self._dir_fd)
        except OSError:
            return ""
        return sys.intern(path if path.isascii() else text(os.fsencode(path)))  # many processes have the same

    def leads_to(self, name: str, path: str) -> bool:
        """Whether a link does. Perhaps not where it is no UTF-8."""
        try:
            return os.readlink(self._path + self.thread + name, dir_fd=self._dir_fd) == path
        except OSError:
            return path == ""

    def open_files(self, *, counts_in_size: bool) -> int | None:
        """How many the process has open. `counts_in_size`: the kernel says that in the size of the folder."""
        try:
            if counts_in_size:
                return os.stat(self._path + self.thread + "fd", dir_fd=self._dir_fd).st_size
            return len(self._names_in(self.thread + "fd"))
        except OSError as error:
            if error.errno in _NOT_THE_FILE:
                raise
            return None

    def sockets(self, most: int, *, all_files: int | None) -> tuple[int, frozenset[int] | None]:
        """The inodes of the sockets among the `most` lowest of its open files, and how many files were looked at; None
        where they are not to be seen. Of a process with more files, in `all_files`, the folder is not listed."""
        try:
            fd = os.open(self._path + self.thread + "fd", os.O_RDONLY | os.O_DIRECTORY, dir_fd=self._dir_fd)
        except OSError:
            return 1, None
        found: set[int] = set()
        try:
            is_many = all_files is not None and all_files > most
            names = map(str, range(most)) if is_many else sorted(os.listdir(fd), key=int)[:most]  # noqa: PTH208
            count = 0
            for name in names:
                count += 1
                try:
                    target = os.readlink(name, dir_fd=fd)
                except FileNotFoundError:
                    continue
                if target.startswith("socket:["):
                    found.add(int(target[8:-1]))
            return count, frozenset(found)
        except (OSError, ValueError):
            return 1, None
        finally:
            os.close(fd)

    def threads(self) -> list[int]:
        """The oldest first; none of a copy that has no such folder."""
        try:
            return sorted(int(name) for name in self._names_in("task") if name.isdigit())
        except FileNotFoundError:
            return []

    def read(self, name: str, max_bytes: int = _CHUNK) -> bytes:
        fd = os.open(self._path + name, os.O_RDONLY, dir_fd=self._dir_fd)
        try:
            data = os.read(fd, _CHUNK)
            if len(data) < _PAGE:
                return data
            parts = [data]
            size = len(data)
            while size < max_bytes and (data := os.read(fd, max_bytes - size)):
                parts.append(data)
                size += len(data)
            return b"".join(parts)
        finally:
            os.close(fd)

    def read_if_there(self, name: str, max_bytes: int = _CHUNK) -> bytes:
        """Nothing from a file that is not to be had. Raises OSError if it is the process, or its thread, that is
        not."""
        try:
            return self.read(name, max_bytes)
        except OSError as error:
            return self._nothing(error)

    def _nothing(self, error: OSError) -> bytes:
        """Unless it is the process, or its thread, that is not to be had: then the error goes on."""
        is_thread_gone = self.thread and error.errno == errno.ENOENT
        if error.errno in _NOT_THE_FILE or is_thread_gone or not self.stat():
            raise error
        return b""

    def _names_in(self, folder: str) -> list[str]:
        if self._dir_fd is None:
            return os.listdir(self._path + folder)  # noqa: PTH208
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY, dir_fd=self._dir_fd)
        try:
            return os.listdir(fd)  # noqa: PTH208
        finally:
            os.close(fd)

    def _open_if_there(self, name: str) -> int:
        """-1 for one that is not to be had."""
        try:
            return self._open(name)
        except OSError as error:
            if error.errno in _NOT_THE_FILE:
                raise
            return -1

    def _open(self, name: str) -> int:
        return os.open(self._path + name, os.O_RDONLY, dir_fd=self._dir_fd)
