from __future__ import annotations

from collections.abc import Sequence

import pytest

from procession.scrubbing import Scrubber
from procession.wire.datadog import process_pb2 as pb
from procession.wire.datadog.messages.commands import CommandReader


class CountingScrub:
    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, arguments: Sequence[str]) -> Sequence[str]:
        self.calls += 1
        return Scrubber().scrub(arguments)


def a_command(*args: str, exe: str = "/usr/bin/java", comm: str = "java", is_whole: bool = True) -> pb.Command:
    return pb.Command(args=args, exe=exe, comm=comm, cwd="/srv", root="/", argsAreWhole=is_whole)


def test_secrets_of_a_command_are_hidden_once_however_many_processes_run_it() -> None:
    scrub = CountingScrub()
    reader = CommandReader(scrub)

    found = [reader.read(a_command("java", "--password", "x y"), is_windows=False) for _ in range(10)]

    assert found[0].cmdline == "java --password ********"
    assert all(one is found[0] for one in found)
    assert scrub.calls == 1


OTHERS = [
    a_command("java", "b c"),
    a_command("java", "b", "c"),
    a_command("java", "b c", is_whole=False),
    a_command("java", "b c", exe="/usr/bin/other"),
    a_command("java", "b c", comm="other"),
    pb.Command(args=["java", "b c"], exe="/usr/bin/java", comm="java", cwd="/", root="/", argsAreWhole=True),
    pb.Command(args=["java", "b c"], exe="/usr/bin/java", comm="java", cwd="/srv", root="/jail", argsAreWhole=True),
]


@pytest.mark.parametrize("is_windows", [False, True])
def test_what_is_remembered_is_what_a_command_would_be_read_as(is_windows: bool) -> None:
    reader = CommandReader(Scrubber().scrub)

    found = [reader.read(one, is_windows=is_windows) for _ in range(2) for one in OTHERS]

    assert found == 2 * [CommandReader(Scrubber().scrub).read(one, is_windows=is_windows) for one in OTHERS]
    assert len(set(found)) == len(OTHERS)


def test_commands_that_never_come_again_take_no_more_memory_than_they_may() -> None:
    scrub = CountingScrub()
    reader = CommandReader(scrub, cache_bytes=100_000)

    for number in range(1000):
        reader.read(a_command("java", str(number) * 1000), is_windows=False)

    assert reader.held_bytes <= 110_000
    assert scrub.calls == 1000
