"""The body of `POST /api/v2/query/timeseries` or `/scalar` -> a QueryRequest."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from procession.accounts.visibility import Visibility
from procession.analysis import Selection
from procession.analysis.all_cpus import CPU_MEASURES
from procession.analysis.formula import NAME, Formula
from procession.analysis.process_metrics import METRICS, Metric
from procession.containers.metrics import CONTAINER_METRICS
from procession.errors import InvalidParameter, InvalidRequest
from procession.process import MAX_UINT32
from procession.search.parser import parse_search
from procession.server.public.parameters import parse_tags
from procession.window import Window

MAX_QUERIES = 8
MAX_FORMULAS = 8
MAX_LIMIT = 100
DEFAULT_LIMIT = 10
MAX_TEXT = 4096
MAX_REPEATED = 200
"""Characters of what a body has that an error may say again."""
MAX_SECONDS = 7 * 86400
MAX_POINTS = 500
DEFAULT_POINTS = 60
MIN_STEP_SECONDS = 5
CONTAINER_STEP_SECONDS = 60
"""What is known of containers is by the minute."""

S = TypeVar("S", bound=msgspec.Struct)

SortOrder = Literal["asc", "desc"]


class Kind(enum.Enum):
    TIMESERIES = "timeseries"
    SCALAR = "scalar"


class DataSource(enum.Enum):
    PROCESS = "process"
    CONTAINER = "container"

    @property
    def metrics(self) -> Mapping[str, Metric]:
        return METRICS if self is DataSource.PROCESS else CONTAINER_METRICS

    @property
    def split_by(self) -> str:
        """A series is of one value of this tag."""
        return "command" if self is DataSource.PROCESS else "container_name"


class Aggregator(enum.Enum):
    """How the numbers of a window become one."""

    AVG = "avg"
    MEAN = "mean"
    MIN = "min"
    MAX = "max"
    SUM = "sum"
    LAST = "last"
    L2NORM = "l2norm"
    AREA = "area"


@dataclass(frozen=True, slots=True)
class MetricQuery:
    name: str
    metric: Metric
    selection: Selection
    limit: int
    is_descending: bool
    aggregator: Aggregator = Aggregator.AVG
    is_normalized: bool = False
    """In percent of all CPUs of a host. No other measure than CPU is."""


@dataclass(frozen=True, slots=True)
class WantedFormula:
    formula: Formula
    limit: int | None = None
    is_descending: bool | None = None
    """None: as the query that it names first."""


@dataclass(frozen=True, slots=True)
class QueryRequest:
    source: DataSource
    window: Window | None
    """From the first instant to the last. None: there is none, since all of it is in the future."""
    points: int
    """Steps from one to the other."""
    queries: tuple[MetricQuery, ...]
    formulas: tuple[WantedFormula, ...]


class _Data(msgspec.Struct, forbid_unknown_fields=True):
    type: str
    attributes: dict[str, Any]


class _Body(msgspec.Struct, forbid_unknown_fields=True):
    data: _Data


class _FormulaLimit(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    count: int | UnsetType = UNSET
    order: SortOrder | UnsetType = UNSET


class _Formula(msgspec.Struct, forbid_unknown_fields=True):
    formula: str
    limit: _FormulaLimit = _FormulaLimit()


class _Attributes(msgspec.Struct, forbid_unknown_fields=True, rename={"since": "from", "until": "to"}):
    since: int
    until: int
    queries: list[dict[str, Any]]
    formulas: list[_Formula] = []


class _TimeseriesAttributes(_Attributes, forbid_unknown_fields=True, rename={"since": "from", "until": "to"}):
    interval: int | UnsetType = UNSET


class _Query(msgspec.Struct, forbid_unknown_fields=True):
    data_source: str
    metric: str
    name: str
    text_filter: str = ""
    tag_filters: list[str] = []
    limit: int = DEFAULT_LIMIT
    sort: SortOrder = "desc"
    is_normalized_cpu: bool = False
    cross_org_uuids: list[str] = []


class _ScalarQuery(_Query, forbid_unknown_fields=True):
    aggregator: str = Aggregator.AVG.value


def parse_request(
    kind: Kind, body: Mapping[str, Any], visibility: Visibility, *, now: int, retention_hours: int
) -> QueryRequest:
    """Raises InvalidRequest that names what is wrong, or not answered."""
    data = _converted(body, _Body, "body").data
    if data.type != f"{kind.value}_request":
        raise InvalidRequest(f"Invalid body: data.type is not {kind.value}_request")
    shape = _TimeseriesAttributes if kind is Kind.TIMESERIES else _Attributes
    attributes = _converted(data.attributes, shape, "body")
    if not 1 <= len(attributes.queries) <= MAX_QUERIES:
        raise InvalidRequest(f"Invalid body: it has not 1 to {MAX_QUERIES} queries")
    source = _source(attributes.queries)
    queries = tuple(_query(kind, source, one, number, visibility) for number, one in enumerate(attributes.queries))
    names = [one.name for one in queries]
    if len(set(names)) < len(names):
        raise InvalidRequest("Invalid body: two queries have one name")
    formulas = _formulas(attributes.formulas, names)
    interval = attributes.interval if isinstance(attributes, _TimeseriesAttributes) else UNSET
    window = _window(attributes.since, attributes.until, now, retention_hours)
    instants, points = (None, 1) if window is None else _instants(window, interval, source)
    return QueryRequest(source, instants, points, queries, formulas)


def _source(queries: Sequence[Mapping[str, Any]]) -> DataSource:
    """That of all of them: processes and containers are split by different things."""
    found = None
    for number, body in enumerate(queries):
        what, text = f"query {number + 1}", body.get("data_source")
        try:
            source = DataSource(text)
        except ValueError:
            named = f"the data_source {text[:50]!r}" if isinstance(text, str) else "a query without a data_source"
            raise InvalidRequest(f"Invalid {what}: {named} is not answered; process and container are") from None
        if found not in (None, source):
            raise InvalidRequest(
                f"Invalid {what}: its data_source is not that of query 1; ask for processes and for containers apart"
            )
        found = source
    return found or DataSource.PROCESS


def _query(kind: Kind, source: DataSource, body: Mapping[str, Any], number: int, visibility: Visibility) -> MetricQuery:
    what = f"query {number + 1}"
    query = _converted(body, _ScalarQuery if kind is Kind.SCALAR else _Query, what)
    if not NAME.fullmatch(query.name):
        raise InvalidRequest(f"Invalid {what}: its name is not made of letters, digits and _")
    if query.metric not in source.metrics:
        raise InvalidRequest(f"Invalid {what}: its metric is none of {', '.join(source.metrics)}")
    if query.cross_org_uuids:
        raise InvalidRequest(f"Invalid {what}: cross_org_uuids is not answered; a key sees its own org")
    if not 1 <= query.limit <= MAX_LIMIT:
        raise InvalidRequest(f"Invalid {what}: its limit is not from 1 to {MAX_LIMIT}")
    selection = _selection(query, what, source, visibility)
    aggregator = _aggregator(query.aggregator, what) if isinstance(query, _ScalarQuery) else Aggregator.AVG
    metric = source.metrics[query.metric]
    is_normalized = query.is_normalized_cpu and metric.measure in CPU_MEASURES
    return MetricQuery(query.name, metric, selection, query.limit, query.sort == "desc", aggregator, is_normalized)


def _selection(query: _Query, what: str, source: DataSource, visibility: Visibility) -> Selection:
    text, tags = query.text_filter, ",".join(query.tag_filters)
    for name, value in (("text_filter", text), ("tag_filters", tags)):
        if len(value) > MAX_TEXT:
            raise InvalidRequest(f"Invalid {what}: its {name} has more than {MAX_TEXT} characters")
    try:
        search = parse_search(text)
    except InvalidParameter as error:
        raise InvalidRequest(f"Invalid {what}: its text_filter: {error.rule}") from None
    try:
        of_source = visibility.selection if source is DataSource.PROCESS else visibility.container_selection
        return of_source(search, parse_tags({"tags": tags}))
    except InvalidParameter as error:
        raise InvalidRequest(f"Invalid {what}: its tag_filters: {error.rule}") from None


def _aggregator(text: str, what: str) -> Aggregator:
    try:
        return Aggregator(text)
    except ValueError:
        names = ", ".join(one.value for one in Aggregator)
        raise InvalidRequest(f"Invalid {what}: its aggregator is none of {names}") from None


def _formulas(wanted: Sequence[_Formula], names: Sequence[str]) -> tuple[WantedFormula, ...]:
    """Without any, each query is one."""
    if not wanted:
        return tuple(WantedFormula(Formula.parse(name, names)) for name in names)
    if len(wanted) > MAX_FORMULAS:
        raise InvalidRequest(f"Invalid body: it has more than {MAX_FORMULAS} formulas")
    found = []
    for one in wanted:
        count = None if one.limit.count is UNSET else one.limit.count
        if count is not None and not 1 <= count <= MAX_UINT32:
            raise InvalidRequest(f"Invalid formula: its limit.count is not from 1 to {MAX_UINT32}")
        is_descending = None if one.limit.order is UNSET else one.limit.order == "desc"
        found.append(WantedFormula(Formula.parse(one.formula, names), count, is_descending))
    return tuple(found)


def _window(since: int, until: int, now: int, retention_hours: int) -> Window | None:
    """`until` is the first moment that is no longer in it, both in milliseconds."""
    for name, moment in (("from", since), ("to", until)):
        if not 0 <= moment <= MAX_UINT32 * 1000:
            raise InvalidRequest(f"Invalid body: {name} is no moment in milliseconds")
    if since >= until:
        raise InvalidRequest("Invalid body: from is not before to")
    if until - since > MAX_SECONDS * 1000:
        raise InvalidRequest(f"Invalid body: from is more than {MAX_SECONDS} seconds before to")
    to_at = -(-until // 1000) - 1
    window = Window.from_bounds(min(-(-since // 1000), to_at), to_at, now=now, retention_hours=retention_hours)
    return window if window.from_at <= window.to_at else None


def _instants(window: Window, interval: int | UnsetType, source: DataSource) -> tuple[Window, int]:
    """The first and the last instant, at multiples of the interval, and how many steps are between them."""
    length = window.to_at - window.from_at + 1
    if interval is UNSET:
        asked = -(-length // DEFAULT_POINTS)
    elif interval < 1:
        raise InvalidRequest("Invalid body: interval is less than a millisecond")
    else:
        asked = -(-min(interval, MAX_SECONDS * 1000) // 1000)
    least = MIN_STEP_SECONDS
    if source is DataSource.CONTAINER:
        least = CONTAINER_STEP_SECONDS
        asked = -(-asked // least) * least
    step = max(asked, least)
    step *= -(-length // (step * MAX_POINTS))
    first, last = -(-window.from_at // step) * step, window.to_at // step * step
    if first > last:
        return Window(window.to_at, window.to_at), 1
    return Window(first, last), max((last - first) // step, 1)


def _converted(value: Any, shape: type[S], what: str) -> S:
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        raise InvalidRequest(f"Invalid {what}: {str(error)[:MAX_REPEATED]}") from None
