"""What a reader may see parts whatever is remembered, shared or followed."""

from __future__ import annotations

import ast
import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from procession.accounts.visibility import Visibility
from procession.errors import InvalidParameter
from procession.paging import Cursor, fingerprint
from procession.process import ProcessIdentity, ProcessKey, ProcessSummary
from procession.server.access.shared_answers import EncodedAnswer, SharedAnswers, SharedQuestion
from procession.server.public.remembered_items import RememberedItems
from procession.window import Window
from tests.support.builders import NOON, a_description

SOURCE = Path(__file__).parents[2] / "src/procession"
AUTHENTICATED = {"server/access/key_cache.py", "server/access/sessions.py"}


class OfRows(NamedTuple):
    """What a role that sees a part of an org would have besides."""

    org_id: int
    tags: str

    @property
    def text(self) -> str:
        return str(Visibility.text.fget(self))  # type: ignore[attr-defined]


ALL = Visibility(1)
OTHERS: list[Any] = [Visibility(2), Visibility(11), OfRows(1, "team:web"), OfRows(1, "team:db")]


@pytest.mark.parametrize("other", OTHERS)
def test_two_who_may_not_see_the_same_share_nothing(other: Any) -> None:
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


def test_it_is_made_of_who_was_let_in_and_nothing_asks_past_it() -> None:
    made = {path for path, name in calls_in(SOURCE) if name in ("Visibility", "Visibility.of")}
    selected = {path for path, name in calls_in(SOURCE / "server") if name == "Selection"}

    assert made == AUTHENTICATED
    assert not selected, "the selection of a reader is made by Visibility.selection"


def calls_in(folder: Path) -> Iterator[tuple[str, str]]:
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield str(path.relative_to(SOURCE)), ast.unparse(node.func)
