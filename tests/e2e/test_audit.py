"""The audit trail of a real server: killed in the midst of it, and on a disk that is full."""

from __future__ import annotations

import random
import subprocess
import threading
from contextlib import suppress
from pathlib import Path

import httpx

from procession.audit.verification import verify
from tests.audit.trails import all_records, folder_in
from tests.faults.machines.servers import Server
from tests.support.running import PROCESSION, clean_environment, eventually
from tests.support.small_disk import fill, small_disk

ROUNDS = 5
OWN = "/api/procession/v1"


def bearer(data_dir: Path, kind: str) -> dict[str, str]:
    return {"authorization": f"Bearer {(data_dir / 'keys' / f'{kind}-key').read_text().strip()}"}


class Readers:
    """Ask and change as fast as they can, until the server is no more."""

    def __init__(self, url: str, data_dir: Path) -> None:
        self.changed: list[str] = []
        """Views of which it was said that they are saved."""
        self._url = url
        self._headers = bearer(data_dir, "application")
        self._threads = [threading.Thread(target=self._ask, args=(name,), daemon=True) for name in range(3)]
        for thread in self._threads:
            thread.start()

    def _ask(self, name: int) -> None:
        with suppress(httpx.HTTPError), httpx.Client(base_url=self._url, headers=self._headers, timeout=30) as http:
            for number in range(10_000):
                http.get("/api/v2/processes", params={"search": f"q{name}-{number}"})
                view = f"{id(self)}-{name}-{number % 5}"
                if http.put(f"{OWN}/views/{view}", json={"state": "s"}).status_code == 200:
                    self.changed.append(view)

    def join(self) -> None:
        for thread in self._threads:
            thread.join(60)


def test_every_change_that_was_answered_is_in_the_trail_however_the_server_ends(tmp_path: Path) -> None:
    folder, chance = folder_in(tmp_path), random.Random(7)
    changed: list[str] = []
    for _ in range(ROUNDS):
        server = Server(tmp_path, "--own-rate-limit", "0")
        try:
            server.start()
            readers = Readers(server.url, tmp_path)
            enough = chance.randrange(5, 60)
            eventually(lambda readers=readers, enough=enough: len(readers.changed) >= enough, what="changes")  # type: ignore[misc]
        finally:
            server.kill()
        readers.join()
        changed += readers.changed
        report = verify(folder)
        assert not report.broken, report.broken
    server.start()
    server.stop()

    done = subprocess.run(
        [*PROCESSION, "audit", "verify", "--data-dir", str(tmp_path)],
        env=clean_environment(), capture_output=True, text=True,
    )  # fmt: skip
    intents = [record["asked"]["name"] for record in all_records(folder, "intent") if "asked" in record]
    assert (done.returncode, done.stderr) == (0, "")
    assert set(changed) <= set(intents)
    assert len(all_records(folder, "started")) == ROUNDS + 1
    assert all_records(folder, "damaged") == []


def test_a_full_disk_under_the_trail_alone_refuses_changes_and_heals_by_itself(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    with small_disk(tmp_path / "disk", megabytes=1) as place:
        (data / "audit").symlink_to(place)
        server = Server(data)
        try:
            server.start()
            with httpx.Client(base_url=server.url, headers=bearer(data, "application"), timeout=30) as http:

                def status(name: str) -> int:
                    return http.put(f"{OWN}/views/{name}", json={"state": "s"}).status_code

                assert status("before") == 200
                fill(place)
                # What the last block has room for is written still.
                eventually(lambda: status("x" * 60) == 503, what="a refusal")
                refused = http.put(f"{OWN}/views/refused", json={"state": "s"})
                exported = http.get(f"{OWN}/processes", params={"page[limit]": 1000})
                asked = http.get("/api/v2/processes")
                views = http.get(f"{OWN}/views").text
                (place / "filler").write_bytes(b"")
                eventually(lambda: status("after") == 200, what="recovery")
            server.stop()
        finally:
            server.close()
        folder = folder_in(data)
        gaps = all_records(folder, "gap")
        report = verify(folder)

    assert (refused.status_code, exported.status_code, asked.status_code) == (503, 503, 200)
    assert "The audit trail cannot be written (no space left on device)" in refused.text
    assert "refused" not in views
    assert [gap["reason"] for gap in gaps] == ["no space left on device"]
    assert report.is_good
    assert not any("Traceback" in line for line in server.output)
