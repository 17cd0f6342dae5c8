"""Whatever a client says arrives in the store as a value: the text of what the store runs is the same for all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.support.asgi import Asker
from tests.support.served import READER
from tests.support.stores.statements import recorded

OWN = "/api/procession/v1"
MARK = "zqx"
"""In each value, and in no statement of ours."""
HOSTILE = (
    f"{MARK}'; DROP TABLE presence; --",
    f"{MARK}\\'\\",
    f"{MARK}\0b",
    f"/* {MARK} */ # --",
    f"{MARK}%s%n%(x)s{{}}{{org:UInt32}}",
    f"{MARK}\u202e\U0001f600",
    MARK * 350_000,
)
"""The last has 1 MB."""
RAW = (f"{MARK}%ff%fe", f"%c0%af{MARK}", f"%ed%a0%80{MARK}")
"""What is not UTF-8."""
DOORS = [
    ("/api/v2/processes?search=", '"'),
    ("/api/v2/processes?tags=", ""),
    ("/api/v2/processes?page[cursor]=", ""),
    ("/api/v2/processes?page[limit]=", ""),
    ("/api/v2/processes?from=", ""),
    (f"{OWN}/processes?page[cursor]=", ""),
    (f"{OWN}/processes?search=", '"'),
    (f"{OWN}/processes?sort=", ""),
    (f"{OWN}/processes?at=", ""),
    (f"{OWN}/processes/", ""),
    (f"{OWN}/tree?host=", ""),
    (f"{OWN}/facets?keys=", ""),
    (f"{OWN}/facets?keys=env&prefix=", ""),
    (f"{OWN}/tags?prefix=", ""),
    (f"{OWN}/groups?by=", ""),
    (f"{OWN}/groups?by=env&tags=", ""),
    (f"{OWN}/points?x=", ""),
    (f"{OWN}/points?by=", ""),
    (f"{OWN}/timeseries?points=3&by=", ""),
    (f"{OWN}/timeseries?points=3&search=", '"'),
    (f"{OWN}/trends?points=3&by=", ""),
    (f"{OWN}/turnover?points=3&search=", '"'),
    (f"{OWN}/hosts?search=", '"'),
    (f"{OWN}/compare?other_host=", ""),
    (f"{OWN}/compare?other_search=", '"'),
]


@pytest.fixture(scope="module")
def texts() -> set[str]:
    """Of all statements since it was cleared."""
    return set()


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory, texts: set[str]) -> Iterator[Asker]:
    with recorded(tmp_path_factory.mktemp("store"), texts) as asker:
        yield asker


def test_what_is_asked_here_has_an_answer(ask: Asker) -> None:
    """Else statements would be the same for want of a process."""
    answer = ask("/api/v2/processes", f"search={quote('nginx')}&tags=env:prod".encode(), headers=READER)

    assert [item["attributes"]["cmdline"] for item in json.loads(answer.body)["data"]] == ["nginx"]


@pytest.mark.parametrize(("door", "mark"), DOORS)
def test_hostile_values_are_data_or_a_400(ask: Asker, texts: set[str], door: str, mark: str) -> None:
    def answer(value: str) -> int:
        path, _, name = door.partition("?")
        query = f"{name}{value}" if name else ""
        found = ask(path if name else path + value, query.encode(), headers=READER)
        assert found.status in (200, 400, 404), f"{value[:50]!r}: {found.status} {found.body[:200]!r}"
        json.loads(found.body)
        return found.status

    # A colon asks for something else. Twice, since what is known by then is not asked for again.
    for value in 2 * (f"{MARK}plain", f"{MARK}:plain"):
        answer(quote(f"{mark}{value}{mark}", safe=""))
    harmless = set(texts)

    for value in HOSTILE:
        # A star is a wildcard in a tag, and asks for something else.
        escaped = value.replace("\\", "\\\\") if mark else value.replace("*", "")
        answer(quote(f"{mark}{escaped}{mark}", safe=""))
    for value in RAW:
        answer(value)

    assert texts, "no statement was seen"
    assert not [text for text in texts if MARK in text.lower()]
    assert texts - harmless == set()
