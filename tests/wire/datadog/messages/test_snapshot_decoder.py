from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf.message import Message

from procession.errors import PayloadTooLarge
from procession.packed import PackedSnapshot
from procession.process import MAX_UINT32, ProcessDescription, ProcessNumbers, Sighting, Snapshot
from procession.scrubbing import Scrubber
from procession.wire.datadog import Encoding, FrameError, Limits, MessageType, SnapshotDecoder, frame
from procession.wire.datadog import process_pb2 as pb
from procession.wire.datadog.parsing import parse_frame
from tests.support.agents.vectors import FRAMED, Vector, vector
from tests.support.builders import NOON
from tests.support.stores.unpacked import unpack

MESSAGES: dict[int, type[Message]] = {
    12: pb.CollectorProc,
    22: pb.CollectorConnections,
    23: pb.ResCollector,
    27: pb.CollectorRealTime,
    39: pb.CollectorContainer,
    40: pb.CollectorContainerRealTime,
    53: pb.CollectorProcDiscovery,
}


def decode(data: bytes, **options: Any) -> Snapshot:
    return unpack(SnapshotDecoder().decode(frame.decode(data), **({"taken_at": NOON} | options)))


def decode_process(**fields: Any) -> Sighting:
    return decode_message(pb.CollectorProc(hostName="web-1", processes=[pb.Process(**fields)])).sightings[0]


def decode_message(message: pb.CollectorProc, **options: Any) -> Snapshot:
    return decode(frame.encode(MessageType.PROCESSES, message.SerializeToString()), **options)


def by_pid(snapshot: Snapshot) -> dict[int, Sighting]:
    return {sighting.pid: sighting for sighting in snapshot.sightings}


# What was recorded


@pytest.mark.parametrize("recorded", [v for v in FRAMED if v.decoded is not None], ids=str)
def test_the_schema_reads_what_was_recorded(recorded: Vector) -> None:
    message = parse_frame(MESSAGES[recorded.facts["type"]], frame.decode(recorded.data))

    assert json_format.MessageToDict(message) == recorded.decoded


@pytest.mark.parametrize(
    "recorded", [v for v in FRAMED if v.facts.get("same_as") == "proc_v3_enc0_protobuf.bin"], ids=str
)
def test_a_snapshot_is_the_same_from_every_encoding(recorded: Vector) -> None:
    assert decode(recorded.data) == decode(vector("proc_v3_enc0_protobuf"))


def test_a_recorded_process_has_all_that_is_kept_of_it() -> None:
    nginx = by_pid(decode(vector("proc_v3_enc4_zstd1x")))[4242]

    assert nginx == Sighting(
        4242,
        1_700_000_000,
        ProcessDescription(
            cmdline="nginx: worker process",
            exe="/usr/sbin/nginx",
            cwd="/",
            comm="nginx",
            command="nginx",
            user="www-data",
            uid=33,
            gid=33,
            ppid=4240,
            namespace_pid=12,
            container_id="c0ffee000000000000000000000000000000000000000000000000000000cafe",
            tags=(
                "container_name:web",
                "image_name:nginx",
                "kube_namespace:shop",
                "pod_name:web-7d9f",
                "service:shop-web",
            ),
        ),
        ProcessNumbers(
            cpu_total_percent=1.5,
            cpu_user_percent=1.0,
            cpu_system_percent=0.5,
            rss_bytes=12582912,
            vms_bytes=268435456,
            shared_bytes=4194304,
            swap_bytes=0,
            threads=4,
            open_files=23,
            voluntary_switches=1500,
            involuntary_switches=40,
            state="S",
        ),
    )


def test_a_process_without_rates_differs_from_one_that_may_not_be_read() -> None:
    init = by_pid(decode(vector("proc_v3_enc4_zstd1x")))[1].numbers

    assert init.open_files is None
    assert (init.read_operations_per_second, init.write_operations_per_second) == (0.5, 0.0)
    assert (init.read_bytes_per_second, init.write_bytes_per_second) == (4096.0, 0.0)


def test_the_fullest_process_is_read() -> None:
    process = decode(vector("proc_full_enc4")).sightings[0]

    assert process.started_at == 1_700_000_000
    assert process.description.cmdline == "python3 -m app naïve ☃"
    assert process.description.is_zombie
    assert process.description.tags == ("fargate:ecs", "gpu_uuid:gpu-0", "process_context:app", "service:app")


def test_a_process_of_windows_has_a_user_but_no_uid() -> None:
    process = decode(vector("proc_windows_enc4")).sightings[0].description

    assert process.user == "NT AUTHORITY\\SYSTEM"
    assert (process.uid, process.gid) == (None, None)
    assert process.command == "app.exe"


def test_a_snapshot_carries_moment_request_and_group() -> None:
    snapshot = decode(vector("group_2002_chunk1"), taken_at=NOON, request_id=17)

    assert (snapshot.host, snapshot.taken_at, snapshot.request_id) == ("grp-1", NOON, 17)
    assert (snapshot.split_id, snapshot.chunk_count) == (2002, 2)
    assert [sighting.pid for sighting in snapshot.sightings] == [4, 5]


@pytest.mark.parametrize("name", ["proc_min_enc2", "proc_unknown_field_enc0", "proc_container_only_enc4"])
def test_a_message_without_processes_is_an_empty_snapshot(name: str) -> None:
    assert decode(vector(name)).sightings == ()


# What is refused


def test_a_damaged_message_is_refused() -> None:
    with pytest.raises(FrameError, match="damaged"):
        decode(vector("bad_protobuf"))


def test_a_damaged_command_is_refused() -> None:
    broken = pb.ReadProcess(pid=1, command=b"\x0a\x05abc").SerializeToString()
    body = b"\x12\x01h\x1a" + bytes((len(broken),)) + broken

    with pytest.raises(FrameError, match="damaged"):
        decode(frame.encode(MessageType.PROCESSES, body))


def test_a_message_of_another_type_is_no_snapshot() -> None:
    with pytest.raises(FrameError, match="type"):
        decode(vector("rt_enc4"))


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b'{"hostName":7}', b"[" * 100_000, b'{"processes":' + b"[" * 5000])
def test_json_that_is_no_such_message_is_refused(text: bytes) -> None:
    with pytest.raises(FrameError):
        decode(bytes((3, Encoding.JSON, MessageType.PROCESSES)) + bytes(13) + text)


@pytest.mark.parametrize("host", [" ", "x" * 256])
def test_a_message_must_name_its_host(host: str) -> None:
    with pytest.raises(FrameError, match="host"):
        decode_message(pb.CollectorProc(hostName=host))


@pytest.mark.parametrize("padding", [0, 300_000])
def test_a_message_holds_only_so_many_processes_and_containers(padding: int) -> None:
    decoder = SnapshotDecoder(Limits(processes=3, containers=2))

    def take(processes: int, containers: int) -> PackedSnapshot:
        message = pb.CollectorProc(
            hostName="h",
            networkId="x" * padding,
            processes=[pb.Process(pid=pid) for pid in range(processes)],
            containers=[pb.Container(id=str(number)) for number in range(containers)],
        )
        body = message.SerializeToString()
        return decoder.decode(frame.Frame(MessageType.PROCESSES, body), taken_at=NOON)

    assert len(take(3, 2).listing.processes) == 3
    with pytest.raises(PayloadTooLarge):
        take(4, 0)
    with pytest.raises(PayloadTooLarge):
        take(0, 3)


def test_millions_of_empty_processes_are_refused_before_they_take_memory() -> None:
    body = b"\x12\x01h" + b"\x1a\x00" * 4_000_000

    with pytest.raises(PayloadTooLarge):
        SnapshotDecoder().decode(frame.Frame(MessageType.PROCESSES, body), taken_at=NOON)


def test_a_process_has_only_so_many_tags_and_bytes() -> None:
    decoder = SnapshotDecoder(Limits(tags=2, process_bytes=300_000))

    def take(process: pb.Process) -> None:
        body = pb.CollectorProc(hostName="h", processes=[process]).SerializeToString()
        decoder.decode(frame.Frame(MessageType.PROCESSES, body), taken_at=NOON)

    take(pb.Process(tags=["a"], processContext=["b"]))
    with pytest.raises(PayloadTooLarge):
        take(pb.Process(tags=["a", "b"], processContext=["c"]))
    with pytest.raises(PayloadTooLarge):
        take(pb.Process(command=pb.Command(args=["x" * 300_000])))


@pytest.mark.parametrize("limit", [1000, 10_000])
def test_a_process_has_only_so_many_bytes_in_a_small_message_too(limit: int) -> None:
    decoder = SnapshotDecoder(Limits(process_bytes=limit))

    def take(length: int) -> PackedSnapshot:
        process = pb.Process(pid=1, command=pb.Command(args=["x" * length]))
        message = pb.CollectorProc(hostName="h", processes=[process, pb.Process(pid=2)])
        return decoder.decode(frame.Frame(MessageType.PROCESSES, message.SerializeToString()), taken_at=NOON)

    assert len(take(limit - 20).listing.processes) == 2
    with pytest.raises(PayloadTooLarge, match=f"more than {limit} bytes"):
        take(limit)


def test_a_container_has_only_so_many_tags() -> None:
    message = pb.CollectorProc(hostName="h", containers=[pb.Container(id="c", tags=["a", "b", "c"])])

    with pytest.raises(PayloadTooLarge):
        SnapshotDecoder(Limits(tags=2)).decode(
            frame.Frame(MessageType.PROCESSES, message.SerializeToString()), taken_at=NOON
        )


def test_a_large_message_reads_as_a_small_one_does() -> None:
    small = decode(vector("proc_v3_enc0_protobuf"))
    message = pb.CollectorProc.FromString(bytes(frame.decode(vector("proc_v3_enc0_protobuf")).body))
    message.networkId = "x" * 300_000

    assert decode_message(message) == small


# What hostile or odd agents send


def test_texts_that_are_not_utf8_are_kept_as_far_as_they_can_be() -> None:
    process = pb.Command(args=["cat", "?"]).SerializeToString().replace(b"?", b"\xff")
    only = pb.ReadProcess(pid=1, command=process).SerializeToString()
    body = pb.ReadCollectorProc(hostName="h", processes=[only]).SerializeToString()

    sighting = decode(frame.encode(MessageType.PROCESSES, body)).sightings[0]

    assert sighting.description.cmdline == "cat \ufffd"


def test_nul_becomes_the_sign_for_what_cannot_be_shown() -> None:
    process = decode_process(command=pb.Command(args=["a\0b"], exe="\0"), tags=["k:\0"]).description

    assert (process.cmdline, process.exe, process.tags) == ("a\ufffdb", "\ufffd", ("k:\ufffd",))


def test_pid_and_start_are_brought_into_their_range() -> None:
    below = decode_process(pid=-5, createTime=-1)
    above = decode_process(pid=2**31 - 1, createTime=2**63 - 1)

    assert (below.pid, below.started_at) == (0, 0)
    assert (above.pid, above.started_at) == (2**31 - 1, MAX_UINT32)


def test_a_start_between_two_seconds_is_the_earlier_one() -> None:
    assert decode_process(createTime=1_700_000_000_999).started_at == 1_700_000_000


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), -1.0, -0.5])
def test_what_is_no_number_of_something_is_not_known(value: float) -> None:
    numbers = decode_process(
        cpu=pb.CPUStat(totalPct=value, userPct=value, systemPct=value, numThreads=-3),
        ioStat=pb.IOStat(readRate=value, writeRate=value, readBytesRate=value, writeBytesRate=value),
        memory=pb.MemoryStat(rss=2**64 - 1, vms=2**63),
        openFdCount=-7,
        voluntaryCtxSwitches=2**64 - 1,
    ).numbers

    assert numbers == ProcessNumbers(involuntary_switches=0)


def test_what_is_not_sent_is_not_known() -> None:
    assert decode_process(openFdCount=-1).numbers == ProcessNumbers()


def test_zero_is_zero_where_it_was_sent() -> None:
    numbers = decode_process(
        cpu=pb.CPUStat(lastCpu="cpu"), memory=pb.MemoryStat(dirty=1), ioStat=pb.IOStat(), openFdCount=0
    ).numbers

    assert numbers == ProcessNumbers(
        cpu_total_percent=0,
        cpu_user_percent=0,
        cpu_system_percent=0,
        rss_bytes=0,
        vms_bytes=0,
        open_files=0,
        read_bytes_per_second=0,
        write_bytes_per_second=0,
        read_operations_per_second=0,
        write_operations_per_second=0,
    )


def test_nice_is_20_less_what_is_on_the_wire() -> None:
    assert [decode_process(cpu=pb.CPUStat(nice=wire)).description.nice for wire in (0, 1, 20, 40, 41)] == [
        None,
        19,
        0,
        -20,
        None,
    ]


def test_swap_is_known_of_agents_that_look_for_it() -> None:
    def swap(**memory: int) -> int | None:
        return decode_process(memory=pb.MemoryStat(rss=7, **memory)).numbers.swap_bytes

    assert (swap(), swap(shared=1), swap(swap=2)) == (None, 0, 2)


def test_a_state_of_the_future_is_not_known() -> None:
    message = pb.ReadProcess(pid=1)
    body = message.SerializeToString() + b"\x60\x63"  # state 99

    assert (
        decode(frame.encode(MessageType.PROCESSES, b"\x12\x01h\x1a" + bytes((len(body),)) + body))
        .sightings[0]
        .numbers.state
        == ""
    )


@pytest.mark.parametrize("state", "DRSTWXZ")
def test_states_have_the_letters_of_the_kernel(state: str) -> None:
    assert decode_process(state=pb.ProcessState.Value(state)).numbers.state == state


@pytest.mark.parametrize("letter", ["I", "t", "K", "P", "x"])
def test_a_state_without_a_number_has_its_letter(letter: str) -> None:
    assert decode_process(stateLetter=letter).numbers.state == letter


@pytest.mark.parametrize("letter", ["", "?", "II", "é", "1"])
def test_what_is_no_letter_of_a_state_leaves_its_number(letter: str) -> None:
    assert decode_process(state=pb.S, stateLetter=letter).numbers.state == "S"


@pytest.mark.parametrize(
    ("user", "name", "uid"),
    [
        (pb.ProcessUser(name="root"), "root", 0),
        (pb.ProcessUser(uid=118), "uid:118", 118),
        (pb.ProcessUser(), "uid:0", 0),
        (pb.ProcessUser(uid=-2), "uid:4294967294", 4294967294),
        (None, "", None),
    ],
)
def test_a_user_without_a_name_goes_by_the_number(user: pb.ProcessUser | None, name: str, uid: int | None) -> None:
    process = decode_process(user=user).description

    assert (process.user, process.uid) == (name, uid)


def test_the_last_of_two_sightings_of_one_process_counts() -> None:
    message = pb.CollectorProc(
        hostName="h",
        processes=[pb.Process(pid=1, openFdCount=1), pb.Process(pid=2), pb.Process(pid=1, openFdCount=2)],
    )

    sightings = decode_message(message).sightings

    assert [(sighting.pid, sighting.numbers.open_files) for sighting in sightings] == [(1, 2), (2, 0)]


# Tags


def test_tags_are_those_of_host_container_and_process() -> None:
    message = pb.CollectorProc(
        hostName="web-1",
        containers=[pb.Container(id="c1", tags=["Service:Shop", "env:prod"])],
        processes=[
            pb.Process(pid=1, containerId="c1", tags=["env:prod", "Version:2"], processContext=["process_context:x"]),
            pb.Process(pid=2, containerId="unknown"),
            pb.Process(pid=3),
        ],
    )

    found = by_pid(decode_message(message, host_tags=lambda host: (f"of:{host}", "Zone:A")))

    assert found[1].description.tags == (
        "env:prod",
        "of:web-1",
        "process_context:x",
        "service:shop",
        "version:2",
        "zone:a",
    )
    assert found[2].description.tags == ("of:web-1", "zone:a")
    assert found[2].description.container_id == "unknown"
    assert found[3].description.tags == ("of:web-1", "zone:a")


def test_secrets_that_an_agent_has_left_are_hidden() -> None:
    decoder = SnapshotDecoder(scrub=Scrubber().scrub)
    process = pb.Process(command=pb.Command(args=["mysql", "--password=hunter2"]))
    message = pb.CollectorProc(hostName="h", processes=[process])

    snapshot = decoder.decode(frame.Frame(MessageType.PROCESSES, message.SerializeToString()), taken_at=NOON)

    assert snapshot.listing.processes[0].description.cmdline == "mysql --password=********"
    assert snapshot.listing.processes[0].description.command == "mysql"


@pytest.mark.parametrize(
    ("cpus", "count"),
    [
        ([], 0),
        ([pb.CPUInfo(number=number, cores=1) for number in range(4)], 4),
        ([pb.CPUInfo(), pb.CPUInfo()], 2),
        ([pb.CPUInfo(cores=8), pb.CPUInfo(cores=8)], 16),
        ([pb.CPUInfo(cores=-5)], 1),
    ],
)
def test_a_snapshot_says_how_many_cpus_its_host_has(cpus: list[pb.CPUInfo], count: int) -> None:
    message = pb.CollectorProc(hostName="h", info=pb.SystemInfo(cpus=cpus), processes=[pb.Process(pid=1)])

    found = SnapshotDecoder().decode(frame.Frame(MessageType.PROCESSES, message.SerializeToString()), taken_at=NOON)

    assert found.cpus == count


def test_a_description_follows_every_change_of_what_it_is_made_of() -> None:
    decoder = SnapshotDecoder()

    def take(
        tags: tuple[str, ...] = (), container_tag: str = "", system: str = "linux", **fields: Any
    ) -> ProcessDescription:
        given: dict[str, Any] = {"pid": 1, "command": pb.Command(args=["a"]), "user": pb.ProcessUser(uid=5)}
        process = pb.Process(**given | fields)
        message = pb.CollectorProc(
            hostName="h",
            processes=[process],
            info=pb.SystemInfo(os=pb.OSInfo(name=system)),
            containers=[pb.Container(id="c1", tags=[container_tag] if container_tag else [])],
        )
        framed = frame.Frame(MessageType.PROCESSES, message.SerializeToString())
        return decoder.decode(framed, taken_at=NOON, host_tags=lambda _: tags).listing.processes[0].description

    seen = [
        take(),
        take(command=pb.Command(args=["b"])),
        take(user=pb.ProcessUser(uid=6)),
        take(state=pb.Z),
        take(nsPid=3),
        take(tags=("k:v",)),
        take(containerId="c1"),
        take(containerId="c1", container_tag="x:y"),
        take(containerId="c2"),
        take(processContext=["process_context:a"]),
        take(system="windows"),
    ]

    assert len(set(seen)) == len(seen)
    assert take() is seen[0]
