"""Posts of agents on the short way, and refusals on the usual one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from procession.errors import Forbidden, RequestError
from procession.server.http.errors import AnswerBugs, ErrorAnswers
from procession.server.http.responses import STANDARD_HEADERS, AnswerHeaders
from procession.server.runtime.direct_posts import DirectPosts, direct
from procession.server.runtime.metrics import MeasureRequests, Metrics
from tests.support.asgi import Asker

PATH = "/take"


class Server:
    """With all that answers of other routes get."""

    def __init__(self) -> None:
        self.metrics = Metrics()
        self.calls = 0
        self.error: Exception | None = None
        route = Route(PATH, direct(self._take), methods=["POST"])
        self.app = Starlette(
            routes=[route],
            middleware=[
                Middleware(DirectPosts, routes=[route], metrics=self.metrics),
                Middleware(MeasureRequests, metrics=self.metrics),
                Middleware(AnswerHeaders),
                Middleware(AnswerBugs),
            ],
            exception_handlers={RequestError: ErrorAnswers().answer},
        )

    async def _take(self, request: Request) -> Response:
        self.calls += 1
        body = await request.body()
        if self.error is not None:
            raise self.error
        return Response(b"took " + body, 202, {"x-own": "1"}, media_type="text/plain")

    def counted(self, status: int) -> bool:
        """Whether one request with this status was counted, and no other."""
        lines = [line for line in self.metrics.render().splitlines() if line.startswith("procession_http_requests")]
        return lines == [f'procession_http_requests_total{{method="POST",route="{PATH}",status="{status}"}} 1']


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def ask(server: Server) -> Iterator[Asker]:
    asker = Asker(server.app)
    yield asker
    asker.close()


def test_what_is_taken_is_answered_with_the_headers_of_all_and_counted(server: Server, ask: Asker) -> None:
    answer = ask(PATH, method="POST", body=b"it")

    assert (answer.status, answer.body) == (202, b"took it")
    assert answer.headers.items() >= {**STANDARD_HEADERS, "x-own": "1", "content-length": "7"}.items()
    assert server.counted(202)


@pytest.mark.parametrize(("error", "status"), [(Forbidden("no"), 403), (ValueError("a bug"), 500)])
def test_what_is_refused_is_asked_once_and_answered_and_counted_as_usual(
    server: Server, ask: Asker, error: Exception, status: int
) -> None:
    server.error = error

    answer = ask(PATH, method="POST", body=b"it")

    assert answer.status == status
    assert answer.headers.items() >= STANDARD_HEADERS.items()
    assert server.calls == 1
    assert server.counted(status)


@pytest.mark.parametrize(("path", "method", "status"), [(PATH, "GET", 405), ("/other", "POST", 404)])
def test_all_else_takes_the_usual_way(server: Server, ask: Asker, path: str, method: str, status: int) -> None:
    assert ask(path, method=method).status == status
    assert server.calls == 0
