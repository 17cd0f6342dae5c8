"""Networks of their own on this machine, and links to them that can be cut."""

from __future__ import annotations

import os
import subprocess

NETWORK = f"198.18.{os.getpid() % 250}"
"""Of the addresses that are set aside for tests of networks: no other machine has one."""


def ip(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["ip", *arguments], capture_output=True, text=True)


class Namespace:
    """A network of its own, with two links to ours: one to the server, and one to the witness."""

    def __init__(self) -> None:
        self.name = f"procession-{os.getpid()}"
        self.before = ("ip", "netns", "exec", self.name)
        self._links: list[str] = []

    def make(self) -> None:
        self._do("netns", "add", self.name)
        self._do("-n", self.name, "link", "set", "lo", "up")

    def link(self, number: int) -> str:
        """Make one; gives the address of our end of it."""
        ours, theirs = f"pr{os.getpid()}-{number}a", f"pr{os.getpid()}-{number}b"
        self._do("link", "add", ours, "type", "veth", "peer", "name", theirs, "netns", self.name)
        self._links.append(ours)
        self._do("address", "add", f"{NETWORK}.{4 * number + 1}/30", "dev", ours)
        self._do("-n", self.name, "address", "add", f"{NETWORK}.{4 * number + 2}/30", "dev", theirs)
        self.mend(number)
        self._do("-n", self.name, "link", "set", theirs, "up")
        return f"{NETWORK}.{4 * number + 1}"

    def cut(self, number: int) -> None:
        """At our end: to theirs it is a cable that was cut somewhere further on."""
        self._do("link", "set", self._links[number], "down")

    def mend(self, number: int) -> None:
        self._do("link", "set", self._links[number], "up")

    def remove(self) -> None:
        for link in self._links:
            ip("link", "del", link)
        ip("netns", "del", self.name)

    @staticmethod
    def _do(*arguments: str) -> None:
        result = ip(*arguments)
        if result.returncode:
            raise OSError(f"ip {' '.join(arguments)}: {result.stderr.strip()}")
