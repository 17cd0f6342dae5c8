from __future__ import annotations

import pytest

from procession.errors import PayloadTooLarge
from procession.lifecycle.events import ProcessEvents, ProcessExec, ProcessExit
from procession.process import ExitCost, ExitFacts, ProcessDescription
from procession.scrubbing import Scrubber
from procession.wire.datadog import FrameError, Limits, decode_events, encode_events
from procession.wire.datadog import process_pb2 as pb
from procession.wire.datadog.messages.commands import CommandReader
from tests.support.agents.vectors import vector
from tests.support.builders import NOON, a_description


def events_of(*events: pb.ProcessEvent) -> bytes:
    return pb.CollectorProcEvent(hostname="web-1", events=events).SerializeToString()


def test_a_recorded_exit_is_read() -> None:
    assert decode_events(vector("procevent_unframed")) == ProcessEvents(
        "web-1",
        (
            ProcessExit(
                pid=99,
                at=NOON + 1,
                executed_at=NOON,
                exit_code=1,
                description=ProcessDescription(cmdline="true", command="true"),
            ),
        ),
    )


def test_an_exec_tells_what_the_process_became() -> None:
    event = pb.ProcessEvent(
        pid=7,
        collectionTime=(NOON + 5) * 10**9,
        command=pb.Command(args=["mysql", "--password=x"], exe="/usr/bin/mysql", ppid=1),
        user=pb.ProcessUser(name="root"),
        containerId="c1",
        exec=pb.ProcessExec(forkTime=NOON * 10**9, execTime=(NOON + 1) * 10**9 + 999_999_999),
    )

    commands = CommandReader(Scrubber().scrub)
    (found,) = decode_events(events_of(event), host_tags=lambda host: (f"of:{host}",), commands=commands).events

    assert found == ProcessExec(
        pid=7,
        at=NOON + 1,
        forked_at=NOON,
        description=ProcessDescription(
            cmdline="mysql --password=********",
            exe="/usr/bin/mysql",
            command="mysql",
            user="root",
            uid=0,
            gid=0,
            ppid=1,
            container_id="c1",
            tags=("of:web-1",),
        ),
    )


@pytest.mark.parametrize("unit", [1, 10**3, 10**6, 10**9])
def test_a_moment_shows_which_unit_it_has(unit: int) -> None:
    event = pb.ProcessEvent(pid=7, exit=pb.ProcessExit(exitTime=NOON * unit))

    assert decode_events(events_of(event)).events[0].at == NOON


def test_an_event_without_its_moment_happened_when_it_was_noticed() -> None:
    event = pb.ProcessEvent(pid=7, collectionTime=NOON * 10**9, exit=pb.ProcessExit())

    assert decode_events(events_of(event)).events[0].at == NOON


def test_events_of_kinds_to_come_are_skipped() -> None:
    assert decode_events(events_of(pb.ProcessEvent(pid=7))).events == ()


@pytest.mark.parametrize("body", [b"", b"{}", vector("proc_min_enc4"), b"\x0a\x01h\x22\x05abc"])
def test_what_are_no_events_is_refused(body: bytes) -> None:
    with pytest.raises(FrameError):
        decode_events(body)


def test_a_message_holds_only_so_many_events() -> None:
    with pytest.raises(PayloadTooLarge):
        decode_events(events_of(pb.ProcessEvent(), pb.ProcessEvent()), limits=Limits(processes=1))


def test_what_is_encoded_is_read_again() -> None:
    description = a_description(uid=0, gid=0, command="nginx")
    events = ProcessEvents(
        "web-1",
        (
            ProcessExec(pid=7, at=NOON + 1, forked_at=NOON, description=description),
            ProcessExit(pid=7, at=NOON + 2, executed_at=NOON + 1, exit_code=137, description=description),
            ProcessExit(pid=8, at=NOON + 2, exit_code=0, description=ProcessDescription()),
            *(
                ProcessExit(pid=9, at=NOON, exit_code=137, description=ProcessDescription(), facts=facts)
                for facts in (ExitFacts(oom_killed=True, oom_cgroup="/a,b\n"), ExitFacts(oom_killed=False), ExitFacts())
            ),
            *(
                ProcessExit(pid=9, at=NOON, exit_code=0, description=ProcessDescription(), facts=ExitFacts(cost=cost))
                for cost in (ExitCost(1.25, 0, 2**40, 0, 2**63 - 1), ExitCost(peak_rss_bytes=5, is_final=False))
            ),
        ),
    )

    assert decode_events(encode_events(events)) == events


def test_hostile_names_of_cgroups_are_cut_and_made_storable() -> None:
    told = pb.ProcessExit(exitCode=137, oomKilled=True, oomCgroup="?\0" + "x" * 9999)
    body = events_of(pb.ProcessEvent(pid=7, exit=told)).replace(b"?", b"\xff")
    (found,) = decode_events(body).events

    assert isinstance(found, ProcessExit)
    assert found.facts == ExitFacts(oom_killed=True, oom_cgroup="\ufffd\ufffd" + "x" * 510)


def test_hostile_numbers_are_kept_within_what_can_be_stored() -> None:
    told = pb.ProcessExit(cpuUserMicroseconds=2**64 - 1, peakRssBytes=2**64 - 1)
    (found,) = decode_events(events_of(pb.ProcessEvent(pid=7, exit=told))).events

    assert isinstance(found, ProcessExit)
    assert found.facts.cost == ExitCost((2**63 - 1) / 1e6, None, 2**63 - 1, is_final=False)


def test_a_cgroup_that_was_out_of_memory_says_nothing_of_a_process_that_was_not_killed() -> None:
    for told in (pb.ProcessExit(oomCgroup="/a"), pb.ProcessExit(oomCgroup="/a", oomKilled=False)):
        (found,) = decode_events(events_of(pb.ProcessEvent(pid=7, exit=told))).events

        assert isinstance(found, ProcessExit)
        assert not found.facts.oom_killed
        assert not found.facts.oom_cgroup
