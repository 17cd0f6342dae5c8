"""What the log says of payloads that were refused."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator

from starlette.requests import Request

from procession.errors import RequestError

_log = logging.getLogger(__name__)

PERIOD_SECONDS = 60
MAX_HOSTS = 1000
"""So many are complained about in a period, whoever makes up more names."""


class Complaints:
    """One line for each host and minute: an agent that is refused posts on, every ten seconds."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._heard: dict[str, int] = {}

    @contextlib.contextmanager
    def about(self, request: Request) -> Iterator[None]:
        """What is raised inside."""
        try:
            yield
        except RequestError as error:
            name = request.headers.get("x-dd-hostname") or (request.client.host if request.client else "?")
            self.add(name, error)
            raise

    def add(self, host: str, error: RequestError) -> None:
        now = self._now()
        host = host[:255]
        if now - self._heard.get(host, now - PERIOD_SECONDS) < PERIOD_SECONDS:
            return
        if len(self._heard) >= MAX_HOSTS:
            self._heard = {host: at for host, at in self._heard.items() if now - at < PERIOD_SECONDS}
            if len(self._heard) >= MAX_HOSTS:
                return
        self._heard[host] = now
        _log.warning(
            "refused a payload of %(host)r with %(status)d: %(reason)s; no more of this host for a minute",
            {"event": "payload-refused", "host": host, "status": error.status, "reason": str(error)},
        )
