"""Makes a small store with the code of any checkout, asks it, and keeps both: `docs/upgrading.md` says when.

    python -m tests.upgrade.keeping NAME [--checkout FOLDER]

A server of that checkout takes what agents post and what people set, and is stopped once, so that there is a history
and a checkpoint. It is started again, takes more, answers, and is killed: the rest is in its log alone.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from procession.accounts.scopes import Scope
from procession.agent.send.payload_maker import PayloadMaker
from procession.process import ProcessNumbers
from tests.support.builders import a_sighting, a_snapshot
from tests.support.running import PROCESSION, clean_environment, running

KEPT = Path(__file__).parent / "kept"
API_KEY = "a" * 32
YEARS = str(30 * 365 * 24)
SERVING = (
    "--listen", "127.0.0.1:0", "--rate-limit", "0", "--own-rate-limit", "0",
    "--retention-hours", YEARS, "--sighting-retention-hours", YEARS,
)  # fmt: skip
"""However old a store is, nothing in it is too old."""

HOSTS = ("web-1", "web-2", "db-1")
STEP = 600
_STEPS = 18

_MONITOR = {
    "type": "process alert",
    "name": "nginx runs",
    "query": "processes('nginx').over('env:prod').rollup('count').last('5m') < 1",
    "message": "@webhook-oncall nginx is gone",
    "tags": ["team:web"],
    "options": {"thresholds": {"critical": 1}},
}
_SET = (
    ("POST", "/api/procession/v1/admin/orgs", {"name": "second"}),
    ("POST", "/api/procession/v1/admin/hosts/tags", {"org_id": 1, "host": "web-1", "add": ["team:web"]}),
    ("PUT", "/api/procession/v1/views/nginx", {"state": "search=nginx"}),
    ("POST", "/api/v1/monitor", _MONITOR),
    (
        "POST",
        "/api/v1/integration/webhooks/configuration/webhooks",
        {"name": "oncall", "url": "https://example.com/hook"},
    ),
)
"""What people say. A version that does not know a route answers 404 to it."""


@dataclass(frozen=True)
class Kept:
    """A store of some version, and what it had answered: path -> JSON."""

    data_dir: Path
    answers: dict[str, Any]
    reader: dict[str, str]
    """The keys of who asked."""


def unpacked(archive: Path, folder: Path) -> Kept:
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="tar")
    found = json.loads((folder / "answers.json").read_bytes())
    return Kept(folder / "data", found["answers"], found["reader"])


def environment_of(checkout: Path | None) -> dict[str, str]:
    path = {} if checkout is None else {"PYTHONPATH": str(checkout / "src")}
    return clean_environment(DD_API_KEY=API_KEY) | path


def questions(begin: int, end: int) -> Iterator[str]:
    """Every kind of question, about moments that do not change."""
    window = f"from={begin}&to={end}"
    lists = ("", "search=nginx", "tags=env:prod", "search=user:root OR worker&tags=host:web-1", "tags=team:web")
    yield from (f"/api/v2/processes?{window}&page[limit]=1000&{filters}" for filters in lists)
    own = "/api/procession/v1"
    yield from (f"{own}/processes?{window}&page[limit]=1000&{filters}" for filters in lists)
    for at in (begin + 3 * STEP, (begin + end) // 2, end):
        yield f"{own}/processes?at={at}&sort=-rss_bytes&page[limit]=1000"
        yield f"{own}/groups?at={at}&by=user&measures=rss_bytes,cpu_total_percent"
        yield f"{own}/facets?at={at}&keys=host,user,env"
        yield f"{own}/hosts?at={at}&measures=rss_bytes"
        yield f"{own}/tree?host=web-1&at={at}"
    yield f"{own}/compare?at={begin + 3 * STEP}&other_at={end}"
    yield f"{own}/timeseries?{window}&by=user&measures=rss_bytes&points=20"
    yield from (f"{own}/views", f"{own}/channels", "/api/v1/monitor", "/api/v2/downtime")
    yield "/api/v1/integration/webhooks/configuration/webhooks/oncall"


def process_questions(page: Any, begin: int, end: int) -> Iterator[str]:
    window = f"from={begin}&to={end}"
    for process in page["data"][::25]:
        path = f"/api/procession/v1/processes/{process['id']}"
        yield from (f"{path}?{window}", f"{path}/history?{window}", f"{path}/history?{window}&every=minute")


def url_in(line: str) -> str:
    return next(word for word in line.split() if word.startswith("http://"))


def keep(name: str, checkout: Path | None) -> Path:
    end = int(time.time()) // STEP * STEP - STEP
    begin = end - _STEPS * STEP
    with tempfile.TemporaryDirectory() as place:
        data_dir = Path(place) / "data"
        environment = environment_of(checkout)
        options = ("serve", "--data-dir", str(data_dir), *SERVING)
        maker = Maker(begin)
        with running(*options, environment=environment) as server:
            with httpx.Client(base_url=url_in(server.line_with("http://")), timeout=60) as client:
                maker.set_all(client, data_dir)
                maker.post(client, range(_STEPS - 2))
            server.stop()
        _roll_up(data_dir, environment)
        with running(*options, environment=environment) as server:
            with httpx.Client(base_url=url_in(server.line_with("http://")), timeout=60) as client:
                maker.post(client, range(_STEPS - 2, _STEPS + 1))
                found = maker.answers(client, begin, end)
            server.kill()
        (Path(place) / "answers.json").write_text(json.dumps({"answers": found, "reader": maker.reader}))
        return _packed(Path(place), name)


class Maker:
    def __init__(self, begin: int) -> None:
        self._begin = begin
        self.reader: dict[str, str] = {}
        self._makers = {host: PayloadMaker(host=host, run=1, started_at=begin) for host in HOSTS}

    def set_all(self, client: httpx.Client, data_dir: Path) -> None:
        secret = (data_dir / "keys" / "admin-key").read_text().strip()
        admin = {"authorization": f"Bearer {secret}"}
        key: dict[str, Any] = {
            "org_id": 1,
            "kind": "application",
            "name": "all",
            "scopes": [str(scope) for scope in Scope],
        }
        made = client.post("/api/procession/v1/admin/keys", json=key, headers=admin)
        if made.status_code == 400:  # a version without scopes
            del key["scopes"]
            made = client.post("/api/procession/v1/admin/keys", json=key, headers=admin)
        self.reader = {"dd-api-key": API_KEY, "dd-application-key": made.json()["secret"]}
        for method, path, body in _SET:
            keys = admin if "/admin/" in path else self.reader
            answer = client.request(method, path, json=body, headers=keys)
            assert answer.status_code in (200, 201, 404), answer.text

    def post(self, client: httpx.Client, steps: range) -> None:
        for step in steps:
            for host in HOSTS:
                at = self._begin + step * STEP
                snapshot = a_snapshot(*self._living(host, step), host=host, taken_at=at)
                for payload in self._makers[host].make(snapshot):
                    headers = {**payload.headers, "DD-Api-Key": API_KEY}
                    answer = client.post("/api/v1/collector", content=payload.body, headers=headers)
                    assert answer.status_code == 200, answer.text

    def _living(self, host: str, step: int) -> Iterator[Any]:
        """40 processes, of which one ends and one begins each time."""
        for pid in range(100 + step, 140 + step):
            began = self._begin - 10 if pid < 140 else self._begin + (pid - 139) * STEP - 5
            yield a_sighting(
                pid,
                began,
                ProcessNumbers(rss_bytes=pid * 4096 + step, cpu_total_percent=float(pid % 7), threads=1 + pid % 5),
                cmdline=f"/usr/bin/nginx --number {pid}" if pid % 5 else f"worker of {host}",
                ppid=100 + step if pid > 100 + step else 1,
                user="root" if pid % 3 else "www-data",
                tags=("env:prod",) if pid % 2 else ("env:test",),
            )

    def answers(self, client: httpx.Client, begin: int, end: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for path in questions(begin, end):
            answer = client.get(path, headers=self.reader)
            if answer.status_code == 200:
                found[path] = answer.json()
        page = found[next(path for path in found if path.startswith("/api/procession/v1/processes?from"))]
        for path in process_questions(page, begin, end):
            answer = client.get(path, headers=self.reader)
            assert answer.status_code == 200, answer.text
            found[path] = answer.json()
        return found


def _roll_up(data_dir: Path, environment: dict[str, str]) -> None:
    """As a server does it every few minutes."""
    code = (
        "import sys; from pathlib import Path; from procession.storage.embedded_store import open_embedded\n"
        f"years = dict.fromkeys(('retention_hours', 'sighting_retention_hours'), {YEARS})\n"
        "store = open_embedded(Path(sys.argv[1]), **years)\n"
        "store.rollup.roll_up((1, 2)); store.close()"
    )
    subprocess.run([*PROCESSION[:2], "-c", code, str(data_dir)], env=environment, check=True)


def _packed(place: Path, name: str) -> Path:
    path = KEPT / f"{name}.tar.xz"
    with tarfile.open(path, "w:xz", preset=9) as archive:
        for entry in ("answers.json", "data"):
            archive.add(place / entry, entry, filter=_anonymous)
    return path


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    if entry.name == "data/address":  # nobody listens there
        return None
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


def main() -> None:
    parser = argparse.ArgumentParser(description="Keep a small store of a version.")
    parser.add_argument("name", help="what to call it: 0.1.0")
    parser.add_argument("--checkout", type=Path, help="whose code makes it; else this one")
    given = parser.parse_args()
    path = keep(given.name, given.checkout)
    sys.stderr.write(f"{path} has {path.stat().st_size / 2**20:.2f} MB\n")


if __name__ == "__main__":
    main()
