"""A folder that looks like /proc."""

from __future__ import annotations

import shutil
from pathlib import Path

BOOT_TIME = 1_699_000_000


class ProcTree:
    """Processes as files under one root; what a test is not about has its defaults."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(exist_ok=True)
        self.boot_at(BOOT_TIME)
        (root / "uptime").write_text("1 1\n")

    def boot_at(self, boot_time: int) -> None:
        """As the kernel reckons it from now on."""
        (self.root / "stat").write_text(f"cpu  1 2 3 4\nintr 5\nbtime {boot_time}\nprocesses 6\n")

    def put(
        self,
        pid: int,
        *,
        comm: bytes = b"nginx",
        cmdline: bytes = b"/usr/sbin/nginx\0-g\0daemon off;\0",
        state: str = "S",
        ppid: int = 1,
        flags: int = 0x400100,
        user_ticks: int = 0,
        system_ticks: int = 0,
        nice: int = 0,
        threads: int = 1,
        start_ticks: int = 12345,
        vms_bytes: int = 8192 * 4096,
        rss_pages: int = 100,
        image: int = 7,
        uid: int = 0,
        gid: int = 0,
        switches: tuple[int, int] = (10, 1),
        io: tuple[int, int, int, int] | None = (0, 0, 0, 0),
        open_files: int = 3,
        exe: str = "/usr/sbin/nginx",
        cwd: str = "/srv",
        root: str = "/",
        memory_kb: tuple[int, int, int] | None = (300, 100, 0),
        environ: bytes | None = b"",
        cgroup: str = "0::/\n",
    ) -> Path:
        """Make it, or change it in place, as the kernel's files change."""
        folder = self.root / str(pid)
        (folder / "fd").mkdir(parents=True, exist_ok=True)
        numbers = [0] * 52
        for position, value in {
            4: ppid, 9: flags, 14: user_ticks, 15: system_ticks, 19: nice, 20: threads, 22: start_ticks, 23: vms_bytes,
            24: rss_pages, 26: image, 28: image, 45: image, 48: image,
        }.items():  # fmt: skip
            numbers[position - 1] = value
        rest = " ".join(map(str, numbers[3:])).encode()
        (folder / "stat").write_bytes(b"%d (%s) %s %s\n" % (pid, comm, state.encode(), rest))
        (folder / "cgroup").write_text(cgroup)
        (folder / "cmdline").write_bytes(cmdline)
        (folder / "status").write_text(
            f"Name:\t{comm.decode('ascii', 'replace')}\nPid:\t{pid}\nUid:\t{uid}\t1\t2\t3\nGid:\t{gid}\t1\t2\t3\n"
            f"NSpid:\t{pid}\t{pid % 10}\n{_memory(memory_kb)}Threads:\t{threads}\n"
            f"voluntary_ctxt_switches:\t{switches[0]}\nnonvoluntary_ctxt_switches:\t{switches[1]}\n"
        )
        if io is not None:
            reads, writes, read_bytes, write_bytes = io
            (folder / "io").write_text(
                f"rchar: 1\nwchar: 1\nsyscr: {reads}\nsyscw: {writes}\nread_bytes: {read_bytes}\n"
                f"write_bytes: {write_bytes}\ncancelled_write_bytes: 0\n"
            )
        for number in range(open_files):
            (folder / "fd" / str(number)).touch()
        if environ is not None:
            (folder / "environ").write_bytes(environ)
        for name, target in (("exe", exe), ("cwd", cwd), ("root", root)):
            (folder / name).unlink(missing_ok=True)
            if target:
                (folder / name).symlink_to(target)
        return folder

    def remove(self, pid: int) -> None:
        shutil.rmtree(self.root / str(pid))


def _memory(kilobytes: tuple[int, int, int] | None) -> str:
    """Of files, shared, and swapped out; what has no memory of its own has no such lines."""
    if kilobytes is None:
        return ""
    files, shared, swap = kilobytes
    return f"VmRSS:\t     400 kB\nRssFile:\t{files:8} kB\nRssShmem:\t{shared:8} kB\nVmSwap:\t{swap:8} kB\n"
