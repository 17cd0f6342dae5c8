"""`kill -9` of a server while it erases an org: the next one goes on, and nothing of the org is left."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.faults.machines.hosts import API_KEY, Host
from tests.faults.machines.servers import Server
from tests.faults.machines.stored import ask
from tests.support.agents.posters import Poster
from tests.support.proxy import Proxy
from tests.support.running import eventually
from tests.support.torture import is_full, record

ORGS = "/api/procession/v1/admin/orgs"
KEYS = "/api/procession/v1/admin/keys"
STEPS = tuple(range(14)) if is_full() else (0, 1, 6)
"""After so many of the tables have begun to be written anew the server is killed."""
CHUNK = 20


@dataclass(frozen=True)
class Admin:
    server: Server

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        secret = (self.server.data_dir / "keys" / "admin-key").read_text().strip()
        headers = {"authorization": f"Bearer {secret}"}
        answer = httpx.request(method, self.server.url + path, json=body, headers=headers, timeout=60)
        return answer.raise_for_status().json()

    def new_org(self, name: str) -> tuple[int, str]:
        """Its number, and a key to post with."""
        org_id = self.ask("POST", ORGS, {"name": name})["org"]["id"]
        return org_id, self.ask("POST", KEYS, {"org_id": org_id, "kind": "api", "name": name})["secret"]

    def is_erased(self, org_id: int) -> bool:
        return any(org["id"] == org_id and org["is_erased"] for org in self.ask("GET", ORGS)["removed"])


def post(server: Server, poster: Poster) -> int:
    with closing(http.client.HTTPConnection(*server.address, timeout=30)) as connection:
        return poster.post(connection)


def rewritten(data_dir: Path) -> int:
    """Tables that were told to let go of rows, and how often."""
    return len(list(data_dir.glob("clickhouse/store/*/*/mutation_*.txt")))


def test_an_org_that_is_removed_leaves_nothing_however_often_the_server_is_killed(
    server: Server,
) -> None:
    server.start()
    admin = Admin(server)
    ours = Poster(API_KEY, "stays-1", chunk=CHUNK)
    assert [post(server, ours) for _ in range(5)] == [200] * 5
    window = {"from_": ours.begun_at - 100, "to_": ours.begun_at + 100}
    before = server.processes(**window)
    assert len(before) == 5 * CHUNK
    removed: dict[int, Poster] = {}

    for step in STEPS:
        org_id, secret = admin.new_org(f"goes at {step}")
        poster = removed[org_id] = Poster(secret, f"goes-{step}", chunk=CHUNK)
        eventually(lambda: post(server, poster) == 200, what="a key that is known")  # noqa: B023
        rows = admin.ask("GET", f"{ORGS}/{org_id}")["rows"]  # which puts into the tables what was posted
        assert {"snapshots", "descriptions", "keys", "orgs"} <= rows.keys()
        assert post(server, poster) == 200  # and this is in the log alone
        begun = rewritten(server.data_dir)

        admin.ask("DELETE", f"{ORGS}/{org_id}")
        assert post(server, poster) == 403
        eventually(lambda: rewritten(server.data_dir) >= begun + step, what="the tables written anew")  # noqa: B023
        server.kill()
        server.start()
        assert post(server, poster) == 403
        eventually(lambda: admin.is_erased(org_id), seconds=60, what="the end of the org")  # noqa: B023

    assert server.processes(**window) == before
    server.stop()
    names = {host.encode() for host in (poster.host for poster in removed.values())}
    files = [*server.data_dir.glob("wal/*"), *(path for path in server.data_dir.iterdir() if path.is_file())]
    assert [path.name for path in files if any(name in path.read_bytes() for name in names)] == []
    tables = ask(server.data_dir, "SELECT table FROM system.columns WHERE database = 'default' AND name = 'org'")
    counts = " UNION ALL ".join(
        f"SELECT '{table}', count() FROM {table} WHERE org IN ({', '.join(map(str, removed))})"  # noqa: S608
        for (table,) in tables
        if table != "removed_orgs"
    )
    assert {table: count for table, count in ask(server.data_dir, counts) if count} == {}
    assert ask(server.data_dir, "SELECT org FROM removed_orgs FINAL WHERE is_erased ORDER BY org") == [
        [org_id] for org_id in sorted(removed)
    ]
    assert not any("Traceback" in line for line in server.output)
    record(
        "kill -9 while an org is erased", times=len(STEPS), lost=0,
        answered="403 to its agents; the next start goes on, and nothing of the org is left",
    )  # fmt: skip


def test_an_agent_of_an_org_that_was_removed_keeps_what_it_sees_and_no_other_org_gets_it(
    ending: ExitStack, server: Server, a_host: Callable[..., Host]
) -> None:
    server.start()
    proxy = Proxy(server.address)
    ending.callback(proxy.close)
    admin = Admin(server)
    org_id, secret = admin.new_org("goes")
    host = a_host("web-1", proxy.url, interval_seconds=0.5, api_key=secret)
    host.start()
    eventually(lambda: "snapshots" in admin.ask("GET", f"{ORGS}/{org_id}")["rows"], what="the first snapshot")

    admin.ask("DELETE", f"{ORGS}/{org_id}")
    eventually(lambda: admin.is_erased(org_id), seconds=60, what="the end of the org")
    host.agent.line_with("refuses the API key; keeping")
    eventually(lambda: host.waiting() >= 3, what="a spool that fills")
    host.agent.stop()

    assert host.waiting() >= 3
    assert server.processes() == []
    server.stop()
    assert ask(server.data_dir, "SELECT count() FROM snapshots") == [[0]]
