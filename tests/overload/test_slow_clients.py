"""200 clients that send a byte now and then, or ask and do not read."""

from __future__ import annotations

from pathlib import Path

from procession.server.http.pace import PERIOD_SECONDS
from tests.overload.others import others_of
from tests.overload.posting import body_of, of_processes, post
from tests.overload.servers import a_server
from tests.overload.slow import slow_clients
from tests.overload.trial import STORM_SECONDS, Trial
from tests.support.running import eventually
from tests.support.torture import record

CLIENTS = 200
ANSWER_BYTES = 20 * 2**20
"""Of what each fourth of them asks for."""
PROCESSES, IN_ONE = 200, 50
MOST_MIB = 256 + 768
"""What may be left unread, and some for answers that are being made. All that is asked for is 1,000 MiB beside that."""


def test_slow_clients_cost_others_nothing_and_are_sent_away(tmp_path: Path) -> None:
    with a_server(tmp_path) as server:
        slow, modest = server.new_org("slow"), server.new_org("modest")
        for begin in range(0, PROCESSES, IN_ONE):
            large = of_processes("large", range(begin + 1, begin + IN_ONE + 1), ANSWER_BYTES // PROCESSES)
            assert post(server, slow, body_of(large)) == (200, "")

        with others_of(server, modest) as others:
            trial = Trial(others)
            before_mib = server.memory_mib("VmHWM")
            with slow_clients(server, slow, CLIENTS) as clients:
                # So long that each of them is seen through at least once.
                trial.storm(max(STORM_SECONDS, PERIOD_SECONDS + 2))
                kinds = {"silent", "head", "body", "reading"}
                eventually(lambda: clients.sent_away.keys() >= kinds, what=f"all kinds, not {clients.sent_away}")
            trial.calm()
        grown_mib = server.memory_mib("VmHWM") - before_mib

    record(
        f"{CLIENTS} slow clients, a fourth of them silent, slow to ask, slow to send, slow to read; {trial};"
        f" memory +{grown_mib} MiB",
        times=CLIENTS,
        lost=0,
        answered=", ".join(f"{count} × {kind} cut off" for kind, count in sorted(clients.sent_away.items())),
    )
    trial.assert_others_hardly_noticed()
    assert all(count >= CLIENTS // 4 for count in clients.sent_away.values()), clients.sent_away
    assert grown_mib < MOST_MIB
