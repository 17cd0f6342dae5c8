from __future__ import annotations

from typing import Any

import pytest

from procession.server.intake.events import INLINE_BYTES
from procession.wire.datadog import process_pb2 as pb
from tests.support.agents.posting import a_payload, post
from tests.support.agents.vectors import vector
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.served import OTHER_API_KEY, READER, Client, Served

PATH = "/api/v2/proclcycle"
DETAILS = "/api/procession/v1/processes"
UNITS = {"s": 1, "ms": 1000, "us": 1_000_000, "ns": 1_000_000_000}


def a_body(unit: str = "ns", *, at: int = NOON, pid: int = 9, exit_code: int | None = None) -> bytes:
    scale = UNITS[unit]
    event = pb.ProcessEvent(pid=pid, collectionTime=at * scale)
    if exit_code is None:
        event.type = pb.ProcEventType.Value("exec")
        event.command.args.extend(["make", "all"])
        event.exec.forkTime = (at - 3) * scale
        event.exec.execTime = at * scale
    else:
        event.type = pb.ProcEventType.Value("exit")
        event.exit.execTime = (at - 5) * scale
        event.exit.exitTime = at * scale
        event.exit.exitCode = exit_code
    return pb.CollectorProcEvent(hostname="web-1", events=[event]).SerializeToString()


@pytest.mark.parametrize("unit", UNITS)
def test_exec_and_exit_make_a_process_with_start_and_end(client: Client, unit: str) -> None:
    assert post(client, a_body(unit, at=NOON - 30), PATH).status_code == 202
    assert post(client, a_body(unit, at=NOON - 25, exit_code=2), PATH).status_code == 202

    (item,) = client.get(DETAILS, headers=READER).json()["data"]

    shown = item["attributes"]
    assert (shown["pid"], shown["cmdline"]) == (9, "make all")
    assert (shown["start"], shown["timestamp"]) == ("2023-11-14T22:12:47", "2023-11-14T22:12:50")
    assert (shown["ended"], shown["exit_code"]) == ("2023-11-14T22:12:55", 2)


def shown(client: Client) -> dict[int, dict[str, Any]]:
    items = client.get(DETAILS, headers=READER).json()["data"]
    return {item["attributes"]["pid"]: item["attributes"] for item in items}


def test_an_exit_without_its_exec_makes_a_process_of_what_it_says(client: Client) -> None:
    event = pb.ProcessEvent(pid=9, type=pb.ProcEventType.Value("exit"))
    event.command.args.extend(["make", "--password=hunter2"])
    event.user.name = "alice"
    event.exit.execTime, event.exit.exitTime, event.exit.exitCode = (NOON - 20) * 10**9, (NOON - 12) * 10**9, 143
    body = pb.CollectorProcEvent(hostname="web-1", events=[event]).SerializeToString()

    for _ in range(2):
        assert post(client, body, PATH).status_code == 202

    found = shown(client)[9]
    assert (found["cmdline"], found["user"]) == ("make --password=********", "alice")
    assert (found["start"], found["timestamp"]) == ("2023-11-14T22:13:00", "2023-11-14T22:13:08")
    assert (found["ended"], found["exit_code"]) == ("2023-11-14T22:13:08", 143)
    assert len(client.processes().json()["data"]) == 1


def test_an_exit_of_a_known_process_makes_no_other(client: Client) -> None:
    post(client, a_payload(a_snapshot(a_sighting(9, NOON - 500))), x_dd_agent_timestamp=str(NOON - 10))
    post(client, a_body(at=NOON - 5, exit_code=3), PATH)

    assert {pid: (one["ended"], one["exit_code"]) for pid, one in shown(client).items()} == {
        9: ("2023-11-14T22:13:15", 3)
    }


def test_exec_and_exit_of_one_second_in_one_payload_are_both_kept(client: Client) -> None:
    short = pb.ProcessEvent(pid=5, type=pb.ProcEventType.Value("exec"))
    short.command.args.append("true")
    short.exec.forkTime = short.exec.execTime = (NOON - 5) * 10**9
    lost = pb.ProcessEvent(pid=6, type=pb.ProcEventType.Value("exit"))
    lost.command.args.append("false")
    lost.exit.execTime = lost.exit.exitTime = (NOON - 5) * 10**9
    lost.exit.exitCode = 1

    post(client, pb.CollectorProcEvent(hostname="web-1", events=[short, lost]).SerializeToString(), PATH)

    assert {pid: (one["cmdline"], one["exit_code"]) for pid, one in shown(client).items()} == {
        5: ("true", None),
        6: ("false", 1),
    }


def test_events_sent_again_change_nothing(client: Client, served: Served) -> None:
    for _ in range(2):
        post(client, a_body(at=NOON - 30), PATH)

    assert len(client.processes().json()["data"]) == 1
    first, second = (snapshot for snapshot in served.store._snapshots[1])
    assert first == second


def test_an_exec_ends_no_other_process(client: Client) -> None:
    post(client, a_payload(a_snapshot(a_sighting(1), taken_at=NOON - 10)))
    post(client, a_body(at=NOON - 5), PATH)

    found = {
        item["attributes"]["pid"]: item["attributes"] for item in client.get(DETAILS, headers=READER).json()["data"]
    }

    assert found[1]["ended"] is None


def test_the_recorded_events_are_taken(client: Client, served: Served) -> None:
    served.clock.now = 2_000_000_000

    assert post(client, vector("procevent_unframed"), PATH).status_code == 202


@pytest.mark.parametrize("body", [b"\xff\xff", b"", vector("proc_min_enc4")])
def test_what_is_no_events_is_refused_for_good(client: Client, body: bytes) -> None:
    assert post(client, body, PATH).status_code == 400


def test_another_org_sees_nothing_of_it(client: Client) -> None:
    post(client, a_body(at=NOON - 5), PATH, key=OTHER_API_KEY)

    assert client.processes().json()["data"] == []


def test_a_clock_ahead_is_cut_to_now_and_what_is_too_old_is_dropped(client: Client, served: Served) -> None:
    post(client, a_body(at=NOON + 5000), PATH)
    post(client, a_body(at=NOON - 5000 * 3600, pid=10), PATH)

    assert [item["attributes"]["timestamp"] for item in client.processes().json()["data"]] == ["2023-11-14T22:13:20"]
    metrics = client.get("/metrics", headers=READER).text
    assert 'procession_dropped_sightings_total{reason="too old"} 1' in metrics


def test_many_events_at_once_are_all_kept(client: Client) -> None:
    events = [
        event
        for pid in range(100, 400)
        for body in (a_body(at=NOON - 30, pid=pid), a_body(at=NOON - 20, pid=pid, exit_code=3))
        for event in pb.CollectorProcEvent.FromString(body).events
    ]
    body = pb.CollectorProcEvent(hostname="web-1", events=events).SerializeToString()
    assert len(body) > INLINE_BYTES

    assert post(client, body, PATH).status_code == 202

    items = client.get(f"{DETAILS}?page[limit]=1000", headers=READER).json()["data"]
    assert {item["attributes"]["pid"] for item in items} == set(range(100, 400))
    assert {item["attributes"]["exit_code"] for item in items} == {3}


def test_what_is_kept_is_not_said_to_be_dropped(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    post(client, a_body(at=NOON - 5), PATH)

    assert not [line for line in caplog.messages if "not kept" in line]
