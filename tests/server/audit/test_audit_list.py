from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from procession.accounts.orgs import Key, KeyKind, hash_secret
from procession.accounts.scopes import Scope
from procession.audit import AuditWriter, Who
from procession.audit.reading import AuditFilter, newest_records
from tests.audit.trails import NOON, a_change, a_writer, an_entry, folder_in
from tests.support.served import ORG, OTHER_ORG, READER, Client, Served

PATH = "/api/procession/v1/audit"
AUDITOR = {"authorization": f"Bearer {'7' * 40}"}
STRANGER = Who("k9", "stranger", "application", OTHER_ORG)


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[AuditWriter]:
    writer = a_writer(folder_in(tmp_path))
    yield writer
    writer.close()


@pytest.fixture
def client(served: Served, writer: AuditWriter) -> Iterator[Client]:
    digest = hash_secret("7" * 40)
    scopes = frozenset({Scope.AUDIT_READ})
    served.store.put_key(Key("7777", ORG, KeyKind.APPLICATION, "auditor", digest, 0, scopes=scopes))
    served.audit = writer
    client = Client(served.app())
    yield client
    client.close()


def fill(writer: AuditWriter) -> None:
    for number in range(10):
        writer.write(an_entry(at=NOON + number, query=b"search=q%d" % number, is_question=False)).result(30)
    writer.write(an_entry(at=NOON + 10, who=STRANGER, query=b"search=theirs", is_question=False)).result(30)
    made = {"kind": "key", "subject": "x", "action": "created", "org_id": ORG}
    writer.write(a_change(at=NOON + 11, who=STRANGER, changes=[made])).result(30)


def found(client: Client, **parameters: Any) -> list[int]:
    answer = client.get(PATH, params=parameters, headers=AUDITOR)
    assert answer.status_code == 200, answer.text
    # Without those that the questions of this test make.
    return [record["number"] for record in answer.json()["data"] if record.get("route") != PATH]


def test_an_auditor_sees_his_org_what_others_changed_of_it_and_what_befell_the_trail(
    client: Client, writer: AuditWriter
) -> None:
    fill(writer)

    assert found(client) == [13, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    ("parameters", "numbers"),
    [
        ({"text": "Q7"}, [9]),
        ({"text": "theirs"}, []),
        ({"who": "stranger"}, [13]),
        ({"route": "put"}, [13]),
        ({"from": int(NOON) + 8, "to": int(NOON) + 9}, [11, 10]),
        ({"who": "dash", "limit": 2}, [11, 10]),
    ],
)
def test_records_are_found(client: Client, writer: AuditWriter, parameters: dict[str, Any], numbers: list[int]) -> None:
    fill(writer)

    assert found(client, **parameters) == numbers


def test_pages_go_on_where_the_one_before_ended(client: Client, writer: AuditWriter) -> None:
    fill(writer)
    numbers, cursor = list[int](), ""
    for _ in range(10):
        answer = client.get(PATH, params={"limit": 5, "who": "dash", "page[cursor]": cursor}, headers=AUDITOR).json()
        numbers += [record["number"] for record in answer["data"]]
        cursor = answer["meta"]["page"]["after"]
        if not cursor:
            break

    assert numbers == [11, 10, 9, 8, 7, 6, 5, 4, 3, 2]


def test_a_page_that_looked_at_many_records_goes_on(writer: AuditWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(writer)
    monkeypatch.setattr("procession.audit.reading.MOST_LOOKED_AT", 4)

    first = newest_records(writer.folder, AuditFilter(text="q0"), None, 10)
    second = newest_records(writer.folder, AuditFilter(text="q0"), first.after, 10)

    assert (first.records, first.after) == ([], 10)
    assert (second.records, second.after) == ([], 6)


def test_without_the_scope_nothing_is_shown(client: Client) -> None:
    # This key has all scopes in these tests; that of a server's machine has not.
    assert client.get(PATH, headers=READER).status_code == 200
    assert client.get(PATH, headers={"authorization": f"Bearer {'9' * 40}"}).status_code == 403


def test_to_look_is_recorded(client: Client, writer: AuditWriter) -> None:
    client.get(PATH, params={"text": "nginx"}, headers=AUDITOR)
    writer.close()

    page = newest_records(writer.folder, AuditFilter(who="auditor"), None, 10)
    assert [record["asked"] for record in page.records] == [{"text": "nginx"}]


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "from=x", "page[cursor]=x", f"text={'x' * 1001}"])
def test_what_is_no_question_is_refused(client: Client, query: str) -> None:
    assert client.get(f"{PATH}?{query}", headers=AUDITOR).status_code == 400


def test_where_no_trail_is_written_there_is_none(served: Served) -> None:
    client = Client(served.app())

    assert client.get(PATH, headers=READER).status_code == 404
    client.close()
