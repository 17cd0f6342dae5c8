"""Somebody who looks on: the first page of the API of the page and of the public API, every two seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from bench.served import API, Server

EVERY_SECONDS = 2.0
PUBLIC, OWN = "/api/v2/processes", f"{API}/processes"
_LIMITS = {PUBLIC: 1000, OWN: 100}
_RESTING_RUNS = 5


class OpenPage:
    """What its calls took. Nobody else may ask this server meanwhile."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._asked: dict[str, list[tuple[float, float]]] = {path: [] for path in _LIMITS}
        """Path -> when and for how many ms."""
        self._error: Exception | None = None
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._ask_on, daemon=True)
        self._thread.start()

    def figures(self, path: str, *, since: float = 0.0) -> dict[str, float]:
        """p50 and p99 in ms."""
        walls = [wall for at, wall in self._asked[path] if at >= since]
        if not walls:
            raise RuntimeError(f"{path} was never answered")
        return {"p50": float(np.percentile(walls, 50)), "p99": float(np.percentile(walls, 99)), "runs": len(walls)}

    def calls(self, *, since: float = 0.0) -> int:
        return sum(at >= since for asked in self._asked.values() for at, _ in asked)

    def _ask_on(self) -> None:
        try:
            while not self._ends.is_set():
                begun = time.time()
                for path in _LIMITS:
                    at = time.time()
                    _ask(self._server, path)
                    self._asked[path].append((at, (time.time() - at) * 1000))
                self._ends.wait(max(0.0, begun + EVERY_SECONDS - time.time()))
        except Exception as error:  # told in `close`
            self._error = error

    def close(self) -> None:
        """Raises what went wrong."""
        self._ends.set()
        self._thread.join()
        if self._error is not None:
            raise self._error


@contextmanager
def open_page(server: Server) -> Iterator[OpenPage]:
    """One that is open as long as the block."""
    page = OpenPage(server)
    try:
        yield page
    finally:
        page.close()


def resting_cpu_ms(server: Server) -> float:
    """What a call costs the server while nothing else happens, on average of both."""
    begin = server.cpu_seconds()
    for _ in range(_RESTING_RUNS):
        for path in _LIMITS:
            _ask(server, path)
    return (server.cpu_seconds() - begin) * 1000 / (_RESTING_RUNS * len(_LIMITS))


def _ask(server: Server, path: str) -> None:
    parameters: dict[str, str | int] = {"page[limit]": _LIMITS[path]}
    if path == OWN:
        parameters["at"] = int(time.time())
    server.get(path, parameters)
