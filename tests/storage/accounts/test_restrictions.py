from __future__ import annotations

import pytest

from procession.accounts.restriction import UNRESTRICTED, Restriction
from procession.storage.accounts.restrictions import restriction_of, texts_of


@pytest.mark.parametrize(
    "restriction", [UNRESTRICTED, Restriction("env:a"), Restriction("", True), Restriction("a=b,restricted:x", True)]
)
def test_what_is_written_is_read(restriction: Restriction) -> None:
    assert restriction_of(["monitors_read", *texts_of(restriction)]) == restriction


def test_what_a_newer_server_restricts_is_not_taken_for_nothing() -> None:
    assert restriction_of(["restricted:rows=env:a", "restricted:hosts=web-*"]) is None
