"""Imports point one way: the domain knows nothing of the technology around it, and nobody knows the command line."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from procession import storage

SOURCE = Path(__file__).parent.parent / "src" / "procession"

DOMAIN = frozenset(("", "accounts", "analysis", "command_line", "lifecycle", "scrubbing", "search", "text"))
"""The top level and the packages of the domain; any room may import them, and they import only each other."""

# What a room may import of ours, besides itself and the domain.
ALLOWED: dict[str, set[str]] = {
    **{room: set() for room in DOMAIN},
    "http_client": set(),
    "wire": set(),
    "storage": set(),
    "agent": {"wire", "http_client"},
    "server": {"wire", "storage"},
    # Speaks as agents do, and what it writes into a store goes through what it is handed.
    "simulate": {"wire", "agent", "http_client"},
    "cli": {"wire", "http_client", "storage", "agent", "server", "simulate"},
}


def imports_of(path: Path) -> Iterator[str]:
    """Modules of ours that a file names, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            # `from procession import wire` names a room as well as a module.
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] == "procession")


def room_of(module: str) -> str:
    second = [*module.split("."), ""][1]
    return second if (SOURCE / second).is_dir() else ""


@pytest.mark.parametrize("room", ALLOWED)
def test_a_room_imports_only_what_lies_inward(room: str) -> None:
    files = (SOURCE / room).rglob("*.py") if room else SOURCE.glob("*.py")

    outward = {
        f"{path.relative_to(SOURCE)} imports {module}"
        for path in files
        for module in imports_of(path)
        if room_of(module) not in {room} | DOMAIN | ALLOWED[room]
    }

    assert outward == set()


STARTS_SERVERS = ("cli/serving/", "cli/commands/serve.py", "cli/commands/up.py")


def test_the_command_line_starts_servers_and_takes_no_rules_from_them() -> None:
    beyond = {
        f"{name} imports {module}"
        for path in (SOURCE / "cli").rglob("*.py")
        if not (name := path.relative_to(SOURCE).as_posix()).startswith(STARTS_SERVERS)
        for module in imports_of(path)
        if room_of(module) == "server"
    }

    assert beyond == set()


def test_the_server_knows_only_the_contracts_of_the_store() -> None:
    beyond = {
        f"{path.relative_to(SOURCE)} imports {module}"
        for path in (SOURCE / "server").rglob("*.py")
        for module in imports_of(path)
        if room_of(module) == "storage" and module.removeprefix("procession.storage.") not in storage.__all__
    }

    assert beyond == set()


STORAGE = {
    "history/engine": set(),
    "history/tables": {"history/engine"},
    "history/statements": {"history/engine", "history/tables"},
    "history/read": {"history/engine", "history/tables", "history/statements"},
    "history/instants": {"history/engine", "history/tables", "history/statements", "history/read"},
    "history/write": {"history/engine", "history/tables", "history/statements"},
    "accounts": {"history/engine"},
}
"""What a room of the storage may import of the others: who reads knows nothing of who writes."""


def storage_room_of(module: str) -> str | None:
    path = module.removeprefix("procession.storage").lstrip(".").replace(".", "/")
    return next((room for room in STORAGE if f"{path}/".startswith(f"{room}/")), None)


@pytest.mark.parametrize("room", STORAGE)
def test_a_room_of_the_storage_imports_only_what_lies_inward(room: str) -> None:
    outward = {
        f"{path.relative_to(SOURCE)} imports {module}"
        for path in (SOURCE / "storage" / room).rglob("*.py")
        for module in imports_of(path)
        if storage_room_of(module) not in {room, None} | STORAGE[room]
        or module.startswith(("procession.storage.store", "procession.storage.setup"))
    }

    assert outward == set()


def test_every_room_has_a_rule() -> None:
    rooms = {path.name for path in SOURCE.iterdir() if (path / "__init__.py").is_file()}

    assert rooms <= set(ALLOWED)


def modules_loaded_by(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_the_agent_loads_neither_the_store_nor_the_server() -> None:
    loaded = modules_loaded_by("import procession.cli.commands.agent, procession.agent")

    heavy = {"chdb", "clickhouse_connect", "starlette", "uvloop", "pyarrow", "rich"}
    assert loaded & heavy == set()


def test_ps_loads_only_what_asks_a_server() -> None:
    loaded = modules_loaded_by("import procession.cli.commands.ps")

    heavy = {"chdb", "clickhouse_connect", "starlette", "uvloop", "pyarrow", "google.protobuf", "asyncio"}
    assert loaded & heavy == set()
