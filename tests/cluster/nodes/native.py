"""ClickHouse's native protocol, from a server's side, as an initiator needs it: complete queries and inserts."""

from __future__ import annotations

import json
import re
import socket
import struct
from contextlib import suppress
from typing import Any

from tests.cluster.nodes.engine import NodeConfig, NodeEngine, code_of, insert
from tests.cluster.nodes.wire import Reader, Refused, read_block, text, varint

REVISION = 54448
"""From 54454 on each column has a byte more, which FORMAT Native does not write."""

COMPLETE = 2
_HELLO, _QUERY, _DATA, _CANCEL, _PING, _TABLES, _KEEP_ALIVE, _SCALAR = range(8)
_ANSWER_HELLO, _ANSWER_DATA, _EXCEPTION, _PROGRESS, _PONG, _END, _PROFILE = range(7)
_TABLES_STATUS = 9
_BLOCK_INFO = b"\x01\x00\x02\xff\xff\xff\xff\x00"


class Conversation:
    """One connection of an initiator."""

    def __init__(self, engine: NodeEngine, config: NodeConfig, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._engine = engine
        self._config = config
        self._socket = connection
        self._reader = Reader(connection.makefile("rb"))
        self._database = ""

    def run(self) -> None:
        """Until the other side goes."""
        with suppress(EOFError, ConnectionError):
            while True:
                kind = self._reader.varint()
                try:
                    self._answer(kind)
                except (EOFError, ConnectionError):
                    raise
                except Exception as error:
                    # What it sent after the thing that failed cannot be told from a new packet, so it is to go.
                    self._send(_exception(error))
                    return

    def _answer(self, kind: int) -> None:
        if kind == _HELLO:
            self._hello()
        elif kind == _PING:
            self._send(varint(_PONG))
        elif kind == _TABLES:
            self._tables_status()
        elif kind == _QUERY:
            self._query()
        elif kind not in (_CANCEL, _KEEP_ALIVE):
            raise Refused(f"this node does not know packets of type {kind}", 99)

    def _hello(self) -> None:
        reader = self._reader
        reader.text()
        for _ in range(3):
            reader.varint()
        self._database, user, password = reader.text(), reader.text(), reader.text()
        if (user, password) != (self._config.user, self._config.password):
            raise Refused(f"{user}: Authentication failed", 516)
        version = varint(26) + varint(9) + varint(REVISION)
        self._send(varint(_ANSWER_HELLO) + text("test node") + version + text("UTC") + text("test node") + varint(0))

    def _tables_status(self) -> None:
        reader = self._reader
        tables = [(reader.text(), reader.text()) for _ in range(reader.varint())]
        missing = self._engine.missing(tables)
        there = [table for table in tables if table not in missing]
        statuses = b"".join(text(database) + text(name) + varint(0) for database, name in there)
        self._send(varint(_TABLES_STATUS) + varint(len(there)) + statuses)

    def _query(self) -> None:
        reader = self._reader
        reader.text()  # its id
        self._client_info()
        settings: dict[str, str] = {}
        while name := reader.text():
            reader.varint()
            settings[name] = reader.text()
        reader.text()  # the cluster's secret
        stage, is_compressed, statement = reader.varint(), reader.varint(), reader.text()
        if is_compressed:
            raise Refused("this node takes nothing compressed")
        external = self._external_tables()
        if match := re.fullmatch(r"(INSERT INTO .*?\))\s+(?:FORMAT \w+|VALUES)\s*", statement, re.DOTALL):
            self._insert(match[1], settings)
            return
        if stage != COMPLETE:
            raise Refused(
                f"this node answers complete queries only (distributed_group_by_no_merge = 1), not stage {stage} of:"
                f" {statement[:300]}"
            )
        self._select(statement, settings, external)

    def _client_info(self) -> None:
        reader = self._reader
        (kind,) = reader.take(1)
        if not kind:
            return
        for _ in range(3):
            reader.text()
        (interface,) = reader.take(1)
        if interface == 1:
            for _ in range(3):
                reader.text()
            for _ in range(3):
                reader.varint()
        elif interface == 2:
            reader.take(1)
            for _ in range(3):
                reader.text()
        reader.text()
        reader.varint()
        if interface == 1:
            reader.varint()
        (has_trace,) = reader.take(1)
        if has_trace:
            reader.take(24)
            reader.text()
            reader.take(1)

    def _external_tables(self) -> dict[str, list[bytes]]:
        """Name -> blocks, up to the empty block that ends them."""
        found: dict[str, list[bytes]] = {}
        while True:
            kind = self._reader.varint()
            if kind not in (_DATA, _SCALAR):
                raise Refused(f"a packet of type {kind} where data was due", 99)
            name = self._reader.text()
            _read_block_info(self._reader)
            rows, block = read_block(self._reader)
            if kind == _DATA and not name and not rows:
                return found
            if kind == _DATA and block != b"\0\0":
                found.setdefault(name, []).append(block)

    def _insert(self, statement: str, settings: dict[str, str]) -> None:
        table = re.match(r"INSERT INTO (\S+)", statement)
        assert table is not None
        with self._engine.connection(self._database, settings) as connection:
            names = re.search(r"\((.*)\)", statement, re.DOTALL)
            self._send(_data(self._empty_block(table[1], names[1] if names else "")))
            blocks = []
            while True:
                self._expect_data()
                _read_block_info(self._reader)
                rows, block = read_block(self._reader)
                if not rows:
                    break
                blocks.append(block)
            if blocks:
                insert(connection, self._config.folder, statement, "Native", b"".join(blocks))
        self._send(varint(_END))

    def _expect_data(self) -> None:
        if self._reader.varint() != _DATA:
            raise Refused("something else where data was due", 99)
        self._reader.text()

    def _select(self, statement: str, settings: dict[str, str], external: dict[str, list[bytes]]) -> None:
        with self._engine.connection(self._database, settings, is_kept=not external) as connection:
            for name, blocks in external.items():
                _load(connection, self._config.folder, name, blocks)
            rows = 0
            if re.match(r"\s*DESC", statement):
                block = connection.query(statement, "Native").bytes()
                rows = 1
                self._send(_data(block))
            else:
                with connection.send_query(statement, "Native") as result:
                    for chunk in result:
                        block = chunk.bytes()
                        if block:
                            rows += chunk.rows_read()
                            self._send(_data(block))
        progress = varint(_PROGRESS) + varint(rows) + varint(0) * 4
        profile = varint(_PROFILE) + varint(rows) + varint(1) + varint(0) + b"\0" + varint(rows) + b"\0"
        self._send(progress + profile + varint(_END))

    def _empty_block(self, table: str, names: str) -> bytes:
        """The names and types of these columns, and no rows."""
        question = f"DESCRIBE TABLE (SELECT {names or '*'} FROM {table} LIMIT 0)"
        described = self._engine.of_tables(question, "JSONCompact", self._database)
        columns = [(name, " ".join(kind.split())) for name, kind, *_ in json.loads(described)["data"]]
        return varint(len(columns)) + varint(0) + b"".join(text(name) + text(kind) for name, kind in columns)

    def _send(self, data: bytes) -> None:
        self._socket.sendall(data)


def _read_block_info(reader: Reader) -> None:
    while field := reader.varint():
        reader.take(1 if field == 1 else 4)


def _data(block: bytes) -> bytes:
    return varint(_ANSWER_DATA) + text("") + _BLOCK_INFO + block


def _load(connection: Any, folder: str, name: str, blocks: list[bytes]) -> None:
    import tempfile

    with tempfile.NamedTemporaryFile(dir=folder, suffix=".native") as file:
        file.write(b"".join(blocks))
        file.flush()
        connection.query(f"CREATE TEMPORARY TABLE `{name}` AS SELECT * FROM file('{file.name}', 'Native')")


def _exception(error: Exception) -> bytes:
    code = error.code if isinstance(error, Refused) else code_of(str(error))
    return (
        varint(_EXCEPTION)
        + struct.pack("<i", code)
        + text("DB::Exception")
        + text(f"DB::Exception: {error}"[:4000])
        + text("")
        + b"\0"
    )
