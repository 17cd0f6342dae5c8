"""A disk of its own for a test: a file system in a file, which can go bad."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

_EXT4_IOC_SHUTDOWN = 0x8004587D
_WITHOUT_WRITING = 2
"""What was not synced, and the journal as far as it is in memory."""


class Disk:
    """Mounted at `place`. Raises OSError where that cannot be done here."""

    def __init__(self, folder: Path, *, megabytes: int = 256) -> None:
        self.place = folder / "disk"
        self.place.mkdir()
        self._image = folder / "disk.img"
        self._is_mounted = False
        with self._image.open("wb") as file:
            file.truncate(megabytes * 2**20)
        _do("mkfs.ext4", "-q", "-E", "nodiscard", str(self._image))
        self.mount()
        if not self._trigger().exists():
            self.unmount()
            raise OSError("this kernel cannot be told that a disk has failed")

    def mount(self, *options: str) -> None:
        _do("mount", "-o", ",".join(("loop", "errors=remount-ro", *options)), str(self._image), str(self.place))
        self._is_mounted = True

    def unmount(self) -> None:
        """Raises OSError while somebody uses it."""
        _do("umount", str(self.place))
        self._is_mounted = False

    def fail(self) -> None:
        """As a bad disk does it: from now on the kernel lets nobody write, whoever has files open."""
        self._trigger().write_text("1")

    def cut_power(self) -> None:
        """What is only in memory is lost. Nobody can read or write until it is mounted again."""
        folder = os.open(self.place, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, _EXT4_IOC_SHUTDOWN, _WITHOUT_WRITING.to_bytes(4, sys.byteorder))
        finally:
            os.close(folder)

    def _trigger(self) -> Path:
        device = _do("findmnt", "--noheadings", "--output", "SOURCE", str(self.place)).strip().rpartition("/")[2]
        return Path(f"/sys/fs/ext4/{device}/trigger_fs_error")

    def mend(self) -> None:
        """What somebody does who finds it so; nobody may use it then."""
        self.unmount()
        found = subprocess.run(["e2fsck", "-fy", str(self._image)], capture_output=True, text=True)
        assert found.returncode in (0, 1), found.stdout
        self.mount()

    def close(self) -> None:
        if self._is_mounted:
            subprocess.run(["umount", "--lazy", str(self.place)], capture_output=True)


def _do(*command: str) -> str:
    try:
        result = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        raise OSError(f"there is no {command[0]}") from None
    if result.returncode:
        raise OSError(f"{command[0]}: {result.stderr.strip()}")
    return result.stdout
