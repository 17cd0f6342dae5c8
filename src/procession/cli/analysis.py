"""Questions about many processes at an instant, asked through Procession's API: for `top`, `tree` and `diff`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from procession.cli.access import Access
from procession.cli.client import NotUnderstood
from procession.cli.terminal.command_text import CommandText
from procession.cli.terminal.moments import show_moment
from procession.errors import UsageError

PREFIX = "/api/procession/v1"
PAGE_SIZE = 10_000

_TOO_OLD = re.compile(r"Only data from the past [0-9]+ hours are available")

OWN_LANGUAGE = {"language": "procession"}
"""That of all searches in a terminal."""

UNREAD = "(ended before it could be read)"

Item = dict[str, Any]
"""A process, as the API has it."""


@dataclass(frozen=True)
class Filters:
    """What is asked for, in the API's own words."""

    search: str = ""
    tags: str = ""

    def parameters(self) -> dict[str, str]:
        of_search = OWN_LANGUAGE | {"search": self.search} if self.search else {}
        return of_search | ({"tags": self.tags} if self.tags else {})

    def with_host(self, host: str) -> Filters:
        """These filters, for one host only. If its name cannot be a tag, the answer has other hosts, too."""
        if any(character in host for character in ",*!"):
            return self
        return Filters(self.search, ",".join(filter(None, [self.tags, f"host:{host}"])))

    @property
    def host(self) -> str | None:
        """The only host that can be meant, if the tags name one."""
        named = [tag.strip().removeprefix("host:") for tag in self.tags.split(",") if tag.strip().startswith("host:")]
        return named[0] if named and "*" not in named[0] else None


@dataclass(frozen=True)
class Analysis:
    """Raises UsageError for what the server refuses, and for an answer that Procession would not give."""

    access: Access

    def processes(
        self, filters: Filters, *, at: int | None, sort: str, offset: int = 0, limit: int = PAGE_SIZE
    ) -> dict[str, Any]:
        page = {"sort": sort, "page[offset]": str(offset), "page[limit]": str(limit)}
        return self._ask("/processes", at, filters.parameters() | page)

    def every_process(self, filters: Filters, *, at: int, sort: str) -> Iterator[Item]:
        """Through as many pages as it takes."""
        offset = 0
        while True:
            answer = self.processes(filters, at=at, sort=sort, offset=offset)
            yield from answer["data"]
            offset += len(answer["data"])
            if not answer["data"] or offset >= answer["meta"]["total"]:
                return

    def groups(self, filters: Filters, *, at: int, by: str, measures: str, limit: int = 1000) -> dict[str, Any]:
        parameters = filters.parameters() | {"by": by, "measures": measures, "limit": str(limit)}
        return self._ask("/groups", at, parameters)

    def hosts(self, filters: Filters, *, at: int | None, offset: int = 0, limit: int = PAGE_SIZE) -> dict[str, Any]:
        parameters = filters.parameters() | {"page[offset]": str(offset), "limit": str(limit)}
        return self._ask("/hosts", at, parameters)

    def host_names(self, filters: Filters, *, at: int) -> list[str]:
        names: list[str] = []
        while True:
            answer = self.hosts(filters, at=at, offset=len(names))
            names += [entry["host"] for entry in answer["data"]]
            if not answer["data"] or len(names) >= answer["meta"]["total"]:
                return names

    def host_tree(self, host: str, *, at: int | None) -> dict[str, Any]:
        return self._ask("/tree", at, {"host": host})

    def process(self, process_id: str, *, at: int | None) -> Item:
        """At an instant; without one, its newest sighting, however long ago."""
        found: Item = self._ask(f"/processes/{process_id}", at, {})["data"]
        return found

    def family(self, process_id: str, *, at: int | None) -> dict[str, Any]:
        return self._ask(f"/processes/{process_id}/tree", at, {}, holds="process")

    def compare(self, parameters: Mapping[str, str]) -> dict[str, Any]:
        return self._ask("/compare", None, parameters, holds="changed")

    def watch(self, host: str | None) -> None:
        """For the next seconds agents send their numbers live."""
        self.access.tell(f"{PREFIX}/watch", {} if host is None else {"host": host})

    def _ask(self, path: str, at: int | None, parameters: Mapping[str, str], holds: str = "data") -> dict[str, Any]:
        instant = {} if at is None else {"at": str(at)}
        try:
            answer = self.access.read(PREFIX + path, {**instant, **parameters})
        except NotUnderstood as error:
            if at is not None and _TOO_OLD.search(str(error)):
                raise NotUnderstood(f"no numbers are kept of {show_moment(at)}: {error}") from None
            raise
        if not isinstance(answer, dict) or holds not in answer:
            raise self.access.server.is_no_procession()
        return answer


def name_of(item: Item) -> str:
    """The short name of what runs, as its tag has it."""
    tags = item["attributes"]["tags"]
    return next((str(tag).removeprefix("command:") for tag in tags if tag.startswith("command:")), "")


def command_of(item: Item) -> str:
    """What runs: its command line, or its name in brackets, as `ps` writes it, where there is none."""
    return str(item["attributes"]["cmdline"] or bracketed(name_of(item)))


def command_text_of(item: Item, before: str = "") -> CommandText:
    """The same, to be drawn; `before` is what a tree draws in front of it."""
    return CommandText(command_of(item), name_of(item), before)


def bracketed(name: str) -> str:
    """A process may be known by its pid, its start and its end alone."""
    return f"[{name}]" if name else UNREAD


def no_such_host(analysis: Analysis, host: str, at: int) -> UsageError:
    """Says which there are, those with the nearest names first."""
    import difflib

    names = analysis.host_names(Filters(), at=at)
    when = show_moment(at)
    if not names:
        return UsageError(
            f"no host had sent anything in the minute before {when}; `procession status` says what is there"
        )
    near = difflib.get_close_matches(host, names, n=3) or [name for name in names if host.lower() in name.lower()][:3]
    if near:
        return UsageError(f"there is no host {host!r} at {when}; did you mean {' or '.join(map(repr, near))}?")
    return UsageError(f"there is no host {host!r} at {when}; there {named_few(names)}")


def named_few(names: list[str], most: int = 5) -> str:
    """`are 'a', 'b' and 3 more`."""
    shown = ", ".join(map(repr, names[:most]))
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{'is' if len(names) == 1 else 'are'} {shown}{more}"
