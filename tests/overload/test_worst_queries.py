"""One org asks for what takes longest, in a loop."""

from __future__ import annotations

from pathlib import Path

from tests.overload.attackers import Attacker
from tests.overload.others import others_of
from tests.overload.posting import body_of, of_processes, post
from tests.overload.servers import a_server
from tests.overload.trial import STORM_SECONDS, Trial
from tests.support.torture import is_full, record

HOSTS = 60 if is_full() else 20
PROCESSES = 1000
"""Of each."""
CONNECTIONS = 32
MOST_MIB = 2048
"""Four answers of 10,000 processes may be made at once."""


def test_the_worst_queries_of_one_org_hardly_slow_down_those_of_others(tmp_path: Path) -> None:
    with a_server(tmp_path) as server:
        greedy, modest = server.new_org("greedy"), server.new_org("modest")
        for host in range(HOSTS):
            body = body_of(of_processes(f"large-{host}", range(1, PROCESSES + 1), 200))
            assert post(server, greedy, body) == (200, "")

        with others_of(server, modest) as others:
            trial = Trial(others)
            before_mib = server.memory_mib("VmHWM")
            keys = (greedy.api_key, greedy.application_key)
            with Attacker("worst", *server.address, *keys, CONNECTIONS, STORM_SECONDS + 1) as attacker:
                trial.storm()
                answers = attacker.result()
            trial.calm()
        grown_mib = server.memory_mib("VmHWM") - before_mib

    record(
        f"an org of {HOSTS * PROCESSES:,} processes asks the worst queries on {CONNECTIONS} connections; {trial};"
        f" memory +{grown_mib} MiB",
        times=sum(answers.values()),
        lost=0,
        answered=", ".join(f"{count} × {status}" for status, count in sorted(answers.items())),
    )
    trial.assert_others_hardly_noticed()
    assert answers["200"] > 0
    assert grown_mib < MOST_MIB
