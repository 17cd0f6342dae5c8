"""Whatever is posted, all the way into a real store: never a 500 or 503, and what was taken can be read."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from procession.config import ServerSettings
from procession.packed import AnySnapshot
from procession.server import Stores, create_app
from procession.storage import ProcessStore
from procession.storage.embedded_store import open_embedded
from procession.wire.datadog import Encoding, MessageType, frame
from procession.wire.datadog import process_pb2 as pb
from tests.support.agents.posting import COLLECTOR
from tests.support.agents.vectors import VECTORS
from tests.support.builders import NOON
from tests.support.served import API_KEY, READER, Client, Clock, a_store

SECONDS = 6.0
LONGEST_SECONDS = 10.0
"""Of one request, on a machine however busy: what hangs takes longer."""

YEARS = 20 * 365 * 24
NUMBERS = (0, 1, 2, 7, -1, -2, 127, 128, 255, 2**15, 2**31 - 1, -(2**31), 2**32 - 1, 2**63 - 1, -(2**63), 2**64 - 1)
MOMENTS = (NOON, NOON - 5, NOON * 1000, NOON * 10**9, (NOON - 100 * 86400) * 1000)
FLOATS = (0.0, 1.5, -1.0, float("nan"), float("inf"), -float("inf"), 3.4e38, 1e-45)
TEXTS = ("", "x", "web-1", "a b", "\0", "ключ", "\U0001f600", "'\"\\{x}", "Z" * 300, "k:v", "y" * 70_000)
BYTES = (b"", b"\xff\xfe", b"\x0a\x05hello", b"\x08\x01")

_RANGES = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
    FieldDescriptor.CPPTYPE_ENUM: (-(2**31), 2**31 - 1),
}


class StoreSink:
    def __init__(self, store: ProcessStore) -> None:
        self._store = store

    async def add(self, org_id: int, snapshot: AnySnapshot) -> None:
        self._store.add([(org_id, snapshot)])


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    store = open_embedded(
        tmp_path_factory.mktemp("store"),
        retention_hours=YEARS,
        sighting_retention_hours=YEARS,
        live_retention_hours=YEARS,
        now=Clock(),
    )
    settings = ServerSettings(retention_hours=YEARS, rate_limit=0, discovered_processes=True)
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
        sink=StoreSink(store),
        settings=settings,
        now=Clock(),
        host_names=("procession.test",),
    )
    client = Client(app)
    yield client
    client.close()
    store.close()


def fill(message: Message, chance: random.Random, depth: int = 0) -> None:
    """Any of its fields with anything that they can hold."""
    for field in message.DESCRIPTOR.fields:
        if chance.random() < 0.4:
            continue
        if field.message_type is not None:
            if depth < 4:
                if field.is_repeated:
                    for _ in range(chance.randrange(4)):
                        fill(getattr(message, field.name).add(), chance, depth + 1)
                else:
                    fill(getattr(message, field.name), chance, depth + 1)
                    getattr(message, field.name).SetInParent()
        elif field.is_repeated:
            getattr(message, field.name).extend(_value(field, chance) for _ in range(chance.randrange(4)))
        else:
            setattr(message, field.name, _value(field, chance))


def _value(field: Any, chance: random.Random) -> Any:
    kind = field.cpp_type
    if kind in _RANGES:
        least, most = _RANGES[kind]
        pool = MOMENTS if "ime" in field.name and chance.random() < 0.7 else NUMBERS
        return chance.choice([number for number in (*pool, 0) if least <= number <= most])
    if kind in (FieldDescriptor.CPPTYPE_FLOAT, FieldDescriptor.CPPTYPE_DOUBLE):
        return chance.choice(FLOATS)
    if kind == FieldDescriptor.CPPTYPE_BOOL:
        return chance.random() < 0.5
    return chance.choice(BYTES if field.type == FieldDescriptor.TYPE_BYTES else TEXTS)


def a_post(chance: random.Random) -> tuple[str, bytes, dict[str, str]]:
    """Path, body and headers."""
    message: Any = chance.choice((pb.CollectorProc, pb.CollectorProc, pb.CollectorRealTime, pb.CollectorProcEvent))()
    fill(message, chance)
    if isinstance(message, pb.CollectorProcEvent):
        message.hostname = message.hostname or "web-1"
        path, body = "/api/v2/proclcycle", message.SerializeToString()
    else:
        message.hostName = message.hostName or "web-1"
        type_ = MessageType.PROCESSES if isinstance(message, pb.CollectorProc) else MessageType.REAL_TIME
        encoding = chance.choice((Encoding.PLAIN, Encoding.ZSTD))
        path, body = COLLECTOR, frame.encode(type_, message.SerializeToString(), encoding=encoding)
    if chance.random() < 0.3:
        body = chance.choice(VECTORS).data
    if body and chance.random() < 0.3:
        damaged = bytearray(body)
        for _ in range(chance.randrange(1, 5)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        body = bytes(damaged)
    headers = {
        "x-dd-agent-timestamp": str(chance.choice((*MOMENTS, *NUMBERS))),
        "x-dd-request-id": str(chance.choice(NUMBERS)),
        "x-dd-hostname": chance.choice(("web-1", "", "x" * 300)),
        "x-dd-processes-enabled": chance.choice(("true", "false", "?")),
        "x-procession-live": chance.choice(("all", "", "x")),
        "x-procession-partial": chance.choice(("true", "")),
    }
    return (
        path,
        body,
        {"dd-api-key": API_KEY} | {name: value for name, value in headers.items() if chance.random() < 0.7},
    )


def test_nothing_that_is_posted_breaks_the_server(client: Client) -> None:
    chance = random.Random(4)
    taken = refused = 0
    longest = 0.0
    end = time.monotonic() + SECONDS
    while time.monotonic() < end or not (taken and refused):
        path, body, headers = a_post(chance)
        begin = time.monotonic()
        answer = client.post(path, content=body, headers=headers)
        longest = max(longest, time.monotonic() - begin)
        assert answer.status_code in (200, 202, 400, 413), (answer.text, path, headers, body[:2000].hex())
        taken += answer.status_code < 300
        refused += answer.status_code >= 400

    assert longest < LONGEST_SECONDS
    for path in ("/api/v2/processes", "/api/procession/v1/processes"):
        for window in ("", f"from={NOON - 10}&to={NOON}&", f"from=0&to={NOON}&"):
            answer = client.get(f"{path}?{window}page[limit]=10000", headers=READER)
            assert answer.status_code == 200, answer.text
