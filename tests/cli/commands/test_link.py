from __future__ import annotations

import re

import httpx

from tests.cli.conftest import Command, RunningServer

SESSION = "/api/procession/v1/session"


def test_a_link_signs_in_once(procession: Command, server: RunningServer) -> None:
    (line,) = procession("link").lines
    found = re.fullmatch(rf"{re.escape(server.url)}/#link=([A-Za-z0-9_-]{{43}})", line)
    assert found is not None

    first = httpx.post(server.url + SESSION, json={"link": found[1]})
    second = httpx.post(server.url + SESSION, json={"link": found[1]})

    assert (first.status_code, second.status_code) == (201, 403)
    opened = httpx.get(server.url + SESSION, cookies=first.cookies, headers={"sec-fetch-site": "same-origin"})
    assert opened.json()["org"] == first.json()["org"]


def test_each_link_is_another_one(procession: Command, server: RunningServer) -> None:
    assert procession("link").lines != procession("link").lines
