"""What a reader who may see some rows, or no arguments, is told at each door: what one would be told of a store that
has nothing else, or a refusal."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from procession.accounts.orgs import Key, KeyKind, hash_secret
from procession.accounts.restriction import Restriction
from procession.accounts.scopes import Scope
from procession.paging import InstantCursor
from procession.process import ProcessIdentity, ProcessKey
from tests.server.test_routes_and_keys import filled, table_rows
from tests.support.builders import NOON
from tests.support.people import a_user, page_of
from tests.support.restricted import (
    ARGUMENT,
    BEGIN,
    FLEET,
    OWN,
    QUESTIONS,
    RESTRICTED_KEY,
    ROWS,
    Question,
    id_of,
    only_seen,
    other_arguments,
    served_with,
    without_arguments,
)
from tests.support.restricted_monitors import MONITOR_QUESTIONS
from tests.support.served import API_KEY, ORG, PLAIN_APPLICATION_KEY, READER, Client

NO_ARGUMENTS = Restriction("", True)
RESTRICTED = {"dd-api-key": API_KEY, "dd-application-key": RESTRICTED_KEY}
PLAIN = {"dd-api-key": API_KEY, "dd-application-key": PLAIN_APPLICATION_KEY}

DOORS = [
    (method, path)
    for method, path, key in table_rows()
    if key.startswith("application key") and (method, path) != ("POST", f"{OWN}/session/link")
]
NO_ROWS = {"search", "views", "watch", "session", "sessions", "{session_id}", "validate_keys"}
"""Ends of paths that tell nothing of processes."""
OPEN = [door for door in DOORS if door in QUESTIONS]
CLOSED = [door for door in DOORS if door not in QUESTIONS and door not in MONITOR_QUESTIONS]


@pytest.fixture(scope="module")
def open_clients() -> Iterator[dict[str, Client]]:
    clients = {
        "rows": Client(served_with(restriction=ROWS).app()),
        "only these rows": Client(served_with(only_seen).app()),
        "no arguments": Client(served_with(restriction=NO_ARGUMENTS).app()),
        "none there": Client(served_with(without_arguments, NO_ARGUMENTS).app()),
        "others there": Client(served_with(other_arguments, NO_ARGUMENTS).app()),
    }
    yield clients
    for client in clients.values():
        client.close()


def told(client: Client, question: Question, headers: dict[str, str]) -> tuple[int, Any]:
    """Cursors belong to who may see the same: of them it counts whether there is one."""
    method, url, body = question
    answer = client.request(method, url, headers=headers, **({} if body is None else {"json": body}))
    assert answer.status_code < 500, (url, answer.text)
    said = without_cursors(answer.json() if answer.content else None)
    if url.startswith(f"{OWN}/hosts") and answer.status_code == 200:
        said["meta"].pop("oldest")
    return answer.status_code, said


def without_cursors(said: Any) -> Any:
    if isinstance(said, dict):
        return {
            name: bool(value)
            if name in ("after", "next_cursor", "next", "last", "prev", "first")
            else without_cursors(value)
            for name, value in said.items()
        }
    return [without_cursors(one) for one in said] if isinstance(said, list) else said


def test_every_question_is_of_a_door() -> None:
    assert {*QUESTIONS, *MONITOR_QUESTIONS} <= set(DOORS)


@pytest.mark.parametrize(("method", "path"), CLOSED)
def test_who_sees_some_rows_is_refused_at_every_other_door(
    open_clients: dict[str, Client], method: str, path: str
) -> None:
    refused_at(open_clients["rows"], method, path, "only env:a")


@pytest.mark.parametrize(("method", "path"), CLOSED)
def test_who_sees_no_arguments_is_refused_at_every_other_door(
    open_clients: dict[str, Client], method: str, path: str
) -> None:
    refused_at(open_clients["no arguments"], method, path, "no arguments")


def refused_at(client: Client, method: str, path: str, seen: str) -> None:
    answer = client.request(method, filled(path), headers=RESTRICTED)

    assert answer.status_code == 403, path
    assert answer.json() == {"errors": [f"Forbidden: you may see {seen}, and this answer cannot be limited to it"]}


@pytest.mark.parametrize(("method", "path"), OPEN)
def test_who_sees_some_rows_is_told_what_a_store_tells_that_has_no_others(
    open_clients: dict[str, Client], method: str, path: str
) -> None:
    of_all = []
    for question in QUESTIONS[method, path]:
        found = told(open_clients["rows"], question, RESTRICTED)
        assert found == told(open_clients["only these rows"], question, PLAIN), question
        of_all.append(told(open_clients["rows"], question, PLAIN) != found)

    # Else this would find nothing.
    assert any(of_all) or path.rpartition("/")[2] in NO_ROWS


@pytest.mark.parametrize(("method", "path"), OPEN)
def test_who_sees_no_arguments_is_told_the_same_whatever_they_are(
    open_clients: dict[str, Client], method: str, path: str
) -> None:
    for question in QUESTIONS[method, path]:
        found = told(open_clients["no arguments"], question, RESTRICTED)

        assert found == told(open_clients["none there"], question, RESTRICTED), question
        assert found == told(open_clients["others there"], question, RESTRICTED), question
        assert ARGUMENT not in str(found).replace(ARGUMENT if ARGUMENT in question[1] else "\0", ""), question


@pytest.mark.parametrize(
    "question",
    [
        f"processes?at={NOON}&sort=cmdline",
        f"processes?at={NOON}&sort=-CMDLINE",
        f"processes?at={NOON}&sort=cwd",
        f"processes?at={NOON}&sort=tag:service",
        f"processes?from={BEGIN}&to={NOON}&sort=cmdline",
        "facets?keys=user,service",
        "facets?keys=Service",
        f"groups?at={NOON}&by=cmdline",
        f"groups?at={NOON}&by=user,cwd",
        f"groups?at={NOON}&by=service",
        f"points?at={NOON}&by=cwd",
        "timeseries?by=cmdline",
        "trends?by=service",
        f"compare?at={BEGIN}&other_at={NOON}&match=cmdline",
    ],
)
def test_nothing_is_sorted_grouped_or_counted_by_what_a_reader_may_not_see(
    open_clients: dict[str, Client], question: str
) -> None:
    client = open_clients["no arguments"]
    answer = client.get(f"{OWN}/{question}", headers=RESTRICTED)

    assert answer.status_code == 403
    assert re.fullmatch(
        r"Forbidden: you may see no arguments, so nothing by (cmdline|cwd|service)",
        answer.json()["errors"][0],
        re.IGNORECASE,
    )
    assert client.get(f"{OWN}/{question}", headers=READER).status_code in (200, 400)


def test_a_command_line_is_cut_to_its_program_and_a_bare_word_finds_that(open_clients: dict[str, Client]) -> None:
    client = open_clients["no arguments"]
    at = f"{OWN}/processes?at={NOON}"
    by_name = client.get(f"{at}&search=vaultd", headers=RESTRICTED).json()["data"]

    assert [one["attributes"]["cmdline"] for one in by_name] == ["/usr/bin/vaultd"]
    assert by_name[0]["attributes"]["args"] == ["/usr/bin/vaultd"]
    assert (by_name[0]["attributes"]["cwd"], by_name[0]["attributes"]["services"]) == ("", None)
    assert client.get(f"{at}&search={ARGUMENT}", headers=RESTRICTED).json()["meta"]["total"] == 0
    assert client.get(f"{at}&search={ARGUMENT}", headers=READER).json()["meta"]["total"] > 0


def test_that_arguments_changed_is_not_told(open_clients: dict[str, Client]) -> None:
    client = open_clients["no arguments"]
    question = f"{OWN}/compare?at={NOON - 150}&other_at={NOON}&tags=env:a"
    whole = client.get(question, headers=READER).json()
    seen = client.get(question, headers=RESTRICTED).json()

    assert [one["after"]["attributes"]["pid"] for one in whole["changed"]] == [22, 8]
    (changed,) = seen["changed"]
    assert (changed["after"]["attributes"]["pid"], changed["fields"]) == (22, ["nice"])
    assert (seen["meta"]["changed"], seen["meta"]["same"]) == (1, whole["meta"]["same"] + 1)


def test_runs_are_of_the_program_alone_whatever_it_was_given(open_clients: dict[str, Client]) -> None:
    client = open_clients["no arguments"]
    question = f"{OWN}/processes/{id_of('mixed-1', 20)}/runs"
    whole = client.get(question, headers=READER).json()["data"]
    seen = client.get(question, headers=RESTRICTED).json()["data"]

    assert [one["attributes"]["pid"] for one in whole] == [23]
    assert [(one["attributes"]["pid"], one["same_cmdline"]) for one in seen] == [(23, True), (22, True)]


@pytest.mark.parametrize("host", ["db-1", "d*", "none-1"])
def test_whether_there_is_a_hidden_host_is_told_by_no_part_of_a_search(
    open_clients: dict[str, Client], host: str
) -> None:
    """The first part of each alternative is true of a host that is seen."""
    search = f"host:* host:{host} OR host:* host:{host}"
    for when in (f"at={NOON}", f"from={BEGIN}&to={NOON}"):
        meta = open_clients["rows"].get(f"{OWN}/processes?{when}&search={search}", headers=RESTRICTED).json()["meta"]

        assert meta["known"] is False, when


# Cursors

COLUMNS = ["start", "-cpu_total_percent", "user"]


@pytest.mark.parametrize("sort", COLUMNS)
def test_page_after_page_there_is_nothing_else(open_clients: dict[str, Client], sort: str) -> None:
    def pages(client: Client, headers: dict[str, str]) -> list[str]:
        found: list[str] = []
        cursor = ""
        while True:
            query = f"at={NOON}&sort={sort}&page[limit]=2" + (f"&page[cursor]={cursor}" if cursor else "")
            answer = client.get(f"{OWN}/processes?{query}", headers=headers).json()
            found += [one["id"] for one in answer["data"]]
            cursor = answer["meta"]["page"]["after"]
            if not cursor:
                return found

    seen = pages(open_clients["rows"], RESTRICTED)

    assert seen == pages(open_clients["only these rows"], PLAIN)
    assert len(seen) == 5


def test_a_cursor_of_somebody_who_sees_more_is_none(open_clients: dict[str, Client]) -> None:
    client = open_clients["rows"]
    for path in (f"{OWN}/processes?at={NOON}&", "/api/v2/processes?"):
        cursor = client.get(f"{path}page[limit]=1", headers=READER).json()["meta"]["page"]["after"]

        assert client.get(f"{path}page[limit]=1&page[cursor]={cursor}", headers=READER).status_code == 200
        assert client.get(f"{path}page[limit]=1&page[cursor]={cursor}", headers=RESTRICTED).status_code == 400


def forged(client: Client, change: Callable[[InstantCursor], InstantCursor]) -> httpx.Response:
    """What a reader gets who writes into a cursor of his own."""
    url = f"{OWN}/processes?at={NOON}&page[limit]=1"
    text = client.get(url, headers=RESTRICTED).json()["meta"]["page"]["after"]
    own = InstantCursor.decode(text, fingerprint=bytes.fromhex(text)[27:35])
    return client.get(f"{url}&page[cursor]={change(own).encode()}", headers=RESTRICTED)


def with_key(cursor: InstantCursor, host: str, pid: int) -> InstantCursor:
    one = next(one for one in FLEET[host] if one.pid == pid)
    last = ProcessKey.of(ProcessIdentity(host, pid, one.started_at))
    return InstantCursor(cursor.at, cursor.order, last, cursor.fingerprint, cursor.pin)


def test_the_place_of_a_hidden_process_is_not_told_by_a_cursor(open_clients: dict[str, Client]) -> None:
    client = open_clients["rows"]

    assert forged(client, lambda own: with_key(own, "web-1", 7)).status_code == 200
    assert forged(client, lambda own: with_key(own, "mixed-1", 21)).status_code == 400


def test_nothing_is_sorted_by_arguments_in_a_cursor_either(open_clients: dict[str, Client]) -> None:
    def by(column: str) -> Callable[[InstantCursor], InstantCursor]:
        def change(own: InstantCursor) -> InstantCursor:
            order = type(own.order)(column)
            return InstantCursor(own.at, order, own.last, own.fingerprint, own.pin)

        return change

    client = open_clients["no arguments"]

    assert forged(client, by("user")).status_code == 200
    assert forged(client, by("cmdline")).status_code == 403


# Who is restricted, and since when


def test_a_session_and_a_link_of_a_restricted_key_see_no_more(open_clients: dict[str, Client]) -> None:
    client = open_clients["rows"]
    link = client.post(f"{OWN}/session/link", headers=RESTRICTED).json()["token"]
    total = f"{OWN}/processes?at={NOON}"
    for body in ({"application_key": RESTRICTED_KEY}, {"link": link}):
        answer = client.post(f"{OWN}/session", json=body)
        assert answer.json()["scopes"] == []
        own = {"cookie": answer.headers["set-cookie"].split(";")[0], "sec-fetch-site": "same-origin"}
        client.forget_cookies()

        assert client.get(total, headers=own).json()["meta"]["total"] == 5
        assert client.get(f"{OWN}/store", headers=own).status_code == 403


def test_a_restricted_viewer_sees_no_more_and_only_until_that_changes() -> None:
    served = served_with()
    anna = a_user(served, restriction=ROWS)
    client = Client(served.app())
    own = page_of(client)
    total = f"{OWN}/processes?at={NOON}"

    assert client.get(total, headers=own).json()["meta"]["total"] == 5
    assert client.get("/api/v2/downtime", headers=own).status_code == 403
    assert client.get(f"{OWN}/session", headers=own).json()["scopes"] == ["monitors_read"]
    assert client.get(f"{OWN}/processes/{id_of('db-1', 30)}", headers=own).status_code == 404
    assert anna.as_key().restriction == ROWS
    client.close()


def test_a_key_of_a_restricted_user_sees_no_more_than_the_user() -> None:
    served = served_with()
    anna = a_user(served, restriction=ROWS)
    keys = {"1": Restriction(), "2": Restriction("team:web", True), "3": Restriction("env:b")}
    for name, own in keys.items():
        digest = hash_secret(name * 40)
        key = Key(name, ORG, KeyKind.APPLICATION, name, digest, NOON, owner=anna.id, scopes=frozenset(Scope))
        served.store.put_key(dataclasses.replace(key, restriction=own))
    client = Client(served.app())

    def asked(name: str, path: str) -> httpx.Response:
        return client.get(f"{OWN}/{path}", headers={"authorization": f"Bearer {name * 40}"})

    assert [asked(name, f"processes?at={NOON}").json()["meta"]["total"] for name in keys] == [5, 5, 0]
    assert [asked(name, f"processes?at={NOON}&search={ARGUMENT}").json()["meta"]["total"] for name in keys] == [5, 0, 0]
    assert {asked(name, "store").status_code for name in keys} == {403}
    assert {asked(name, "notifications").status_code for name in keys} == {403}
    client.close()


def test_what_others_were_just_told_is_not_told_again_to_who_sees_less(open_clients: dict[str, Client]) -> None:
    url, fresh = f"{OWN}/facets?at={NOON}&keys=env", {"cache-control": "max-age=2"}
    client = open_clients["rows"]
    of_all = client.get(url, headers=READER | fresh).json()
    seen = client.get(url, headers=RESTRICTED | fresh).json()

    assert {one["value"] for one in of_all["facets"][0]["values"]} == {"a", "b"}
    assert {one["value"] for one in seen["facets"][0]["values"]} == {"a"}
