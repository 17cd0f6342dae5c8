from __future__ import annotations

from procession.text.tags import MAX_TAG_LENGTH, normal_tags


def test_tags_are_the_same_in_whatever_case_order_or_type_they_come() -> None:
    assert normal_tags([" Env:Prod ", b"role:web", "env:prod", "", b" "]) == ("env:prod", "role:web")
    assert normal_tags((b"role:web", b"env:prod")) == ("env:prod", "role:web")
    assert normal_tags(("role:web", "env:prod")) == ("env:prod", "role:web")


def test_tags_that_came_before_are_the_same_object_again() -> None:
    assert normal_tags(["team:b", "team:a"]) is normal_tags(["team:b", "team:a"])


def test_long_tags_are_cut_and_not_remembered() -> None:
    long = ["x" * (MAX_TAG_LENGTH + number) for number in range(10)]

    assert normal_tags(long) == ("x" * MAX_TAG_LENGTH,)
    assert normal_tags(long) is not normal_tags(long)
