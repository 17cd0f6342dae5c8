"""What only shows on the wire: connections, compression, bodies left out."""

from __future__ import annotations

import gzip
import http.client
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from procession.config import ServerSettings
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.served import API_KEY, APPLICATION_KEY, ORG, PATH, READER, Served, a_store

EMPTY_PAGE = b'{"meta":{"page":{"after":"","size":0}},"data":[]}'


@pytest.fixture(scope="module")
def served() -> Served:
    served = Served(a_store(), settings=ServerSettings(rate_limit=0))
    served.store.add(
        [(ORG, a_snapshot(*(a_sighting(pid, cmdline=f"worker {pid}") for pid in range(1, 3001)), host="web-1"))]
    )
    return served


@pytest.fixture(scope="module")
def url(served: Served) -> Iterator[str]:
    with served.server() as url:
        yield url


@pytest.fixture
def connection(url: str) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    yield connection
    connection.close()


def raw(url: str, request: str) -> bytes:
    """Everything that the server says until it closes the connection."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as sock:
        sock.sendall(request.encode("latin-1"))
        answer = b""
        while data := sock.recv(65536):
            answer += data
        return answer


@pytest.mark.parametrize("accept", ["gzip", "gzip,deflate", "deflate,gzip,x-gzip,zstd1", "gzip, deflate, br", "GZIP"])
def test_whoever_takes_gzip_gets_gzip_however_small_the_answer(
    connection: http.client.HTTPConnection, accept: str
) -> None:
    connection.request("GET", f"{PATH}?tags=none:such", headers=READER | {"accept-encoding": accept})
    answer = connection.getresponse()
    body = answer.read()

    assert answer.getheader("content-encoding") == "gzip"
    assert answer.getheader("vary") == "Accept-Encoding"
    assert answer.getheader("content-length") == str(len(body))
    assert body[4:8] == b"\0\0\0\0", "the time in the header of gzip"
    assert gzip.decompress(body) == EMPTY_PAGE


@pytest.mark.parametrize("headers", [{}, {"accept-encoding": "identity"}, {"accept-encoding": "deflate, zstd1, br"}])
def test_whoever_does_not_gets_the_answer_as_it_is(
    connection: http.client.HTTPConnection, headers: dict[str, str]
) -> None:
    # Unlike `request`, this adds no accept-encoding of its own.
    connection.putrequest("GET", f"{PATH}?tags=none:such", skip_accept_encoding=True)
    for name, value in (READER | headers).items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()

    assert answer.getheader("content-encoding") is None
    assert answer.getheader("vary") == "Accept-Encoding"
    assert answer.getheader("content-length") == "49"
    assert answer.read() == EMPTY_PAGE


def test_a_large_page_is_compressed_whole(url: str) -> None:
    answer = httpx.get(f"{url}{PATH}?page[limit]=10000", headers=READER | {"accept-encoding": "gzip"})

    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) < len(answer.content) / 5
    assert answer.json()["meta"]["page"]["size"] == 3000


@pytest.mark.parametrize("query", ["", "?page[limit]=0"])
@pytest.mark.parametrize("accept", ["gzip", "identity"])
def test_head_has_the_headers_of_get_and_no_body(
    connection: http.client.HTTPConnection, query: str, accept: str
) -> None:
    answers = []
    for method in ("GET", "HEAD"):
        connection.request(method, PATH + query, headers=READER | {"accept-encoding": accept})
        answer = connection.getresponse()
        headers = [(name, value) for name, value in answer.getheaders() if name != "date"]
        answers.append((answer.status, headers, len(answer.read())))

    (get, head) = answers
    assert get[:2] == head[:2]
    assert get[2] > 0
    assert head[2] == 0


def test_a_connection_may_be_kept(connection: http.client.HTTPConnection) -> None:
    connection.connect()
    first = connection.sock

    for path in (PATH, f"{PATH}?page[limit]=x", "/nowhere", PATH):
        connection.request("GET", path, headers=READER)
        connection.getresponse().read()

        assert connection.sock is first


def test_a_connection_is_closed_when_asked_and_an_empty_bearer_is_ignored(url: str) -> None:
    # As Datadog's Ruby client does, on every call.
    answer = raw(
        url,
        f"GET {PATH}?page%5Blimit%5D=1&search=worker%20 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer\r\n"
        f"DD-API-KEY: {API_KEY}\r\nDD-APPLICATION-KEY: {APPLICATION_KEY}\r\nConnection: close\r\n\r\n",
    )

    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nconnection: close" in head.lower()
    assert b'"size":1}' in body


def test_brackets_travel_raw_too(url: str) -> None:
    answer = raw(
        url,
        f"GET {PATH}?page[limit]=2 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {APPLICATION_KEY}\r\n"
        "Connection: close\r\n\r\n",
    )

    assert b'"size":2}' in answer


def test_names_of_headers_are_in_lower_case_and_come_once(url: str) -> None:
    answer = raw(
        url,
        f"GET {PATH} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {APPLICATION_KEY}\r\n"
        "Connection: close\r\n\r\n",
    )

    names = [line.partition(b":")[0] for line in answer.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]]
    assert names == [name.lower() for name in names]
    assert len(names) == len(set(names))


def test_a_scan_over_several_pages_finds_each_process_once(url: str) -> None:
    pids, after = [], ""
    with httpx.Client(headers=READER) as client:
        while True:
            parameters = {"page[limit]": "700", "page[cursor]": after, "search": "worker", "from": str(NOON - 60)}
            page = client.get(f"{url}{PATH}", params=parameters).json()
            if not page["data"]:
                break
            pids += [process["attributes"]["pid"] for process in page["data"]]
            after = page["meta"]["page"]["after"]

    assert sorted(pids) == list(range(1, 3001))
