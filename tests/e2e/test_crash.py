"""What was acknowledged is there, whole, however often and whenever the server is killed."""

from __future__ import annotations

import random
import time
from collections import Counter
from pathlib import Path

from procession.agent.send.payload_maker import MAX_PROCESSES
from procession.cli.access import Access
from procession.cli.commands.ps import find_processes
from procession.config import ClientSettings
from procession.process import MAX_UINT32
from tests.support.agents.posters import Poster
from tests.support.running import Running, clean_environment, eventually, running
from tests.support.torture import is_full, record

ROUNDS = 50 if is_full() else 20
HOSTS = 4
CHUNK = 40
"""Processes of a payload."""
API_KEY = "a" * 32


def serve(data_dir: Path) -> tuple[Running, str]:
    options = ("--listen", "127.0.0.1:0", "--data-dir", str(data_dir), "--rate-limit", "0")
    server = Running("serve", *options, environment=clean_environment(DD_API_KEY=API_KEY))
    try:
        return server, next(word for word in server.line_with("http://").split() if word.startswith("http://"))
    except BaseException:
        server.kill()
        raise


def test_nothing_acknowledged_is_lost_or_torn_by_kills_under_load(tmp_path: Path) -> None:
    assert CHUNK < MAX_PROCESSES
    chance = random.Random(20)
    posters = [Poster(API_KEY, f"host-{n}", chunk=CHUNK) for n in range(HOSTS)]
    opened_in: list[float] = []
    for _ in range(ROUNDS):
        begun = time.monotonic()
        server, url = serve(tmp_path)
        opened_in.append(time.monotonic() - begun)
        try:
            already = sum(len(poster.acknowledged) for poster in posters)
            # From none to a few groups, and then in the midst of something: they post as fast as they can.
            enough = already + chance.randrange(1, 30)
            for poster in posters:
                poster.begin(url)
            eventually(
                lambda enough=enough: sum(len(one.acknowledged) for one in posters) >= enough,  # type: ignore[misc]
                what="posting",
            )
        finally:
            server.kill()
        for poster in posters:
            poster.end()

    with running("serve", "--listen", "127.0.0.1:0", "--data-dir", str(tmp_path)) as server:
        server.line_with("http://")
        access = Access.of(ClientSettings(data_dir=str(tmp_path)))
        found = [item["attributes"] for item in find_processes(access, {}, MAX_UINT32)]

    there = Counter((item["host"], item["pid"] // CHUNK) for item in found)
    acknowledged = {(poster.host, chunk) for poster in posters for chunk in poster.acknowledged}
    sent = {(poster.host, chunk) for poster in posters for chunk in poster.sent}
    assert len(acknowledged) >= ROUNDS
    assert acknowledged - there.keys() == set(), "lost"
    assert there.keys() - sent == set(), "invented"
    # Each process once, and each payload whole or not at all, acknowledged or not.
    assert set(there.values()) == {CHUNK}
    assert all(item["cmdline"] == f"worker --number {item['pid']}" for item in found)
    assert all("env:prod" in item["tags"] for item in found)
    # What was left behind does not have to be gone through first.
    assert max(opened_in) < 3 * opened_in[0] + 5, opened_in
    record(
        "kill -9 of the server under the load of four agents",
        times=ROUNDS,
        lost=len(acknowledged - there.keys()),
        answered=f"the next start, within {max(opened_in):.0f} s: all {len(acknowledged)} acknowledged payloads, whole",
    )
