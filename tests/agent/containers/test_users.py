from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from procession.agent.containers.users import MAX_FILE_BYTES, ContainerUsers, name_in_container, uid_inside
from procession.agent.read.process_reading import NO_FACTS, ProcessFacts
from tests.support.running import eventually

CONTAINER, OTHER = "c" * 64, "d" * 64
PASSWD = b"root:x:0:0:::\npostgres:x:70:70:::\nevil\x1b[2J:x:71:71:::\n" + b"n" * 65 + b":x:72:72:::\n"
SAME = b"         0          0 4294967295\n"


def a_process(proc: Path, pid: int = 7, *, uid_map: bytes = SAME, container: str = CONTAINER) -> Path:
    """In a container without a passwd file; gives the root of that."""
    root = proc / str(pid) / "root"
    (root / "etc").mkdir(parents=True)
    (proc / str(pid) / "cgroup").write_text(f"0::/docker/{container}\n")
    (proc / str(pid) / "uid_map").write_bytes(uid_map)
    return root


def facts(uid: int, container: str = CONTAINER, namespace_pid: int | None = None) -> ProcessFacts:
    return msgspec.structs.replace(NO_FACTS, uid=uid, container_id=container, namespace_pid=namespace_pid)


@pytest.mark.parametrize(
    ("uid", "name"), [(0, "root"), (70, "postgres"), (1, ""), (71, ""), (72, "")], ids=lambda one: str(one) or "none"
)
def test_a_name_is_what_the_container_says_if_that_is_one(tmp_path: Path, uid: int, name: str) -> None:
    (a_process(tmp_path) / "etc/passwd").write_bytes(PASSWD)

    assert name_in_container(f"{tmp_path}/7", CONTAINER, uid) == name


def test_uids_of_another_namespace_are_translated(tmp_path: Path) -> None:
    shifted = b"0 100000 70\n70 200070 1\n"
    (a_process(tmp_path, uid_map=shifted) / "etc/passwd").write_bytes(PASSWD)

    assert name_in_container(f"{tmp_path}/7", CONTAINER, 100_000) == "root"
    assert name_in_container(f"{tmp_path}/7", CONTAINER, 200_070) == "postgres"
    assert name_in_container(f"{tmp_path}/7", CONTAINER, 70) == ""
    assert uid_inside(b"half a line\n0 x 1\n", 0) is None


def a_pipe(root: Path, secret: Path) -> None:
    os.mkfifo(root / "etc/passwd")


def a_link(root: Path, secret: Path) -> None:
    (root / "etc/passwd").symlink_to(secret)


def a_link_to_a_pipe(root: Path, secret: Path) -> None:
    os.mkfifo(root / "etc/pipe")
    (root / "etc/passwd").symlink_to("pipe")


def a_linked_folder(root: Path, secret: Path) -> None:
    (root / "etc").rmdir()
    (root / "etc").symlink_to(secret.parent)


def a_folder(root: Path, secret: Path) -> None:
    (root / "etc/passwd").mkdir()


def a_huge_file(root: Path, secret: Path) -> None:
    (root / "etc/passwd").write_bytes(PASSWD)
    os.truncate(root / "etc/passwd", MAX_FILE_BYTES + 1)


def nothing(root: Path, secret: Path) -> None:
    pass


@pytest.mark.parametrize(
    "make",
    [a_pipe, a_link, a_link_to_a_pipe, a_linked_folder, a_folder, a_huge_file, nothing],
    ids=lambda one: one.__name__,
)
def test_what_is_no_plain_file_in_the_container_is_not_read(tmp_path: Path, make: Callable[[Path, Path], None]) -> None:
    """It would be read for ever, or what it leads to is none of the container's."""
    secret = tmp_path / "host" / "passwd"
    secret.parent.mkdir()
    secret.write_bytes(PASSWD)
    make(a_process(tmp_path / "proc"), secret)

    assert name_in_container(f"{tmp_path}/proc/7", CONTAINER, 70) == ""


def test_a_pid_that_is_another_container_s_by_now_says_nothing(tmp_path: Path) -> None:
    (a_process(tmp_path, container=OTHER) / "etc/passwd").write_bytes(PASSWD)

    assert name_in_container(f"{tmp_path}/7", CONTAINER, 70) == ""
    assert name_in_container(f"{tmp_path}/8", CONTAINER, 70) == ""


def test_the_first_process_of_each_container_is_asked(tmp_path: Path) -> None:
    (a_process(tmp_path, 7) / "etc/passwd").write_bytes(b"changed-its-root:x:70:70:::\n")
    (a_process(tmp_path, 9) / "etc/passwd").write_bytes(PASSWD)
    (a_process(tmp_path, 11, container=OTHER) / "etc/passwd").write_bytes(b"mysql:x:70:70:::\n")
    users = ContainerUsers(str(tmp_path))
    processes = [
        (7, facts(70, namespace_pid=5)),
        (9, facts(70, namespace_pid=1)),
        (11, facts(70, OTHER)),
        (1, NO_FACTS),
    ]

    def is_known() -> bool:
        users.expect(processes, 0.0)
        return users.version == 2

    eventually(is_known)

    assert [users.get(one) for _, one in processes] == ["postgres", "postgres", "mysql", ""]


def test_nobody_waits_for_a_file_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = threading.Event()

    def read(folder: str, container: str, uid: int) -> str:
        assert answers.wait(60)
        return "late"

    monkeypatch.setattr("procession.agent.containers.users.name_in_container", read)
    users = ContainerUsers(str(tmp_path))
    processes = [(7, facts(70))]

    users.expect(processes, 0.0)
    before = users.get(facts(70))
    answers.set()

    assert before == ""
    eventually(lambda: users.get(facts(70)) == "late")
