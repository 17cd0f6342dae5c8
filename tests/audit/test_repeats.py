from __future__ import annotations

from typing import Any

from procession.audit import AuditEntry, Who
from procession.audit.repeats import MOST_REPEATED, MOST_STRANGERS, PERIOD_SECONDS, Repeats
from tests.audit.trails import NOON, WHO, a_change, an_entry


def records_of(*entries: AuditEntry) -> list[dict[str, Any]]:
    repeats = Repeats()
    return [*(record for entry in entries for record in repeats.records(entry)), *repeats.rest()]


def live(second: int, **fields: Any) -> AuditEntry:
    """As a page asks that somebody watches: about the window up to now."""
    now = int(NOON) + second
    query = b"search=nginx&from=%d&to=%d&page%%5Blimit%%5D=50" % (now - 900, now)
    return an_entry(at=NOON + second, query=fields.pop("query", query), **fields)


def test_a_page_that_is_watched_live_makes_a_record_a_minute() -> None:
    found = records_of(*(live(second) for second in range(0, 600, 2)))

    assert len(found) <= 11
    assert sum(record.get("count", 1) for record in found) == 300
    assert sum(record["rows"] for record in found) == 900
    assert found[0]["asked"]["search"] == "nginx"
    assert found[-1]["until"] == NOON + 598


def test_the_first_is_written_at_once() -> None:
    (record,) = Repeats().records(live(0))

    assert "count" not in record


def test_questions_about_different_things_are_told_apart() -> None:
    other = Who("k2", "other", "application", 1)
    entries = [
        live(0),
        live(1, query=b"search=redis"),
        live(2, who=other),
        live(3, address="192.0.2.8"),
        live(4, status=429),
        live(5, route="/api/v2/containers"),
        live(6, path={"process_id": "7"}),
        live(7, query=b"search=nginx&from=%d&to=%d" % (NOON - 86400, NOON)),
        live(8, body=b"{}"),
    ]

    assert len(records_of(*entries)) == len(entries)


def test_each_moment_of_the_past_is_a_question_of_its_own() -> None:
    entries = [an_entry(query=b"at=%d" % (NOON - 86400 + minute * 60)) for minute in range(5)]

    assert len(records_of(*entries)) == 5


def test_changes_are_never_counted_together() -> None:
    assert len(records_of(*(a_change() for _ in range(5)))) == 5


def test_of_who_has_no_key_only_where_he_comes_from_is_kept() -> None:
    entries = [an_entry(who=None, status=403, query=b"search=%d" % n, path={"name": str(n)}) for n in range(1000)]

    first, rest = records_of(*entries)

    assert (first["from"], rest["count"]) == ("192.0.2.7", 999)
    assert first.keys() == {"at", "kind", "from", "method", "route", "status"}


def test_a_flood_without_keys_from_everywhere_makes_few_records() -> None:
    found = records_of(*(an_entry(who=None, status=403, address=f"2001:db8::{n:x}") for n in range(50_000)))

    assert len(found) <= MOST_STRANGERS + 2
    assert sum(record.get("count", 1) for record in found) == 50_000
    assert found[-1]["from"] == "others"


def test_what_is_remembered_is_bounded() -> None:
    repeats = Repeats()
    entries = (an_entry(query=b"search=%d" % n) for n in range(MOST_REPEATED + 500))

    assert sum(1 for entry in entries for _ in repeats.records(entry)) == MOST_REPEATED + 500
    assert len(repeats._repeated) == MOST_REPEATED


def test_what_was_repeated_is_due_after_a_minute_without_anything_new() -> None:
    repeats = Repeats()
    for second in range(3):
        list(repeats.records(live(second)))

    assert list(repeats.due(NOON + PERIOD_SECONDS - 1)) == []
    assert [record["count"] for record in repeats.due(NOON + PERIOD_SECONDS)] == [2]
    assert list(repeats.due(NOON + 2 * PERIOD_SECONDS)) == []
    assert list(repeats.rest()) == []


def test_a_clock_that_is_set_back_holds_up_nothing() -> None:
    repeats = Repeats()
    list(repeats.records(live(0)))
    list(repeats.records(live(1)))

    assert [record["count"] for record in repeats.due(NOON - 86400)] == [1]


def test_a_record_says_who_asked_what_from_where() -> None:
    session = Who(WHO.key_id, WHO.name, WHO.kind, WHO.org_id, session="0123456789ab")
    (record,) = Repeats().records(an_entry(who=session))

    assert record == {
        "at": NOON,
        "kind": "request",
        "who": {"key": "k1", "name": "dashboard", "kind": "application", "session": "0123456789ab"},
        "org_id": 1,
        "from": "192.0.2.7",
        "method": "GET",
        "route": "/api/v2/processes",
        "asked": {"search": "nginx"},
        "rows": 3,
        "status": 200,
    }
