"""What readers ask: whole queries against the server over a real store with two orgs, and cursors that are forged."""

from __future__ import annotations

import atexit
import contextlib
import json
import struct
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from procession.accounts.visibility import Visibility
from procession.analysis import MEASURES, SORT_COLUMNS
from procession.config import ServerSettings
from procession.errors import InvalidParameter, InvalidRequest
from procession.paging import Cursor, InstantCursor, fingerprint
from procession.process import MAX_UINT32, MAX_UINT64, ProcessNumbers
from procession.query import MAX_LIMIT
from procession.server import Stores, create_app
from procession.server.api.request import ApiRequest
from procession.server.public.parameters import MAX_TAGS, parse_parameters, parse_query
from procession.storage.embedded_store import open_embedded
from tests.fuzz.draw import Draw
from tests.support.agents.posting import ListSink
from tests.support.asgi import Asker
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.served import ORG, OTHER_ORG, READER, Clock, a_store

YEARS = 20 * 365 * 24
"""In hours: from the moment of these tests to now."""
OWN = "/api/procession/v1"
V2 = "/api/v2/processes"
DOORS = (
    V2,
    f"{OWN}/processes",
    f"{OWN}/facets",
    f"{OWN}/tags",
    f"{OWN}/groups",
    f"{OWN}/points",
    f"{OWN}/timeseries",
    f"{OWN}/trends",
    f"{OWN}/turnover",
    f"{OWN}/hosts",
    f"{OWN}/compare",
    f"{OWN}/tree",
)
FOREIGN = "kept-by-the-other-org"
"""In each text of the other org."""


def check_parameters(data: bytes) -> None:
    """A query string is a query within all bounds, or one text for each thing that is wrong."""
    parameters = parse_parameters(data)
    try:
        query = parse_query(Visibility(ORG), parameters, now=NOON, retention_hours=36)
    except InvalidRequest as error:
        _check_texts(error.messages)
    else:
        assert query.org_id == ORG
        assert 1 <= query.limit <= MAX_LIMIT
        assert len(query.tags.conditions) <= MAX_TAGS
        assert (query.after is None) or "page[cursor]" in parameters
        assert query.window.to_at <= NOON or query.after is not None
        assert query.window.to_at >= NOON - 36 * 3600
    ask = ApiRequest(Visibility(ORG), parameters, {}, NOON, retention_hours=36, sighting_retention_hours=24)
    numbers = [ask.number(name, 7, least=1, most=99) for name in parameters]
    texts = [ask.text(name) for name in parameters]
    at, order = ask.instant(), ask.order("sort", "start", SORT_COLUMNS)
    names, measure = ask.measures("cpu_total_percent"), ask.measure("x", "rss_bytes")
    ask.selection(host=parameters.get("host", ""))
    window = ask.window(seconds=600, most=3600)
    try:
        ask.raise_errors()
    except InvalidRequest as error:
        _check_texts(error.messages)
    else:
        assert all(1 <= number <= 99 for number in numbers)
        assert all(len(text) <= 4096 for text in texts)
        assert 0 <= at <= NOON
        assert order.column in SORT_COLUMNS
        assert {*names, measure} <= set(MEASURES)
        assert 0 <= window.to_at - window.from_at <= 3600
        assert window.to_at <= NOON


def check_query(data: bytes) -> None:
    """Whatever the query string: an answer about the own org, or 400 with a text for each thing that is wrong."""
    if not data:
        return
    door, query = DOORS[data[0] % len(DOORS)], data[1:]
    status, body = ask(door, query)
    assert status in (200, 400), (status, door, query, body[:200])
    check_answer(status, body)


def check_cursor_text(data: bytes) -> None:
    """A cursor is refused, or means the same when it is written again."""
    text = data.decode("utf-8", "replace")
    known = fingerprint(Visibility(ORG), "", "")
    for kind in (Cursor, InstantCursor):
        try:
            cursor = kind.decode(text, fingerprint=known)
        except InvalidParameter as error:
            assert error.name == "page[cursor]"
            continue
        assert cursor.fingerprint == known
        assert kind.decode(cursor.encode(), fingerprint=known) == cursor


def check_cursor(data: bytes) -> None:
    """Forged with all the care that its layout allows, a cursor gives a page of the own org, or 400."""
    draw = Draw(data)
    filters = fingerprint(Visibility(draw.pick((ORG, OTHER_ORG))), "", "")
    moments = (NOON, NOON - 10, NOON - 3600, 0, 2**31, 2**63 - 1, -(2**63))
    key = (
        draw.pick((NOON - 100, 0, MAX_UINT32, draw.number(MAX_UINT32))),
        draw.pick((0, MAX_UINT64, draw.number(MAX_UINT64))),
        draw.pick((0, MAX_UINT32, draw.number(MAX_UINT32))),
        filters,
    )
    if draw.number(1):
        bounds = (draw.pick((*moments, draw.signed(64))) for _ in range(2))
        cursor = struct.pack(">BqqIQI8s", draw.pick((1, 0, 2)), *bounds, *key)
    else:
        at = draw.pick((*moments, draw.signed(64)))
        cursor = struct.pack(">BqB?IQI8s", draw.pick((2, 1, 3)), at, draw.number(40), draw.number(1), *key)
    door = draw.pick((V2, f"{OWN}/processes"))
    status, body = ask(door, b"page[cursor]=" + cursor.hex().encode() + draw.pick((b"", b"&page[limit]=1", b"&to=7")))
    assert status in (200, 400), (status, door, cursor.hex(), body[:200])
    check_answer(status, body)


def check_answer(status: int, body: bytes) -> None:
    assert FOREIGN.encode() not in body
    answer = json.loads(body)
    if status == 400:
        _check_texts(answer["errors"])


def _check_texts(texts: Sequence[str]) -> None:
    assert texts
    assert all(isinstance(text, str) and text for text in texts)


def ask(path: str, query: bytes) -> tuple[int, bytes]:
    """A reader of the first org does."""
    answer = _served()(path, query, headers=READER)
    return answer.status, answer.body


@lru_cache
def _served() -> Asker:
    """Opened with the first question; see `close`."""
    folder = _opened.enter_context(tempfile.TemporaryDirectory(prefix="procession-fuzz-"))
    store = open_embedded(Path(folder), retention_hours=YEARS, sighting_retention_hours=YEARS, now=Clock())
    _opened.callback(store.close)
    numbers = ProcessNumbers(cpu_total_percent=1.5, rss_bytes=2**20, threads=2)
    for org_id, word in ((ORG, "own"), (OTHER_ORG, FOREIGN)):
        snapshots = [
            a_snapshot(
                a_sighting(7, numbers=numbers, cmdline=f"nginx {word}", user=word, tags=(f"env:{word}",)),
                a_sighting(8, cmdline=f"cron {word}", user=word, started_at=NOON - 50),
                host=f"web-{word}",
                taken_at=at,
                chunk_count=1,
            )
            for at in (NOON - 3600, NOON - 10, NOON)
        ]
        store.add([(org_id, snapshot) for snapshot in snapshots])
    app = create_app(
        Stores(
            processes=store,
            analysis=store.analysis,
            keys=a_store(),
            hosts=store.hosts,
            containers=store.containers,
            sessions=store.sessions,
            users=store.users,
            views=store.views,
            monitors=store.monitors,
            changes=store.changes,
            rollup=store.rollup,
            erasure=store.erasure,
            notification_settings=store.notification_settings,
            outbox=store.outbox,
        ),
        sink=ListSink(),
        settings=ServerSettings(retention_hours=YEARS, sighting_retention_hours=YEARS, rate_limit=0, own_rate_limit=0),
        host_names=("procession.test",),
        now=Clock(),
    )
    asker = Asker(app)
    _opened.callback(asker.close)
    return asker


def close() -> None:
    """What was opened to ask: the engine takes one folder at a time."""
    _served.cache_clear()
    _opened.close()


_opened = contextlib.ExitStack()
atexit.register(close)
