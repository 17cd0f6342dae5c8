"""`kill -9` of server and agent, at any moment and under load: what one side has promised to the other it keeps."""

from __future__ import annotations

import http.client
import random
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

from procession.storage.history.tables import migrations
from tests.faults.machines.hosts import API_KEY, PIDS, Host, difference
from tests.faults.machines.servers import Server
from tests.faults.machines.stored import chunks_of, presence_of
from tests.support.agents.posters import Poster
from tests.support.proxy import Proxy
from tests.support.running import eventually
from tests.support.torture import is_full, record

ROUNDS = 50 if is_full() else 6
TABLES = len(migrations.TABLES) + 1
"""With the view."""
CHUNK = 40
"""Processes of a payload of those who make the load."""


def test_server_and_agent_are_killed_again_and_again_and_nothing_is_lost_or_invented(
    tmp_path: Path, ending: ExitStack, server: Server, a_host: Callable[..., Host]
) -> None:
    chance = random.Random(50)
    server.start()
    # Agents keep their address, whatever port the next server has.
    proxy = Proxy(server.address)
    ending.callback(proxy.close)
    host = a_host("web-1", proxy.url, interval_seconds=0.5)
    posters = [Poster(API_KEY, f"load-{number}", chunk=CHUNK) for number in range(2)]
    kills = Counter[str]()
    lock = tmp_path / "data" / "lock"
    is_loaded = False

    def acknowledged() -> int:
        return sum(len(poster.acknowledged) for poster in posters)

    def kill_server() -> None:
        """And have another one in its place."""
        nonlocal is_loaded
        server.kill()
        for poster in posters:
            poster.end()
        is_loaded = False
        kills["server"] += 1
        if chance.random() < 0.25:
            # While it opens its store.
            server.begin()
            eventually(lambda: lock.read_text() == str(server.running.pid), what="a start")
            server.kill()
            kills["server"] += 1
        server.start()
        proxy.target = server.address

    host.start()
    for _ in range(ROUNDS):
        victims = chance.choice(("server", "agent", "both"))
        if not is_loaded:
            for poster in posters:
                poster.begin(server.url)
            is_loaded = True
        # Of the load, so from none to some groups; and of the agent, whose snapshot may be at any stage then.
        enough, told = acknowledged() + chance.randrange(1, 30), len(host.witness.posted) + chance.randrange(3)
        eventually(lambda enough=enough: acknowledged() >= enough, what="posting")  # type: ignore[misc]
        eventually(lambda told=told: len(host.witness.posted) >= told, what="a snapshot")  # type: ignore[misc]
        if victims != "server":
            host.kill()
            kills["agent"] += 1
        if victims != "agent":
            kill_server()
        if victims != "server":
            host.start()
    if is_loaded:
        kill_server()
    # The next one does not have to wait for as long as this one may, after so many failures.
    host.kill()
    kills["agent"] += 1
    host.start()
    host.wait_until_delivered()
    host.stop()
    listed = server.times_listed()
    server.stop()

    stored, (there_by_the_hour, differing) = chunks_of(tmp_path / "data"), presence_of(tmp_path / "data")
    of_agent = difference(host, stored)
    there = Counter((name, pid // CHUNK) for name, pid in listed if name != host.name)
    promised = {(poster.host, chunk) for poster in posters for chunk in poster.acknowledged}
    sent = {(poster.host, chunk) for poster in posters for chunk in poster.sent}
    lost = len(of_agent.lost) + len(promised - there.keys())
    assert len(host.taken()) >= ROUNDS
    assert len(promised) >= ROUNDS
    assert lost == 0, (of_agent, promised - there.keys())
    assert (of_agent.torn, of_agent.moved, of_agent.twice) == (frozenset(),) * 3
    assert of_agent.invented == frozenset()
    assert there.keys() - sent == set(), "invented"
    assert set(there.values()) == {CHUNK}
    assert set(listed.values()) == {1}
    assert {pid for name, pid in listed if name == host.name} == set(PIDS)
    assert differing == []
    assert there_by_the_hour >= len(listed)
    assert not any("Traceback" in line for line in server.output + host.output)
    record(
        f"kill -9 under load: server {kills['server']} times, agent {kills['agent']} times",
        times=ROUNDS,
        lost=lost,
        answered="the next start: all acknowledged there once, agent goes on with its spool",
    )


def test_a_first_start_may_be_killed_at_any_table(tmp_path: Path, ending: ExitStack) -> None:
    """What the next one finds is neither nothing nor everything."""
    made = []
    for point in range(1, TABLES + 1, 1 if is_full() else 12):
        server = Server(tmp_path / f"data-{point}")
        ending.callback(server.close)
        tables = server.data_dir / "clickhouse"
        server.begin()
        eventually(lambda: len(list(tables.rglob("*.sql"))) >= point, what="tables")  # noqa: B023
        server.kill()
        made.append(len(list(tables.rglob("*.sql"))))
        server.start()
        poster = Poster(API_KEY, "web-1", chunk=CHUNK)
        with closing(http.client.HTTPConnection(*server.address, timeout=30)) as connection:
            assert poster.post(connection) == 200
        assert len(server.times_listed()) == CHUNK
        server.stop()
        assert not any("Traceback" in line for line in server.output)

    assert len(set(made)) > len(made) // 2
    record("kill -9 of the first start, amid its tables", times=len(made), lost=0, answered="the next start: as ever")
