"""The same as `test_injection` for what is posted: bodies, payloads of agents, headers, and parts of paths."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest

from procession.wire.datadog import MessageType, frame
from procession.wire.datadog import process_pb2 as pb
from tests.server.test_injection import HOSTILE, MARK, OWN
from tests.support.agents.posting import COLLECTOR
from tests.support.asgi import Answer, Asker
from tests.support.builders import NOON
from tests.support.served import ADMIN, API_KEY, ORG, READER
from tests.support.stores.statements import recorded

AGENT = {"dd-api-key": API_KEY, "x-dd-agent-timestamp": str(NOON)}
WEB = {"x-dd-hostname": "web-1"}

Put = Callable[[Asker, str], Answer]
"""Puts a text in one place and gives the answer."""


def in_json(method: str, path: str, headers: dict[str, str], shape: Callable[[str], Any]) -> Put:
    def put(ask: Asker, text: str) -> Answer:
        return ask(path, method=method, headers=headers, body=json.dumps(shape(text)).encode())

    return put


def in_path(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> Put:
    """Servers have taken the percent signs out of it."""
    return lambda ask, text: ask(path.format(text), method=method, headers=headers, body=body)


def in_query(ask: Asker, text: str) -> Answer:
    return ask("/api/v1/validate", f"api_key={quote(text, safe='')}".encode())


def in_header(name: str, path: str = COLLECTOR) -> Put:
    def put(ask: Asker, text: str) -> Answer:
        return ask(path, method="POST", headers=AGENT | {name: text.encode("utf-8").decode("latin-1")}, body=b"x")

    return put


def in_message(fill: Callable[[Any, Any, str], None]) -> Put:
    """Of a process that an agent posts; `fill` gets the message, the process and the text."""

    def put(ask: Asker, text: str) -> Answer:
        message = pb.CollectorProc(hostName="web-1", groupSize=1)
        process = message.processes.add(pid=9, createTime=(NOON - 60) * 1000)
        process.command.args.append("x")
        fill(message, process, text)
        body = frame.encode(MessageType.PROCESSES, message.SerializeToString())
        return ask(COLLECTOR, method="POST", headers=AGENT | WEB, body=body)

    return put


def in_event(ask: Asker, text: str) -> Answer:
    message = pb.CollectorProcEvent(hostname=text[:200])
    event = message.events.add(pid=9, collectionTime=NOON * 10**9)
    event.command.args.append(text)
    event.exit.exitTime = NOON * 10**9
    return ask("/api/v2/proclcycle", method="POST", headers=AGENT, body=message.SerializeToString())


def host(message: Any, process: Any, text: str) -> None:
    message.hostName = text


def argument(message: Any, process: Any, text: str) -> None:
    process.command.args.append(text)


def user(message: Any, process: Any, text: str) -> None:
    process.user.name = text


def executable(message: Any, process: Any, text: str) -> None:
    process.command.exe = process.command.cwd = process.command.comm = text


def container(message: Any, process: Any, text: str) -> None:
    process.containerId = text
    message.containers.add(id=text, tags=[text, f"env:{text}"], name=text)


def a_user(**fields: str) -> dict[str, Any]:
    return {"org_id": ORG, "name": "anna", "role": "viewer", "password": "a long password"} | fields


PLACES: dict[str, Put] = {
    "sign-in key": in_json("POST", f"{OWN}/session", {}, lambda text: {"application_key": text}),
    "sign-in link": in_json("POST", f"{OWN}/session", {}, lambda text: {"link": text}),
    "sign-in name": in_json("POST", f"{OWN}/sign-in", {}, lambda text: {"user": text, "password": "x"}),
    "sign-in password": in_json("POST", f"{OWN}/sign-in", {}, lambda text: {"user": "anna", "password": text}),
    "session to end": in_path("DELETE", f"{OWN}/sessions/{{}}", READER),
    "user's name": in_json("POST", f"{OWN}/admin/users", ADMIN, lambda text: a_user(name=text)),
    "user's role": in_json("POST", f"{OWN}/admin/users", ADMIN, lambda text: a_user(role=text)),
    "user's password": in_json("POST", f"{OWN}/admin/users", ADMIN, lambda text: a_user(password=text)),
    "user to change": in_path("PATCH", f"{OWN}/admin/users/{{}}", ADMIN, b'{"role": "editor"}'),
    "user to remove": in_path("DELETE", f"{OWN}/admin/users/{{}}", ADMIN),
    "unknown field": in_json("POST", f"{OWN}/session", {}, lambda text: {text: text}),
    "watched host": in_json("POST", f"{OWN}/watch", READER, lambda text: {"host": text}),
    "view's name": in_path("PUT", f"{OWN}/views/{{}}", READER, b'{"state": "x"}'),
    "view's state": in_json("PUT", f"{OWN}/views/a", READER, lambda text: {"state": text}),
    "view to delete": in_path("DELETE", f"{OWN}/views/{{}}", READER),
    "process's id": in_path("GET", f"{OWN}/processes/{{}}/history", READER),
    "org's name": in_json("POST", f"{OWN}/admin/orgs", ADMIN, lambda text: {"name": text}),
    "org to look at": in_path("GET", f"{OWN}/admin/orgs/{{}}", ADMIN),
    "org to remove": in_path("DELETE", f"{OWN}/admin/orgs/{{}}", ADMIN),
    "key's name": in_json(
        "POST", f"{OWN}/admin/keys", ADMIN, lambda text: {"org_id": ORG, "kind": "api", "name": text}
    ),
    "key's kind": in_json("POST", f"{OWN}/admin/keys", ADMIN, lambda text: {"org_id": ORG, "kind": text, "name": "x"}),
    "key's id": in_path("POST", f"{OWN}/admin/keys/{{}}/revoke", ADMIN),
    "host to tag": in_json("POST", f"{OWN}/admin/hosts/tags", ADMIN, lambda text: {"org_id": ORG, "host": text}),
    "tag to add": in_json(
        "POST", f"{OWN}/admin/hosts/tags", ADMIN, lambda text: {"org_id": ORG, "host": "web-1", "add": [text]}
    ),
    "tag to remove": in_json(
        "POST", f"{OWN}/admin/hosts/tags", ADMIN, lambda text: {"org_id": ORG, "host": "web-1", "remove": [text]}
    ),
    "metadata's host": in_json(
        "POST", "/intake/", AGENT, lambda text: {"internalHostname": text, "host-tags": {"system": ["a"]}}
    ),
    "metadata's tag": in_json(
        "POST", "/intake/", AGENT, lambda text: {"internalHostname": "web-1", "host-tags": {text: [text, "a"]}}
    ),
    "API key in the query": in_query,
    "API key in a header": in_header("dd-api-key"),
    "application key": lambda ask, text: ask(
        "/api/v2/processes", headers=READER | {"dd-application-key": text.encode().decode("latin-1")}
    ),
    "cookie": lambda ask, text: ask(
        f"{OWN}/session", headers={"cookie": f"procession-session={quote(text)}; __Host-procession={quote(text)}"}
    ),
    "host in a header": in_header("x-dd-hostname"),
    "time in a header": in_header("x-dd-agent-timestamp"),
    "agent's version": in_header("x-dd-processagentversion"),
    "host": in_message(host),
    "argument": in_message(argument),
    "user": in_message(user),
    "executable": in_message(executable),
    "container": in_message(container),
    "event": in_event,
    "path": in_path("GET", "/{}", READER),
    "asset": in_path("GET", "/assets/{}", {}),
}
TAKEN = {"argument", "user", "executable", "container", "event"}
"""Of these anything is data, in a process that is found again."""


@pytest.fixture(scope="module")
def texts() -> set[str]:
    return set()


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory, texts: set[str]) -> Iterator[Asker]:
    with recorded(tmp_path_factory.mktemp("store"), texts) as asker:
        yield asker


@pytest.mark.parametrize("place", PLACES)
def test_hostile_values_are_data_or_refused(ask: Asker, texts: set[str], place: str) -> None:
    put = PLACES[place]
    for value in (f"{MARK}plain", f"{MARK}plainer", f"{MARK}plain"):
        put(ask, value)
    harmless = set(texts)

    for value in HOSTILE:
        answer = put(ask, value)
        assert answer.status in (200, 201, 202, 204, 400, 403, 404, 413, 414), (value[:50], answer)
        assert answer.status < 400 or len(answer.body) < 10_000, "what was refused is not repeated at length"
        if place in TAKEN:
            assert answer.status in (200, 202), (value[:50], answer)

    assert not [text for text in texts if MARK in text.lower()]
    assert texts - harmless == set()
    found = ask("/api/v2/processes", b"page[limit]=1000", headers=READER)
    assert found.status == 200
    assert json.loads(found.body)["data"]
