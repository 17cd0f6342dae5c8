"""A server that may be ended and started again in the same place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from procession.cli.access import Access
from procession.cli.commands.ps import find_processes
from procession.config import ClientSettings
from procession.process import MAX_UINT32
from tests.faults.machines.hosts import API_KEY
from tests.support.running import Running, clean_environment


class Server:
    def __init__(
        self,
        data_dir: Path,
        *options: str,
        environment: Mapping[str, str] = {},
        listen: str = "127.0.0.1:0",
        before: Sequence[str] = (),
    ) -> None:
        """`before`: see Running."""
        self.data_dir = data_dir
        self.url = ""
        self.output: list[str] = []
        """What servers said that have ended."""
        self._options = ("--listen", listen, "--data-dir", str(data_dir), "--rate-limit", "0", *options)
        self._environment = environment
        self._before = before
        self._running: Running | None = None

    @property
    def running(self) -> Running:
        assert self._running is not None
        return self._running

    @property
    def is_running(self) -> bool:
        return self._running is not None

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or 0

    def begin(self) -> None:
        environment = clean_environment(DD_API_KEY=API_KEY, **self._environment)
        self._running = Running("serve", *self._options, environment=environment, before=self._before)

    def wait_until_up(self) -> None:
        line = self.running.line_with("http://")
        self.url = next(word for word in line.split() if word.startswith("http://"))

    def start(self) -> None:
        self.begin()
        self.wait_until_up()

    def kill(self) -> None:
        self.running.kill()
        self._ended()

    def stop(self) -> None:
        self.running.stop()
        self._ended()

    def close(self) -> None:
        if self._running is not None:
            self._running.kill()

    def _ended(self) -> None:
        self.output += self.running.output
        self._running = None

    @property
    def access(self) -> Access:
        return Access.of(ClientSettings(data_dir=str(self.data_dir), url=self.url))

    def processes(self, **parameters: int) -> list[dict[str, Any]]:
        """Attributes of all, through as many pages as it takes."""
        texts = {name.rstrip("_"): str(value) for name, value in parameters.items()}
        return [item["attributes"] for item in find_processes(self.access, texts, MAX_UINT32)]

    def times_listed(self, **parameters: int) -> Counter[tuple[str, int]]:
        """(Host, pid) -> how often it is there, which is to be once."""
        return Counter((item["host"], item["pid"]) for item in self.processes(**parameters))
