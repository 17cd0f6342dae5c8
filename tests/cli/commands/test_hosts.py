from __future__ import annotations

from pathlib import Path

import pytest

from procession.accounts.hosts import HostTags, TagSource
from tests.cli.conftest import Command, RunningServer


def test_a_host_is_given_tags_and_loses_them(procession: Command, server: RunningServer) -> None:
    server.store.put_host_tags(HostTags(1, "web-1", TagSource.AGENT, ("env:prod",)))

    given = procession("hosts", "tag", "web-1", "Role:web", "team:a")
    taken = procession("hosts", "tag", "web-1", "team:a", "--remove")
    listed = procession("hosts", "list")

    assert given.out == "web-1 of org main: role:web, team:a\n"
    assert taken.out == "web-1 of org main: role:web\n"
    assert [line.split() for line in listed.lines] == [
        ["ORG", "HOST", "FROM", "TAGS"],
        ["main", "web-1", "agent", "env:prod"],
        ["main", "web-1", "user", "role:web"],
    ]


def test_a_host_may_be_of_another_org(procession: Command, server: RunningServer) -> None:
    result = procession("hosts", "tag", "web-1", "a:b", "--org", "other")

    assert result.out == "web-1 of org other: a:b\n"
    assert server.store.host_tags() == (HostTags(2, "web-1", TagSource.USER, ("a:b",)),)


def test_a_tag_that_cannot_be_is_one_line(procession: Command, server: RunningServer) -> None:
    result = procession("hosts", "tag", "web-1", "a,b")

    assert (result.code, result.out) == (1, "")
    assert result.err == "procession: A tag has 1 to 200 printable characters without commas\n"


def test_without_a_store_there_is_nothing_to_tag(procession: Command, tmp_path: Path) -> None:
    result = procession("hosts", "list", "--data-dir", str(tmp_path / "none"))

    assert result.code == 1
    assert "there is no store" in result.err


@pytest.mark.parametrize(
    ("tag", "said"), [("env=prod", "is 'env:prod' meant?"), ("env:", "has no value"), ("env:a role:b", "are several")]
)
def test_a_tag_without_a_value_is_added_and_noticed(
    procession: Command, server: RunningServer, tag: str, said: str
) -> None:
    result = procession("hosts", "tag", "web-1", tag, "role:web")

    assert result.code == 0
    assert result.out == f"web-1 of org main: {', '.join(sorted([tag, 'role:web']))}\n"
    assert said in result.err
    assert len(result.err.splitlines()) == 1


def test_tags_as_they_are_written_are_not_noticed(procession: Command, server: RunningServer) -> None:
    assert procession("hosts", "tag", "web-1", "env:prod", "canary").err == ""
    assert procession("hosts", "tag", "web-1", "canary", "--remove").err == ""
