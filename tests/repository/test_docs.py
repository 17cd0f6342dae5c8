"""What the docs promise is so: every setting and command is in them, and the README's lines work when pasted."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from procession import __version__
from procession.cli import COMMANDS
from procession.cli import procession as group
from procession.cli.options import Setting, settings_of
from procession.config import AgentSettings, ClientSettings, ServerSettings
from tests.support.running import clean_environment, up

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text()
README = (ROOT / "README.md").read_text()


def row_of(setting: Setting) -> str:
    """The line of `docs/configuration.md` for a setting."""
    default = setting.field.default
    text = str(default).lower() if setting.kind is bool else str(default)
    text = ",".join(default) if isinstance(default, tuple) else text
    shown = "" if default in ("", ()) else f"`{text}`"
    variables = ", ".join(f"`{name}`" for name in setting.variables)
    help_text = setting.field.metadata["help"].replace("|", "\\|")
    return f"| `{setting.key}` | {variables} | {shown} | {help_text} |"


@pytest.mark.parametrize("settings_class", [ServerSettings, AgentSettings, ClientSettings])
def test_every_setting_is_documented_as_it_is_defined(settings_class: type[object]) -> None:
    missing = [row for setting in settings_of(settings_class) if (row := row_of(setting)) not in CONFIGURATION]

    assert missing == [], "docs/configuration.md lacks these lines"


def test_no_setting_is_documented_that_does_not_exist() -> None:
    documented = set(re.findall(r"^\| `([a-z-]+)` \| `PROCESSION_", CONFIGURATION, re.MULTILINE))
    defined = {setting.key for cls in (ServerSettings, AgentSettings, ClientSettings) for setting in settings_of(cls)}

    assert documented == defined


def test_every_command_is_in_the_readme() -> None:
    context = click.Context(group)
    names = [f"procession {name}" for name in COMMANDS]
    for name in COMMANDS:
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            names += [f"procession {name} {child}" for child in command.commands]

    assert [name for name in names if name not in README] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())

    assert [target for target in targets if not (page.parent / target).exists()] == []


def anchors_of(page: Path) -> set[str]:
    """Of its headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_to_a_heading_lead_to_one(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]*)#([^)]+)\)", page.read_text())

    assert [
        f"{name}#{anchor}" for name, anchor in links if anchor not in anchors_of(page.parent / name if name else page)
    ] == []


def test_each_file_and_room_in_the_architecture_exists() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    sources = [
        path
        for top in ("src", "web/src", "tests")
        for path in (ROOT / top).rglob("*")
        if "node_modules" not in path.parts
    ]
    files = {f"/{path.relative_to(ROOT)}" for path in sources if path.is_file()}
    folders = {f"/{path.relative_to(ROOT)}/" for path in sources if path.is_dir()} | {"/web/src/", "/tests/"}

    named_files = set(re.findall(r"`([\w/]+\.(?:py|proto|json|ts))`", text))
    named_rooms = set(re.findall(r"`([a-z_]+(?:/[a-z_]+)*/)`", text)) - {"keys/", "spool/", "clickhouse/", "web/"}
    assert {name for name in named_files if not any(file.endswith(f"/{name}") for file in files)} == set()
    assert {name for name in named_rooms if not any(folder.endswith(f"/{name}") for folder in folders)} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_of_the_repository_in_the_docs_exist(page: Path) -> None:
    named = re.findall(r"`((?:src|tests|bench|deploy|docs|web)/[\w./-]+\w/?)`", page.read_text())

    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_decision_is_in_the_index() -> None:
    index = (ROOT / "docs" / "decisions" / "README.md").read_text()
    pages = {page.name for page in (ROOT / "docs" / "decisions").glob("*.md")} - {"README.md"}

    assert {name for name in pages if f"({name})" not in index} == set()


def test_the_changelog_has_a_place_for_what_is_next_and_knows_the_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()

    assert "## [Unreleased]" in changelog
    assert __version__ in changelog


def code_blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def test_the_first_query_of_the_readme_works_when_pasted(tmp_path: Path) -> None:
    """With the server of the README on another port and in another home."""
    (curl,) = [block for block in code_blocks(README, "sh") if "curl" in block]
    (snippet,) = code_blocks(README, "python")
    with up(tmp_path / "share" / "procession") as (started, url):
        started.line_with("The first processes have arrived.")
        environment = clean_environment(HOME=str(tmp_path), XDG_DATA_HOME=str(tmp_path / "share"))

        def here(text: str) -> str:
            return text.replace("http://127.0.0.1:7171", url).replace("~/.local/share", str(tmp_path / "share"))

        answer = subprocess.run(
            ["bash", "-euc", here(curl)], env=environment, capture_output=True, text=True, timeout=60, check=True
        )
        printed = subprocess.run(
            [sys.executable, "-c", here(snippet)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )

    assert '"type":"process"' in answer.stdout
    assert "procession" in printed.stdout
