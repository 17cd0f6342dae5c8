from __future__ import annotations

import pytest

from procession.accounts.saved_view import MAX_VIEWS, SavedView, save_view, view_name
from procession.errors import InvalidRequest
from tests.support.builders import NOON


class Views:
    """Of the org 1, in memory."""

    def __init__(self, count: int) -> None:
        self.kept = {f"view {number}": SavedView(f"view {number}", "", NOON) for number in range(count)}

    def views(self, org_id: int) -> tuple[SavedView, ...]:
        return tuple(self.kept.values()) if org_id == 1 else ()

    def put_view(self, org_id: int, view: SavedView) -> None:
        assert org_id == 1
        self.kept[view.name] = view


def test_an_org_has_a_bounded_number_of_views() -> None:
    store = Views(MAX_VIEWS - 1)

    save_view(store, 1, SavedView("the last", "", NOON))
    with pytest.raises(InvalidRequest, match="500 views already"):
        save_view(store, 1, SavedView("one more", "", NOON))

    assert len(store.kept) == MAX_VIEWS


def test_a_view_of_a_full_org_may_still_be_changed() -> None:
    store = Views(MAX_VIEWS)

    save_view(store, 1, SavedView("view 7", "search=nginx", NOON))

    assert store.kept["view 7"].state == "search=nginx"


def test_a_name_is_taken_without_the_blanks_around_it() -> None:
    assert view_name("  mine, of today ") == "mine, of today"


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "a\x00", "\u202egnp", "x" * 101])
def test_a_name_that_cannot_be_shown_in_a_line_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequest, match="1 to 100 printable"):
        view_name(name)
