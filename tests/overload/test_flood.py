"""One org posts five times what the server can take."""

from __future__ import annotations

from pathlib import Path

import httpx

from tests.overload.attackers import Attacker
from tests.overload.flood import FIRST_USER, host_of
from tests.overload.others import others_of
from tests.overload.servers import MIB, OrgKeys, Server, a_server
from tests.overload.trial import STORM_SECONDS, Trial
from tests.support.torture import is_full, record

CONNECTIONS = 2000 if is_full() else 1000
ROOM_MIB = 64
"""Of the intake, so that a short flood fills it."""
MOST_MIB = 768


def flood(server: Server, org: OrgKeys, *, rate: float, connections: int, seconds: float) -> Attacker:
    return Attacker("flood", *server.address, org.api_key, rate, connections, seconds)


def lost(server: Server, org: OrgKeys, acknowledged: list[int]) -> set[str]:
    """Hosts whose payload was acknowledged, and that are not there."""
    found: set[str] = set()
    parameters = {"tags": f"user:{FIRST_USER}", "page[limit]": "10000", "page[cursor]": ""}
    with httpx.Client(base_url=server.url, headers=org.reader, timeout=60) as client:
        while True:
            page = client.get("/api/v2/processes", params=parameters).raise_for_status().json()
            found |= {item["attributes"]["host"] for item in page["data"]}
            parameters["page[cursor]"] = page["meta"]["page"]["after"]
            if not page["data"]:
                return set(map(host_of, acknowledged)) - found


def test_who_posts_five_times_what_can_be_taken_waits_for_itself(tmp_path: Path) -> None:
    with a_server(tmp_path, "--max-intake-bytes", str(ROOM_MIB * MIB)) as server:
        greedy, modest = server.new_org("greedy"), server.new_org("modest")
        with flood(server, greedy, rate=1000, connections=50, seconds=3) as alone:
            capacity = len(alone.result()["acknowledged"]) / 3
        before_mib = server.memory_mib("VmHWM")

        with others_of(server, modest) as others:
            trial = Trial(others)
            rate, seconds = 5 * max(capacity, 20), STORM_SECONDS + 1
            with flood(server, greedy, rate=rate, connections=CONNECTIONS, seconds=seconds) as five_times:
                trial.storm()
                result = five_times.result()
            trial.calm()
        grown_mib = server.memory_mib("VmHWM") - before_mib
        missing = lost(server, greedy, result["acknowledged"])

    answers = result["answers"]
    record(
        f"an org posts {rate:.0f} payloads/s where {capacity:.0f}/s can be taken; {trial}; memory +{grown_mib} MiB",
        times=result["offered"],
        lost=len(missing),
        answered=", ".join(f"{count} × {status}" for status, count in sorted(answers.items())),
    )
    trial.assert_others_hardly_noticed()
    # It waits for itself, and others do not wait for it.
    assert trial.during.of("post").quantile(0.9) < result["median_seconds"] / 2
    assert missing == set()
    assert answers["200"] > 0
    assert answers["429"] > 0
    assert answers.keys() <= {"200", "429", "503", "no connection"}
    assert all("its share" in reason or "behind" in reason for reason in result["reasons"])
    assert grown_mib < MOST_MIB
