"""What every client is asked, once for all languages, and what it has to get."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.conformance.fleet import EARLIER_AGO, NOW_AGO, UNICODE_CMDLINE, Item

DEFAULT_LIMIT = 1000


def _anything(_item: Item) -> bool:
    return True


@dataclass(frozen=True, kw_only=True)
class Case:
    name: str
    parameters: dict[str, str | int]
    """By the clients' names: search, tags, from, to, page_limit, page_cursor."""
    finds: Callable[[Item], bool] = _anything
    ago: tuple[int, int] = (900, 0)
    """The window, in seconds before the fleet was posted."""
    skips: int = 0
    """How many come before the cursor."""
    all_pages: bool = False
    """Whether by the client's own helper, which turns the pages."""
    keys: str = "reader"
    """Which keys: reader, bearer, or one that is not right."""
    status: int = 200
    errors: tuple[str, ...] = ()
    refused_by: tuple[str, ...] = ()
    """The languages whose client cannot say this: it refuses, or knows no way."""

    def expected(self, items: list[Item]) -> list[Item]:
        """Out of all items of the window."""
        found = [item for item in items if self.finds(item)]
        if self.all_pages:
            return found
        limit = int(self.parameters.get("page_limit", DEFAULT_LIMIT))
        return found[self.skips : self.skips + limit]


def in_command(text: str) -> Callable[[Item], bool]:
    return lambda item: text in item["attributes"]["cmdline"]


def tagged(*tags: str) -> Callable[[Item], bool]:
    return lambda item: set(tags) <= set(item["attributes"]["tags"])


def both(*conditions: Callable[[Item], bool]) -> Callable[[Item], bool]:
    return lambda item: all(condition(item) for condition in conditions)


def _bad_limit(limit: int) -> dict[str, Any]:
    message = "Invalid query parameter page[limit]: it is not a whole number from 1 to 10000"
    return {"parameters": {"page_limit": limit}, "status": 400, "errors": (message,), "refused_by": ("python",)}


def cases(posted_at: int, cursor_after_10_workers: str) -> list[Case]:
    now, earlier = posted_at - NOW_AGO, posted_at - EARLIER_AGO
    is_testing_agent = both(in_command("process-agent"), tagged("testing:true"))
    unicode_search = 'löschen "a+b&c=d%20e" 日本 user:jürgen'
    return [
        Case(name="no parameters", parameters={}),
        # Search and tags
        Case(
            name="the seed example",
            parameters={"search": "process-agent", "tags": "testing:true", "page_limit": 2},
            finds=is_testing_agent,
        ),
        Case(name="search", parameters={"search": "process-agent"}, finds=in_command("process-agent")),
        Case(
            name="search with operators",
            parameters={"search": "java !elasticsearch (shop-4 OR shop-94)"},
            finds=lambda item: any(f"/shop-{n}" in item["attributes"]["cmdline"] for n in ("4", "94")),
        ),
        Case(
            name="search for text that has to be encoded",
            parameters={"search": unicode_search},
            finds=in_command(UNICODE_CMDLINE),
        ),
        Case(name="search for a tag", parameters={"search": "user:uid:3003"}, finds=tagged("user:uid:3003")),
        Case(
            name="tags",
            parameters={"tags": "rack:1,p-bosh,command:java"},
            finds=tagged("rack:1", "p-bosh", "command:java"),
        ),
        Case(name="tags in capitals", parameters={"tags": "State_Zombie:TRUE"}, finds=tagged("state_zombie:true")),
        Case(name="nothing found by search", parameters={"search": "no-such-process"}, finds=lambda _: False),
        Case(name="nothing found by tags", parameters={"tags": "none:such"}, finds=lambda _: False),
        # Windows
        Case(
            name="from and to",
            parameters={"from": earlier - 5, "to": earlier + 5},
            ago=(EARLIER_AGO + 5, EARLIER_AGO - 5),
        ),
        Case(name="from alone", parameters={"from": earlier}, ago=(EARLIER_AGO, EARLIER_AGO - 900)),
        Case(name="to alone", parameters={"to": earlier}, ago=(EARLIER_AGO + 900, EARLIER_AGO)),
        Case(name="one second", parameters={"from": now, "to": now, "page_limit": 10_000}, ago=(NOW_AGO, NOW_AGO)),
        Case(
            name="a window of two hours tells a reused pid from its last owner",
            parameters={"from": earlier, "to": now, "tags": "host:web-00", "page_limit": 10_000},
            finds=tagged("host:web-00"),
            ago=(EARLIER_AGO, NOW_AGO),
        ),
        Case(
            name="a window before a change shows what was before",
            parameters={"from": earlier, "to": now - 1, "search": "not-yet"},
            finds=in_command("--not-yet"),
            ago=(EARLIER_AGO, NOW_AGO + 1),
        ),
        Case(name="to in the future", parameters={"from": now, "to": 4_000_000_000}, ago=(NOW_AGO, 0)),
        Case(name="nothing seen in the window", parameters={"from": now - 20, "to": now - 10}, ago=(80, 70)),
        # Pages
        Case(
            name="page[cursor]",
            parameters={"search": "worker", "page_limit": 25, "page_cursor": cursor_after_10_workers},
            finds=in_command("worker"),
            skips=10,
        ),
        Case(name="an empty page[cursor]", parameters={"page_cursor": "", "page_limit": 3}),
        Case(name="the largest page[limit]", parameters={"page_limit": 10_000}),
        Case(name="all pages of the default size", parameters={}, all_pages=True),
        Case(name="all pages of 1000", parameters={"page_limit": 1000}, all_pages=True),
        Case(name="all pages of 7", parameters={"page_limit": 7}, all_pages=True),
        Case(
            name="all pages of the seed example",
            parameters={"search": "process-agent", "tags": "testing:true", "page_limit": 2},
            finds=is_testing_agent,
            all_pages=True,
        ),
        Case(
            name="all pages of full ones only",  # 250 zombies and others: a multiple of the page's size
            parameters={"tags": "command:java", "page_limit": 100},
            finds=tagged("command:java"),
            all_pages=True,
        ),
        Case(name="all pages of nothing", parameters={"tags": "none:such"}, finds=lambda _: False, all_pages=True),
        # Refusals
        Case(name="page[limit] of 0", **_bad_limit(0)),
        Case(name="page[limit] of 10001", **_bad_limit(10_001)),
        Case(
            name="from after to",
            parameters={"from": now, "to": now - 1},
            status=400,
            errors=("Invalid query parameter from: it is after to",),
        ),
        Case(
            name="a window that is too old",
            parameters={"from": 1000, "to": 1000, "page_limit": 1000},
            status=400,
            errors=("Only data from the past 2160 hours are available",),
        ),
        Case(
            name="all pages of a window that is too old",
            parameters={"from": 1000, "to": 1000, "page_limit": 1000},
            all_pages=True,
            status=400,
            errors=("Only data from the past 2160 hours are available",),
        ),
        Case(
            name="a search that cannot be understood",
            parameters={"search": "java AND"},
            status=400,
            errors=("Invalid query parameter search: expected a term and found the end at character 9",),
        ),
        Case(
            name="page[cursor] of a query with other parameters",
            parameters={"search": "java", "page_cursor": cursor_after_10_workers},
            status=400,
            errors=("Invalid query parameter page[cursor]: it comes from a query with other parameters",),
        ),
        # Keys
        Case(name="a wrong API key", parameters={}, keys="wrong api", status=403, errors=("Forbidden",)),
        Case(
            name="a wrong application key", parameters={}, keys="wrong application", status=403, errors=("Forbidden",)
        ),
        Case(name="the keys of two orgs", parameters={}, keys="two orgs", status=403, errors=("Forbidden",)),
        Case(name="an org without processes", parameters={}, keys="other org", finds=lambda _: False),
        Case(
            name="an application key as bearer",
            parameters={"search": "process-agent"},
            finds=in_command("process-agent"),
            keys="bearer",
            refused_by=("rust",),
        ),
    ]


LIMITED = [
    Case(name=f"query {number} of a minute with one", parameters={"page_limit": 1}, keys="limited")
    for number in range(1, 4)
]
"""At least one of them is refused: a minute may turn once in between, not twice."""

RETRIED = Case(name="one more, with the client's own retry", parameters={"page_limit": 1}, keys="limited")
