"""The query of a monitor: text -> value, with the place of what is wrong.

    query     = processes('SEARCH') language? over? by? rollup last? operator number
    language  = .language('procession')            without it the search is in Datadog's
    over      = .over('TAG', 'TAG', ...)
    by        = .by('KEY', 'KEY', ...)
    rollup    = .rollup('FUNCTION') | .rollup('FUNCTION', 'MEASURE')
    last      = .last('5m')                        in s, m, h or d
    operator  = < | <= | > | >= | == | !=

Strings are in single or double quotes; a backslash before a quote or a backslash makes it an ordinary character.
"""

from __future__ import annotations

import enum
import operator
import re
from dataclasses import dataclass, replace
from typing import NoReturn

from procession.analysis.selection import MEASURES, Selection
from procession.errors import InvalidParameter, InvalidRequest
from procession.search.comparisons import compared_fields, compares, without_comparisons
from procession.search.fields import FIELDS
from procession.search.parser import Language, parse_search
from procession.search.pattern import Pattern, fold
from procession.search.tag_filter import TagCondition, TagFilter
from procession.search.tree import SearchNode

MAX_QUERY_LENGTH = 4096
MAX_KEYS = 4
"""Keys of `.by()`."""
MIN_WINDOW_SECONDS = 60
MAX_WINDOW_SECONDS = 86400
MAX_FIRST_SEEN_SECONDS = 7 * 86400

MAX_NUMBER = 1e300

ATTRIBUTES = ("cmdline", "exe", "cwd", "ppid", "container_id")
"""Keys of `.by()` that are no tags."""


class Function(enum.StrEnum):
    COUNT = "count"
    """Distinct processes that were alive in the window: Datadog's own."""
    COUNT_NOW = "count_now"
    """Processes at the newest complete snapshots."""
    SUM = "sum"
    """Of a measure, over the processes at the newest complete snapshots."""
    MAX = "max"
    STARTS = "starts"
    """Processes that started in the window."""
    FIRST_SEEN = "first_seen"
    """Processes of a group that was seen for the first time within the window."""

    @property
    def has_window(self) -> bool:
        return self in (Function.COUNT, Function.STARTS, Function.FIRST_SEEN)

    @property
    def has_measure(self) -> bool:
        return self in (Function.SUM, Function.MAX)

    @property
    def knows_endings(self) -> bool:
        """Whether a search may ask how processes ended: nothing of the newest snapshots has."""
        return self in (Function.COUNT, Function.STARTS)


OPERATORS = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_TIMEFRAME = re.compile(r"([1-9]\d{0,6})([smhd])")
_KEY = re.compile(r"[^\s,:'\"\\*]{1,200}")
_NAME = re.compile(r"\w+")
_STRING = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"", re.DOTALL)
_ESCAPED = re.compile(r"\\(['\"\\])")
_BLANKS = re.compile(r"\s*")


@dataclass(frozen=True, slots=True)
class MonitorQuery:
    search_text: str
    language: Language
    search: SearchNode | None
    over: tuple[str, ...]
    by: tuple[str, ...]
    """Folded."""
    function: Function
    measure: str | None
    window_seconds: int
    """0 for what is asked of an instant."""
    comparison: str
    threshold: float
    only_hosts: tuple[str, ...] = ()
    """If any: of no other host. No text says this."""

    @property
    def is_about_absence(self) -> bool:
        """Whether there may be too few: then a group that nothing is seen of counts as well."""
        return self.holds(0.0, self.threshold)

    def holds(self, value: float, threshold: float) -> bool:
        return bool(OPERATORS[self.comparison](value, threshold))

    @property
    def asks_for_endings(self) -> bool:
        return compares(self.search)

    @property
    def however_they_ended(self) -> MonitorQuery:
        """The same of all processes that may become what the search asks for, once they end."""
        return replace(self, search=without_comparisons(self.search)) if self.asks_for_endings else self

    def selection(self, org_id: int) -> Selection:
        return Selection(org_id, self.search, self.tags)

    @property
    def tags(self) -> TagFilter:
        conditions = [
            one
            for tag in self.over
            if tag.strip() != "*"
            for one in TagFilter.parse(tag, with_discovered=True).conditions
        ]
        if self.only_hosts:
            conditions.append(TagCondition(tuple(Pattern.literal(f"host:{host}") for host in self.only_hosts)))
        return TagFilter(tuple(conditions))

    @property
    def text(self) -> str:
        """The query in its one canonical form."""
        calls = [f"processes({_quoted(self.search_text)})"]
        if self.language is not Language.DATADOG:
            calls.append(f"language({_quoted(self.language.value)})")
        if self.over:
            calls.append(f"over({','.join(map(_quoted, self.over))})")
        if self.by:
            calls.append(f"by({','.join(map(_quoted, self.by))})")
        arguments = [str(self.function), *([] if self.measure is None else [self.measure])]
        calls.append(f"rollup({','.join(map(_quoted, arguments))})")
        if self.function.has_window:
            calls.append(f"last({_quoted(_timeframe(self.window_seconds))})")
        return f"{'.'.join(calls)} {self.comparison} {number_text(self.threshold)}"


def number_text(number: float) -> str:
    return str(int(number)) if number == int(number) else repr(number)


def parse_monitor_query(text: str) -> MonitorQuery:
    """Raises InvalidRequest, as Datadog words it, with the character counted from 1."""
    return _Parser(text).parse()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0

    def parse(self) -> MonitorQuery:
        if len(self._text) > MAX_QUERY_LENGTH:
            self._fail(f"it is longer than {MAX_QUERY_LENGTH} characters", None)
        self._skip_blanks()
        if not self._take("processes"):
            self._fail("expected processes('...')")
        ((search_text, search_at),) = self._arguments(1, 1)
        language = self._language()
        search = self._search(search_text, search_at, language)
        over = self._tags() if self._take_call("over") else ()
        by = self._keys() if self._take_call("by") else ()
        function, measure, at = self._rollup()
        self._refuse_comparisons(search, search_at, function)
        if function is Function.FIRST_SEEN and not by:
            self._fail("'first_seen' needs a .by(...): what is it that is seen for the first time?", at)
        window_seconds = self._window(function)
        of_search = search_text, language, search
        return MonitorQuery(*of_search, over, by, function, measure, window_seconds, *self._comparison())

    def _language(self) -> Language:
        if not self._take_call("language"):
            return Language.DATADOG
        ((name, at),) = self._arguments(1, 1)
        if name != Language.PROCESSION.value:
            self._fail(f"expected .language('{Language.PROCESSION.value}')", at)
        return Language.PROCESSION

    def _search(self, text: str, at: int, language: Language) -> SearchNode | None:
        try:
            search = parse_search(text, language)
        except InvalidParameter as error:
            self._fail(f"the search of processes(...): {error.rule}", at)
        return search

    def _refuse_comparisons(self, search: SearchNode | None, at: int, function: Function) -> None:
        compared = sorted(compared_fields(search))
        numbers = [field for field in compared if not FIELDS[field].is_of_ending]
        if numbers or (compared and not function.knows_endings):
            named = numbers if function.knows_endings else compared
            with_it = "" if numbers else f"with {str(function)!r} "
            self._fail(f"{with_it}the search of a monitor cannot compare {', '.join(named)}", at)

    def _tags(self) -> tuple[str, ...]:
        found = self._arguments(1, 64)
        for tag, at in found:
            if not tag.strip() or "," in tag:
                self._fail("expected one tag in each string of .over(...)", at)
        return tuple(tag for tag, _ in found)

    def _keys(self) -> tuple[str, ...]:
        found = self._arguments(1, MAX_KEYS)
        for key, at in found:
            if not _KEY.fullmatch(key):
                self._fail("expected the key of a tag in .by(...), such as 'host'", at)
        keys = tuple(dict.fromkeys(fold(key) for key, _ in found))
        if len(keys) < len(found):
            self._fail("a key stands twice in .by(...)", found[-1][1])
        return keys

    def _rollup(self) -> tuple[Function, str | None, int]:
        if not self._take_call("rollup"):
            self._fail("expected .rollup('count')")
        (name, at), *rest = self._arguments(1, 2)
        if name not in list(Function):
            self._fail(f"there is no function {name!r}; there are {', '.join(Function)}", at)
        function = Function(name)
        if not function.has_measure:
            if rest:
                self._fail(f"{name!r} takes no measure", rest[0][1])
            return function, None, at
        if not rest:
            self._fail(f"{name!r} needs a measure, as in .rollup({name!r},'rss_bytes')", at)
        ((measure, measure_at),) = rest
        if measure not in MEASURES:
            self._fail(f"there is no measure {measure!r}; there are {', '.join(MEASURES)}", measure_at)
        return function, measure, at

    def _window(self, function: Function) -> int:
        at = self._position
        if not self._take_call("last"):
            if function.has_window:
                self._fail("expected .last('5m')")
            return 0
        if not function.has_window:
            self._fail(f"{str(function)!r} is about the newest snapshots and has no .last(...)", at)
        ((text, at),) = self._arguments(1, 1)
        match = _TIMEFRAME.fullmatch(text)
        if match is None:
            self._fail("expected a timeframe such as '5m', in s, m, h or d", at)
        seconds = int(match[1]) * _UNITS[match[2]]
        most = MAX_FIRST_SEEN_SECONDS if function is Function.FIRST_SEEN else MAX_WINDOW_SECONDS
        if seconds % 60 or not MIN_WINDOW_SECONDS <= seconds <= most:
            self._fail(f"a timeframe is of whole minutes, from 1m to {most // 3600}h", at)
        return seconds

    def _comparison(self) -> tuple[str, float]:
        self._skip_blanks()
        found = next((one for one in OPERATORS if self._take(one)), None)
        if found is None:
            self._fail(f"expected one of {' '.join(OPERATORS)}")
        self._skip_blanks()
        number = _NUMBER.match(self._text, self._position)
        if number is None:
            self._fail("expected a number")
        threshold = float(number[0])
        if threshold >= MAX_NUMBER:
            self._fail("expected a number of at most 300 digits")
        self._position = number.end()
        self._skip_blanks()
        if self._position < len(self._text):
            self._fail("expected nothing more")
        return found, threshold

    def _arguments(self, least: int, most: int) -> list[tuple[str, int]]:
        """Strings between parentheses, each with the place where it begins."""
        self._skip_blanks()
        if not self._take("("):
            self._fail('expected a "("')
        found: list[tuple[str, int]] = []
        while True:
            self._skip_blanks()
            match = _STRING.match(self._text, self._position)
            if match is None:
                self._fail("expected a string in quotes")
            text = match[1] if match[1] is not None else match[2]
            found.append((_ESCAPED.sub(r"\1", text), self._position))
            self._position = match.end()
            self._skip_blanks()
            if self._take(")"):
                break
            if not self._take(","):
                self._fail('expected a "," or a ")"')
        if not least <= len(found) <= most:
            self._fail(f"expected {least} to {most} strings and found {len(found)}", found[-1][1])
        return found

    def _take_call(self, name: str) -> bool:
        """Whether `.name` comes next."""
        start = self._position
        self._skip_blanks()
        if self._take("."):
            self._skip_blanks()
            match = _NAME.match(self._text, self._position)
            if match is not None and match[0] == name:
                self._position = match.end()
                return True
        self._position = start
        return False

    def _take(self, text: str) -> bool:
        if not self._text.startswith(text, self._position):
            return False
        self._position += len(text)
        return True

    def _skip_blanks(self) -> None:
        match = _BLANKS.match(self._text, self._position)
        self._position = self._position if match is None else match.end()

    def _fail(self, what: str, at: int | None = -1) -> NoReturn:
        """`at`: the place [where the parser is]; None where there is none."""
        place = self._position if at == -1 else at
        where = "" if place is None else f" at character {place + 1}"
        raise InvalidRequest(f"The value provided for parameter 'query' is invalid: {what}{where}")


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _timeframe(seconds: int) -> str:
    unit = next(unit for unit in ("d", "h", "m", "s") if seconds % _UNITS[unit] == 0)
    return f"{seconds // _UNITS[unit]}{unit}"
