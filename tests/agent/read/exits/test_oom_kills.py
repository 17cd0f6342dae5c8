from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from procession.agent.read.connector import ConnectorUnavailable, ProcConnector
from procession.agent.read.exits.ended import Ended
from procession.agent.read.exits.facts_reader import ExitFactsReader
from procession.agent.read.exits.kernel_log import KernelLog
from procession.agent.read.exits.oom_kills import (
    KILLED,
    REMEMBER_SECONDS,
    OomKills,
    blamed_cgroup,
    killed_pid,
)
from procession.agent.read.proc_reader import ProcReader
from procession.agent.read.short_lived import ShortLived
from procession.process import ExitFacts
from tests.support.agents.memory_cgroup import NoMemoryCgroup, memory_cgroup, run_out_of_memory

UNKNOWN, NO = ExitFacts(), ExitFacts(oom_killed=False)


def blame(
    *,
    cgroup: str = "/a",
    task_cgroup: str = "/a/b",
    task: str = "java",
    pid: int = 7,
    cpuset: str = "/",
    more: str = "",
) -> bytes:
    return (
        f"oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset={cpuset},mems_allowed=0,oom_memcg={cgroup},"
        f"task_memcg={task_cgroup},task={task},pid={pid},uid=0{more}"
    ).encode()


def kill(*, task: str = "java", pid: int = 7, where: str = "Memory cgroup out of memory: ") -> bytes:
    numbers = "anon-rss:8188kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:60kB oom_score_adj:0"
    return f"{where}Killed process {pid} ({task}) total-vm:27256kB, {numbers}".encode()


class SaidLog:
    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.is_whole = True
        self.is_closed = False

    def take(self) -> tuple[list[bytes], bool]:
        messages, self.messages = self.messages, []
        return messages, self.is_whole

    def close(self) -> None:
        self.is_closed = True


class Watched:
    """OOM kills of a kernel that says what it is told to."""

    def __init__(self) -> None:
        self.log = SaidLog()
        self.now = 1000.0
        self.kills = OomKills(self.log, lambda: self.now)

    def say(self, *messages: bytes, is_whole: bool = True) -> None:
        self.log.messages, self.log.is_whole = list(messages), is_whole
        self.kills.look()


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_a_process_that_the_kernel_names_was_killed_by_it_for_a_cgroup(watched: Watched) -> None:
    watched.say(b"java invoked oom-killer: gfp_mask=0xcc0, order=0", blame(), kill())

    assert watched.kills.facts_of(7, KILLED) == ExitFacts(True, "/a")


def test_where_the_whole_machine_is_out_of_memory_there_is_no_cgroup(watched: Watched) -> None:
    everywhere = (
        b"oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,"
        b"task_memcg=/x,oom_memcg=/evil,task=java,pid=7,uid=0"
    )
    watched.say(everywhere, kill(where="Out of memory: "))

    assert watched.kills.facts_of(7, KILLED) == ExitFacts(True, "")


@pytest.mark.parametrize(
    "where", ["", "Out of memory: ", "Memory cgroup out of memory: ", "Out of memory (oom_kill_allocating_task): "]
)
def test_each_way_in_which_the_kernel_says_it_is_understood(where: str) -> None:
    assert killed_pid(kill(where=where, task="a) (b")) == 7


def test_older_kernels_name_the_user_in_between() -> None:
    assert killed_pid(b"Killed process 12 (x), UID 48, total-vm:3kB, anon-rss:1kB, file-rss:0kB") == 12


@pytest.mark.parametrize(
    "message",
    [
        b"Killed process 7",
        b"Killed process 7 (java)",
        b"Killed process -7 (java) total-vm:1kB",
        b"Killed process 77777777777 (java) total-vm:1kB",
        b"x Killed process 7 (java) total-vm:1kB",
        b"Memory cgroup out of memory: Kill process 7 (java) score 1 or sacrifice child",
        b"Killed process [123]: segfault at 7 (java) total-vm:1kB",
        b"traps: Out of memory: Killed process 7 (java) total-vm:1kB",
    ],
)
def test_what_only_looks_like_a_kill_is_none(message: bytes) -> None:
    assert killed_pid(message) is None


@pytest.mark.parametrize(
    "task", [",pid=1,uid=0", "a,task=b,pid=1", "x\\x0ay", "'\"", "\\x5cx00", ",uid=0", "", "pid=1"]
)
def test_a_hostile_name_of_a_process_changes_neither_pid_nor_cgroup(watched: Watched, task: str) -> None:
    watched.say(blame(task=task), kill(task=task))

    assert watched.kills.facts_of(1, KILLED).oom_killed is None
    facts = watched.kills.facts_of(7, KILLED)
    assert facts.oom_killed
    assert facts.oom_cgroup in ("/a", "")


@pytest.mark.parametrize(
    "hostile",
    [
        {"cgroup": "/a,task_memcg=/b"},
        {"cgroup": "/a,task=x,pid=1,uid=0"},
        {"cgroup": "/a,oom_memcg=/b"},
        {"task_cgroup": "/a/b,task=init,pid=1,uid=0"},
        {"task_cgroup": "/x,oom_memcg=/victim"},
        {"cpuset": "x,oom_memcg=/victim,task_memcg=/b,task=x"},
        {"cpuset": ",task=x"},
        {"task": "a,task=b"},
    ],
)
def test_a_cgroup_is_not_believed_where_a_hostile_name_makes_it_unclear(
    watched: Watched, hostile: dict[str, str]
) -> None:
    watched.say(blame(**hostile), kill())  # type: ignore[arg-type]

    assert watched.kills.facts_of(7, KILLED) == ExitFacts(True, "")


def test_bytes_that_are_not_printable_are_as_they_were() -> None:
    assert blamed_cgroup(blame(cgroup="/a\\x0ab\\x5cx0a\\xc3\\xa9")) == (7, "/a\nb\\x0a\u00e9")
    assert blamed_cgroup(blame(cgroup="/\\xff")) == (7, "/\ufffd")


@pytest.mark.parametrize("message", [blame(more=" x"), blame(cgroup="a"), blame(pid=77777777777), blame()[:-10], b""])
def test_a_message_that_is_cut_or_odd_blames_no_cgroup(message: bytes) -> None:
    assert blamed_cgroup(message) is None


def test_a_kill_is_told_of_one_exit_alone(watched: Watched) -> None:
    watched.say(kill())

    assert watched.kills.facts_of(7, KILLED).oom_killed
    assert not watched.kills.facts_of(7, KILLED).oom_killed


def test_an_exit_by_itself_is_no_kill_whatever_was_said_of_its_pid_before(watched: Watched) -> None:
    watched.say(kill())

    assert watched.kills.facts_of(7, 0) == NO
    assert not watched.kills.facts_of(7, KILLED).oom_killed


def test_a_process_that_somebody_killed_was_not_killed_for_want_of_memory(watched: Watched) -> None:
    watched.say(b"eth0: link up")

    assert watched.kills.facts_of(7, KILLED) == NO


def test_near_a_kill_of_another_process_it_is_not_known(watched: Watched) -> None:
    """The kernel kills those that share the memory, too, and does not name them."""
    watched.say(kill(pid=8))
    assert watched.kills.facts_of(7, KILLED) == UNKNOWN
    assert watched.kills.facts_of(7, 1) == NO

    watched.now += REMEMBER_SECONDS
    watched.say()
    assert watched.kills.facts_of(7, KILLED) == NO
    assert watched.kills.facts_of(8, KILLED) == NO


def test_it_is_not_known_after_messages_were_lost(watched: Watched) -> None:
    watched.say(is_whole=False)

    assert watched.kills.facts_of(7, KILLED) == UNKNOWN
    assert watched.kills.facts_of(7, 1) == NO


# This machine's kernel


@pytest.fixture
def short_lived() -> Iterator[ShortLived]:
    try:
        log, connector = KernelLog(), ProcConnector()
    except (OSError, ConnectorUnavailable) as error:
        pytest.skip(str(error))
    reader = ProcReader()
    short_lived = ShortLived(connector, reader, facts=ExitFactsReader(OomKills(log)))
    short_lived.start()
    yield short_lived
    short_lived.stop()
    reader.close()


@pytest.mark.may_skip
def test_a_process_that_this_kernel_kills_for_a_cgroup_is_known(short_lived: ShortLived) -> None:
    try:
        with memory_cgroup() as folder:
            process = run_out_of_memory(folder)
            code = process.wait()
            name = folder.name
    except NoMemoryCgroup as error:
        pytest.skip(str(error))
    assert code == -9

    ended: dict[int, Ended] = {}
    deadline = time.monotonic() + 10
    while process.pid not in ended and time.monotonic() < deadline:
        ended |= {one.pid: one for one in short_lived.drain(())}
        time.sleep(0.01)

    facts = ended[process.pid].facts
    assert facts.oom_killed
    assert facts.oom_cgroup == f"/{name}"
