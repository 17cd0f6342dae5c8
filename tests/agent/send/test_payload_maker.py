from __future__ import annotations

import json
from collections.abc import Iterable

from procession.agent.send.payload import Payload
from procession.agent.send.payload_maker import HOST_TAGS_SECONDS, PayloadMaker
from procession.lifecycle.events import ProcessEvents, ProcessExit
from procession.process import Snapshot
from procession.wire.datadog import (
    ContainerInfo,
    Encoding,
    MessageType,
    RequestId,
    SnapshotDecoder,
    decode_events,
    frame,
)
from tests.support.builders import NOON, a_description, a_sighting, a_snapshot
from tests.support.stores.unpacked import unpack


def a_maker(max_processes: int = 1000) -> PayloadMaker:
    return PayloadMaker(host="web-1", run=1234, started_at=NOON - 5, max_processes=max_processes)


def decoded(body: bytes) -> Snapshot:
    return unpack(SnapshotDecoder().decode(frame.decode(body), taken_at=NOON))


def test_a_payload_has_the_frame_and_headers_of_a_datadog_agent() -> None:
    (payload,) = a_maker().make(a_snapshot(a_sighting()))
    framed = frame.decode(payload.body)

    assert (framed.version, framed.encoding, framed.type) == (3, Encoding.ZSTD, MessageType.PROCESSES)
    assert payload.headers["Content-Type"] == "application/x-protobuf"
    assert payload.headers["X-Dd-Hostname"] == "web-1"
    assert payload.headers["X-DD-Agent-Timestamp"] == str(NOON)
    assert payload.headers["X-DD-Agent-Start-Time"] == str(NOON - 5)
    assert payload.headers["X-Dd-ContainerCount"] == "0"
    assert payload.headers["X-DD-Request-ID"] == str(RequestId.of("web-1", 1234, NOON, 0).pack())
    assert payload.headers["X-Dd-Processagentversion"].count(".") == 2


def test_a_snapshot_goes_in_chunks_that_belong_together() -> None:
    snapshot = a_snapshot(*(a_sighting(pid) for pid in range(1, 251)))

    payloads = a_maker(100).make(snapshot)
    chunks = [decoded(payload.body) for payload in payloads]
    ids = [RequestId.unpack(int(payload.headers["X-DD-Request-ID"])) for payload in payloads]

    assert [len(chunk.sightings) for chunk in chunks] == [100, 100, 50]
    assert [sighting.pid for chunk in chunks for sighting in chunk.sightings] == list(range(1, 251))
    assert {chunk.chunk_count for chunk in chunks} == {3}
    assert len({chunk.split_id for chunk in chunks}) == 1
    assert [request_id.index for request_id in ids] == [0, 1, 2]


def test_each_snapshot_is_a_group_of_its_own() -> None:
    maker = a_maker()
    first, second = (decoded(maker.make(a_snapshot(a_sighting()))[0].body) for _ in range(2))

    assert second.split_id - first.split_id in (1, 1 - 2**32)


def test_two_snapshots_of_one_second_have_ids_of_their_own() -> None:
    maker = a_maker()
    snapshot = a_snapshot(a_sighting())

    ids = [maker.make(snapshot)[0].headers["X-DD-Request-ID"] for _ in range(3)]
    later = maker.make(a_snapshot(a_sighting(), taken_at=NOON + 1))

    assert len(set(ids)) == 3
    assert RequestId.unpack(int(later[0].headers["X-DD-Request-ID"])).index == 0


def test_a_clock_that_is_set_back_brings_no_id_again() -> None:
    maker = a_maker()
    # As often as there are snapshots, and every ten seconds, so that all of the second time meet one of the first.
    moments = (*range(NOON, NOON + 3600, 10), *range(NOON, NOON + 3600, 10), NOON)
    ids = [payload_ids(maker.make(a_snapshot(a_sighting(), taken_at=moment)))[0] for moment in moments]

    assert len(set(ids)) == len(moments)


def test_what_is_live_is_numbered_on_and_marked() -> None:
    maker = a_maker()
    full = maker.make(a_snapshot(a_sighting(1), a_sighting(2)))
    partial, live = maker.make_live(NOON, [a_sighting(3)], [a_sighting(1), a_sighting(3)])

    assert [payload.headers.get("X-Procession-Partial") for payload in (partial, live)] == ["true", None]
    assert [payload.headers.get("X-Procession-Live") for payload in (partial, live)] == [None, "all"]
    assert [payload.is_tried_once for payload in (partial, live)] == [False, True]
    assert frame.message_type(live.body) is MessageType.REAL_TIME
    assert len({*payload_ids(full), *payload_ids([partial]), *payload_ids([live])}) == len(full) + 2


def test_a_snapshot_that_comes_later_than_set_says_so() -> None:
    every = [payload.headers.get("X-Procession-Interval") for payload in a_maker().make(a_snapshot(a_sighting()))]
    later = a_maker().make(a_snapshot(a_sighting()), every_seconds=31)

    assert set(every) == {None}
    assert later[-1].headers["X-Procession-Interval"] == "31"


def test_each_payload_says_how_many_cpus_the_host_has_where_that_is_known() -> None:
    maker = PayloadMaker(host="web-1", run=1, started_at=NOON, cpus=48)

    payloads = maker.make(a_snapshot(a_sighting())) + maker.make_columns(a_snapshot(a_sighting()))

    assert {payload.headers["X-Procession-CPUs"] for payload in payloads} == {"48"}
    assert all("X-Procession-CPUs" not in payload.headers for payload in a_maker().make(a_snapshot(a_sighting())))


def payload_ids(payloads: Iterable[Payload]) -> list[str]:
    return [item.headers["X-DD-Request-ID"] for item in payloads if "X-DD-Request-ID" in item.headers]


def test_no_processes_make_no_payload() -> None:
    assert a_maker().make(a_snapshot()) == []


def test_that_there_is_no_process_is_said_in_one_payload_where_it_is_to_be_said() -> None:
    maker = a_maker()
    (payload,) = maker.make(a_snapshot(taken_at=NOON), says_none=True)
    sent = unpack(SnapshotDecoder().decode(frame.decode(payload.body), taken_at=NOON))

    assert (sent.host, sent.sightings, sent.chunk_count, payload.is_answered) == ("web-1", (), 1, True)
    assert len(maker.make(a_snapshot(a_sighting(), taken_at=NOON), says_none=True)) == 1


def test_events_follow_their_snapshot_bare_and_in_parts() -> None:
    exits = [ProcessExit(pid=pid, at=NOON, exit_code=1, description=a_description()) for pid in range(1, 251)]
    payloads = a_maker(100).make(a_snapshot(a_sighting()), ProcessEvents("web-1", tuple(exits)))

    assert [payload.path for payload in payloads] == ["/api/v1/collector", *["/api/v2/proclcycle"] * 3]
    decoded_events = [decode_events(payload.body) for payload in payloads[1:]]
    assert [len(part.events) for part in decoded_events] == [100, 100, 50]
    assert all(part.host == "web-1" for part in decoded_events)
    assert [payload.is_answered for payload in payloads] == [True, False, False, False]


def test_the_tags_of_the_host_go_in_front_now_and_then() -> None:
    maker = PayloadMaker(host="web-1", run=1, started_at=NOON, tags=("env:prod", "team:größe"))
    (payload,) = maker.make_host_tags(NOON)

    assert (payload.path, payload.is_answered) == ("/intake/", False)
    assert payload.headers["Content-Type"] == "application/json"
    document = json.loads(payload.body)
    assert document["internalHostname"] == "web-1"
    assert document["host-tags"] == {"system": ["env:prod", "team:größe"]}
    assert maker.make_host_tags(NOON + HOST_TAGS_SECONDS - 1) == []
    assert len(maker.make_host_tags(NOON + HOST_TAGS_SECONDS)) == 1


def test_a_host_without_tags_says_so_since_it_may_have_had_some() -> None:
    assert json.loads(a_maker().make_host_tags(NOON)[0].body)["host-tags"] == {"system": []}


def test_a_payload_says_what_is_known_of_the_containers_that_it_has_processes_of() -> None:
    def look_up(container_id: str) -> ContainerInfo:
        return ContainerInfo(container_id=container_id, tags=(f"container_name:of-{container_id}",))

    maker = PayloadMaker(host="h", run=1, started_at=NOON, max_processes=2, containers=look_up)
    ids = ("a", "b", "a", "")
    snapshot = a_snapshot(*(a_sighting(pid, container_id=one) for pid, one in enumerate(ids, 1)))

    payloads = maker.make(snapshot)

    assert [payload.headers["X-Dd-ContainerCount"] for payload in payloads] == ["2", "1"]
    sightings = [sighting for payload in payloads for sighting in decoded(payload.body).sightings]
    assert [sighting.description.tags for sighting in sightings] == [
        ("container_name:of-a",),
        ("container_name:of-b",),
        ("container_name:of-a",),
        (),
    ]
