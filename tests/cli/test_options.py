from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import click
import pytest
from click.testing import CliRunner

from procession.cli.options import SETTINGS, read_config_file, read_settings, settings_of, settings_options
from procession.config import AgentSettings, ClientSettings, ServerSettings
from procession.errors import UsageError

Settings = TypeVar("Settings")


def read(*arguments: str, environment: dict[str, str] | None = None) -> ServerSettings:
    """The settings that a command with these arguments and variables comes to."""
    return read_of(ServerSettings, *arguments, environment=environment)


def read_of(settings_class: type[Settings], *arguments: str, environment: dict[str, str] | None = None) -> Settings:
    seen: list[Settings] = []

    @click.command()
    @settings_options(settings_class)
    def command(**settings: object) -> None:
        seen.append(read_settings(settings_class, settings))

    result = CliRunner(env={"PROCESSION_CONFIG": "/dev/null", **(environment or {})}).invoke(command, list(arguments))

    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert seen, result.output
    return seen[0]


def a_file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "procession.toml"
    path.write_text(text)
    return path


def test_without_anything_given_the_defaults_hold() -> None:
    assert read() == ServerSettings()


def test_a_setting_comes_from_a_flag_a_variable_or_a_file(tmp_path: Path) -> None:
    path = a_file(tmp_path, "rate-limit = 7\n")

    assert read("--rate-limit", "7").rate_limit == 7
    assert read(environment={"PROCESSION_RATE_LIMIT": "7"}).rate_limit == 7
    assert read("--config", str(path)).rate_limit == 7
    assert read(environment={"PROCESSION_CONFIG": str(path)}).rate_limit == 7


def test_a_flag_beats_a_variable_which_beats_the_file(tmp_path: Path) -> None:
    path = a_file(tmp_path, "rate-limit = 1\n")
    variable = {"PROCESSION_RATE_LIMIT": "2", "PROCESSION_CONFIG": str(path)}

    assert read(environment=variable).rate_limit == 2
    assert read("--rate-limit", "3", environment=variable).rate_limit == 3


def test_the_users_file_is_found_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "procession").mkdir()
    (tmp_path / "procession" / "config.toml").write_text("rate-limit = 9\n")

    assert read(environment={"PROCESSION_CONFIG": ""}).rate_limit == 9


def test_a_file_may_hold_settings_of_other_commands(tmp_path: Path) -> None:
    path = a_file(tmp_path, 'url = "http://10.0.0.5:7171"\ninterval-seconds = 5\n')

    assert read("--config", str(path)) == ServerSettings()
    assert read_config_file(path) == {"url": "http://10.0.0.5:7171", "interval_seconds": 5.0}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("rate-limits = 7", "there is no setting 'rate-limits'; did you mean 'rate-limit'?"),
        ("rate_limit = 7", "there is no setting 'rate_limit'; did you mean 'rate-limit'?"),
        ("colour = 'red'", "there is no setting 'colour'; `procession up --help` lists them"),
        ("rate-limit = 'many'", "rate-limit = 'many' is not a whole number"),
        ("rate-limit = true", "rate-limit = True is not a whole number"),
        ("rate-limit = -1", "rate-limit = -1 is not right: -1 is not in the range x>=0"),
        ("listen = 7171", "listen = 7171 is not a text in quotes"),
        ("rate-limit 7", "it is not TOML"),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    path = a_file(tmp_path, text)

    with pytest.raises(UsageError) as raised:
        read_config_file(path)

    assert complaint in str(raised.value)
    assert str(path) in str(raised.value)


def test_a_named_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot read the configuration file .*: No such file"):
        read("--config", str(tmp_path / "none.toml"))


def test_a_number_below_its_minimum_is_refused_from_a_flag() -> None:
    options: list[click.Parameter] = [setting.option() for setting in settings_of(ServerSettings)]

    result = CliRunner().invoke(click.Command("command", params=options), ["--retention-hours", "0"])

    assert result.exit_code == 2
    assert "x>=1" in result.output


def test_settings_of_one_name_mean_one_thing_in_every_class_but_may_be_several_in_one() -> None:
    kinds: dict[str, object] = {}
    for settings_class in SETTINGS:
        for setting in settings_of(settings_class):
            kind = str if setting.is_repeated else setting.kind
            assert kinds.setdefault(setting.key, kind) == kind


@pytest.mark.parametrize(
    ("arguments", "environment", "text", "urls"),
    [
        ((), {}, "", ("http://127.0.0.1:7171",)),
        (("--url", "http://a", "--url", "http://b"), {}, "", ("http://a", "http://b")),
        ((), {"PROCESSION_URL": "http://a, http://b"}, "", ("http://a", "http://b")),
        ((), {}, 'url = "http://a"', ("http://a",)),
        ((), {}, 'url = ["http://a", "http://b"]', ("http://a", "http://b")),
        (("--url", "http://c"), {"PROCESSION_URL": "http://b"}, 'url = ["http://a"]', ("http://c",)),
    ],
)
def test_what_may_be_given_several_times_is_repeated_or_a_list(
    tmp_path: Path, arguments: tuple[str, ...], environment: dict[str, str], text: str, urls: tuple[str, ...]
) -> None:
    variables = {"PROCESSION_CONFIG": str(a_file(tmp_path, text)), **environment}

    assert read_of(AgentSettings, *arguments, environment=variables).url == urls


def test_a_file_with_several_servers_serves_commands_that_ask_one(tmp_path: Path) -> None:
    path = a_file(tmp_path, 'url = ["http://a", "http://b"]\napi-key = ["k", "l"]\n')

    settings = read_of(ClientSettings, "--config", str(path))

    assert (settings.url, settings.api_key) == ("http://a", "k")


def test_a_wrong_secret_in_a_file_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"api-key = \.\.\. is not a list of texts") as raised:
        read_config_file(a_file(tmp_path, "api-key = 4711"))

    assert "4711" not in str(raised.value)


def test_a_secret_is_never_shown_as_a_default() -> None:
    for setting in settings_of(AgentSettings):
        if setting.field.metadata.get("secret"):
            assert setting.option().show_default is False


def test_a_home_folder_that_may_not_be_looked_into_has_no_configuration(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("PROCESSION_CONFIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    is_file = Path.is_file

    def refused(path: Path) -> bool:
        if path.is_relative_to(tmp_path):
            raise PermissionError(13, "Permission denied", str(path))
        return is_file(path)

    monkeypatch.setattr(Path, "is_file", refused)

    @click.command()
    @settings_options(ClientSettings, only=("data_dir",))
    def command(data_dir: str) -> None:
        click.echo(f"goes on with {data_dir!r}")

    assert CliRunner().invoke(command).output == "goes on with ''\n"
