"""The query string of a call of Procession's API -> typed values. All that is wrong is said at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice

from procession.accounts.visibility import Visibility
from procession.analysis import MEASURES, Order, Selection
from procession.errors import InvalidParameter, NotFound
from procession.paging import Page
from procession.process import MAX_UINT32, MAX_UINT64, ProcessKey
from procession.query import ProcessQuery
from procession.search.comparisons import compares, endings_among
from procession.search.hints import moment_hint, search_hints, tags_hints
from procession.search.named_hosts import hosts_alone
from procession.search.parser import Language, parse_search
from procession.search.pattern import Pattern
from procession.search.tag_filter import TagCondition, TagFilter
from procession.search.tree import And, Comparison, SearchNode
from procession.server.public.parameter_errors import ParameterErrors
from procession.server.public.parameters import parse_tags
from procession.text.whole_number import moment_parameter, number_parameter, whole_number
from procession.window import Window, out_of_retention

DAY_SECONDS = 86400
MAX_OFFSET = 10_000_000
_MOST_BLIND = 5
"""Hosts that hints name."""
_NO_HOST = TagCondition((Pattern.literal("host: "),))
"""No host is named so."""
_AROUND_SECONDS = 1000


@dataclass
class ApiRequest:
    """One call. Each value is asked for by its name; `raise_errors` then says all that was wrong with them."""

    visibility: Visibility
    parameters: Mapping[str, str]
    path: Mapping[str, str]
    now: int
    retention_hours: int
    sighting_retention_hours: int
    find_blind_hosts: Callable[[int], Mapping[str, int]] = lambda _: {}
    """The hosts of an org whose agents can read none of their processes, and how many those are."""
    find_processes: Callable[[ProcessQuery], Page] = lambda _: Page(())
    _errors: ParameterErrors = field(default_factory=lambda: ParameterErrors(has_hints=True))

    @property
    def org_id(self) -> int:
        return self.visibility.org_id

    def raise_errors(self) -> None:
        """Raises InvalidRequest if anything was wrong with the values that were asked for so far."""
        self._errors.raise_any()

    def refuse(self, name: str, rule: str) -> None:
        """Note that a parameter breaks a rule."""
        self._errors.add(InvalidParameter(name, rule))

    def has(self, name: str) -> bool:
        return name in self.parameters

    def text(self, name: str, default: str = "", *, most: int = 4096) -> str:
        text = self.parameters.get(name, default)
        if len(text) > most:
            self.refuse(name, f"it has more than {most} characters")
        return text

    def number(self, name: str, default: int, *, least: int, most: int) -> int:
        if name not in self.parameters:
            return default
        text = self.parameters[name]
        number = self._errors.value_of(number_parameter, name, text, least=least, most=most)
        return default if number is None else number

    def choice(self, name: str, default: str, choices: Collection[str]) -> str:
        text = self.parameters.get(name, default)
        if text not in choices:
            self.refuse(name, f"it is none of {', '.join(choices)}")
            return default
        return text

    def names(self, name: str, default: str, *, most: int, choices: Collection[str] | None = None) -> tuple[str, ...]:
        """Separated by commas; each once."""
        names = tuple(dict.fromkeys(filter(None, map(str.strip, self.parameters.get(name, default).split(",")))))
        if not 1 <= len(names) <= most:
            self.refuse(name, f"it has not 1 to {most} names")
        if choices is not None and not set(names) <= set(choices):
            self.refuse(name, f"it has names that are none of {', '.join(choices)}")
        return names

    def measures(self, default: str) -> tuple[str, ...]:
        return self.names("measures", default, most=len(MEASURES), choices=MEASURES)

    def measure(self, name: str, default: str) -> str:
        return self.choice(name, default, MEASURES)

    def order(self, name: str, default: str, columns: Collection[str], *, has_tags: bool = False) -> Order:
        """`has_tags`: also by the values of a tag key."""
        order = Order.parse(self.parameters.get(name, default))
        self.visibility.refuse_hidden(order.column if order.tag_key is None else order.tag_key)
        if order.column not in columns and not (has_tags and order.tag_key):
            named = (*columns, "tag: and a key") if has_tags else columns
            self.refuse(name, f"it is none of {', '.join(named)}, with or without - before it")
            return Order.parse(default)
        return order

    def selection(self, prefix: str = "", host: str = "", *, of_containers: bool = False) -> Selection:
        """The selection by `search` and `tags`, and by the name of a host if one is given."""
        search = self.search(f"{prefix}search")
        tags = self._errors.value_of(parse_tags, self.parameters, f"{prefix}tags", self.language()) or TagFilter()
        if host:
            named = TagCondition((Pattern.literal(f"host:{host}"),))
            tags = replace(tags, conditions=(*tags.conditions, named))
        if self.language() is Language.PROCESSION:
            tags, endings = endings_among(tags)
            search = _all_of(search, *endings)
        return self.visibility.container_selection(search, tags) if of_containers else self.visible(search, tags)

    def visible(self, search: SearchNode | None, tags: TagFilter) -> Selection:
        """What the reader may see of it. A host of which he may see no process is to him as one that there is not."""
        found = self.visibility.selection(search, tags)
        if self.visibility.has_all_rows or _NO_HOST in found.tags.conditions:
            return found
        # All that is said of hosts: a part of it may be true of one that is seen, and the rest of a hidden one.
        hosts = hosts_alone(found.search)
        named = tuple(one for one in found.tags.conditions if one.names_hosts)
        tags_of_hosts = TagFilter((*self.visibility.selection().tags.conditions, *named))
        asked = ProcessQuery(found.org_id, self._about(), hosts, tags_of_hosts, limit=1, is_brief=True)
        if (hosts is None and not named) or self.find_processes(asked).processes:
            return found
        return replace(found, tags=TagFilter((*found.tags.conditions, _NO_HOST)))

    def _about(self) -> Window:
        """All that it may ask about, and somewhat more."""
        given = (whole_number(self.parameters.get(name, "")) for name in ("at", "other_at", "from", "to"))
        moments = [min(max(one, 0), self.now) for one in given if one is not None] or [self.now]
        return Window(max(min(moments) - _AROUND_SECONDS, 0), min(max(moments) + _AROUND_SECONDS, self.now))

    def language(self) -> Language:
        """That of its searches: Datadog's, as it always was, unless it names ours."""
        return Language(self.choice("language", Language.DATADOG.value, [one.value for one in Language]))

    def search(self, name: str = "search") -> SearchNode | None:
        return self._errors.value_of(parse_search, self.parameters.get(name, ""), self.language())

    def compares(self) -> bool:
        """Whether it looks at numbers, or at how processes ended; not where it cannot be understood."""
        language = self.language()
        try:
            search = parse_search(self.parameters.get("search", ""), language)
            tags = parse_tags(self.parameters, language=language)
        except InvalidParameter:
            return False
        return compares(search) or (language is Language.PROCESSION and bool(endings_among(tags)[1]))

    def window_selection(self) -> Selection:
        """The selection for a window: also by `ended`."""
        selection = self.selection()
        if not self.has("ended"):
            return selection
        has_ended = Comparison("ended", "=", float(self.choice("ended", "true", ("true", "false")) == "true"))
        return replace(selection, search=_all_of(selection.search, has_ended))

    def instant(self, name: str = "at", default: int | None = None) -> int:
        """An instant of which there are snapshots still; one in the future counts as now."""
        default = self.now if default is None else default
        at = self._moment(name)
        if at is None:
            return default
        if at < self.now - self.sighting_retention_hours * 3600:
            self._errors.add(out_of_retention(self.sighting_retention_hours))
        return max(0, min(at, self.now))

    def kept_instant(self, name: str = "at") -> int:
        """An instant of which there are minutes still; one in the future counts as now."""
        at = self._moment(name)
        if at is None:
            return self.now
        if at < self.now - self.retention_hours * 3600:
            self._errors.add(out_of_retention(self.retention_hours))
        return max(0, min(at, self.now))

    def window(self, *, seconds: int = 900, most: int | None = None, retention_hours: int | None = None) -> Window:
        """The window from `from` to `to`. If one is missing, it is `seconds` away from the other, or from now."""
        since, until = self._moment("from"), self._moment("to")
        if since is None:
            since = min(self.now if until is None else until, self.now) - seconds
        elif until is None:
            until = since + seconds
        hours = self.retention_hours if retention_hours is None else retention_hours
        until = self.now if until is None else until
        window = self._errors.value_of(Window.from_bounds, since, until, now=self.now, retention_hours=hours)
        if window is None or window.from_at > window.to_at:
            return Window(self.now, self.now)
        if most is not None and window.to_at - window.from_at > most:
            self.refuse("from", f"it is more than {most} seconds before to")
        return Window(max(window.from_at, 0), min(window.to_at, MAX_UINT32))

    def hints(self, has_found: bool) -> tuple[str, ...]:
        """What somebody may have meant: of moments always, of filters where they found nothing. There also which agents
        can see nothing."""
        hints: list[str] = []
        for name in ("at", "other_at", "from", "to"):
            moment = whole_number(self.parameters.get(name, ""))
            if moment is not None and (hint := moment_hint(name, moment)):
                hints.append(hint)
        if has_found:
            return tuple(hints)
        language = self.language()
        for name in ("search", "other_search"):
            hints += search_hints(self.parameters.get(name, ""), name, language)
        for name in ("tags", "other_tags"):
            hints += tags_hints(self.parameters.get(name, ""), name)
        return (*hints, *(_blind_hint(*blind) for blind in islice(self.blind_hosts().items(), _MOST_BLIND)))

    def blind_hosts(self) -> Mapping[str, int]:
        """None for a reader of some rows: these are hosts as a whole."""
        return self.find_blind_hosts(self.org_id) if self.visibility.has_all_rows else {}

    def process_key(self) -> ProcessKey:
        """The process key of the id in the path. Raises NotFound if that is no id of this org."""
        try:
            data = bytes.fromhex(self.path["process_id"])
        except ValueError:
            raise NotFound from None
        if len(data) != 20 or int.from_bytes(data[:4], "little") != self.org_id:
            raise NotFound
        host, pid = int.from_bytes(data[4:12], "big"), int.from_bytes(data[12:16], "big")
        return ProcessKey(int.from_bytes(data[16:], "big"), MAX_UINT64 - host, MAX_UINT32 - pid)

    def _moment(self, name: str) -> int | None:
        if name not in self.parameters:
            return None
        return self._errors.value_of(moment_parameter, name, self.parameters[name])


def _all_of(*nodes: SearchNode | None) -> SearchNode | None:
    terms = tuple(node for node in nodes if node is not None)
    return And(terms) if len(terms) > 1 else next(iter(terms), None)


def _blind_hint(host: str, processes: int) -> str:
    return f"the agent of {host} can read none of the {processes} processes there; its console says why"
