"""A disk that is full: agents are told to try again, queries go on, and with room again so does all else, by itself."""

from __future__ import annotations

import http.client
import itertools
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from procession.cli.access import Access
from procession.cli.commands.ps import find_processes
from procession.config import ClientSettings
from procession.process import MAX_UINT32
from tests.support.agents.intake import FakeIntake, Reply
from tests.support.agents.posters import Poster
from tests.support.agents.proc_tree import ProcTree
from tests.support.running import clean_environment, eventually, running
from tests.support.small_disk import fill, small_disk
from tests.support.torture import is_full, quoted, record

API_KEY = "a" * 32
CHUNK = 100
ROUNDS = 5 if is_full() else 1


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", megabytes=64) as place:
        yield place


def test_a_full_disk_refuses_agents_alone_and_heals_by_itself(disk: Path) -> None:
    options = ("--listen", "127.0.0.1:0", "--data-dir", str(disk / "data"), "--rate-limit", "0")
    environment = clean_environment(DD_API_KEY=API_KEY)
    with running("serve", *options, environment=environment) as server:
        url = next(word for word in server.line_with("http://").split() if word.startswith("http://"))
        access = Access.of(ClientSettings(data_dir=str(disk / "data"), url=url))
        poster = Poster(API_KEY, "web-1", chunk=CHUNK)
        with closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)) as connection:

            def found() -> list[int]:
                return sorted(item["attributes"]["pid"] for item in find_processes(access, {}, MAX_UINT32))

            def acknowledged() -> list[int]:
                return sorted(pid for n in poster.acknowledged for pid in range(n * CHUNK, (n + 1) * CHUNK))

            for _ in range(5):
                assert poster.post(connection) == 200
            for _ in range(ROUNDS):
                filler = fill(disk)

                statuses = {poster.post(connection) for _ in range(10)}
                assert statuses <= {200, 503}
                eventually(lambda: poster.post(connection) == 503, what="a refusal")
                for _ in range(3):
                    # What was refused may be there or not; what was acknowledged is.
                    assert set(acknowledged()) <= set(found())
                    assert poster.post(connection) == 503
                    assert "The write-ahead log cannot be written: no space left on device" in poster.answer
                assert httpx.get(f"{url}/healthz").status_code == 200
                assert server.process.poll() is None

                os.truncate(filler, 0)
                eventually(lambda: poster.post(connection) == 200, what="recovery")
                assert poster.post(connection) == 200
                assert set(acknowledged()) <= set(found())
                assert len(found()) == len(set(found()))
                assert set(found()) <= {pid for n in poster.sent for pid in range(n * CHUNK, (n + 1) * CHUNK)}
            lost = len(set(acknowledged()) - set(found()))
        server.stop()
        assert "Traceback" not in "\n".join(server.output)
    record(
        "full disk under the server, and room again",
        times=ROUNDS,
        lost=lost,
        answered="agents: 503 “The write-ahead log cannot be written: no space left on device”; queries 200;"
        " 200 again by itself",
    )


def test_an_agent_whose_disk_is_full_goes_on_in_memory_and_with_room_again_on_disk(tmp_path: Path, disk: Path) -> None:
    tree = ProcTree(tmp_path / "proc")
    tree.put(7)
    intake = FakeIntake()
    intake.usual = Reply(503)
    options = ("--url", intake.url, "--api-key", API_KEY, "--proc-root", str(tree.root), "--hostname", "web-1")
    spool = ("--spool", "--spool-dir", str(disk / "spool"), "--interval-seconds", "0.2", "--max-cpu", "0")

    def kept() -> int:
        return len(list(disk.rglob("*.snapshot")))

    try:
        with running("agent", *options, *spool, environment=clean_environment()) as agent:
            eventually(lambda: kept() >= 3, what="a spool")
            filler = fill(disk)
            said = agent.line_with("cannot write to the spool")
            on_disk = kept()
            os.truncate(filler, 0)
            eventually(lambda: kept() >= on_disk + 2, what="a spool again")
            intake.usual = Reply()
            intake.replies.clear()
            eventually(lambda: kept() <= 1, what="delivery", seconds=90)
            agent.stop()
    finally:
        intake.close()

    assert "No space left on device; keeping snapshots in memory" in said
    # Each is posted until it is taken; of what the full disk did not take none is missing.
    ids = {post.snapshot.request_id for post in intake.posted}
    assert len(ids) > on_disk + 2
    gaps = _longest_gap(sorted(post.snapshot.taken_at for post in intake.posted))
    assert gaps <= 3
    record("full disk under the agent, and room again", times=1, lost=0, answered=quoted(said))


def _longest_gap(moments: list[int]) -> int:
    return max(after - before for before, after in itertools.pairwise(moments))
