from __future__ import annotations

from typing import Any

import pytest

from procession.accounts.change import (
    HIDDEN,
    MAX_FIELD_CHARACTERS,
    Author,
    Change,
    ChangeAction,
    ChangeKind,
    new_change,
)
from tests.support.builders import NOON

AUTHOR = Author("k1", "terraform")


def a_change(
    before: dict[str, Any] | None, after: dict[str, Any] | None, hidden: tuple[str, ...] = ()
) -> Change | None:
    return new_change(1, NOON, AUTHOR, ChangeKind.MONITOR, "7", before, after, hidden=hidden)


@pytest.mark.parametrize(
    ("before", "after", "action", "kept"),
    [
        (None, {"name": "a", "tags": []}, ChangeAction.CREATED, (None, {"name": "a", "tags": []})),
        ({"name": "a", "tags": []}, None, ChangeAction.DELETED, ({"name": "a", "tags": []}, None)),
        ({"name": "a", "tags": []}, {"name": "b", "tags": []}, ChangeAction.CHANGED, ({"name": "a"}, {"name": "b"})),
        ({"name": "a"}, {"name": "a", "end": None}, ChangeAction.CHANGED, ({}, {"end": None})),
    ],
)
def test_a_change_keeps_the_fields_that_are_others(
    before: dict[str, Any] | None, after: dict[str, Any] | None, action: ChangeAction, kept: tuple[Any, Any]
) -> None:
    change = a_change(before, after)

    assert change is not None
    assert (change.action, change.author, change.before, change.after) == (action, AUTHOR, *kept)


def test_what_stays_as_it_was_is_no_change() -> None:
    assert a_change({"name": "a"}, {"name": "a"}) is None


def test_of_a_hidden_field_it_is_kept_that_it_changed_and_nothing_else() -> None:
    change = a_change({"url": "https://a/secret", "key": "x"}, {"url": "https://b/secret", "key": "x"}, ("url", "key"))

    assert change is not None
    assert (change.before, change.after) == ({"url": HIDDEN}, {"url": HIDDEN})


def test_of_a_long_field_the_beginning_is_kept() -> None:
    change = a_change(None, {"message": "x" * 100_000, "options": {"mine": ["y" * 3_000] * 3}})

    assert change is not None
    assert change.after is not None
    assert {len(text) for text in change.after.values()} == {MAX_FIELD_CHARACTERS + 1}


def test_later_changes_have_greater_ids() -> None:
    changes = [a_change(None, {"n": n}) for n in range(50)]
    ids = [change.id for change in changes if change is not None]

    assert ids == sorted(set(ids))
    assert len(ids) == 50
