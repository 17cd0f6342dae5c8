"""A disk that is full: agents are told to try again, queries go on, and with room again so does all else, by itself."""

from __future__ import annotations

import http.client
import os
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from procession.cli.client import Access
from procession.cli.ps import find_processes
from procession.config import ClientSettings
from procession.process import MAX_UINT32
from tests.support.posters import Poster
from tests.support.running import clean_environment, eventually, running

API_KEY = "a" * 32
CHUNK = 100


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """64 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64m", "procession-test", str(place)], capture_output=True, text=True
    )
    if mount.returncode:
        pytest.skip(f"cannot mount a small disk here: {mount.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(place: Path) -> Path:
    """A file that takes all that is left."""
    filler = place / "filler"
    with filler.open("ab", buffering=0) as file:
        size = 2**20
        while size >= 512:
            try:
                file.write(bytes(size))
            except OSError:
                size //= 2
    return filler


def test_a_full_disk_refuses_agents_alone_and_heals_by_itself(small_disk: Path) -> None:
    options = ("--listen", "127.0.0.1:0", "--data-dir", str(small_disk / "data"), "--rate-limit", "0")
    environment = clean_environment(DD_API_KEY=API_KEY)
    with running("serve", *options, environment=environment) as server:
        url = next(word for word in server.line_with("http://").split() if word.startswith("http://"))
        access = Access.of(ClientSettings(data_dir=str(small_disk / "data"), url=url))
        poster = Poster(API_KEY, "web-1", chunk=CHUNK)
        with closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)) as connection:

            def found() -> list[int]:
                return sorted(item["attributes"]["pid"] for item in find_processes(access, {}, MAX_UINT32))

            def acknowledged() -> list[int]:
                return sorted(pid for n in poster.acknowledged for pid in range(n * CHUNK, (n + 1) * CHUNK))

            for _ in range(5):
                assert poster.post(connection) == 200
            filler = fill(small_disk)

            statuses = {poster.post(connection) for _ in range(10)}
            assert statuses <= {200, 503}
            eventually(lambda: poster.post(connection) == 503, what="a refusal")
            for _ in range(3):
                # What was refused may be there or not; what was acknowledged is.
                assert set(acknowledged()) <= set(found())
                assert poster.post(connection) == 503
            assert httpx.get(f"{url}/healthz").status_code == 200
            assert server.process.poll() is None

            os.truncate(filler, 0)
            eventually(lambda: poster.post(connection) == 200, what="recovery")
            assert poster.post(connection) == 200
            assert set(acknowledged()) <= set(found())
            assert len(found()) == len(set(found()))
        server.stop()
        assert "Traceback" not in "\n".join(server.output)
