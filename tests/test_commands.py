from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procession.commands import command_name


@pytest.mark.parametrize(
    ("args", "exe", "comm", "name"),
    [
        # As recorded from the real API: longer than the kernel's name.
        (["/lib/systemd/systemd-journald"], "/lib/systemd/systemd-journald", "systemd-journal", "systemd-journald"),
        (["java", "-jar", "/srv/app.jar"], "/usr/lib/jvm/java-17/bin/java", "java", "java"),
        # What was typed, not what a link leads to, which only root may know.
        (["sh", "-c", "sleep 1"], "/usr/bin/dash", "sh", "sh"),
        (["sh", "-c", "sleep 1"], "", "sh", "sh"),
        (["httpd", "-f"], "/bin/busybox", "httpd", "httpd"),
        (["/sbin/init"], "/usr/lib/systemd/systemd", "systemd", "init"),
        # Scripts go by their interpreter.
        (["/usr/bin/python3", "/usr/bin/supervisord"], "/usr/bin/python3.11", "supervisord", "python3"),
        (["python3.12", "-m", "http.server"], "/usr/bin/python3.12", "python3.12", "python3.12"),
        (["/bin/bash", "./run.sh"], "/usr/bin/bash", "run.sh", "bash"),
        (["node", "server.js"], "/usr/bin/node", "MainThread", "node"),
    ],
)
def test_a_process_goes_by_the_base_name_of_what_was_started(args: list[str], exe: str, comm: str, name: str) -> None:
    assert command_name(args, exe, comm) == name


@pytest.mark.parametrize(
    ("args", "name"),
    [
        (["nginx: worker process"], "nginx"),
        (["nginx:", "worker", "process"], "nginx"),
        (["nginx: master process /usr/sbin/nginx -g daemon off;"], "nginx"),
        (["postgres: 15/main: walwriter "], "postgres"),
        (["sshd: root@pts/0"], "sshd"),
        (["sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups"], "sshd"),
        (["php-fpm: pool www"], "php-fpm"),
        (["/usr/sbin/apache2: worker"], "apache2"),
        (["redis-server", "*:6379"], "redis-server"),
    ],
)
def test_a_process_that_renamed_itself_goes_by_its_name_before_the_colon(args: list[str], name: str) -> None:
    assert command_name(args, "", "") == name


def test_a_login_shell_loses_its_dash() -> None:
    assert command_name(["-bash"], "/usr/bin/bash", "bash") == "bash"
    assert command_name(["-/bin/sh"], "", "sh") == "sh"


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ('"C:\\Program Files\\App\\app.exe" --config c:\\app.ini', "app.exe"),
        ("C:\\Windows\\system32\\svchost.exe -k netsvcs -p", "svchost.exe"),
        ("C:\\Program Files\\App\\app.exe --flag", "app.exe"),
        ("\\\\server\\share\\tool.EXE /x", "tool.EXE"),
        ("c:\\tools\\thing", "thing"),
        ('"C:\\never closed.exe', "never closed.exe"),
    ],
)
def test_a_program_of_windows_goes_by_its_file(line: str, name: str) -> None:
    assert command_name([line], "", "") == name


def test_a_backslash_elsewhere_is_a_character() -> None:
    assert command_name(["/opt/odd\\name"], "", "") == "odd\\name"


@pytest.mark.parametrize(
    ("args", "exe", "comm", "name"),
    [
        (["/opt/My App/app", "-x"], "/opt/My App/app", "app", "app"),
        (["/opt/My App/app", "-x"], "", "app", "app"),
        (["/opt/a b/a program with a long name"], "", "a program with ", "a program with a long name"),
        (["/opt/google/chrome --type=renderer /x/y"], "", "chrome", "chrome"),
        (["/opt/google/chrome --type=renderer /x/y"], "/opt/google/chrome", "chrome", "chrome"),
    ],
)
def test_a_blank_may_be_in_the_path_or_end_it(args: list[str], exe: str, comm: str, name: str) -> None:
    assert command_name(args, exe, comm) == name


@pytest.mark.parametrize(
    ("args", "exe", "comm", "name"),
    [
        ([], "/usr/bin/cat", "cat", "cat"),
        ([""], "/usr/bin/cat", "x", "cat"),
        (["  "], "", "x", "x"),
        (["/"], "", "x", "x"),
        (["-"], "", "su", "su"),
        (["--help"], "/usr/bin/tool", "tool", "tool"),
        ([], "/usr/bin/cat (deleted)", "cat", "cat"),
        (["/usr/bin/cat", "x"], "/usr/bin/cat (deleted)", "cat", "cat"),
        (["/proc/self/exe", "init"], "/usr/bin/runc", "runc:[2:INIT]", "runc"),
        (["/proc/self/exe", "init"], "", "runc:[2:INIT]", "runc:[2:INIT]"),
        ([], "", "kworker/0:1-events", "kworker/0:1-events"),
        ([], "", "zombie", "zombie"),
        ([], "", "", ""),
    ],
)
def test_where_the_arguments_tell_nothing_the_file_and_then_the_kernel_does(
    args: list[str], exe: str, comm: str, name: str
) -> None:
    assert command_name(args, exe, comm) == name


@given(st.lists(st.text(max_size=30), max_size=3), st.text(max_size=20), st.text(min_size=1, max_size=15))
def test_every_process_that_the_kernel_names_has_a_name(args: list[str], exe: str, comm: str) -> None:
    assert 0 < len(command_name(args, exe, comm)) <= 255


def test_a_long_line_costs_no_time() -> None:
    for line in ("C:\\" + "a.exe" * 200_000, "a" * 1_000_000 + " ", ":" * 1_000_000, '"C:\\' + " " * 1_000_000):
        assert len(command_name([line], "", "x")) <= 255
