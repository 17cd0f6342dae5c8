"""Which processes the kernel's OOM killer has ended, and which cgroup was out of memory.

Of each kill the kernel says two things, the first one not more than ten times in five seconds:

    oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/a,task_memcg=/a/b,task=x,pid=7,uid=0
    Memory cgroup out of memory: Killed process 7 (x) total-vm:9kB, anon-rss:8kB, ...

Names of processes and of cgroups are whatever somebody likes, commas and all. So the pid is taken from the second one,
where nothing that anybody may choose comes before it. A cgroup is believed where the first one can be read in only one
way.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import NamedTuple, Protocol

from procession.process import ExitFacts

KILLED = 128 + 9
"""The exit code of what the OOM killer has ended: it sends SIGKILL, and nothing else."""

REMEMBER_SECONDS = 60.0
"""What is killed may take so long to be gone."""

_KILL = re.compile(
    rb"(?:(?:Memory cgroup out|Out) of memory(?: \([ -~]{1,60}\))?: )?Killed process ([0-9]{1,10}) \(.*\bvm:[0-9]+kB.*"
)
_BLAME = re.compile(rb"oom-kill:constraint=CONSTRAINT_MEMCG,(.*),pid=([0-9]{1,10}),uid=[0-9]{1,10}")
_IS_KILL = b"Killed process "
_IS_BLAME = b"oom-kill:constraint="
_PARTS = b",oom_memcg=", b",task_memcg=", b",task="
_ESCAPED = re.compile(rb"\\x([0-9a-f]{2})")


class Log(Protocol):
    """As `KernelLog`."""

    def take(self) -> tuple[list[bytes], bool]: ...

    def close(self) -> None: ...


class _Kill(NamedTuple):
    at: float
    cgroup: str


class OomKills:
    """For one thread."""

    def __init__(self, log: Log, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._monotonic = monotonic
        self._kills: dict[int, _Kill] = {}
        """By pid, those of which the exit was not asked for."""
        self._cgroups: dict[int, _Kill] = {}
        """By pid, who is to be killed."""
        self._unsure_until = 0.0

    def look(self) -> None:
        """Take note of what the kernel has said; after the exits that are asked for then."""
        messages, is_whole = self._log.take()
        now = self._monotonic()
        for message in messages:
            self._note(message, now)
        if not is_whole:
            self._unsure_until = now + REMEMBER_SECONDS
        if self._kills or self._cgroups:
            oldest = now - REMEMBER_SECONDS
            for known in (self._kills, self._cgroups):
                for pid in [pid for pid, kill in known.items() if kill.at <= oldest]:
                    del known[pid]

    def _note(self, message: bytes, now: float) -> None:
        if _IS_BLAME in message:
            # With those that share its memory it kills processes that it does not name.
            self._unsure_until = now + REMEMBER_SECONDS
            if (blame := blamed_cgroup(message)) is not None:
                self._cgroups[blame[0]] = _Kill(now, blame[1])
        elif _IS_KILL in message and (pid := killed_pid(message)) is not None:
            self._unsure_until = now + REMEMBER_SECONDS
            self._kills[pid] = _Kill(now, self._cgroups[pid].cgroup if pid in self._cgroups else "")

    def close(self) -> None:
        self._log.close()

    def facts_of(self, pid: int, exit_code: int) -> ExitFacts:
        """Of an exit, once."""
        kill = self._kills.pop(pid, None)
        self._cgroups.pop(pid, None)
        if exit_code != KILLED:
            return ExitFacts(oom_killed=False)
        if kill is not None:
            return ExitFacts(oom_killed=True, oom_cgroup=kill.cgroup)
        return ExitFacts(oom_killed=None if self._monotonic() < self._unsure_until else False)


def killed_pid(message: bytes) -> int | None:
    found = _KILL.fullmatch(message)
    return None if found is None else int(found[1])


def blamed_cgroup(message: bytes) -> tuple[int, str] | None:
    """Who is to be killed, and which cgroup is out of memory. None where it is all of the machine, and where the names
    in the message let it be read in several ways."""
    found = _BLAME.fullmatch(message)
    if found is None or any(found[1].count(part) != 1 for part in _PARTS):
        return None
    _, _, rest = found[1].partition(_PARTS[0])
    cgroup, _, rest = rest.partition(_PARTS[1])
    _, mark, _ = rest.partition(_PARTS[2])
    if not mark or not cgroup.startswith(b"/"):
        return None
    whole = _ESCAPED.sub(lambda escaped: bytes.fromhex(escaped[1].decode()), cgroup)
    return int(found[2]), whole.decode("utf-8", "replace")
