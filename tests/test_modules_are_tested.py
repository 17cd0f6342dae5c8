"""Each module has a test file at the same place, or stands here with the suite that covers it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
ROOT = TESTS.parent
SOURCE = ROOT / "src" / "procession"

SUITES = {
    # The contract asks every store what the oracle knows, whatever module answers.
    "storage/contract": (
        "storage/store.py",
        "storage/accounts/*",
        "storage/history/read/*",
        "storage/history/statements/*",
        "storage/history/write/*",
        "storage/history/tables/columns.py",
        "storage/history/tables/hashes.py",
        "storage/history/engine/connection.py",
        "storage/history/engine/errors.py",
        "storage/history/engine/statement.py",
    ),
    "storage/history/instants/test_oracle_comparison.py": ("storage/history/instants/*", "analysis/*"),
    # Real processes say where they listen.
    "agent/read/discovery/test_finder.py": (
        "agent/read/discovery/listening_ports.py",
        "agent/read/discovery/ports.py",
    ),
    # Likewise what they send and receive, also in namespaces.
    "agent/read/network/test_traffic_reader.py": ("agent/read/network/traffic.py",),
    "storage/notifications": ("storage/notifications/*",),
    "storage/embedded/joins/test_joined_trends.py": ("storage/embedded/joins/waiting_groups.py",),
    "storage/containers": ("storage/containers/*", "containers/*"),
    "server/runtime/test_monitor_task.py": ("monitors/late/latecomers.py",),
    "notifications": (
        "notifications/channels.py",
        "notifications/escaping.py",
        "notifications/template.py",
        "notifications/variables.py",
        "notifications/downtimes/*",
        "notifications/payloads/*",
    ),
    "server/notifications": ("server/notifications/*",),
    # A provider is believed as a whole: from its description to the session of whom it names.
    "server/api/people/test_provider_sign_in.py": (
        "oidc/id_token.py",
        "oidc/metadata.py",
        "oidc/provider.py",
        "oidc/signing_keys.py",
    ),
    # A query is answered as a whole: from its body to the numbers of commands.
    "server/public/query": ("server/public/query/*",),
    # A notification is sent as a whole: from the outbox to a receiver.
    "delivery": ("delivery/*", "notifications/planning.py", "notifications/retries.py"),
    "storage/live": (
        "storage/live/candidates.py",
        "storage/live/chunk.py",
        "storage/live/columns.py",
        "storage/live/dictionaries.py",
        "storage/live/hosts.py",
        "storage/live/instants/*",
        "storage/live/matching/*",
        "storage/live/org_table.py",
        "storage/live/row_filter.py",
    ),
    # What is frozen is copied, and what was copied brought back.
    "backup": (
        "backup/*",
        "storage/history/tables/frozen.py",
        "storage/history/tables/restored.py",
        "cli/commands/backup.py",
        "cli/commands/restore.py",
    ),
    # Stores of earlier versions, and of newer ones.
    "upgrade": ("cli/commands/upgrade.py", "storage/folder_version.py", "storage/upgrade_check.py"),
    "storage/history/tables/test_migrations.py": ("storage/embedded_store.py", "storage/history/tables/upgrade.py"),
    "cluster": (
        "storage/setup.py",
        "storage/health.py",
        "storage/history/engine/server.py",
        "cli/commands/store.py",
    ),
    "storage/embedded": (
        "storage/embedded/analysis.py",
        "storage/embedded/answer_counts.py",
        "storage/embedded/progress.py",
        "storage/embedded/recovery.py",
        "storage/embedded/store.py",
    ),
    # A log is tried as a whole: on disks that fail, that are full, and that lose power.
    "storage/wal": ("storage/wal/catalog.py", "storage/wal/damage.py", "storage/wal/disk.py", "storage/wal/limits.py"),
    "server/public/test_monitors.py": (
        "monitors/monitor.py",
        "server/public/monitor_items.py",
        "server/public/monitor_parameters.py",
    ),
    "server/api/test_changes.py": ("server/api/monitors/changes.py", "server/runtime/change_recorder.py"),
    "server/api/test_monitors.py": ("server/api/monitors/history.py",),
    "server/test_restricted_monitors.py": ("server/api/monitors/seen_transitions.py",),
    "server/api/test_monitor_actions.py": ("server/api/monitors/actions.py", "notifications/trial.py"),
    "monitors/test_listing.py": ("monitors/group_state.py",),
    # A search is parsed and then evaluated; a program is recognised and then its command line scrubbed.
    "search": ("search/tree.py",),
    "command_line/test_program_name.py": ("command_line/windows_program_name.py",),
    "scrubbing": (
        "scrubbing/clients.py",
        "scrubbing/forms.py",
        "scrubbing/masking.py",
        "scrubbing/pardons.py",
        "scrubbing/spans.py",
        "scrubbing/words.py",
        "scrubbing/programs/*",
    ),
    "repository/test_docs.py": ("config.py",),
    "lifecycle": ("lifecycle/events.py",),
    "server": ("accounts/*", "text/*", "clock_skew.py", "errors.py", "inventory.py", "query.py"),
    "server/api": ("server/api/*", "server/access/*", "server/public/parameter_errors.py", "server/runtime/*"),
    "server/intake": ("server/intake/*",),
    "server/test_routes_and_keys.py": (
        "server/routes.py",
        "server/services.py",
        "server/stores.py",
        "server/threads.py",
    ),
    # A message is written by one and read by the other; each is tried with what the other makes.
    "wire/columns": ("wire/columns/*",),
    # Connections are tried from outside: by sockets that send what they like.
    "server/http": ("server/http/*",),
    # A trail is tried as a whole: what is written is read again.
    "audit": ("audit/*",),
    "server/audit": ("server/audit/*",),
    "e2e/test_tls.py": ("http_client/tls.py", "server/http/tls.py"),
    "cli/test_addresses.py": ("http_client/protocol_probe.py", "cli/access.py", "cli/client.py"),
    "agent": (
        "agent/build.py",
        "agent/clock.py",
        "agent/pipeline.py",
        "agent/tag_text.py",
        "agent/read/process_files.py",
        "agent/read/process_handle.py",
        "agent/read/process_reading.py",
        "agent/send/destination.py",
        "agent/send/payload.py",
        "agent/send/spool.py",
    ),
    "cli/commands/test_monitors.py": ("cli/commands/monitors/*",),
    "cli": (
        "cli/analysis.py",
        "cli/commands/agent.py",
        "cli/commands/completion.py",
        "cli/local/*",
        "cli/terminal/*",
    ),
    # What starts a server is started.
    "e2e/test_up.py": ("cli/commands/serve.py", "cli/commands/up.py", "cli/serving/*"),
    "simulate": ("cli/commands/simulate.py", "simulate/*"),
    "wire": ("wire/datadog/cache_budget.py", "wire/datadog/messages/*", "wire/datadog/scalars.py"),
}
"""Suite, a folder or a file of tests -> modules or patterns of modules without a file of their own."""


def modules() -> Iterator[str]:
    for path in sorted(SOURCE.rglob("*.py")):
        # What was generated is tested by those who use it.
        if path.name not in ("__init__.py", "__main__.py") and not path.name.endswith("_pb2.py"):
            yield path.relative_to(SOURCE).as_posix()


def has_own_test(module: str) -> bool:
    path = Path(module)
    return (TESTS / path.parent / f"test_{path.name}").exists()


def suites_of(module: str) -> list[str]:
    return [suite for suite, patterns in SUITES.items() if any(fnmatch(module, pattern) for pattern in patterns)]


def test_each_module_has_a_test_of_its_own_or_a_suite() -> None:
    assert [module for module in modules() if not has_own_test(module) and not suites_of(module)] == []


def test_no_entry_is_left_over() -> None:
    without = [module for module in modules() if not has_own_test(module)]
    patterns = [pattern for patterns in SUITES.values() for pattern in patterns]

    assert [pattern for pattern in patterns if not any(fnmatch(module, pattern) for module in without)] == []


@pytest.mark.parametrize("suite", SUITES)
def test_a_suite_reaches_the_modules_that_it_is_said_to_cover(suite: str) -> None:
    place = TESTS / suite
    files = [place] if place.is_file() else sorted(place.rglob("test_*.py"))
    covered = {module for module in modules() if not has_own_test(module) and suite in suites_of(module)[:1]}

    assert files
    assert covered - reached_from(frozenset(files)) == set()


def reached_from(files: frozenset[Path]) -> set[str]:
    """Modules that are imported, however far away; a suite that starts `procession` reaches all commands."""
    left, found = set(files), set[Path]()
    while left:
        path = left.pop()
        found.add(path)
        left |= set(imported(path)) - found
    return {path.relative_to(SOURCE).as_posix() for path in found if path.is_relative_to(SOURCE)}


@cache
def imported(path: Path) -> tuple[Path, ...]:
    names = list[str]()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    found = [file for name in names for file in files_of(name)]
    found += [file for folder in path.parents if folder != TESTS and (file := folder / "conftest.py").exists()]
    if path in (TESTS / "support" / "running.py", SOURCE / "cli" / "__init__.py"):
        # Commands are imported by name, when they are called.
        found += [SOURCE / "cli" / "__init__.py", *(SOURCE / "cli" / "commands").rglob("*.py")]
    return tuple(found)


def files_of(name: str) -> Iterator[Path]:
    """Of a module, its file and the `__init__` of each package around it."""
    for top in (ROOT / "src", ROOT):
        path = top.joinpath(*name.split("."))
        for file in (path.with_suffix(".py"), *(folder / "__init__.py" for folder in (path, *path.parents))):
            if file.is_file() and (file.is_relative_to(SOURCE) or file.is_relative_to(TESTS)):
                yield file


def test_a_suite_that_does_not_reach_a_module_would_be_found() -> None:
    reached = reached_from(frozenset({TESTS / "command_line" / "test_program_name.py"}))

    assert "command_line/program_name.py" in reached
    assert "storage/store.py" not in reached
