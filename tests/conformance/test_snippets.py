"""The programs of `docs/clients.md` work as they stand there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.conformance.clients import BY_ITSELF, IN_EVERY_RUN, Language
from tests.conformance.conftest import LANGUAGES, Fleet, take_part
from tests.conformance.fleet import TESTING_HOSTS
from tests.support.running import clean_environment

DOCS = (Path(__file__).parents[2] / "docs" / "clients.md").read_text()

WITHOUT_A_TOOLCHAIN = {"ruby"}
"""Its client does not run here; what it does on the wire has its own tests."""


def snippets() -> dict[str, str]:
    blocks = re.findall(r"^```(\w+)\n(.*?)^```$", DOCS, re.MULTILINE | re.DOTALL)
    by_fence = {fence: text for fence, text in blocks if fence != "sh"}
    assert len(by_fence) == sum(fence != "sh" for fence, _ in blocks), "one for each language"
    return by_fence


def test_there_is_a_program_for_each_of_the_six_languages() -> None:
    run = {language.fence for language in (*IN_EVERY_RUN, *BY_ITSELF.values())}

    assert set(snippets()) == run | WITHOUT_A_TOOLCHAIN
    assert len(snippets()) == 6


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.name)
def test_the_program_of_the_docs_prints_the_processes_that_it_asks_for(
    language: Language, built: dict[str, str], fleet: Fleet, tmp_path: Path
) -> None:
    take_part(built, language)
    keys = fleet.server.reader
    environment = clean_environment(
        PROCESSION_URL=fleet.server.url, DD_API_KEY=keys.api_key, DD_APP_KEY=keys.application_key
    )

    command = language.snippet(snippets()[language.fence], tmp_path)
    result = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120
    )

    assert result.returncode == 0, result.stderr
    cmdline = "/opt/datadog-agent/embedded/bin/process-agent --cfgpath=/etc/datadog.yaml"
    expected = [f"web-{host:02} 1000 {cmdline}" for host in range(TESTING_HOSTS)]
    assert sorted(result.stdout.splitlines()) == expected
