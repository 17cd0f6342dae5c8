"""What the agent says of tags that have no value."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Command
from tests.support.running import running


@pytest.mark.parametrize("tag", ["env=prod", "canary env=prod"])
def test_check_notices_a_tag_without_a_value_and_keeps_it(procession: Command, tag: str) -> None:
    result = procession("agent", "check", "--tag", tag, "--tag", "role:web")

    assert "procession agent: --tag: a tag is written key:value, and 'env=prod' has no value: is 'env:prod' meant?" in (
        result.err.splitlines()
    )
    assert any(line.startswith("host tags") and "env=prod" in line for line in result.lines)


def test_check_says_nothing_of_tags_as_they_are_written(procession: Command) -> None:
    assert "--tag" not in procession("agent", "check", "--tag", "env:prod", "--tag", "canary").err


def test_the_agent_says_it_as_it_starts() -> None:
    with running("agent", "--url", "http://127.0.0.1:1", "--api-key", "a" * 32, "--tag", "env=prod") as agent:
        agent.line_with("'env=prod' has no value: is 'env:prod' meant?")
