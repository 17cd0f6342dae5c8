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

DOMAIN = frozenset(
    (
        "",
        "accounts",
        "analysis",
        "command_line",
        "containers",
        "lifecycle",
        "monitors",
        "notifications",
        "scrubbing",
        "search",
        "text",
    )
)
"""The top level and the packages of the domain; any room may import them, and they import only each other."""

# What a room may import of ours, besides itself and the domain.
ALLOWED: dict[str, set[str]] = {
    **{room: set() for room in sorted(DOMAIN)},
    "http_client": set(),
    "oidc": {"http_client"},
    "wire": set(),
    "storage": set(),
    "backup": {"storage"},
    "delivery": {"storage"},
    "audit": set(),
    "agent": {"wire", "http_client"},
    "server": {"wire", "storage", "delivery", "audit", "oidc"},
    # Speaks as agents do, and what it writes into a store goes through what it is handed.
    "simulate": {"wire", "agent", "http_client"},
    "cli": {"wire", "http_client", "storage", "backup", "audit", "oidc", "agent", "server", "simulate"},
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


STORAGE: dict[str, set[str]] = {
    "history/engine": set(),
    "history/tables": {"history/engine"},
    "history/statements": {"history/engine", "history/tables"},
    "history/read": {"history/engine", "history/tables", "history/statements"},
    "history/instants": {"history/engine", "history/tables", "history/statements", "history/read"},
    "history/write": {"history/engine", "history/tables", "history/statements"},
    "accounts": {"history/engine"},
    "monitors": {"history/engine", "accounts"},
    "notifications": {"accounts"},
    "containers": {"history/engine"},
    "live": set(),
    "wal": set(),
    "embedded": {"containers", "live", "wal"},
}
"""What a room of the storage may import of the others: who reads knows nothing of who writes."""


OPENING = tuple(f"procession.storage.{name}" for name in ("store", "embedded_store", "setup", "health"))
"""Above the rooms: they wire them."""


def storage_room_of(module: str) -> str | None:
    path = module.removeprefix("procession.storage").lstrip(".").replace(".", "/")
    return next((room for room in STORAGE if f"{path}/".startswith(f"{room}/")), None)


@pytest.mark.parametrize("room", STORAGE)
def test_a_room_of_the_storage_imports_only_what_lies_inward(room: str) -> None:
    outward = {
        f"{path.relative_to(SOURCE)} imports {module}"
        for path in (SOURCE / "storage" / room).rglob("*.py")
        for module in imports_of(path)
        if storage_room_of(module) not in {room, None} | STORAGE[room] or module.startswith(OPENING)
    }

    assert outward == set()


def test_every_room_has_a_rule() -> None:
    rooms = {path.name for path in SOURCE.iterdir() if (path / "__init__.py").is_file()}

    assert rooms <= set(ALLOWED)


def test_every_room_of_the_storage_has_a_rule() -> None:
    home = SOURCE / "storage"
    packages = [*home.glob("*/__init__.py"), *home.glob("history/*/__init__.py")]

    assert {path.parent.relative_to(home).as_posix() for path in packages} - {"history"} == set(STORAGE)


def test_a_contract_is_no_module_of_the_store() -> None:
    (inward,) = [set(imports_of(SOURCE / "storage" / "__init__.py"))]

    assert {module for module in inward if room_of(module) == "storage"} == set()


AGENT: dict[str, set[str]] = {"read": set(), "describe": {"read"}, "send": set()}
"""Room of the agent -> the others that it may import."""


@pytest.mark.parametrize("room", AGENT)
def test_the_agent_reads_then_describes_then_sends(room: str) -> None:
    home = "procession.agent."
    found = {
        f"{path.name} imports {module}"
        for path in (SOURCE / "agent" / room).rglob("*.py")
        for module in imports_of(path)
        if module.startswith(home) and module.removeprefix(home).split(".")[0] in set(AGENT) - {room} - AGENT[room]
    }

    assert found == set()


MOST_FILES = 15


def test_a_folder_can_be_looked_over() -> None:
    folders = [SOURCE, *(path for path in SOURCE.rglob("*") if path.is_dir())]
    counts = {
        str(folder.relative_to(SOURCE)): sum(path.is_file() for path in folder.iterdir())
        for folder in folders
        if folder.name != "__pycache__" and "assets" not in folder.parts
    }
    # One file for each command.
    del counts["cli/commands"]

    assert {folder: count for folder, count in counts.items() if count > MOST_FILES} == {}


MOST_LINES = 60
REASON = "# Long because "
"""Above a function that is longer, with what keeps it together."""


def functions_of(path: Path) -> Iterator[tuple[str, int, str]]:
    """Name, number of lines, and the line above."""
    text = path.read_text(encoding="utf-8")
    lines = ["", *text.splitlines()]
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            yield node.name, (node.end_lineno or 0) - node.lineno + 1, lines[first - 1].strip()


def test_a_function_fits_on_a_screen_or_says_why_not() -> None:
    found = {
        f"{path.relative_to(SOURCE)}: {name} has {lines} lines"
        for path in SOURCE.rglob("*.py")
        for name, lines, above in functions_of(path)
        if lines > MOST_LINES and not above.startswith(REASON)
    }

    assert found == set()


def is_forwarding(path: Path) -> bool:
    """Whether a module only hands on what is elsewhere. A package may: its `__init__` says what is public in it."""
    body = [node for node in ast.parse(path.read_text(encoding="utf-8")).body if not is_text(node)]
    return bool(body) and path.name != "__init__.py" and all(is_import_or_all(node) for node in body)


def is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def is_import_or_all(node: ast.stmt) -> bool:
    if isinstance(node, ast.Assign):
        # `Old = new.New` is an alias.
        is_all = isinstance(node.targets[0], ast.Name) and node.targets[0].id == "__all__"
        return is_all or isinstance(node.value, ast.Name | ast.Attribute)
    return isinstance(node, ast.Import | ast.ImportFrom)


def test_no_module_only_hands_on_what_is_elsewhere() -> None:
    assert {str(path.relative_to(SOURCE)) for path in SOURCE.rglob("*.py") if is_forwarding(path)} == set()


def test_a_module_that_only_hands_on_would_be_found(tmp_path: Path) -> None:
    path = tmp_path / "old.py"
    path.write_text('"""Moved."""\n\nfrom procession import process\n\nOld = process.ProcessKey\n__all__ = ["Old"]\n')

    assert is_forwarding(path)


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
