from __future__ import annotations

from pathlib import Path

import click
from click.testing import CliRunner

from procession.cli.local.child_agent import environment_of
from procession.cli.options import read_settings, settings_options
from procession.config import AgentSettings


def as_the_child_reads(environment: dict[str, str]) -> AgentSettings:
    seen: list[AgentSettings] = []

    @click.command()
    @settings_options(AgentSettings)
    def command(**settings: object) -> None:
        seen.append(read_settings(AgentSettings, settings))

    result = CliRunner(env=environment).invoke(command, [], catch_exceptions=False)
    assert seen, result.output
    return seen[0]


def test_the_child_finds_the_settings_of_its_parent_in_its_environment() -> None:
    settings = AgentSettings(
        url=("http://127.0.0.1:4711",),
        api_key_file=("/data/keys/api-key",),
        interval_seconds=2.5,
        hostname="web-1",
        scrub_args=False,
        kernel_threads=True,
        custom_sensitive_words=("pin", "*session*"),
    )

    assert as_the_child_reads(environment_of(settings, {})) == settings


def test_no_key_or_setting_of_the_users_reaches_the_child(tmp_path: Path) -> None:
    config = tmp_path / "procession.toml"
    config.write_text('api-key = "of the file"\nhostname = "of-the-file"\n')
    environment = {
        "DD_API_KEY": "of the environment",
        "DD_HOSTNAME": "of-the-environment",
        "PROCESSION_API_KEY": "of the environment",
        "PROCESSION_CONFIG": str(config),
        "LANG": "C.UTF-8",
    }
    settings = AgentSettings(api_key_file=("/data/keys/api-key",))

    given = environment_of(settings, environment)

    # What is not in it is taken from ours by the runner.
    assert as_the_child_reads({name: given.get(name, "") for name in {*environment, *given}}) == settings
    assert given["LANG"] == "C.UTF-8"
