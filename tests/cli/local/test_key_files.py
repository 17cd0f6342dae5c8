"""Keys come from flags, files and variables, for every command that takes any."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import click
import pytest

from procession.cli import COMMANDS
from procession.cli import procession as group
from tests.cli.conftest import Command
from tests.support.agents.intake import FakeIntake
from tests.support.builders import a_sighting, a_snapshot
from tests.support.running import clean_environment, running
from tests.support.served import API_KEY, APPLICATION_KEY, ORG, Clock, Served, a_store, serving

READERS = {
    "ps": ("ps",),
    "top": ("top", "--once"),
    "tree": ("tree",),
    "diff": ("diff", "--at", "now"),
    "link": ("link",),
    "status": ("status",),
    "monitors list": ("monitors", "list"),
    "monitors export": ("monitors", "export"),
}
"""Commands, as they are called here."""
NAMING = {f"monitors {name}" for name in ("show", "test", "backtest", "mute", "unmute", "apply")}
"""Readers that want a monitor or a file of them."""
WRONG = "0" * 32


@dataclass
class Given:
    """What a command is given, by arguments, by variables, and by a configuration file."""

    arguments: tuple[str, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)
    config: str = ""

    def write(self, folder: Path) -> dict[str, str]:
        """All variables."""
        if not self.config:
            return {"PROCESSION_CONFIG": "/dev/null", **self.variables}
        (folder / "config.toml").write_text(self.config)
        return {"PROCESSION_CONFIG": str(folder / "config.toml"), **self.variables}


def ways(folder: Path, keys: dict[str, str]) -> dict[str, Given]:
    """All by which these keys may be given."""
    for name, key in keys.items():
        (folder / name).write_text(f"  {key}\n")
    variable = {name: f"PROCESSION_{name.upper().replace('-', '_')}" for name in keys}
    dd = {"api-key": "DD_API_KEY", "application-key": "DD_APP_KEY"}
    return {
        "flags": Given(tuple(text for name, key in keys.items() for text in (f"--{name}", key))),
        "files": Given(tuple(text for name in keys for text in (f"--{name}-file", str(folder / name)))),
        "variables": Given(variables={variable[name]: key for name, key in keys.items()}),
        "Datadog's variables": Given(variables={dd[name]: key for name, key in keys.items()}),
        "files in variables": Given(variables={f"{variable[name]}_FILE": str(folder / name) for name in keys}),
        "configuration": Given(config="".join(f'{name} = "{key}"\n' for name, key in keys.items())),
        "files in the configuration": Given(
            config="".join(f'{name}-file = "{folder / name}"\n' for name in keys),
        ),
    }


NAMES = list(ways(Path("/nowhere"), {}))


def commands() -> Iterator[tuple[str, click.Command]]:
    for name in COMMANDS:
        found = group.get_command(click.Context(group), name)
        assert found is not None
        yield name, found
        if isinstance(found, click.Group):
            yield from ((f"{name} {inner}", command) for inner, command in found.commands.items())


@pytest.fixture
def url() -> Iterator[str]:
    """Of a server that this machine's data folder does not know."""
    now = int(time.time())
    served = Served(a_store(), clock=Clock(now))
    served.store.add([(ORG, a_snapshot(a_sighting(pid=7, started_at=now - 60), taken_at=now - 1))])
    with serving(served.app()) as url:
        yield url


def test_every_command_that_takes_a_secret_takes_it_from_a_file_and_a_variable_too() -> None:
    takers: dict[str, set[str]] = {"api_key": set(), "application_key": set(), "store_password": set()}
    for name, command in commands():
        options = {option.name: option for option in command.params}
        for secret in takers.keys() & options.keys():
            takers[secret].add(name)
            for one in (secret, f"{secret}_file"):
                assert one in options, name
                assert f"PROCESSION_{one.upper()}" in (options[one].envvar or ()), name

    assert takers["application_key"] == {*READERS, *NAMING}
    assert takers["api_key"] == {*READERS, *NAMING, "agent", "agent check", "agent install", "doctor agent", "simulate"}
    assert {"serve", "up", "keys list", "orgs list", "store init"} <= takers["store_password"]


@pytest.mark.parametrize("way", NAMES)
@pytest.mark.parametrize("reader", READERS)
def test_a_reader_takes_its_keys_from_wherever_they_are(
    reader: str, way: str, url: str, procession: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = ways(tmp_path, {"api-key": API_KEY, "application-key": APPLICATION_KEY})[way]
    for name, value in given.write(tmp_path).items():
        monkeypatch.setenv(name, value)

    result = procession(*READERS[reader], "--url", url, *given.arguments)

    assert result.err == ""
    assert result.code == 0
    assert result.out


@pytest.mark.parametrize("reader", READERS)
def test_without_keys_a_reader_reads_nothing(reader: str, url: str, procession: Command) -> None:
    result = procession(*READERS[reader], "--url", url)

    assert result.code != 0
    assert "key" in result.err


def test_what_is_nearer_wins_whether_it_is_a_key_or_a_file(
    url: str, procession: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = ways(tmp_path, {"api-key": API_KEY, "application-key": APPLICATION_KEY})
    (tmp_path / "wrong").mkdir()
    wrong = ways(tmp_path / "wrong", {"api-key": WRONG, "application-key": WRONG})
    for near, far in (
        ("files", "Datadog's variables"),
        ("flags", "files in variables"),
        ("variables", "files in the configuration"),
        ("files in variables", "configuration"),
    ):
        with monkeypatch.context() as patch:
            variables = wrong[far].write(tmp_path) | right[near].variables
            for name, value in variables.items():
                patch.setenv(name, value)

            result = procession("ps", "--url", url, *right[near].arguments)

            assert (result.code, result.err) == (0, ""), (near, far)


@pytest.mark.parametrize("way", NAMES)
def test_an_agent_takes_its_key_from_wherever_it_is(way: str, tmp_path: Path) -> None:
    given = ways(tmp_path, {"api-key": API_KEY})[way]
    intake = FakeIntake()
    options = ("--url", intake.url, "--spool-dir", str(tmp_path / "spool"), *given.arguments)
    with running("agent", *options, environment=clean_environment(**given.write(tmp_path))) as agent:
        (posted, *_) = intake.wait_for(1, 30)
        agent.stop()
    intake.close()

    assert posted.headers["dd-api-key"] == API_KEY


@pytest.mark.parametrize("way", NAMES)
def test_a_fleet_that_is_played_takes_its_key_from_wherever_it_is(
    way: str, url: str, procession: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = ways(tmp_path, {"api-key": API_KEY})[way]
    for name, value in given.write(tmp_path).items():
        monkeypatch.setenv(name, value)
    fleet = ("--hosts", "1", "--processes", "2", "--hours", "0.001", "--speed", "max")

    result = procession("simulate", *fleet, "--url", url, *given.arguments)

    assert result.err == ""
    assert result.code == 0
    assert "0 refused" in result.out
