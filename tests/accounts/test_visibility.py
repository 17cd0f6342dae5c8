"""What a reader may see parts whatever is remembered, shared or followed."""

from __future__ import annotations

import ast
import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from procession.accounts.orgs import Key, KeyKind
from procession.accounts.restriction import Restricted, Restriction
from procession.accounts.visibility import Visibility
from procession.analysis import Selection
from procession.errors import Forbidden, InvalidParameter
from procession.paging import Cursor, fingerprint
from procession.process import ProcessIdentity, ProcessKey, ProcessSummary
from procession.search.parser import Language, parse_search
from procession.search.tag_filter import TagFilter
from procession.server.access.shared_answers import EncodedAnswer, SharedAnswers, SharedQuestion
from procession.server.public.remembered_items import RememberedItems
from procession.storage.history.statements.search_conditions import Filters, filters_of
from procession.window import Window
from tests.support.builders import NOON, a_description

SOURCE = Path(__file__).parents[2] / "src/procession"
AUTHENTICATED = {"server/access/key_cache.py", "server/access/sessions.py"}


ALL = Visibility(1)
OTHERS = [
    Visibility(2),
    Visibility(11),
    Visibility(1, Restriction("team:web")),
    Visibility(1, Restriction("team:db")),
    Visibility(1, Restriction("", True)),
    Visibility(1, Restriction("team:web", True)),
]


def test_what_is_different_has_different_texts() -> None:
    assert len({one.text for one in (ALL, *OTHERS)}) == 1 + len(OTHERS)


@pytest.mark.parametrize("other", OTHERS)
def test_two_who_may_not_see_the_same_share_nothing(other: Visibility) -> None:
    async def an_answer() -> EncodedAnswer:
        return EncodedAnswer.of(b"{}")

    async def share() -> None:
        answers = SharedAnswers()
        begun = answers.begin(SharedQuestion(ALL, "/processes", b"sort=pid"), an_answer)
        assert answers.find(SharedQuestion(Visibility(1), "/processes", b"sort=pid"), 1.0) is begun
        assert answers.find(SharedQuestion(other, "/processes", b"sort=pid"), 1.0) is None
        await begun

    asyncio.run(share())
    cursor = Cursor(Window(NOON - 900, NOON), ProcessKey(NOON, 7, 8), fingerprint(ALL, "nginx", ""))
    assert Cursor.decode(cursor.encode(), fingerprint=fingerprint(Visibility(1), "nginx", "")) == cursor
    with pytest.raises(InvalidParameter):
        Cursor.decode(cursor.encode(), fingerprint=fingerprint(other, "nginx", ""))
    items, process = RememberedItems(), ProcessSummary(ProcessIdentity("web-1", 7, NOON), NOON, a_description())
    items.of(ALL, process)
    held = items.held_bytes
    items.of(Visibility(1), process)
    assert items.held_bytes == held
    items.of(other, process)
    assert items.held_bytes > held


def test_cursors_of_before_go_on() -> None:
    assert fingerprint(Visibility(7), "nginx", "env:prod").hex() == "2136317db1bb6aac"


def test_a_selection_has_the_rows_before_all_that_is_asked_for_and_once() -> None:
    seen = Visibility(1, Restriction("env:a OR env:c,!team:db"))
    asked = seen.selection(parse_search("nginx"), TagFilter.parse("env:b,x:y"))

    assert asked.tags == TagFilter(
        (*TagFilter.parse("env:a OR env:c,!team:db", has_or=True).conditions, *TagFilter.parse("env:b,x:y").conditions)
    )
    assert seen.selection(asked.search, asked.tags) == asked
    assert seen.container_selection(tags=TagFilter.parse("x:y")).tags.conditions[:2] == asked.tags.conditions[:2]
    assert ALL.selection(parse_search("nginx")) == Selection(1, parse_search("nginx"))


def test_the_plan_of_who_sees_some_rows_is_that_of_a_question_for_them() -> None:
    seen = Visibility(1, Restriction("env:a")).selection(parse_search("nginx"), TagFilter.parse("team:web"))
    asked = ALL.selection(parse_search("nginx"), TagFilter.parse("env:a,team:web"))

    assert _filters(seen) == _filters(asked)
    assert "env:a" in _filters(seen).parameters.values()


def test_a_selection_without_arguments_looks_into_no_text_and_is_the_same_again() -> None:
    seen = Visibility(1, Restriction("", True))
    search = parse_search("nginx OR (foo:bar !service:x pid>3)", Language.PROCESSION)
    asked = seen.selection(search, TagFilter.parse("service:x,*", with_discovered=True))
    condition = str(_filters(seen.selection(parse_search("nginx OR foo:bar !x*y"))).condition)

    assert seen.selection(asked.search, asked.tags) == asked
    assert not any(one.with_discovered for one in asked.tags.conditions)
    assert "text" not in condition.replace("own_tags", "")


def test_who_is_restricted_is_let_in_only_where_that_is_honoured() -> None:
    rows, arguments = Visibility(1, Restriction("env:a")), Visibility(1, Restriction("", True))
    both = Visibility(1, Restriction("env:a", True))

    assert ALL.require(Restricted.NOTHING) is ALL
    assert rows.require(Restricted.ROWS) is rows
    assert both.require(Restricted.ALL) is both
    for one, honours in (
        (rows, Restricted.NOTHING),
        (rows, Restricted.ARGUMENTS),
        (arguments, Restricted.ROWS),
        (both, Restricted.ROWS),
        (both, Restricted.ARGUMENTS),
    ):
        with pytest.raises(Forbidden):
            one.require(honours)


def test_it_is_that_of_the_key() -> None:
    key = Key("k", 7, KeyKind.APPLICATION, "k", b"", NOON, restriction=Restriction("env:a"))

    assert Visibility.of(key) == Visibility(7, Restriction("env:a"))


def test_it_is_made_of_who_was_let_in_and_nothing_asks_past_it() -> None:
    made = {path for path, name in calls_in(SOURCE) if name in ("Visibility", "Visibility.of")}
    selected = {path for path, name in calls_in(SOURCE / "server") if name == "Selection"}

    assert made == AUTHENTICATED
    assert not selected, "the selection of a reader is made by Visibility.selection"


def _filters(selection: Selection) -> Filters:
    return filters_of(selection.org_id, selection.search, selection.tags)


def calls_in(folder: Path) -> Iterator[tuple[str, str]]:
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield str(path.relative_to(SOURCE)), ast.unparse(node.func)
