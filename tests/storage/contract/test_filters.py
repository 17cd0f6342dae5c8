"""What every store promises, asked of each of them: search, tags, and texts that would break what is careless."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from procession.accounts.restriction import Restriction
from procession.accounts.visibility import Visibility
from procession.process import ProcessIdentity, ProcessSummary
from procession.query import ProcessQuery
from procession.search.parser import Language, parse_search
from procession.search.tag_filter import TagFilter
from procession.storage import ProcessStore
from procession.window import Window
from tests.support.builders import NOON, a_description
from tests.support.stores.fleet import STARTED, Fleet

# Search and tags


@pytest.fixture(scope="module")
def shops() -> dict[int, tuple[ProcessStore, Fleet]]:
    """By the `id` of their store."""
    return {}


@pytest.fixture
def shop(fleet: Fleet, shops: dict[int, tuple[ProcessStore, Fleet]]) -> Fleet:
    """Three processes: 1 nginx, 2 java, 3 a shell in Cyrillic. To be looked at only: each store has one of it."""
    if id(fleet.store) in shops:
        return shops[id(fleet.store)][1]
    with fleet.at_once():
        fleet.see(NOON, pid=1, host="Web-1", tags=("env:prod", "pci", "team:größe"))
        fleet.see(
            NOON,
            pid=2,
            cmdline="Java -Xmx4g 100% a_b kind:a-b",
            exe="/opt/App/bin/java",
            user="app",
            command="java",
            tags=("env:prod", "env:staging", "url:http://x:80/"),
        )
        fleet.see(
            NOON,
            pid=3,
            cmdline="БАШ -c ΟΔΟΣ",
            exe="",
            user="Ольга",
            command="баш",
            is_zombie=True,
            tags=("k:100%", "k:a_b"),
        )
    shops[id(fleet.store)] = fleet.store, fleet
    return fleet


@pytest.mark.parametrize(
    ("search", "pids"),
    [
        ("java", [2]),
        ("NGINX", [1]),
        ("/opt/app", [2]),
        ("WWW-DATA OR ольга", [1, 3]),
        ("баш", [3]),
        ("οδος", [3]),
        ("-", [1, 2, 3]),
        ("0%", [2]),
        ("a_b", [2]),
        ("axb", []),
        ("%", [2]),
        ("_", [2]),
        ('"%java%"', []),
        ("*", []),
        ("g 1 4G", [2]),
        ('"b /opt"', []),
        ("in OR xmx4", [1, 2]),
        ("a NOT (java OR nginx)", []),
        ("!nginx", [2, 3]),
        ("NOT nginx NOT java", [3]),
        ("java nginx OR баш", [3]),
        ('""', [1, 2, 3]),
        ('NOT ""', []),
        ("env:prod", [1, 2]),
        ("env:pro", []),
        ("env:pro* !env:staging", [1]),
        ("env:*", [1, 2]),
        ("env:*g", [2]),
        ("NOT env:prod", [3]),
        ("url:http://X:*", [2]),
        ("k:100%", [3]),
        ("k:100*", [3]),
        ("k:*0%", [3]),
        ("k:a*b", [3]),
        ("k:axb", []),
        ("kind:a*b", [2]),
        ("kind:a", [2]),
        ("kind:b", []),
        ("host:web-1", [1, 2, 3]),
        ("host:w*1", [1, 2, 3]),
        ("host:web", []),
        ("user:APP", [2]),
        ("user:ОЛЬ*", [3]),
        ("command:java", [2]),
        ("state_zombie:true", [3]),
        ("state_zombie:f*", [1, 2]),
        ("state:zombie", []),
        ("pci", []),
    ],
)
def test_a_search_finds(shop: Fleet, search: str, pids: list[int]) -> None:
    assert shop.pids(search=search) == pids


@pytest.mark.parametrize(
    ("tags", "pids"),
    [
        ("env:prod", [1, 2]),
        ("ENV:PROD", [1, 2]),
        ("env:prod,env:staging", [2]),
        ("env:prod,!env:staging", [1]),
        ("pci", [1]),
        ("!pci", [2, 3]),
        ("env", []),
        ("env:*", [1, 2]),
        ("env:*d", [1, 2]),
        ("e*:st*g", [2]),
        ("*", [1, 2, 3]),
        ("!*", []),
        ("*:true", [3]),
        ("*ö*", [1]),
        ("TEAM:GRÖẞE", [1]),
        ("host:web-1", [1, 2, 3]),
        ("host:WEB-1,user:app", [2]),
        ("h*1", [1, 2, 3]),
        ("!user:*", []),
        ("user:ольга", [3]),
        ("command:БАШ", [3]),
        ("state_zombie:false", [1, 2]),
        ("!state_zombie:false", [3]),
        ("k:100%", [3]),
        ("k:a_b", [3]),
        ("k:axb", []),
        ("k:%", []),
        ("k:a_*", [3]),
        ("nope", []),
        (" , ,", [1, 2, 3]),
    ],
)
def test_a_tag_filter_lets_pass(shop: Fleet, tags: str, pids: list[int]) -> None:
    assert shop.pids(tags=tags) == pids


def pids_seen(fleet: Fleet, restriction: Restriction, search: str = "", tags: str = "") -> list[int]:
    """As a reader who is restricted so sees them."""
    asked = Visibility(fleet.org, restriction).selection(
        parse_search(search, Language.PROCESSION), TagFilter.parse(tags, with_discovered=True)
    )
    query = ProcessQuery(asked.org_id, Window(NOON - 10, NOON), asked.search, asked.tags)
    return sorted(process.identity.pid for process in fleet.store.find(query).processes)


@pytest.mark.parametrize(
    ("search", "pids"),
    [
        ("java", [2]),
        ("NGI", [1]),
        ("www-data OR ольга", [1, 3]),
        ("web-1", [1, 2, 3]),
        ("баш", [3]),
        ("-Xmx4g", []),
        ("daemon", []),
        ("/opt/app", []),
        ("prod", []),
        ("kind:a*b", []),
        ("!kind:a*b", [1, 2, 3]),
        ("env:prod !nginx", [2]),
        ("command:j*a", [2]),
        ("user:app", [2]),
        ("host:web-1", [1, 2, 3]),
        ("k:100*", [3]),
        ("ppid:1", [1, 2, 3]),
    ],
)
def test_without_arguments_a_search_finds_by_no_text_that_is_hidden(shop: Fleet, search: str, pids: list[int]) -> None:
    assert pids_seen(shop, Restriction("", True), search) == pids


@pytest.mark.parametrize(
    ("rows", "pids"),
    [("env:prod", [1, 2]), ("env:prod,!env:staging", [1]), ("env:staging OR k:100%", [2, 3]), ("env:none", [])],
)
def test_a_reader_of_some_rows_finds_no_others(shop: Fleet, rows: str, pids: list[int]) -> None:
    restriction = Restriction(rows)

    assert pids_seen(shop, restriction) == pids
    assert pids_seen(shop, restriction, search="nginx OR java OR баш") == pids
    assert pids_seen(shop, restriction, tags="*") == pids
    assert pids_seen(shop, restriction, search="!nothing") == pids


def test_a_full_page_of_conditions_is_answered_without_arguments_too(fleet: Fleet) -> None:
    fleet.see(NOON, pid=1, command="word 23", tags=("k:299",))

    assert pids_seen(fleet, Restriction("", True), " OR ".join(f'"word {number}"' for number in range(24))) == [1]
    assert pids_seen(fleet, Restriction("", True), " OR ".join(f"k:*{number}" for number in range(44, 300))) == [1]


def test_a_search_looks_at_one_text_at_a_time(fleet: Fleet) -> None:
    fleet.see(NOON, cmdline="one", exe="two", user="three")

    for separator in (" ", "\n", "\0", "\t", "|", ""):
        assert fleet.pids(search=f'"one{separator}two"') == []
        assert fleet.pids(search=f'"two{separator}three"') == []
    assert fleet.pids(search='"\0"') == []


def test_wildcards_in_a_text_stay_within_that_text(fleet: Fleet) -> None:
    fleet.see(NOON, pid=1, cmdline="key:one", exe="two")
    fleet.see(NOON, pid=2, cmdline="key:one\nand two", exe="")

    assert fleet.pids(search="key:o*two") == [2]


def test_a_full_page_of_conditions_is_answered(fleet: Fleet) -> None:
    fleet.see(NOON, pid=1, cmdline="word 255", tags=("k:299",))

    assert fleet.pids(NOON, NOON, search=" OR ".join(f'"word {number}"' for number in range(256))) == [1]
    assert fleet.pids(NOON, NOON, search=" OR ".join(f"k:*{number}" for number in range(44, 300))) == [1]
    assert fleet.pids(NOON, NOON, search=" ".join(f"NOT k:{number}" for number in range(256))) == [1]
    assert fleet.pids(NOON, NOON, tags=",".join(f"!k:{number}" for number in range(256))) == [1]
    nested = "!(a OR b " * 32 + "c" + ")" * 32
    assert fleet.pids(search=f"{nested} OR NOT {nested}") == [1]


# Text that would break what is careless


HOSTILE = {
    "single quote": "it's '' \\'",
    "double quotes": 'say "hi" ""',
    "backslashes": "C:\\new\\table\\0 \\\\ \\",
    "control characters": "a\tb\nc\rd\x01\x1b\x7f",
    "NUL": "a\0b",
    "LIKE": "100% _a_ %% \\% \\_",
    "a pattern": ".*(a|b)+[c]{2}^$?\\d",
    "a format string": "{x} {x:String} {} %s %(org)s ${HOME} {{y}}",
    "SQL": "'; DROP TABLE presence; -- /* x */",
    "beyond the basic plane": "😀 e\u0301 ﷽ \u202e",
    "upper and lower": "İI ıi ẞß ΣΣ ǅ K",
    "long": "a" * 100_000 + "b",
    "many star characters": "*" * 50,
}


HOSTILE_TEXTS = pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def test_any_text_is_kept_as_it_is(fleet: Fleet) -> None:
    places = ("cmdline", "exe", "cwd", "comm", "command", "user", "container_id")
    said: dict[str, dict[str, Any]] = {
        text: {**dict.fromkeys(places, text), "tags": (text.lower(),)} for text in HOSTILE.values()
    }
    with fleet.at_once():
        for text, fields in said.items():
            fleet.see(NOON, host=text, **fields)

    found = {process.identity.host: process for process in fleet.find()}

    assert found.keys() == said.keys()
    for text, fields in said.items():
        assert found[text] == ProcessSummary(ProcessIdentity(text, 7, STARTED), NOON, a_description(**fields)), text


PIDS = {text: 10 + number for number, text in enumerate(HOSTILE.values())}
HARMLESS = 1
"""The pid of a process without any of them."""


def but(pid: int) -> list[int]:
    """All others of `hostile_at`."""
    return [one for one in (HARMLESS, *PIDS.values()) if one != pid]


HostileAt = Callable[[str], Fleet]


@pytest.fixture(scope="module")
def hostile_fleets() -> dict[tuple[int, str], tuple[ProcessStore, Fleet]]:
    """By the `id` of their store, and where the texts are."""
    return {}


@pytest.fixture
def hostile_at(fleet: Fleet, hostile_fleets: dict[tuple[int, str], tuple[ProcessStore, Fleet]]) -> HostileAt:
    """A process for each of the texts, which is `before … after` at a place, or all of one of its tags. To be looked at
    only: each store has one fleet for each place."""

    def filled(place: str) -> Fleet:
        key = (id(fleet.store), place)
        if key not in hostile_fleets:
            with fleet.at_once():
                for text, pid in PIDS.items():
                    fleet.see(NOON, pid=pid, **_fields_with(place, text))
                fleet.see(NOON, pid=HARMLESS, tags=("k:other",), host="other", user="other", command="other")
            hostile_fleets[key] = fleet.store, fleet
        return hostile_fleets[key][1]

    return filled


def _fields_with(place: str, text: str) -> dict[str, Any]:
    kind, _, name = place.partition(" ")
    if kind == "text":
        return {name: f"before {text} after"}
    return {"tags": (f"k:{text}".lower(),)} if name == "k" else {name: text}


@HOSTILE_TEXTS
@pytest.mark.parametrize("place", ["cmdline", "exe", "user"])
def test_any_text_is_found_as_it_is(hostile_at: HostileAt, place: str, text: str) -> None:
    fleet, pid = hostile_at(f"text {place}"), PIDS[text]

    assert fleet.pids(search=quoted(text)) == [pid]
    assert fleet.pids(search=quoted(text.lower())) == [pid]
    assert fleet.pids(search=f"NOT {quoted(text)}") == but(pid)
    assert fleet.pids(search=quoted(f"before {text} after")) == [pid]
    assert fleet.pids(search=quoted(f"{text} before")) == []


@HOSTILE_TEXTS
@pytest.mark.parametrize("key", ["k", "host", "user", "command"])
def test_any_tag_is_found_as_it_is(hostile_at: HostileAt, key: str, text: str) -> None:
    fleet, pid = hostile_at(f"tag {key}"), PIDS[text]

    assert fleet.pids(search=f"{key}:{quoted(text)}") == [pid]
    assert fleet.pids(search=f"!{key}:{quoted(text)}") == but(pid)
    assert fleet.pids(search=f"{key}:{quoted(text)}*") == [pid]
    assert fleet.pids(search=f"{key}:*{quoted(text)}*") == [pid]
    assert fleet.pids(search=f"{key}:{quoted(text[:-1])}") == []
    if text == text.strip() and not {",", "*"} & set(text):  # a filter has no quotes
        assert fleet.pids(tags=f"{key}:{text}") == [pid]
        assert fleet.pids(tags=f"!{key}:{text}") == but(pid)
        assert fleet.pids(tags=f"{key}:{text}*,state_zombie:*") == [pid]


@pytest.mark.parametrize("text", ["\ud800", "a\udfff b"])
def test_half_a_surrogate_is_nowhere_and_breaks_nothing(fleet: Fleet, text: str) -> None:
    fleet.see(NOON)

    assert fleet.pids(search=f'"{text}"') == []
    assert fleet.pids(search=f'NOT "{text}"') == [7]
    assert fleet.pids(search=f'k:"{text}"*x') == []
    assert fleet.pids(tags=f"k:{text}") == []


def test_thousands_of_stars_are_answered(fleet: Fleet) -> None:
    fleet.see(NOON, tags=("k:" + "ab" * 200,))

    assert fleet.pids(search="k:" + "a*" * 100) == [7]
    assert fleet.pids(search="k:" + "a*" * 10_000) == []
    assert fleet.pids(tags="k:" + "a*" * 10_000) == []
    assert fleet.pids(search="no:" + "a*" * 10_000) == []


@pytest.mark.parametrize("count", [2, 9, 80])
def test_many_tag_terms_find_what_each_of_them_finds(fleet: Fleet, count: int) -> None:
    with fleet.at_once():
        for pid in range(1, 6):
            fleet.see(NOON, pid=pid, tags=(f"rack:r{pid}", "team:a"), cmdline=f"program rack:r{pid + 10}")

    any_of = " OR ".join(f"rack:r{number}" for number in range(3, 3 + count))
    none_of = " ".join(f"NOT rack:r{number}" for number in range(3, 3 + count))

    expected = [pid for pid in range(1, 6) if 3 <= pid < 3 + count]
    assert fleet.pids(search=any_of) == expected
    assert fleet.pids(search=f"team:a {none_of}") == [pid for pid in range(1, 6) if pid not in expected]


@pytest.mark.parametrize("tags", ["host:web-1", "host:web-1,team:a"])
def test_a_tag_that_names_another_host_counts_as_that_of_the_host_itself(fleet: Fleet, tags: str) -> None:
    fleet.see(NOON, pid=1, host="web-1", tags=("team:a",))
    fleet.see(NOON, pid=2, host="web-2", tags=("host:web-1", "team:a"))
    fleet.see(NOON, pid=3, host="web-2", tags=("team:a",))

    assert fleet.pids(NOON - 60, NOON + 60, tags=tags) == [1, 2]
    assert fleet.pids(NOON - 60, NOON + 60, search="host:web-1") == [1, 2]


def test_the_processes_of_one_host_come_in_pages_too(fleet: Fleet) -> None:
    for pid in range(1, 8):
        fleet.see(NOON, NOON + 10, pid=pid, host="web-1", cmdline="even" if pid % 2 == 0 else "odd")
        fleet.see(NOON, pid=pid, host="web-2")

    found = fleet.scan(NOON - 60, NOON + 60, limit=2, search="host:web-1")

    assert sorted(process.identity.pid for process in found) == list(range(1, 8))
    assert {process.seen_at for process in found} == {NOON + 10}
    assert fleet.pids(NOON - 60, NOON + 60, search="host:web-1 even") == [2, 4, 6]
