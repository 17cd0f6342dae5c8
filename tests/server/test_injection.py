"""Whatever a client says arrives in the store as a value: the text of what the store runs is the same for all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from procession.config import ServerSettings
from procession.server import create_app
from procession.storage import engine
from procession.storage.clickhouse import open_embedded
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.posting import ListSink
from tests.support.served import ORG, READER, Client, Clock, a_store

OWN = "/api/procession/v1"
MARK = "zqx"
"""In each value, and in no statement of ours."""
HOSTILE = (
    f"{MARK}'; DROP TABLE seen; --",
    f"{MARK}\\'\\",
    f"{MARK}\0b",
    f"/* {MARK} */ # --",
    f"{MARK}%s%n%(x)s{{}}{{org:UInt32}}",
    f"{MARK}\u202e\U0001f600",
    MARK * 20_000,
)
RAW = (f"{MARK}%ff%fe", f"%c0%af{MARK}", f"%ed%a0%80{MARK}")
"""What is not UTF-8."""
DOORS = [
    ("/api/v2/processes?search=", '"'),
    ("/api/v2/processes?tags=", ""),
    ("/api/v2/processes?page[cursor]=", ""),
    (f"{OWN}/processes?page[cursor]=", ""),
    (f"{OWN}/processes?sort=", ""),
    (f"{OWN}/processes?at=", ""),
    (f"{OWN}/processes/", ""),
    (f"{OWN}/tree?host=", ""),
    (f"{OWN}/facets?keys=", ""),
    (f"{OWN}/facets?prefix=", ""),
    (f"{OWN}/tags?prefix=", ""),
    (f"{OWN}/groups?by=", ""),
    (f"{OWN}/points?x=", ""),
    (f"{OWN}/points?by=", ""),
    (f"{OWN}/timeseries?by=", ""),
    (f"{OWN}/hosts?search=", '"'),
    (f"{OWN}/compare?other_host=", ""),
]


@pytest.fixture(scope="module")
def texts() -> set[str]:
    """Of all statements since it was cleared."""
    return set()


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, texts: set[str]) -> Iterator[Client]:
    class Recording:
        def __init__(self, connection: Any) -> None:
            self._connection = connection

        def __getattr__(self, name: str) -> Any:
            method = getattr(self._connection, name)

            def call(text: Any, *arguments: Any, **options: Any) -> Any:
                texts.add(str(text))
                return method(text, *arguments, **options)

            return call if name in ("query", "query_arrow", "command") else method

    with pytest.MonkeyPatch.context() as patch:
        connect = engine.Engine._connect
        patch.setattr(engine.Engine, "_connect", lambda self: Recording(connect(self)))
        folder: Path = tmp_path_factory.mktemp("store")
        store = open_embedded(folder, retention_hours=10**6, sighting_retention_hours=10**6, now=Clock())
        nginx = a_sighting(7, cmdline="nginx", tags=("env:prod",))
        store.add([(ORG, a_snapshot(nginx, host="web-1", taken_at=NOON - 5))])
        app = create_app(
            store=store,
            analysis=store.analysis,
            keys=a_store(),
            hosts=store,
            sessions=store.sessions,
            sink=ListSink(),
            settings=ServerSettings(retention_hours=10**6, rate_limit=0, own_rate_limit=0),
            own_names=("procession.test",),
            now=Clock(),
        )
        client = Client(app)
        yield client
        client.close()
        store.close()


@pytest.mark.parametrize(("door", "mark"), DOORS)
def test_hostile_values_are_data_or_a_400(client: Client, texts: set[str], door: str, mark: str) -> None:
    for value in (f"{MARK}plain", f"{MARK}plain"):  # twice, since what is known by then is not asked for again
        client.get(door + quote(f"{mark}{value}{mark}", safe=""), headers=READER)
    harmless = set(texts)

    for value in HOSTILE:
        # A star is a wildcard in a tag, and asks for something else.
        escaped = value.replace("\\", "\\\\") if mark else value.replace("*", "")
        answer = client.get(door + quote(f"{mark}{escaped}{mark}", safe=""), headers=READER)
        assert answer.status_code in (200, 400, 404, 414), f"{value[:50]!r}: {answer.status_code} {answer.text[:200]}"
    for value in RAW:
        answer = client.get(door + value, headers=READER)
        assert answer.status_code in (200, 400, 404), f"{value!r}: {answer.text[:200]}"

    assert texts, "no statement was seen"
    assert not [text for text in texts if MARK in text.lower()]
    assert texts - harmless == set()
