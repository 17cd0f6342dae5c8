from __future__ import annotations

from procession.agent.read.exits.ended import Ended
from procession.agent.read.exits.facts_reader import ExitFactsReader
from procession.agent.read.exits.task_stats import TaskStats
from procession.process import ExitCost, ExitFacts


class ToldStats:
    """As `TaskStatsListener`."""

    def __init__(self) -> None:
        self.told: list[TaskStats] = []
        self.is_closed = False

    def take(self) -> tuple[list[TaskStats], bool]:
        told, self.told = self.told, []
        return told, True

    def close(self) -> None:
        self.is_closed = True


def ended(pid: int = 7, code: int = 0) -> Ended:
    return Ended(pid, code, 5.5, None, None, None)


def used(user: float, pid: int = 7, code: int = 0) -> TaskStats:
    return TaskStats(pid, code, 4096, user, 0.5, 1, 2)


def costs(reader: ExitFactsReader, *ends: Ended) -> list[float | None]:
    found = reader.added_to(ends)
    return [None if one.facts.cost is None else one.facts.cost.cpu_user_seconds for one in found]


def test_without_any_source_nothing_is_known() -> None:
    reader = ExitFactsReader()

    assert reader.added_to([ended()]) == [ended()]
    assert ended().facts == ExitFacts()
    reader.close()


def test_what_a_process_has_used_is_that_of_its_exit() -> None:
    stats = ToldStats()
    reader = ExitFactsReader(None, stats)
    stats.told = [used(1.5), used(9, pid=8)]

    (found,) = reader.added_to([ended()])

    assert found.facts.cost == ExitCost(1.5, 0.5, 4096, 1, 2, is_final=True)
    reader.close()
    assert stats.is_closed


def test_of_a_process_that_had_several_threads_only_the_peak_is_final() -> None:
    stats = ToldStats()
    reader = ExitFactsReader(None, stats)
    # An older kernel tells of the first thread alone, before.
    stats.told = [used(1.5), TaskStats(7, None, 8192, None, None, None, None)]

    (found,) = reader.added_to([ended()])

    assert found.facts.cost == ExitCost(peak_rss_bytes=8192, is_final=False)


def test_the_kernel_may_tell_of_it_before_the_exit_is_heard_of_but_not_long() -> None:
    stats = ToldStats()
    reader = ExitFactsReader(None, stats)
    stats.told = [used(1.5), used(2.5, pid=8)]

    assert costs(reader) == []
    assert costs(reader, ended()) == [1.5]
    assert costs(reader, ended(8)) == [None]


def test_a_pid_that_was_used_again_has_each_its_own() -> None:
    stats = ToldStats()
    reader = ExitFactsReader(None, stats)
    stats.told = [used(1), used(2), used(3, code=9), used(4)]

    assert costs(reader, ended(), ended(code=9), ended(), ended()) == [1, 3, 4, None]
