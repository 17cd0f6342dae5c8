"""Two `procession serve` of one store, each with a folder of its own for its keys."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.running import Running, clean_environment, running

API_KEY, APPLICATION_KEY = "c" * 32, "d" * 40
LIMIT = 1_000_000
"""Of queries in a minute: nobody reaches it, so that there are the headers of one."""


class Pair:
    def __init__(self, folder: Path, address: str, *options: str) -> None:
        """Of the store at this address, whose tables there are."""
        self._stack = ExitStack()
        self._folder = folder
        self._options = options
        self._environment = clean_environment(DD_API_KEY=API_KEY, DD_APP_KEY=APPLICATION_KEY, PROCESSION_STORE=address)
        self._servers: list[Running] = []
        self.urls: list[str] = []
        try:
            for number in range(2):
                self._servers.append(self._start(number, "127.0.0.1:0"))
                self.urls.append(self._servers[number].line_with("Procession listens at").split()[-1])
        except BaseException:
            self.close()
            raise

    def data_dir(self, number: int) -> Path:
        """Where its keys are."""
        return self._folder / f"server-{number}"

    def kill(self, number: int) -> None:
        self._servers[number].kill()

    def begin_to_stop(self, number: int) -> Running:
        """Asks it to end, as whoever runs servers does; gives it to be waited for."""
        server = self._servers[number]
        server.process.terminate()
        return server

    def restart(self, number: int) -> None:
        """Under its address; it has ended."""
        self._servers[number] = self._start(number, urlsplit(self.urls[number]).netloc)
        self._servers[number].line_with("Procession listens at")

    def close(self) -> None:
        self._stack.close()

    def _start(self, number: int, listen: str) -> Running:
        options = ("--listen", listen, "--data-dir", str(self.data_dir(number)), *self._options)
        return self._stack.enter_context(running("serve", *options, environment=self._environment))
