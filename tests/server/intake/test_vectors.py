"""Every recorded payload that is taken shows, through the API, what its description says that it holds."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.support.agents.posting import post
from tests.support.agents.vectors import FRAMED, Vector, vector
from tests.support.builders import NOON
from tests.support.served import READER, Client, Served

DETAILS = "/api/procession/v1/processes"
PROCESSES, REAL_TIME = 12, 27
COMMANDS = {"nginx: worker process": "nginx", "/sbin/init": "init"}
"""Of the recorded command lines, those whose short name is not simply that of the first word."""

NUMBERS = {
    "cpu_total_percent": ("cpu", "totalPct"),
    "cpu_user_percent": ("cpu", "userPct"),
    "cpu_system_percent": ("cpu", "systemPct"),
    "rss_bytes": ("memory", "rss"),
    "vms_bytes": ("memory", "vms"),
    "threads": ("cpu", "numThreads"),
}


def shown(client: Client) -> dict[int, dict[str, Any]]:
    """By pid, from both lists of processes."""
    plain, detailed = (
        {item["attributes"]["pid"]: item["attributes"] for item in client.get(path, headers=READER).json()["data"]}
        for path in ("/api/v2/processes", DETAILS)
    )
    assert plain.keys() == detailed.keys()
    assert all(plain[pid].items() <= detailed[pid].items() for pid in plain)
    return detailed


def moment(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def expected_tags(message: dict[str, Any], process: dict[str, Any]) -> list[str]:
    containers = {container["id"]: container.get("tags", []) for container in message.get("containers", [])}
    tags = [*process.get("tags", []), *process.get("processContext", [])]
    tags += containers.get(process.get("containerId"), [])
    tags += {"fargateECS": ["fargate:ecs"], "fargateEKS": ["fargate:eks"]}.get(message.get("containerHostType", ""), [])
    return sorted({tag.lower() for tag in tags})


@pytest.mark.parametrize(
    "recorded", [one for one in FRAMED if one.facts["type"] == PROCESSES and one.decoded is not None], ids=str
)
def test_processes_are_shown_as_they_were_recorded(client: Client, recorded: Vector) -> None:
    message = recorded.decoded
    assert message is not None

    assert post(client, recorded.data).status_code == 200

    found = shown(client)
    processes = {process["pid"]: process for process in message.get("processes", [])}
    assert found.keys() == processes.keys()
    for pid, process in processes.items():
        row, command, user = found[pid], process.get("command", {}), process.get("user")
        name = "" if user is None else user.get("name") or f"uid:{user.get('uid', 0)}"
        assert (row["host"], row["ppid"]) == (message["hostName"], command.get("ppid", 0))
        assert (row["cmdline"], row["exe"], row["cwd"]) == (
            " ".join(command.get("args", [])),
            command.get("exe", ""),
            command.get("cwd", ""),
        )
        assert (row["user"], row["container_id"]) == (name, process.get("containerId", ""))
        assert (row["start"], row["timestamp"]) == (moment(int(process.get("createTime", 0)) // 1000), moment(NOON))
        assert row["tags"][:-4] == expected_tags(message, process)
        assert row["tags"][-4:-2] == [f"host:{message['hostName']}", f"user:{name}"]
        assert row["tags"][-1] == f"state_zombie:{str(process.get('state') == 'Z').lower()}"
        short = COMMANDS.get(row["cmdline"])
        assert short is None or row["tags"][-2] == f"command:{short}"
        for number, (part, field) in NUMBERS.items():
            if part in process:
                sent = float(process[part].get(field, 0))
                assert row["numbers"][number] == (sent if sent or number != "threads" else None)
        assert row["numbers"]["state"] == process.get("state", "")
        assert (row["ended"], row["exit_code"]) == (None, None)


@pytest.mark.parametrize(
    ("name", "host", "pids"),
    [
        ("proc_100_enc2_zstd05", "db-1", range(1000, 1100)),
        ("proc_100_enc4_zstd1x", "db-1", range(1000, 1100)),
        ("proc_900_enc2_zstd05_multiblock", "db-2", range(5000, 5900)),
    ],
)
def test_large_payloads_are_shown_whole(client: Client, name: str, host: str, pids: range) -> None:
    post(client, vector(name))

    found = shown(client)

    assert sorted(found) == list(pids)
    assert {row["host"] for row in found.values()} == {host}
    assert all(row["cmdline"] for row in found.values())


def test_recorded_real_time_numbers_update_those_of_their_process(client: Client) -> None:
    (recorded,) = (one for one in FRAMED if one.facts["type"] == REAL_TIME)
    assert recorded.decoded is not None
    (stat,) = recorded.decoded["stats"]
    post(client, vector("proc_v3_enc4_zstd1x"), x_dd_agent_timestamp=str(NOON - 2))

    assert post(client, recorded.data).status_code == 200

    found = shown(client)
    numbers = found[stat["pid"]]["numbers"]
    for number, (part, field) in NUMBERS.items():
        assert numbers[number] == float(stat[part][field])
    assert numbers["state"] == stat["processState"]
    assert found[stat["pid"]]["timestamp"] == moment(NOON - 2)
    assert found[1]["numbers"]["rss_bytes"] == 9000960


def test_a_recorded_exit_is_shown_as_a_process_that_has_ended(client: Client, served: Served) -> None:
    served.clock.now = NOON + 5

    assert post(client, vector("procevent_unframed"), "/api/v2/proclcycle").status_code == 202

    row = shown(client)[99]
    assert (row["cmdline"], row["start"]) == ("true", moment(1_700_000_000))
    assert (row["ended"], row["exit_code"]) == (moment(1_700_000_001), 1)
