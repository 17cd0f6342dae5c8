from __future__ import annotations

import asyncio
import logging
import ssl

import pytest
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from procession.errors import Unavailable
from procession.paging import Page
from procession.query import ProcessQuery
from procession.server.http.errors import AnswerBugs, ErrorAnswers
from procession.server.http.responses import STANDARD_HEADERS
from procession.server.web import openapi
from tests.support.served import API_KEY, APPLICATION_KEY, PATH, READER, Client, Served


@pytest.mark.parametrize(
    ("method", "url", "status"),
    [
        ("GET", PATH, 403),
        ("GET", "/healthz", 200),
        ("GET", "/openapi.json", 200),
        ("GET", "/nowhere", 404),
        ("DELETE", PATH, 405),
        ("POST", "/api/procession/v1/admin/orgs", 403),
    ],
)
def test_every_answer_carries_the_standard_headers(client: Client, method: str, url: str, status: int) -> None:
    answer = client.request(method, url)

    assert answer.status_code == status
    assert {name: answer.headers[name] for name in STANDARD_HEADERS} == STANDARD_HEADERS
    assert answer.headers["vary"] == "Accept-Encoding"
    for absent in ("set-cookie", "server", "access-control-allow-origin", "x-request-id"):
        assert absent not in answer.headers


@pytest.mark.parametrize("path", ["/nowhere", "/api/v3/hosts", "/api/procession/v1/nowhere"])
def test_an_unknown_path_is_a_404(client: Client, path: str) -> None:
    answer = client.get(path, headers=READER)

    assert (answer.status_code, answer.content) == (404, b'{"errors":["Not found"]}')
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("path", "status", "begin"),
    [
        ("/api/v1/dashboard", 404, "Not found"),
        ("/api/v1/monitor/of/mine", 404, "Not found"),
        (f"{PATH}/", 404, "Not found"),
        ("/api/v2/Processes", 404, "Not found"),
        ("/api/v2/processes/7", 404, "Not found"),
        ("/api/v1/events", 405, "Method not allowed"),
        ("/api/v2/series", 405, "Method not allowed"),
    ],
)
@pytest.mark.parametrize("headers", [{}, READER])
def test_whoever_reads_another_route_of_datadog_is_told_which_ones_there_are(
    client: Client, method: str, path: str, status: int, begin: str, headers: dict[str, str]
) -> None:
    answer = client.request(method, path, headers=headers)

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json")
    if method == "GET":
        (message,) = answer.json()["errors"]
        named = message.removeprefix(f"{begin}: of Datadog's API Procession answers ")
        assert named.endswith(" and what is below them")
        roots = named.removesuffix(" and what is below them").split(", ")
        assert {PATH, "/api/v1/monitor", "/api/v2/downtime"} <= set(roots)
        assert not any(root.startswith(f"{other}/") for root in roots for other in roots)


@pytest.mark.parametrize(("path", "status"), [("/api/v1/dashboard", 404), ("/api/v2/processes", 405)])
def test_only_who_reads_is_told_of_other_routes(client: Client, path: str, status: int) -> None:
    answer = client.post(path, headers=READER)

    assert (answer.status_code, answer.json()["errors"]) == (
        status,
        ["Not found" if status == 404 else "Method not allowed"],
    )


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "MADE-UP"])
def test_another_method_is_a_405_that_names_the_right_ones(client: Client, method: str) -> None:
    answer = client.request(method, PATH, headers=READER)

    assert (answer.status_code, answer.content) == (405, b'{"errors":["Method not allowed"]}')
    assert answer.headers["allow"] == "GET, HEAD"


def test_a_path_with_several_routes_names_the_methods_of_all(client: Client) -> None:
    assert client.request("PUT", "/api/procession/v1/admin/keys").headers["allow"] == "GET, HEAD, POST"


def test_a_bug_is_a_bare_500_and_its_traceback_is_logged(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: ProcessQuery) -> Page:
        raise ZeroDivisionError("something inside")

    served.find = fail
    client = Client(served.app())

    answer = client.processes()

    assert (answer.status_code, answer.content) == (500, b'{"errors":["Internal Server Error"]}')
    assert {name: answer.headers[name] for name in STANDARD_HEADERS} == STANDARD_HEADERS
    assert "x-ratelimit-reset" not in answer.headers
    assert "ZeroDivisionError: something inside" in caplog.text
    assert "in fail" in caplog.text
    client.close()


def test_a_store_out_of_order_fills_no_log(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: ProcessQuery) -> Page:
        raise Unavailable("The disk is full")

    served.find = fail
    client = Client(served.app())

    assert [client.processes().status_code for _ in range(20)] == [503] * 20

    assert [record.getMessage() for record in caplog.records] == [f"cannot answer {PATH}: The disk is full"]
    client.close()


def test_the_log_says_the_same_again_after_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    moments = iter((0.0, 59.0, 60.0))
    answers = ErrorAnswers(lambda: next(moments))
    request = Request({"type": "http", "route": Route(PATH, lambda _: None)})

    for _ in range(3):
        asyncio.run(answers.answer(request, Unavailable("The disk is full")))

    assert len(caplog.records) == 2


def test_neither_query_strings_nor_keys_are_logged(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: ProcessQuery) -> Page:
        raise ZeroDivisionError

    caplog.set_level(logging.DEBUG)
    served.find = fail
    with served.server() as url:
        for query in ("search=hush-hush", "page[limit]=hush-hush", "page[cursor]=hush-hush"):
            served.get(f"{url}{PATH}?{query}", READER)
            served.get(f"{url}/nowhere?api_key={API_KEY}&{query}", {"dd-api-key": API_KEY})

    ours = "\n".join(f"{record.getMessage()} {record.exc_text}" for record in caplog.records if record.name != "httpx")
    assert "ZeroDivisionError" in ours
    for secret in ("hush", API_KEY, APPLICATION_KEY):
        assert secret not in ours


async def fail(scope: Scope, receive: Receive, send: Send) -> None:
    raise ZeroDivisionError


def test_a_path_cannot_forge_a_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    client = Client(AnswerBugs(fail))

    assert client.get("/x%0Aall is well").status_code == 500

    assert "ZeroDivisionError" in caplog.text
    assert "\nall is well" not in caplog.text
    client.close()


def test_an_answer_that_breaks_off_half_way_is_not_followed_by_another() -> None:
    sent: list[Message] = []

    async def fail_late(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ZeroDivisionError

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    with pytest.raises(ZeroDivisionError):
        asyncio.run(AnswerBugs(fail_late)({"type": "http", "method": "GET", "path": "/"}, receive, send))

    assert [message["type"] for message in sent] == ["http.response.start"]


def test_a_start_does_not_wait_for_what_few_ever_ask_for(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    for module, name in ((ssl, "create_default_context"), (openapi, "load_document"), (openapi, "render_docs")):
        monkeypatch.setattr(module, name, lambda *_, name=name, **__: made.append(name))

    served.app()

    assert made == []
