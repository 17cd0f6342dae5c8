"""What Datadog's Ruby client does on every call, as plain HTTP."""

from __future__ import annotations

import gzip
import json
import socket
from typing import Any
from urllib.parse import quote, urlsplit

from tests.conformance.conftest import PROCESSES, Fleet, Keys
from tests.conformance.fleet import HOSTS, PER_HOST


def ask(url: str, keys: Keys, **parameters: str) -> tuple[dict[str, str], dict[str, Any]]:
    """A connection of its own that both sides close, an empty token beside the keys, and gzip, inflated by hand."""
    # Ruby writes a blank as %20, the other clients as +.
    query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in parameters.items())
    parts = urlsplit(url)
    lines = (
        f"GET {PROCESSES}?{query} HTTP/1.1",
        "Accept: application/json",
        "Accept-Encoding: gzip",
        f"Dd-Api-Key: {keys.api_key}",
        f"Dd-Application-Key: {keys.application_key}",
        "Authorization: Bearer ",
        "Connection: close",
        f"Host: {parts.netloc}",
        "",
    )
    with socket.create_connection((parts.hostname, parts.port), timeout=60) as connection:
        connection.sendall("".join(f"{line}\r\n" for line in lines).encode())
        answer = b""
        while data := connection.recv(65536):
            answer += data
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *fields = head.decode().split("\r\n")
    headers = dict(field.lower().split(": ", 1) for field in fields) | {"status": status.split()[1]}
    assert headers["connection"] == "close"
    assert headers["content-encoding"] == "gzip"
    return headers, json.loads(gzip.decompress(body))


def test_a_query_of_ruby_is_answered(fleet: Fleet) -> None:
    headers, answer = ask(
        fleet.server.url,
        fleet.server.reader,
        **{"search": "process-agent etc datadog.yaml", "tags": "testing:true", "page[limit]": "2"},
    )

    assert headers["status"] == "200"
    assert answer["meta"]["page"]["size"] == len(answer["data"]) == 2


def test_an_empty_answer_is_compressed_too(fleet: Fleet) -> None:
    _, answer = ask(fleet.server.url, fleet.server.reader, tags="none:such")

    assert answer == {"meta": {"page": {"after": "", "size": 0}}, "data": []}


def test_the_empty_token_opens_nothing_by_itself(fleet: Fleet) -> None:
    headers, answer = ask(fleet.server.url, Keys("", ""))

    assert (headers["status"], answer) == ("403", {"errors": ["Forbidden"]})


def test_a_wrong_key_beside_the_empty_token_is_refused(fleet: Fleet) -> None:
    headers, answer = ask(fleet.server.url, Keys(fleet.server.reader.api_key, "0" * 40))

    assert (headers["status"], answer) == ("403", {"errors": ["Forbidden"]})


def test_a_bad_parameter_is_named(fleet: Fleet) -> None:
    headers, answer = ask(fleet.server.url, fleet.server.reader, **{"from": "x", "page[limit]": "0"})

    assert headers["status"] == "400"
    assert len(answer["errors"]) == 2


def test_pages_until_the_empty_one_hold_each_process_once(fleet: Fleet) -> None:
    # Ruby's helper ends at an empty page only, whatever its `after` is.
    ids: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        _, answer = ask(fleet.server.url, fleet.server.reader, **{"page[limit]": "100"} | cursor)
        if not answer["data"]:
            break
        ids += [item["id"] for item in answer["data"]]
        cursor = {"page[cursor]": answer["meta"]["page"]["after"]}

    assert len(ids) == len(set(ids)) == HOSTS * PER_HOST
