from __future__ import annotations

import os
from pathlib import Path

import pytest

from procession.agent.read.users import NamesFile, parse_passwd, passwd_file_of, system_user_name

PASSWD = b"""root:x:0:0:root:/root:/bin/bash
www-data:x:33:33::/var/www:/usr/sbin/nologin
toor:x:0:0:another root:/root:/bin/sh

half a line
j\xc3\xb6rg:x:1000:1000:::
:x:5::::
odd:x:many::::
huge:x:99999999999::::
"""


def test_the_first_name_of_a_uid_counts_and_odd_lines_do_not() -> None:
    assert parse_passwd(PASSWD) == {0: "root", 33: "www-data", 1000: "jörg"}


def test_names_come_from_the_file_and_change_with_it(tmp_path: Path) -> None:
    file = tmp_path / "passwd"
    file.write_bytes(PASSWD)
    names = NamesFile(file)

    assert [names.name_of(uid) for uid in (0, 33, 7)] == ["root", "www-data", ""]
    file.write_bytes(b"seven:x:7:7:::\n")
    os.utime(file, (1, 1))
    assert [names.name_of(uid) for uid in (0, 7)] == ["", "seven"]
    file.unlink()
    assert names.name_of(7) == "seven"


def test_a_pipe_in_place_of_the_file_keeps_nobody_waiting(tmp_path: Path) -> None:
    file = tmp_path / "etc" / "passwd"
    file.parent.mkdir()
    os.mkfifo(file)

    assert NamesFile(file).name_of(0) == ""
    assert passwd_file_of(str(tmp_path / "proc"), "") is None


def test_the_system_knows_root_and_not_everybody() -> None:
    assert system_user_name(0) == "root"
    assert [system_user_name(uid) for uid in (3_999_999_999, 2**32 - 1, 2**40, -1)] == [""] * 4


@pytest.mark.parametrize("place", ["etc/passwd", "proc/1/root/etc/passwd"])
def test_another_proc_brings_the_names_of_its_machine(tmp_path: Path, place: str) -> None:
    (tmp_path / place).parent.mkdir(parents=True)
    (tmp_path / place).touch()

    assert passwd_file_of(str(tmp_path / "proc"), "") == tmp_path / place


def test_a_named_file_comes_first_and_the_own_proc_needs_none(tmp_path: Path) -> None:
    assert passwd_file_of("/proc", "") is None
    assert passwd_file_of("/proc/", "") is None
    assert passwd_file_of(str(tmp_path / "proc"), "") is None
    assert passwd_file_of("/proc", "/somewhere/passwd") == Path("/somewhere/passwd")
