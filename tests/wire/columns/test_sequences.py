"""Snapshot after snapshot from an agent to servers that may have lost what came before."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procession.command_line.arguments import line_of, words_of
from procession.process import ProcessDescription, ProcessNumbers, Sighting, Snapshot
from procession.wire.columns.decoder import ColumnsDecoder, FrameBeforeUnknown
from procession.wire.columns.encoder import ColumnFrames, ColumnsEncoder
from procession.wire.datadog import ContainerInfo, Limits
from tests.support.agents.column_frames import datadog_facts, facts_of, read
from tests.support.builders import a_sighting, a_snapshot
from tests.support.stores.sightings import all_sightings

replace = msgspec.structs.replace


class Containers:
    """Of whom an agent learns the names after a while."""

    def __init__(self) -> None:
        self.named: dict[str, ContainerInfo] = {}

    def look_up(self, container_id: str) -> ContainerInfo:
        return self.named.setdefault(container_id, ContainerInfo(container_id=container_id))

    def name(self, container_id: str, image: str) -> None:
        self.named[container_id] = ContainerInfo(container_id=container_id, image=image, tags=(f"Team:{image}",))


class Host:
    """Its processes come, move, are renamed and go by chance. Those that do not are the very same objects."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.sightings: list[Sighting] = []

    def step(self) -> None:
        found = []
        for sighting in self.sightings:
            match self.chance.choice(("same", "same", "same", "moves", "renamed", "both", "goes")):
                case "same":
                    found.append(sighting)
                case "moves":
                    found.append(replace(sighting, numbers=self._numbers()))
                case "renamed":
                    found.append(replace(sighting, description=self._description()))
                case "both":
                    found.append(replace(sighting, description=self._description(), numbers=self._numbers()))
        found += [
            Sighting(self.chance.randrange(9), self.chance.randrange(2), self._description(), self._numbers())
            for _ in range(self.chance.randrange(3))
        ]
        self.chance.shuffle(found)
        self.sightings = found

    def _numbers(self) -> ProcessNumbers:
        chance = self.chance
        return ProcessNumbers(
            cpu_total_percent=chance.choice((None, 0.0, 12.5)),
            rss_bytes=chance.choice((None, chance.randrange(2**40))),
            shared_bytes=chance.choice((None, 0, 4096)),
            swap_bytes=chance.choice((None, 0)),
            threads=chance.choice((None, 1, 7)),
            voluntary_switches=chance.choice((None, 0, 1)),
            state=chance.choice(("", "R", "Z", "t")),
        )

    def _description(self) -> ProcessDescription:
        chance = self.chance
        arguments = chance.sample(("java", "-jar", "", "two words", "ü"), 2)
        return ProcessDescription(
            cmdline=line_of(arguments),
            argument_words=words_of(arguments) if chance.random() < 0.5 else (),
            comm="java",
            user=chance.choice(("", "root")),
            ppid=chance.randrange(3),
            nice=chance.choice((None, -5)),
            container_id=chance.choice(("", "", "c0ffee", "decaf")),
            is_zombie=chance.random() < 0.2,
            tags=chance.choice(((), ("service:web",))),
        )


@settings(max_examples=60)
@given(
    st.integers(0, 2**32),
    st.lists(
        st.tuples(
            st.sampled_from(("arrives", "arrives", "arrives", "is lost", "comes twice", "its answer is lost")),
            st.sampled_from(((), (), ("env:prod",), ("env:dev", "Team:web"))),
            st.booleans(),
            st.sampled_from(("", "c0ffee", "decaf")),
        ),
        min_size=2,
        max_size=8,
    ),
)
def test_a_server_makes_of_columns_what_it_makes_of_datadogs_frames(
    seed: int, steps: list[tuple[str, tuple[str, ...], bool, str]]
) -> None:
    containers, host = Containers(), Host(seed)
    agent, server = ColumnsEncoder(1, containers.look_up), ColumnsDecoder(Limits())
    acknowledged = 0
    for what_happens, tags, restarts, named in steps:
        host.step()
        if named:
            containers.name(named, host.chance.choice(("web", "db:2")))
        if restarts:
            server = ColumnsDecoder(Limits())
        snapshot = a_snapshot(*host.sightings, split_id=host.chance.randrange(-(2**31), 2**31))
        expected = datadog_facts(snapshot, tags=tags, containers=containers.look_up)
        frames = agent.encode(snapshot)
        if what_happens == "is lost":
            continue
        for _ in range(2 if what_happens == "comes twice" else 1):
            body = frames.changes if frames.changes is not None and frames.follows == acknowledged else frames.whole
            try:
                found = read(server, body, tags=tags)
            except FrameBeforeUnknown:
                assert body is frames.changes
                found = read(server, frames.whole, tags=tags)
            assert facts_of(found) == expected
            assert (found.host, found.split_id, found.chunk_count) == (snapshot.host, snapshot.split_id, 1)
        if what_happens != "its answer is lost":
            acknowledged = frames.number


_COUNTS = st.none() | st.integers(0, 3) | st.integers(0, 2**31 - 1)
_RATES = st.none() | st.floats(width=32).map(lambda rate: rate + 0.0)  # zero has no sign in columns
_FIELDS: dict[str, Any] = {
    name: _COUNTS if name.endswith(("_bytes", "threads", "files", "switches", "connections")) else _RATES
    for name in ProcessNumbers.__struct_fields__
    if name != "state"
}


@settings(max_examples=60)
@given(st.builds(ProcessNumbers, state=st.sampled_from(("", *"RSDZXIt?P")), **_FIELDS))
def test_numbers_of_any_kind_mean_the_same_in_both_formats(numbers: ProcessNumbers) -> None:
    """Also those that no agent sends together."""
    snapshot = a_snapshot(a_sighting(numbers=numbers))

    found = read(ColumnsDecoder(Limits()), ColumnsEncoder(1).encode(snapshot).whole)

    assert facts_of(found) == datadog_facts(snapshot)


@settings(max_examples=40)
@given(all_sightings())
def test_a_process_of_any_kind_is_the_same_in_both_formats(sighting: Sighting) -> None:
    snapshot = a_snapshot(sighting)

    found = read(ColumnsDecoder(Limits()), ColumnsEncoder(1).encode(snapshot).whole)

    assert facts_of(found) == datadog_facts(snapshot)


def frames_of(*snapshots: Snapshot, run: int = 1) -> list[ColumnFrames]:
    encoder = ColumnsEncoder(run)
    return [encoder.encode(snapshot) for snapshot in snapshots]


def a_fleet_of(*pids: int) -> tuple[Sighting, ...]:
    return tuple(a_sighting(pid, numbers=ProcessNumbers(rss_bytes=pid * 4096)) for pid in pids)


def changes_of(frames: ColumnFrames) -> bytes:
    assert frames.changes is not None
    return frames.changes


def test_processes_that_are_what_they_were_are_the_very_same_listing() -> None:
    one, two, three = a_fleet_of(1, 2, 3)
    moved = replace(two, numbers=ProcessNumbers(rss_bytes=1))
    first, then = frames_of(a_snapshot(one, two, three), a_snapshot(one, moved, three))
    server = ColumnsDecoder(Limits())

    before = read(server, first.whole)
    after = read(server, changes_of(then))

    assert after.listing is before.listing
    assert [a == b for a, b in zip(before.rows(), after.rows(), strict=True)] == [True, False, True]


def test_a_server_says_that_it_lacks_the_frame_before() -> None:
    fleet = a_fleet_of(1, 2)
    first, second, third = frames_of(*[a_snapshot(*fleet)] * 3)
    server = ColumnsDecoder(Limits())

    with pytest.raises(FrameBeforeUnknown):
        read(server, changes_of(second))
    read(server, first.whole)
    with pytest.raises(FrameBeforeUnknown):
        read(server, changes_of(third))
    assert len(read(server, third.whole).listing.processes) == 2


def test_two_orgs_two_runs_and_two_hosts_never_meet() -> None:
    first, second = frames_of(a_snapshot(*a_fleet_of(1, 2)), a_snapshot(*a_fleet_of(1, 2, 3)))
    other_run = frames_of(a_snapshot(), a_snapshot(*a_fleet_of(9)), run=2)[1]
    other_host = frames_of(a_snapshot(), a_snapshot(host="web-2"))[1]
    server = ColumnsDecoder(Limits())
    read(server, first.whole, org_id=7)

    for data, org_id in ((second.changes, 8), (other_run.changes, 7), (other_host.changes, 7)):
        with pytest.raises(FrameBeforeUnknown):
            read(server, data or b"", org_id=org_id)

    assert len(read(server, changes_of(second), org_id=7).listing.processes) == 3


def test_of_a_machine_and_its_copy_neither_gets_numbers_of_the_other() -> None:
    """The copy has the run and the numbers of the frames, but other processes."""
    start = a_snapshot(*a_fleet_of(1, 2))
    original = frames_of(
        start, a_snapshot(*(replace(one, numbers=ProcessNumbers(threads=5)) for one in start.sightings))
    )
    copy = frames_of(
        start, a_snapshot(*(replace(one, numbers=ProcessNumbers(threads=7)) for one in start.sightings)), start
    )
    server = ColumnsDecoder(Limits())
    read(server, original[0].whole)
    read(server, changes_of(original[1]))

    with pytest.raises(FrameBeforeUnknown):
        read(server, changes_of(copy[1]))
    with pytest.raises(FrameBeforeUnknown):
        read(server, changes_of(copy[2]))


def test_the_last_one_counts_where_a_process_comes_twice() -> None:
    one, two = a_fleet_of(1, 2)
    newer = replace(one, numbers=ProcessNumbers(threads=3))
    server = ColumnsDecoder(Limits())

    for first, then in (
        (a_snapshot(one, two), a_snapshot(one, two, newer)),
        (a_snapshot(two), a_snapshot(two, one, newer)),
    ):
        frames = frames_of(first, then)
        read(server, frames[0].whole)
        assert facts_of(read(server, changes_of(frames[1]))) == datadog_facts(a_snapshot(newer, two))


def test_a_host_without_processes_is_a_snapshot_too() -> None:
    frames = frames_of(a_snapshot(*a_fleet_of(1, 2)), a_snapshot(), a_snapshot(*a_fleet_of(3)))
    server = ColumnsDecoder(Limits())

    sizes = [len(read(server, one.changes or one.whole).listing.processes) for one in frames]

    assert sizes == [2, 0, 1]


def test_secrets_are_hidden_again_where_the_server_is_set_to() -> None:
    snapshot = a_snapshot(a_sighting(cmdline="app --password hunter2", argument_words=(1, 2, 3)))
    server = ColumnsDecoder(
        Limits(), scrub=lambda arguments: [word.replace("hunter2", "********") for word in arguments]
    )

    (sighting,) = read(server, ColumnsEncoder(1).encode(snapshot).whole).listing.processes

    assert sighting.description.cmdline == "app --password ********"


def test_a_quiet_host_costs_a_few_bytes() -> None:
    fleet = a_fleet_of(*range(1, 301))
    frames = frames_of(a_snapshot(*fleet), a_snapshot(*fleet))[1]
    some = set(random.Random(1).sample(range(300), 48))
    moved = [
        replace(one, numbers=ProcessNumbers(rss_bytes=4096 * place)) if place in some else one
        for place, one in enumerate(fleet)
    ]

    busy = frames_of(a_snapshot(*fleet), a_snapshot(*moved))[1]

    assert len(changes_of(frames)) < 100
    assert len(changes_of(busy)) < 300 * 3
    assert len(changes_of(busy)) < len(busy.whole) / 3
