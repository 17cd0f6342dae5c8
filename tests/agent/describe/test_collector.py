from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from procession.agent.containers.users import ContainerUsers
from procession.agent.describe.collector import Collector
from procession.agent.describe.expressions import ProcessFilter, TagRules
from procession.agent.read.exits.ended import Ended
from procession.agent.read.lookups import Lookups
from procession.agent.read.process_reading import ProcessFacts, ProcessReading
from procession.agent.read.procfs import IoCounters, Stat, Status
from procession.lifecycle.events import ProcessExec, ProcessExit
from procession.process import ExitCost, ExitFacts, Sighting, Snapshot
from procession.scrubbing import Scrubber
from tests.support.running import eventually

FACTS = ProcessFacts(("mysqld", "--password=x"), "/usr/sbin/mysqld", "/srv", "/", 0, 0, 7)
IO = IoCounters(0, 0, 0, 0)
STATUS = Status(voluntary_switches=100, involuntary_switches=10)


def a_stat(**fields: Any) -> Stat:
    defaults: dict[str, Any] = {
        "comm": "mysqld", "state": "S", "ppid": 1, "flags": 0, "user_ticks": 0, "system_ticks": 0, "nice": 0,
        "threads": 4, "start_ticks": 1299, "vms_bytes": 5000, "rss_pages": 3, "image": b"",
    }  # fmt: skip
    return Stat(**(defaults | fields))


def a_reading(pid: int = 7, facts: ProcessFacts = FACTS, io: IoCounters | None = IO, **fields: Any) -> ProcessReading:
    return ProcessReading(pid, 1_000_000, a_stat(**fields), facts, io, 12, STATUS)


def a_collector(**parts: Any) -> Collector:
    return Collector(host="web-1", ticks_per_second=100, page_bytes=4096, scrub=Scrubber().scrub, **parts)


@pytest.fixture
def collector() -> Collector:
    return a_collector()


def collect(collector: Collector, *readings: ProcessReading, moment: float = 0.0) -> Snapshot:
    return collector.collect(readings, taken_at=2_000_000, moment=moment)


def see(collector: Collector, reading: ProcessReading, moment: float) -> Sighting:
    (sighting,) = collect(collector, reading, moment=moment).sightings
    return sighting


def test_a_first_snapshot_says_what_is_known_at_once_and_no_rates(collector: Collector) -> None:
    snapshot = collect(collector, a_reading())
    (sighting,) = snapshot.sightings
    description, numbers = sighting.description, sighting.numbers

    assert (snapshot.host, snapshot.taken_at) == ("web-1", 2_000_000)
    assert (sighting.pid, sighting.started_at) == (7, 1_000_012)
    assert (description.exe, description.cwd, description.comm) == ("/usr/sbin/mysqld", "/srv", "mysqld")
    assert (description.command, description.user, description.uid) == ("mysqld", "root", 0)
    assert (numbers.rss_bytes, numbers.vms_bytes, numbers.threads, numbers.open_files) == (12288, 5000, 4, 12)
    assert (numbers.voluntary_switches, numbers.involuntary_switches) == (100, 10)
    assert numbers.cpu_total_percent is numbers.cpu_user_percent is numbers.cpu_system_percent is None
    assert numbers.read_bytes_per_second is numbers.write_operations_per_second is None


def test_command_lines_are_scrubbed(collector: Collector) -> None:
    assert see(collector, a_reading(), 0.0).description.cmdline == "mysqld --password=********"


def test_percentages_are_of_one_core_and_rates_per_second(collector: Collector) -> None:
    collect(collector, a_reading(), moment=100.0)

    io = IoCounters(20, 40, 6000, 8000)
    numbers = see(collector, a_reading(user_ticks=3000, system_ticks=1000, io=io), 110.0).numbers

    assert (numbers.cpu_total_percent, numbers.cpu_user_percent, numbers.cpu_system_percent) == (400, 300, 100)
    assert (numbers.read_operations_per_second, numbers.write_operations_per_second) == (2, 4)
    assert (numbers.read_bytes_per_second, numbers.write_bytes_per_second) == (600, 800)


def test_counters_that_run_backwards_give_0(collector: Collector) -> None:
    collect(collector, a_reading(user_ticks=10, system_ticks=10, io=IoCounters(5, 5, 5, 5)), moment=1.0)

    numbers = see(collector, a_reading(user_ticks=9, system_ticks=20), 2.0).numbers

    assert (numbers.cpu_user_percent, numbers.cpu_system_percent) == (0, 10)
    assert numbers.read_bytes_per_second == 0


def test_rates_that_may_not_be_read_stay_absent(collector: Collector) -> None:
    collect(collector, a_reading(io=None), moment=1.0)

    numbers = see(collector, a_reading(io=None, user_ticks=1), 2.0).numbers

    assert numbers.cpu_total_percent == 1
    assert numbers.read_bytes_per_second is None


def test_a_clock_that_stands_still_gives_no_rates(collector: Collector) -> None:
    collect(collector, a_reading(), moment=1.0)

    assert see(collector, a_reading(user_ticks=5), 1.0).numbers.cpu_total_percent is None


def test_a_process_with_a_reused_pid_begins_anew(collector: Collector) -> None:
    collect(collector, a_reading(), moment=1.0)

    sighting = see(collector, a_reading(start_ticks=5000, user_ticks=9, comm="other"), 2.0)

    assert sighting.started_at == 1_000_050
    assert sighting.description.comm == "other"
    assert sighting.numbers.cpu_total_percent is None


def test_a_process_that_was_away_for_a_snapshot_begins_anew(collector: Collector) -> None:
    collect(collector, a_reading(), moment=1.0)
    collect(collector, moment=2.0)

    assert see(collector, a_reading(user_ticks=9), 3.0).numbers.cpu_total_percent is None


def test_an_unchanged_process_is_the_same_sighting(collector: Collector) -> None:
    reading, busy = a_reading(), a_reading(user_ticks=50)
    first = see(collector, reading, 1.0)
    second = see(collector, reading, 2.0)
    third = see(collector, reading, 3.0)
    fourth = see(collector, busy, 4.0)
    fifth = see(collector, busy, 5.0)
    sixth = see(collector, busy, 6.0)

    assert first.numbers.cpu_total_percent is None
    assert second.numbers.cpu_total_percent == 0
    assert third is second
    assert fourth.numbers.cpu_total_percent == 50
    assert fifth.numbers.cpu_total_percent == 0
    assert sixth is fifth
    assert sixth.description is first.description


def test_a_new_parent_a_new_name_and_death_change_the_description(collector: Collector) -> None:
    see(collector, a_reading(), 1.0)

    assert see(collector, a_reading(ppid=5), 2.0).description.ppid == 5
    assert see(collector, a_reading(comm="worker"), 3.0).description.comm == "worker"
    zombie = see(collector, a_reading(state="Z"), 4.0)
    assert zombie.description.is_zombie
    assert zombie.numbers.state == "Z"


def test_a_user_without_a_name_goes_by_the_number(collector: Collector) -> None:
    nobody = msgspec.structs.replace(FACTS, uid=3_999_999_999, gid=3_999_999_999)
    snapshot = collect(collector, a_reading(7), a_reading(8, facts=nobody))
    root, other = (sighting.description for sighting in snapshot.sightings)

    assert (root.user, root.group_name) == ("root", "root")
    assert (other.user, other.uid, other.group_name) == ("uid:3999999999", 3_999_999_999, "")


def test_a_number_is_shown_until_the_name_is_there_and_the_process_goes_on() -> None:
    answers = threading.Event()

    def slow(number: int) -> str:
        assert answers.wait(60)
        return f"name{number}"

    users, groups = Lookups(slow, wait_seconds=0.01), Lookups(slow, wait_seconds=0.01)
    collector = a_collector(users=users, groups=groups)
    facts = [msgspec.structs.replace(FACTS, uid=4000 + number, gid=5000 + number) for number in range(8)]
    readings = [a_reading(100 + number, facts=of_one) for number, of_one in enumerate(facts)]

    begun = time.monotonic()
    # Each would take ten seconds, and longer than all of these snapshots together.
    before = [collect(collector, *readings, moment=float(moment)).sightings for moment in range(10)]
    took = time.monotonic() - begun
    live = collector.fork()
    answers.set()
    eventually(lambda: collect(collector, *readings, moment=10.0) and users.version + groups.version == 16)
    after = collect(collector, *readings, moment=11.0).sightings
    again = collect(collector, *readings, moment=12.0).sightings
    seen_live = collect(live, *readings, moment=11.0).sightings

    assert took < 5
    assert {one.description.user for of_one in before for one in of_one} == {f"uid:{4000 + n}" for n in range(8)}
    assert {one.description.group_name for of_one in before for one in of_one} == {""}
    assert [one.description.user for one in after] == [f"name{4000 + n}" for n in range(8)]
    assert [one.description.group_name for one in after] == [f"name{5000 + n}" for n in range(8)]
    assert [one.description for one in seen_live] == [one.description for one in after]
    # It is the same process, described anew once: all else stays, and nothing moves any more.
    for old, new, later in zip(before[-1], after, again, strict=True):
        assert (old.pid, old.started_at, old.numbers) == (new.pid, new.started_at, new.numbers)
        assert msgspec.structs.replace(new.description, user=old.description.user, group_name="") == old.description
        assert later is new


def test_what_a_container_calls_a_user_is_a_tag_and_never_the_user(tmp_path: Path) -> None:
    container = "c" * 64
    (tmp_path / "7/root/etc").mkdir(parents=True)
    (tmp_path / "7/root/etc/passwd").write_text("root,x:x:0:0:::\n")
    (tmp_path / "7/cgroup").write_text(f"0::/docker/{container}\n")
    (tmp_path / "7/uid_map").write_text("0 0 4294967295\n")
    names = ContainerUsers(str(tmp_path))
    collector = a_collector(container_users=names)
    facts = msgspec.structs.replace(FACTS, container_id=container, service_tags=("env:prod",))

    eventually(lambda: collect(collector, a_reading(facts=facts), a_reading(8)) and names.version == 1)
    inside, outside = collect(collector, a_reading(facts=facts), a_reading(8)).sightings

    assert (inside.description.user, inside.description.tags) == ("root", ("container_user:root_x", "env:prod"))
    assert outside.description.tags == ()


def test_a_process_that_was_short_has_its_user_s_name_too() -> None:
    collector = a_collector(users=Lookups(lambda uid: f"name{uid}", wait_seconds=60))
    dead = a_reading(9, facts=msgspec.structs.replace(FACTS, uid=4000), state="X")

    events, (sighting,) = collector.conclude([Ended(9, 3, 2.0, 1.0, 1.0, dead)], moment=1.0)

    assert sighting.description.user == "name4000"
    assert {event.description.user for event in events.events if event.description} == {"name4000"}


def test_a_process_that_no_snapshot_saw_is_described_with_its_end(collector: Collector) -> None:
    dead = a_reading(9, start_ticks=500_000, state="X")
    ended = Ended(9, 3, 1_005_002.9, 1_005_000.1, 1_005_001.1, dead)

    events, sightings = collector.conclude([ended], moment=1.0)
    snapshot = collector.collect([a_reading()], taken_at=1_005_005, moment=1.0, also=sightings)

    began, end = events.events
    assert isinstance(began, ProcessExec)
    assert (began.pid, began.forked_at, began.at) == (9, 1_005_000, 1_005_001)
    assert isinstance(end, ProcessExit)
    assert (end.pid, end.executed_at, end.at, end.exit_code) == (9, 1_005_001, 1_005_002, 3)
    assert end.description.cmdline == "mysqld --password=********"
    assert [(sighting.pid, sighting.numbers.state) for sighting in snapshot.sightings] == [(7, "S"), (9, "X")]
    assert snapshot.sightings[1].started_at == 1_005_000


def test_a_process_that_a_snapshot_saw_has_an_end_and_no_further_sighting(collector: Collector) -> None:
    collect(collector, a_reading(9))

    events, sightings = collector.conclude([Ended(9, 137, 5.5, None, None, None)], moment=1.0)

    (end,) = events.events
    assert isinstance(end, ProcessExit)
    assert (end.exit_code, end.at, end.description.comm) == (137, 5, "mysqld")
    assert sightings == []
    assert collector.conclude([Ended(8, 0, 5.5, None, None, None)], moment=1.0)[0].events == ()


def test_what_is_known_of_an_exit_is_told(collector: Collector) -> None:
    collect(collector, a_reading(9))
    facts = ExitFacts(True, "/shop", ExitCost(1.5, 0.5, 4096, 1, 2))

    (end,) = collector.conclude([Ended(9, 137, 5.5, None, None, None, facts)], moment=1.0)[0].events

    assert isinstance(end, ProcessExit)
    assert end.facts == facts


def test_what_the_kernel_does_not_tell_of_its_cost_is_that_of_the_last_snapshot(collector: Collector) -> None:
    peak = ExitFacts(cost=ExitCost(peak_rss_bytes=8192, is_final=False))
    collect(
        collector,
        a_reading(8, user_ticks=150, system_ticks=50, io=IoCounters(1, 2, 3, 4)),
        a_reading(9, user_ticks=None, io=None),
    )
    ended = [Ended(8, 0, 5.5, None, None, None, peak), Ended(9, 0, 5.5, None, None, None)]

    first, second = collector.conclude(ended, moment=1.0)[0].events

    assert isinstance(first, ProcessExit)
    assert isinstance(second, ProcessExit)
    assert first.facts.cost == ExitCost(1.5, 0.5, 8192, 3, 4, is_final=False)
    assert second.facts.cost is not None
    assert (second.facts.cost.cpu_user_seconds, second.facts.cost.read_bytes) == (None, None)


def test_of_one_that_no_snapshot_saw_only_the_kernel_tells(collector: Collector) -> None:
    events = collector.conclude([Ended(9, 0, 5.5, 4.0, 4.0, a_reading(9))], moment=1.0)[0].events

    (end,) = (event for event in events if isinstance(event, ProcessExit))
    assert end.facts == ExitFacts()


def test_a_process_that_still_lives_is_not_seen_twice(collector: Collector) -> None:
    reading = a_reading(9)
    _, sightings = collector.conclude([Ended(9, 0, 5.5, 4.0, 4.0, reading)], moment=1.0)

    snapshot = collector.collect([reading], taken_at=6, moment=1.0, also=sightings)

    assert [sighting.numbers.state for sighting in snapshot.sightings] == ["S"]


def test_memory_that_is_shared_or_swapped_out_is_kept_apart(collector: Collector) -> None:
    reading = ProcessReading(7, 1_000_000, a_stat(), FACTS, IO, 12, Status(shared_bytes=4096, swap_bytes=0))

    numbers = see(collector, reading, 0.0).numbers

    assert (numbers.shared_bytes, numbers.swap_bytes) == (4096, 0)
    assert see(collector, a_reading(), 1.0).numbers.swap_bytes is None


def test_a_new_nice_value_changes_the_description(collector: Collector) -> None:
    before = see(collector, a_reading(nice=-5), 1.0)
    after = see(collector, a_reading(nice=19), 2.0)

    assert (before.description.nice, after.description.nice) == (-5, 19)


def test_the_group_has_its_name_where_it_has_one(collector: Collector) -> None:
    assert see(collector, a_reading(), 0.0).description.group_name == "root"
    facts = msgspec.structs.replace(FACTS, gid=3_999_999_999)
    assert see(collector, a_reading(facts=facts), 1.0).description.group_name == ""


# Tags of a process


def test_tags_come_from_its_environment_and_from_rules_for_its_command_line() -> None:
    facts = msgspec.structs.replace(FACTS, service_tags=("env:Prod",))
    collector = a_collector(tag_rules=TagRules([r"^(?P<program>[a-z]+)"], print))

    assert see(collector, a_reading(facts=facts), 0.0).description.tags == ("env:prod", "program:mysqld")


def test_no_secret_becomes_a_tag() -> None:
    collector = a_collector(tag_rules=TagRules(["--password=(?P<key>.*)"], print))

    assert see(collector, a_reading(), 0.0).description.tags == ("key:********",)


# Which processes are sent


def other(*arguments: str) -> ProcessFacts:
    return msgspec.structs.replace(FACTS, arguments=arguments)


def test_what_is_excluded_is_not_sent() -> None:
    collector = a_collector(process_filter=ProcessFilter(exclude=["mysql"]))
    excluded, sent = a_reading(7), a_reading(8, facts=other("nginx"))

    for moment in (1.0, 2.0, 3.0):
        assert [one.pid for one in collect(collector, excluded, sent, moment=moment).sightings] == [8]


def test_one_that_becomes_what_is_sent_is_sent_from_then_on() -> None:
    collector = a_collector(process_filter=ProcessFilter(exclude=["mysql"]))
    collect(collector, a_reading(), moment=1.0)

    assert see(collector, a_reading(facts=other("nginx")), 2.0).description.cmdline == "nginx"


def test_one_that_was_sent_goes_on_under_its_old_name_when_it_becomes_what_is_excluded() -> None:
    """Missing from a snapshot it would look as if it had ended."""
    collector = a_collector(process_filter=ProcessFilter(exclude=["secret"]))
    hidden = other("secret-tool")
    before = see(collector, a_reading(), 1.0)
    after = see(collector, a_reading(facts=hidden, comm="secret-tool", user_ticks=50), 2.0)
    last = see(collector, a_reading(facts=hidden, comm="secret-tool", user_ticks=50, state="Z"), 3.0)

    assert after.description == before.description
    assert after.numbers.cpu_total_percent == 50
    assert last.description.cmdline == before.description.cmdline
    assert last.description.is_zombie


def test_the_ends_of_what_is_excluded_are_not_told() -> None:
    collector = a_collector(process_filter=ProcessFilter(exclude=["mysql"]))
    collect(collector, a_reading(9))
    unseen = Ended(10, 3, 5.9, 4.1, 5.1, a_reading(10, state="X"))

    events, sightings = collector.conclude([Ended(9, 0, 5.5, None, None, None), unseen], moment=1.0)

    assert (events.events, sightings) == ((), [])


def test_a_reused_pid_is_looked_at_anew() -> None:
    collector = a_collector(process_filter=ProcessFilter(exclude=["secret"]))
    collect(collector, a_reading(), moment=1.0)

    snapshot = collect(collector, a_reading(facts=other("secret-tool"), start_ticks=5000), moment=2.0)

    assert snapshot.sightings == ()
