"""A real server with several orgs, and what it costs in memory."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from procession.server.api.admin import PREFIX
from tests.support.running import clean_environment, running

MIB = 2**20


@dataclass(frozen=True)
class OrgKeys:
    """What an org posts and asks with."""

    id: int
    api_key: str
    application_key: str

    @property
    def reader(self) -> dict[str, str]:
        return {"dd-api-key": self.api_key, "dd-application-key": self.application_key}


@dataclass(frozen=True)
class Server:
    url: str
    pid: int
    data_dir: Path

    @property
    def address(self) -> tuple[str, int]:
        host, _, port = self.url.partition("//")[2].partition(":")
        return host, int(port)

    def new_org(self, name: str) -> OrgKeys:
        admin = {"authorization": f"Bearer {(self.data_dir / 'keys' / 'admin-key').read_text().strip()}"}
        with httpx.Client(base_url=self.url + PREFIX, headers=admin, timeout=30) as client:
            org_id = client.post("/orgs", json={"name": name}).raise_for_status().json()["org"]["id"]
            secrets = [
                client.post("/keys", json={"org_id": org_id, "kind": kind, "name": name}).raise_for_status().json()
                for kind in ("api", "application")
            ]
        return OrgKeys(org_id, *(one["secret"] for one in secrets))

    def memory_mib(self, field: str = "VmRSS") -> int:
        """Resident now; `VmHWM` is the most it ever was."""
        (kib,) = re.findall(rf"{field}:\s+(\d+) kB", Path(f"/proc/{self.pid}/status").read_text())
        return int(kib) // 1024

    def sockets(self) -> int:
        """How many are open. Of other files the store opens more the longer it is asked."""
        found = 0
        for file in Path(f"/proc/{self.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                found += str(file.readlink()).startswith("socket:")
        return found


@contextmanager
def a_server(folder: Path, *options: str) -> Iterator[Server]:
    data_dir = folder / "data"
    at = ("--listen", "127.0.0.1:0", "--data-dir", str(data_dir), "--rate-limit", "0", "--own-rate-limit", "0")
    with running("serve", *at, *options, environment=clean_environment()) as started:
        url = next(word for word in started.line_with("http://").split() if word.startswith("http://"))
        yield Server(url, started.pid, data_dir)
