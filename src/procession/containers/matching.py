"""Which containers a search or tags choose."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from procession.analysis.selection import Selection
from procession.containers.container import Container
from procession.containers.presence import FoundContainer
from procession.search.evaluation import Searched, matches
from procession.search.fields import FIELDS
from procession.search.pattern import fold
from procession.search.tag_filter import TagFilter
from procession.search.tree import SearchNode

_NUMBERS = {"rss_bytes": "memory_rss_bytes"}
"""What the number of a process is called of a container, where that is another name."""


def chosen(found: Iterable[FoundContainer], selection: Selection) -> Iterator[FoundContainer]:
    """In their order."""
    for one in found:
        if is_chosen(one.container, selection.search, selection.tags, one.seen_at):
            yield one


def is_chosen(container: Container, search: SearchNode | None, tags: TagFilter, seen_at: int | None = None) -> bool:
    """Whether it has the tags and matches the search, which looks for texts in its name, its image and its id.
    `seen_at`: when; None where nobody asks for its age."""
    folded = tuple(fold(tag) for tag in container.tags) if tags.conditions or search is not None else ()
    if not all(condition.accepts(folded) for condition in tags.conditions):
        return False
    if search is None:
        return True

    def value(field: str) -> float | None:
        if field == "age":
            begun = container.started_at
            return None if seen_at is None or begun is None else max(0, seen_at - begun)
        names = (_NUMBERS.get(measure, measure) for measure in FIELDS[field].measures)
        numbers: list[Any] = [getattr(container.numbers, name, None) for name in names]
        return None if not numbers or None in numbers else sum(numbers)

    texts = (container.name, container.image_name, container.container_id)
    return matches(search, Searched(tuple(map(fold, texts)), folded, value))
