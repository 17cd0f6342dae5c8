"""What the log says of payloads that were refused."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator

from starlette.requests import Request

from procession.errors import RequestError
from procession.log_throttle import LogThrottle

_log = logging.getLogger(__name__)

MAX_HOST_LENGTH = 255


class RefusalLog:
    """One line for each host and minute: an agent that is refused posts on, every ten seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._throttle = LogThrottle(clock)

    @contextlib.contextmanager
    def refusals_of(self, request: Request) -> Iterator[None]:
        """Logs the RequestError that is raised within the block."""
        try:
            yield
        except RequestError as error:
            host = request.headers.get("x-dd-hostname") or (request.client.host if request.client else "?")
            self.add(host[:MAX_HOST_LENGTH], error)
            raise

    def add(self, host: str, error: RequestError) -> None:
        if self._throttle.admits(host):
            _log.warning(
                "refused a payload of %(host)r with %(status)d: %(reason)s; no more of this host for a minute",
                {"event": "payload-refused", "host": host, "status": error.status, "reason": str(error)},
            )
