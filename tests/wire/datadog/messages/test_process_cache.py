from __future__ import annotations

from collections.abc import Iterable

from procession.packed import PackedProcess, PackedSnapshot
from procession.process import ProcessDescription
from procession.wire.datadog import MessageType, SnapshotDecoder
from procession.wire.datadog import process_pb2 as pb
from procession.wire.datadog.cache_budget import CacheBudget
from procession.wire.datadog.frame import Frame
from procession.wire.datadog.messages.descriptions import ContainerContext
from procession.wire.datadog.messages.process_cache import CachedProcess, ProcessCache
from tests.support.builders import NOON
from tests.support.stores.unpacked import unpack


def a_process(*args: str, pid: int = 1, **fields: object) -> pb.Process:
    command = pb.Command(args=args or ["nginx"])
    return pb.Process(pid=pid, createTime=1000, command=command, **fields)  # type: ignore[arg-type]


def decode(
    decoder: SnapshotDecoder,
    *processes: pb.Process,
    at: int = NOON,
    host: str = "web-1",
    tags: Iterable[str] = (),
    containers: Iterable[pb.Container] = (),
    os: str = "linux",
    org: int = 1,
) -> PackedSnapshot:
    message = pb.CollectorProc(
        hostName=host,
        processes=processes,
        containers=containers,
        groupId=at,
        info=pb.SystemInfo(os=pb.OSInfo(name=os)),
    )
    return decoder.decode(
        Frame(MessageType.PROCESSES, message.SerializeToString()), taken_at=at, host_tags=lambda _: tags, org_id=org
    )


def test_a_process_that_says_the_same_again_is_the_same_object() -> None:
    decoder = SnapshotDecoder()

    first, second = (decode(decoder, a_process(pid=1), a_process(pid=2), at=NOON + 10 * turn) for turn in range(2))

    assert [id(one) for one in first.listing.processes] == [id(one) for one in second.listing.processes]
    assert second.listing is first.listing
    assert second.taken_at == NOON + 10


def test_one_that_says_something_else_is_read_anew() -> None:
    decoder = SnapshotDecoder()
    decode(decoder, a_process(openFdCount=3))

    again = unpack(decode(decoder, a_process(openFdCount=4), at=NOON + 10))

    assert again.sightings[0].numbers.open_files == 4


def test_a_process_of_which_only_numbers_changed_is_the_same_object_and_so_is_its_listing() -> None:
    decoder = SnapshotDecoder()

    first, second = (
        decode(decoder, a_process(pid=1, openFdCount=files), a_process(pid=2), at=NOON + files) for files in (3, 4)
    )

    assert second.listing is first.listing
    assert [one.numbers.open_files for one in unpack(second).sightings] == [4, 0]


def test_a_listing_with_another_process_is_another_one() -> None:
    decoder = SnapshotDecoder()
    first = decode(decoder, a_process(pid=1), a_process(pid=2))

    others = [
        decode(decoder, *processes, at=NOON + turn)
        for turn, processes in enumerate(
            (
                [a_process(pid=1), a_process(pid=3)],
                [a_process(pid=1)],
                [a_process("other", pid=1), a_process(pid=2)],
                [a_process(pid=2), a_process(pid=1)],
            ),
            start=1,
        )
    ]

    assert [[one.pid for one in other.listing.processes] for other in others] == [[1, 3], [1], [1, 2], [2, 1]]
    assert all(other.listing != first.listing for other in others)


def test_of_a_process_that_comes_twice_the_last_one_counts_each_time() -> None:
    decoder = SnapshotDecoder()

    for turn in range(3):
        processes = [a_process(pid=1, openFdCount=3), a_process(pid=2), a_process(pid=1, openFdCount=4 + turn % 2)]
        found = unpack(decode(decoder, *processes, at=NOON + turn))

        assert [(one.pid, one.numbers.open_files) for one in found.sightings] == [(1, 4 + turn % 2), (2, 0)]


def test_the_same_bytes_under_other_tags_of_the_host_have_those() -> None:
    decoder = SnapshotDecoder()

    found = [
        decode(decoder, a_process(), tags=[tag], at=NOON + turn).listing.processes[0].description.tags
        for turn, tag in enumerate(("env:prod", "env:dev", "env:prod"))
    ]

    assert found == [("env:prod",), ("env:dev",), ("env:prod",)]


def test_the_same_bytes_in_a_container_that_changed_its_tags_have_the_new_ones() -> None:
    decoder = SnapshotDecoder()

    found = [
        decode(
            decoder,
            a_process(containerId="c"),
            containers=[pb.Container(id="c", tags=[tag])] if tag else [],
            at=NOON + turn,
        )
        .listing.processes[0]
        .description.tags
        for turn, tag in enumerate(("a:1", "a:2", "", "a:2"))
    ]

    assert found == [("a:1",), ("a:2",), (), ("a:2",)]


def test_the_same_bytes_on_windows_have_no_uid() -> None:
    decoder = SnapshotDecoder()
    process = a_process(user=pb.ProcessUser(name="root", uid=0))

    found = [
        decode(decoder, process, os=os, at=NOON + turn).listing.processes[0].description.uid
        for turn, os in enumerate(("linux", "windows"))
    ]

    assert found == [0, None]


def test_the_same_bytes_on_windows_have_the_name_of_a_program_of_windows() -> None:
    decoder = SnapshotDecoder()
    process = a_process("my tool.exe x\\y")

    found = [
        decode(decoder, process, os=os, at=NOON + turn).listing.processes[0].description.command
        for turn, os in enumerate(("linux", "windows"))
    ]

    assert found == ["my", "my tool.exe"]


def test_tags_of_a_container_without_an_id_are_nobodys() -> None:
    containers = [pb.Container(id="", tags=["a:1"])]

    assert decode(SnapshotDecoder(), a_process(), containers=containers).listing.processes[0].description.tags == ()


def test_hosts_are_apart() -> None:
    decoder = SnapshotDecoder()
    decode(decoder, a_process(), host="web-1", tags=["of:one"])

    assert decode(decoder, a_process(), host="web-2", tags=["of:two"]).listing.processes[0].description.tags == (
        "of:two",
    )


def test_hosts_of_two_orgs_that_are_called_the_same_are_apart() -> None:
    decoder = SnapshotDecoder()
    before = {
        org: decode(decoder, a_process(openFdCount=org), at=NOON + org, org=org).listing.processes[0] for org in (1, 2)
    }

    after = {
        org: decode(decoder, a_process(openFdCount=org), at=NOON + 9 + org, org=org).listing.processes[0]
        for org in (1, 2)
    }

    assert all(before[org] is after[org] for org in (1, 2))


def test_what_was_gone_for_two_snapshots_is_forgotten() -> None:
    decoder = SnapshotDecoder()
    first = decode(decoder, a_process(pid=1)).listing.processes[0]
    for turn in (1, 2):
        decode(decoder, a_process(pid=2), at=NOON + turn)

    again = decode(decoder, a_process(pid=1), at=NOON + 3).listing.processes[0]

    assert again == first
    assert again is not first


def test_a_snapshot_in_chunks_is_one_snapshot() -> None:
    decoder = SnapshotDecoder()
    first = [decode(decoder, a_process(pid=pid)).listing.processes[0] for pid in (1, 2, 3)]

    second = [decode(decoder, a_process(pid=pid), at=NOON + 10).listing.processes[0] for pid in (1, 2, 3)]

    assert list(map(id, first)) == list(map(id, second))


def test_without_room_everything_is_read_anew_and_right() -> None:
    decoder = SnapshotDecoder(cache_bytes=0)

    found = [decode(decoder, a_process(pid=pid), at=NOON + turn) for turn in range(3) for pid in range(1, 50)]

    assert [one.listing.processes[0].pid for one in found] == [*range(1, 50)] * 3


class TestProcessCache:
    """What is held of a fleet, and what counts against it."""

    def test_what_a_host_says_again_and_again_counts_once(self) -> None:
        budget = CacheBudget(10**6, forget=lambda: None)
        hosts = ProcessCache(budget)
        one = a_cached_process()
        for moment in range(1000):
            of_host = hosts.of_host((1, "h"), (moment, 0))
            for number in range(100):
                if number in of_host.before:
                    of_host.now[number] = one
                else:
                    hosts.put(of_host, number, one)

        assert 100 * 500 < budget.used_bytes < 100 * 600 + 2000

    def test_what_is_gone_no_longer_counts(self) -> None:
        budget = CacheBudget(10**6, forget=lambda: None)
        hosts = ProcessCache(budget)
        for moment in range(1000):
            of_host = hosts.of_host((1, "h"), (moment, 0))
            for number in range(100):
                hosts.put(of_host, moment * 100 + number, a_cached_process())

        assert 100 * 500 < budget.used_bytes < 200 * 600 + 2000

    def test_names_of_hosts_count(self) -> None:
        forgotten: list[bool] = []
        hosts = ProcessCache(CacheBudget(10**5, forget=lambda: forgotten.append(True)))
        for number in range(1000):
            hosts.of_host((1, f"h{number}"), (NOON, 0))

        assert forgotten


def a_cached_process() -> CachedProcess:
    process = PackedProcess.of(1, 1, ProcessDescription())
    return CachedProcess(process, b"", ContainerContext((), "", is_windows=False))


class TestCacheBudget:
    def test_what_is_over_is_turned_away(self) -> None:
        budget = CacheBudget(100, forget=lambda: None)

        assert [budget.admits(60) for _ in range(3)] == [True, True, False]

    def test_once_as_much_was_turned_away_as_is_held_all_is_forgotten(self) -> None:
        forgotten: list[bool] = []
        budget = CacheBudget(100, forget=lambda: forgotten.append(True))
        for _ in range(3):
            budget.admits(60)
        assert not forgotten

        assert budget.admits(60)

        assert forgotten == [True]

    def test_what_is_given_back_may_be_held_again(self) -> None:
        budget = CacheBudget(100, forget=lambda: None)
        budget.admits(60)
        budget.admits(60)

        budget.release(60, 1)

        assert budget.admits(60)
