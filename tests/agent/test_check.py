from __future__ import annotations

from typing import Any

import pytest

from procession.agent import check_agent
from procession.config import AgentSettings
from procession.errors import UsageError
from tests.support.agents.container_runtime import FakeContainerRuntime, a_container
from tests.support.agents.proc_tree import ProcTree


def check(tree: ProcTree, **settings: Any) -> dict[str, str]:
    """Text by name."""
    defaults: dict[str, Any] = {"proc_root": str(tree.root), "hostname": "web-1"}
    lines = list(check_agent(AgentSettings(**(defaults | settings))))
    return {line[:17].strip(): line[18:] for line in lines}


def test_check_says_what_is_seen_and_what_is_not(tree: ProcTree) -> None:
    tree.put(2, flags=0x208040, cmdline=b"")
    tree.put(7, cgroup=f"0::/docker/{'a' * 64}\n")
    tree.put(8, io=None, exe="")
    tree.put(9, state="Z", vms_bytes=0, cmdline=b"", exe="")

    said = check(tree)

    assert said["host"] == "web-1"
    assert said["processes"] == f"3 in {tree.root}, and 1 kernel threads, which are left out"
    assert said["command lines"] == "of 2 of 2"
    assert said["executables"].startswith("of 1 of 2")
    assert said["reads and writes"].startswith("of 1 of 2")
    assert said["open files"] == "of 2 of 2"
    assert said["containers"] == "1, with 1 processes in them"
    assert said["between snapshots"] == f"not seen: {tree.root} is no kernel's own"
    assert said["traffic"] == f"not known: {tree.root} is no kernel's own"
    assert check(tree, traffic=False)["traffic"] == "is not read: traffic is off"
    assert said["OOM kills"] == said["cost at the end"] == "not known: no exit is seen"
    assert "µs a process and snapshot" in said["cost"]


def test_check_says_which_tags_there_are_and_where_they_come_from(tree: ProcTree) -> None:
    tree.put(7, cmdline=b"java\0-Dapp=shop\0", environ=b"DD_ENV=prod\0")
    tree.put(8, cmdline=b"nginx\0")

    said = check(
        tree, tag=("team:core role:db",), host_env="prod", tag_rules=("-Dapp=(?P<app>\\S+)",), process_env_tags=True
    )

    assert said["host tags"] == "env:prod, role:db, team:core"
    assert said["tag rules"] == "1, which give tags to 1 of 2 processes"
    assert said["environments"] == "give tags to 1 of 2 processes"
    assert check(tree)["host tags"] == "none"


def test_check_says_what_patterns_leave_out_and_refuses_what_is_none(tree: ProcTree) -> None:
    tree.put(7)
    tree.put(8, cmdline=b"java\0")

    assert check(tree, exclude_patterns=("java",))["left out"].startswith("1 of 2, by ")
    assert "left out" not in check(tree)
    with pytest.raises(UsageError, match="is no regular expression"):
        check(tree, include_patterns=("(",))


def test_check_says_which_runtimes_can_be_asked(tree: ProcTree, runtime: FakeContainerRuntime) -> None:
    tree.put(7, cgroup=f"0::/docker/{'a' * 64}\n")
    tree.put(8, cgroup=f"0::/docker/{'b' * 64}\n")
    runtime.containers = [a_container("a" * 64), a_container("c" * 64)]
    settings = AgentSettings(
        proc_root=str(tree.root), hostname="web-1", docker_socket=str(runtime.path), podman_socket="/nowhere"
    )

    said = [line[18:] for line in check_agent(settings) if line.startswith("their names")]

    assert said == [
        f"from docker at {runtime.path}: of 1 of 2",
        "not from podman: /nowhere: No such file or directory",
    ]
    assert check(tree, container_names=False)["their names"].startswith("are not asked for")


def test_check_says_where_snapshots_would_go(tree: ProcTree) -> None:
    tree.put(7)
    assert check(tree)["sends to"].startswith("nobody: there is no API key")
    assert check(tree, api_key=("k",), url=("nonsense",))["sends to"].startswith("nobody: 'nonsense' is no URL")
    assert (
        check(tree, api_key=("k",), url=("http://h:1",), interval_seconds=2.5)["sends to"] == "http://h:1 every 2.5 s"
    )
    two = AgentSettings(api_key=("k",), url=("http://h:1", "http://h:2"), proc_root=str(tree.root))
    assert [line[18:] for line in check_agent(two) if line.startswith("sends to")] == [
        "http://h:1 every 10 s",
        "http://h:2 every 10 s",
    ]
    in_memory = "up to 64 MiB for each server wait in memory, where it is lost when the agent ends"
    assert check(tree, spool=False)["meanwhile"] == in_memory
    assert check(tree)["meanwhile"].endswith("/procession/spool")
    assert check(tree, spool_dir="/var/lib/x")["meanwhile"] == "up to 64 MiB for each server wait in /var/lib/x"


def test_check_says_what_becomes_of_secrets_and_shows_none(tree: ProcTree) -> None:
    tree.put(7, cmdline=b"mysql\0-phunter2\0")
    said = check(tree, custom_sensitive_words=("a**b",), api_key=("k" * 32,))

    assert said["secrets"] == "hidden; at this moment 1 of 1 command lines have some"
    assert "a**b" in said[""]
    assert "hunter2" not in repr(said)
    assert "k" * 32 not in repr(said)
    assert check(tree, scrub_args=False)["secrets"] == "are sent as they are: scrub-args is off"
    assert check(tree, strip_proc_arguments=True)["secrets"] == "no arguments are sent at all"


def test_check_of_this_machine_works() -> None:
    said = {line[:17].strip(): line[18:] for line in check_agent(AgentSettings())}

    assert " in /proc, and " in said["processes"]
    assert said["between snapshots"]
    assert said["traffic"].startswith("of ")


def test_check_refuses_what_cannot_be_read() -> None:
    with pytest.raises(UsageError, match="no processes can be read in /nowhere"):
        list(check_agent(AgentSettings(proc_root="/nowhere")))


def test_check_says_what_cannot_be_read_and_fails_if_that_is_all(tree: ProcTree) -> None:
    tree.put(7)
    (tree.put(8) / "stat").unlink()
    assert check(tree)["not to be read"] == "1 processes"

    (tree.root / "7" / "stat").unlink()
    said = check_agent(AgentSettings(proc_root=str(tree.root)))
    with pytest.raises(UsageError, match=r"none of the 2 processes in .* can be read: .*; an agent would send nothing"):
        list(said)
