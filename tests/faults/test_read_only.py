"""A disk that takes nothing any more, from one moment on or from the start."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from tests.faults.machines.disks import Disk
from tests.faults.machines.hosts import API_KEY, NO_DIFFERENCE, PIDS, Host, difference
from tests.faults.machines.servers import Server
from tests.faults.machines.stored import chunks_of
from tests.support.running import PROCESSION, clean_environment, eventually
from tests.support.torture import quoted, record


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    try:
        made = Disk(tmp_path)
    except OSError as error:
        pytest.skip(f"cannot make a disk here: {error}")
    yield made
    made.close()


def complaint(*arguments: str) -> str:
    """The only line of a command that does not start."""
    result = subprocess.run(
        [*PROCESSION, *arguments], env=clean_environment(), capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 1, result
    (line,) = result.stderr.splitlines()
    return line


def contents(folder: Path) -> dict[str, str]:
    """Every file with a hash of what is in it."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_a_server_whose_disk_becomes_read_only_takes_nothing_and_answers_on(
    ending: ExitStack, a_host: Callable[..., Host], disk: Disk
) -> None:
    data_dir = disk.place / "data"
    server = Server(data_dir)
    ending.callback(server.close)
    server.start()
    host = a_host("web-1", server.url)
    host.start()
    host.wait_for_snapshots(3)
    host.wait_until_delivered()

    disk.fail()
    said = host.agent.line_with("next try in")
    host.wait_for_snapshots(2)
    listed_meanwhile = server.times_listed()
    assert httpx.get(f"{server.url}/healthz").status_code == 200
    assert httpx.get(f"{server.url}/readyz").status_code == 200
    assert server.running.process.poll() is None
    server.stop()
    disk.mend()
    refusals = _refusals_of_a_read_only(disk, data_dir)
    again = Server(data_dir, listen=f"127.0.0.1:{server.address[1]}")
    ending.callback(again.close)
    again.start()
    host.wait_until_delivered()
    host.stop()
    listed = again.times_listed()
    again.stop()

    found = difference(host, chunks_of(again.data_dir))
    assert " answers 503: " in said
    assert "The write-ahead log cannot be written: " in said
    assert listed_meanwhile == listed == {("web-1", pid): 1 for pid in PIDS}
    assert found == NO_DIFFERENCE
    assert not any("Traceback" in line for line in host.output + server.output + again.output)
    record("read-only disk under the server", times=1, lost=len(found.lost), answered=f"agent: {quoted(said)}")
    record("read-only disk at the start", times=len(refusals), lost=len(found.lost), answered=quoted(refusals[0]))


def _refusals_of_a_read_only(disk: Disk, data_dir: Path) -> list[str]:
    """What starts say there, which are to change nothing."""
    disk.unmount()
    disk.mount("ro")
    before = contents(disk.place)
    spool = ("--spool", "--spool-dir", str(disk.place / "spool"))
    refusals = [
        complaint("serve", "--listen", "127.0.0.1:0", "--data-dir", str(data_dir)),
        complaint("up", "--listen", "127.0.0.1:0", "--data-dir", str(data_dir)),
        complaint("agent", "--url", "http://127.0.0.1:1", "--api-key", API_KEY, *spool),
    ]
    for line in refusals:
        assert str(disk.place) in line
        assert "read-only file system" in line.lower()
    assert "--spool-dir" in refusals[2]
    assert contents(disk.place) == before
    disk.unmount()
    disk.mount()
    return refusals


def test_an_agent_whose_disk_becomes_read_only_goes_on_without_it(
    server: Server, a_host: Callable[..., Host], disk: Disk
) -> None:
    server.start()
    host = a_host("web-1", server.url)
    host.spool_dir = disk.place / "spool"
    host.start()
    host.wait_for_snapshots(3)
    host.wait_until_delivered()

    disk.fail()
    said = host.agent.line_with("cannot write to the spool")
    host.wait_for_snapshots(3)
    eventually(lambda: _newest(server) >= host.witness.posted[-2].snapshot.taken_at, what="delivery without a spool")
    # There may be one that was delivered and could not be removed: the next agent sends it again.
    host.agent.stop()
    disk.mend()
    host.stop()
    host.start()
    host.wait_for_snapshots(2)
    host.wait_until_delivered()
    host.stop()
    server.stop()

    found = difference(host, chunks_of(server.data_dir))
    assert "keeping snapshots in memory" in said
    assert found == NO_DIFFERENCE
    assert not any("Traceback" in line for line in host.output + server.output)
    record("read-only disk under the agent", times=1, lost=len(found.lost), answered=quoted(said))


def _newest(server: Server) -> int:
    moments = [item["timestamp"] for item in server.processes()]
    return max(int(datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp()) for moment in moments)
