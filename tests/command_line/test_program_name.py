from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procession.command_line.program_name import command_name


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
        (["postgres: checkpointer "], "postgres"),
        (["[celeryd: celery@web-1:MainProcess] -active- (worker)"], "celeryd"),
        (["(sd-pam)"], "(sd-pam)"),
    ],
)
def test_a_process_that_renamed_itself_goes_by_its_name_before_the_colon(args: list[str], name: str) -> None:
    assert command_name(args, "", "") == name


def test_a_login_shell_loses_its_dash() -> None:
    assert command_name(["-bash"], "/usr/bin/bash", "bash") == "bash"
    assert command_name(["-/bin/sh"], "", "sh") == "sh"
    assert command_name(["-bash"], "", "") == "bash"
    assert command_name(["-sh"], "/bin/busybox", "sh") == "sh"
    assert command_name(["-su"], "/usr/bin/bash", "bash") == "su"


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


@pytest.mark.parametrize(
    ("args", "exe", "name"),
    [
        (["\\SystemRoot\\System32\\smss.exe"], "C:\\Windows\\System32\\smss.exe", "smss.exe"),
        (["\\SystemRoot\\System32\\smss.exe"], "", "smss.exe"),
        (["%SystemRoot%\\system32\\csrss.exe", "ObjectDirectory=\\Windows"], "", "csrss.exe"),
        (
            ["%SystemRoot%\\system32\\csrss.exe ObjectDirectory=\\Windows SharedSection=1024"],
            "C:\\Windows\\System32\\csrss.exe",
            "csrss.exe",
        ),
        (["%SystemRoot%\\system32\\csrss.exe ObjectDirectory=\\Windows SharedSection=1024"], "", "csrss.exe"),
        (["%ProgramFiles(x86)%\\A\\b.exe", "-x"], "", "b.exe"),
        (["\\??\\C:\\Windows\\system32\\conhost.exe", "0x4"], "", "conhost.exe"),
        (["\\??\\C:\\Windows\\system32\\conhost.exe 0x4"], "", "conhost.exe"),
        (["\\\\?\\C:\\a\\b.exe"], "", "b.exe"),
        (["\\Device\\HarddiskVolume3\\Windows\\explorer.exe"], "", "explorer.exe"),
        (["x"], "\\Device\\HarddiskVolume3\\Windows\\System32\\lsass.exe", "lsass.exe"),
        ([], "\\\\?\\C:\\Windows\\System32\\services.exe", "services.exe"),
        (["\\\\server\\share\\the app.exe /x"], "", "the app.exe"),
        (["C:\\Program", "Files\\Contoso\\Backup", "Agent\\agent.exe", "-cfg", "x"], "", "agent.exe"),
        (
            ["C:\\Program", "Files\\Contoso\\Backup", "Agent\\agent.exe", "-cfg", "x"],
            "C:\\Program Files\\Contoso\\Backup Agent\\agent.exe",
            "agent.exe",
        ),
        (['"C:\\Program', 'Files\\App\\app.exe"', "--config", "c:\\app.ini"], "", "app.exe"),
        (['"app.exe" --flag'], "", "app.exe"),
        (["C:/Program Files/Git/bin/git.exe push"], "", "git.exe"),
        (["C:tool.exe /x"], "", "tool.exe"),
        (["C:\\Windows\\System32\\notepad.exe "], "", "notepad.exe"),
        (["C:\\Program Files\\App\\tool", "-x"], "", "tool"),
        (["C:\\tools\\thing", "-run", "C:\\x\\y.exe"], "", "thing"),
        # One program has one name, however it was started.
        (["SVCHOST", "-k", "netsvcs"], "C:\\Windows\\System32\\svchost.exe", "svchost.exe"),
        (["C:\\WINDOWS\\SYSTEM32\\SVCHOST.EXE -k"], "C:\\Windows\\System32\\svchost.exe", "svchost.exe"),
        # Under Wine.
        (["C:\\windows\\system32\\services.exe"], "/usr/lib/wine/wine64-preloader", "services.exe"),
    ],
)
def test_paths_of_windows_have_many_forms(args: list[str], exe: str, name: str) -> None:
    assert command_name(args, exe, "") == name


@pytest.mark.parametrize(
    ("args", "exe", "name"),
    [
        (["cmd", "/c", "dir"], "", "cmd"),
        (["cmd", "/c", "dir"], "C:\\Windows\\System32\\cmd.exe", "cmd.exe"),
        (["svchost.exe -k netsvcs -p"], "", "svchost.exe"),
        (["my app.exe -p"], "", "my app.exe"),
        (["wscript tidy.vbs"], "", "wscript"),
        (["wscript", "tidy.vbs", "//B"], "", "wscript"),
        (["C:\\Program Files\\Tool\\run x.js"], "", "run"),
        (["C:\\My Scripts\\tidy.bat now"], "", "tidy.bat"),
        (["powershell -File C:\\x\\y.ps1"], "", "powershell"),
        (["\\\\?\\UNC\\server\\share\\app.exe"], "", "app.exe"),
        (["C:\\PROGRA~1\\App\\APP.EXE"], "", "APP.EXE"),
        (["rundll32.exe shell32.dll,Control_RunDLL"], "", "rundll32.exe"),
        (["\\Windows\\System32\\notepad.exe x.txt"], "", "notepad.exe"),
        (["bin\\tool.EXE", "/x"], "", "tool.EXE"),
        (["System"], "", "System"),
        ([], "", "Registry"),
        ([" "], "", "Registry"),
    ],
)
def test_what_a_host_of_windows_sends_needs_no_form(args: list[str], exe: str, name: str) -> None:
    assert command_name(args, exe, "Registry", is_windows=True) == name


def test_a_backslash_elsewhere_is_a_character() -> None:
    assert command_name(["/opt/odd\\name"], "", "") == "odd\\name"
    assert command_name(["odd\\name", "x"], "", "") == "odd\\name"
    assert command_name(["\\\\a\\b"], "/opt/\\\\a\\b", "") == "\\\\a\\b"


@pytest.mark.parametrize(
    ("args", "exe", "comm", "name"),
    [
        (["/opt/My App/app", "-x"], "/opt/My App/app", "app", "app"),
        (["/opt/My App/app", "-x"], "", "app", "app"),
        (["/opt/a b/a program with a long name"], "", "a program with ", "a program with a long name"),
        (["/opt/google/chrome --type=renderer /x/y"], "", "chrome", "chrome"),
        (["/opt/google/chrome --type=renderer /x/y"], "/opt/google/chrome", "chrome", "chrome"),
        (["/usr/lib/p/Plex Media Server"], "/usr/lib/p/Plex Media Server", "Plex Media Serv", "Plex Media Server"),
        (["/usr/lib/p/Plex Media Server"], "", "Plex Media Serv", "Plex Media Server"),
        (["/games/Half-Life 2/hl2_linux", "-game", "hl2"], "/games/Half-Life 2/hl2_linux", "hl2_linux", "hl2_linux"),
        (["/games/Half-Life 2/hl2_linux", "-game", "hl2"], "", "hl2_linux", "hl2_linux"),
        (["./We Chat", "--type=renderer"], "/opt/We Chat", "nodejs main", "We Chat"),
        (["./We Chat", "--type=renderer"], "/opt/We Chat (deleted)", "nodejs main", "We Chat"),
        (["./We Chat", "--type=renderer"], "", "nodejs main", "We Chat"),
        (["./We Chat --type=renderer --x=/a/b"], "/opt/We Chat", "nodejs main", "We Chat"),
        (["/opt/Foo - Bar/the app", "x"], "/opt/Foo - Bar/the app", "", "the app"),
        (["/opt/a\nb/c\nd"], "/opt/a\nb/c\nd", "", "c\nd"),
        (["/opt/My App/srv: worker 1"], "/opt/My App/srv", "", "srv"),
        (["Plex Media Server: idle"], "/opt/Plex Media Server", "", "Plex Media Server"),
        # The kernel cuts within a character.
        (["/opt/äöüäöüäö --x"], "", "äöüäöüä\ufffd", "äöüäöüäö"),
        (["/lib/systemd/systemd-journald for ns"], "", "systemd-journal", "systemd-journald"),
        (["/opt/ä öüäöüäöü"], "", "ä öüäöüä\ufffd", "ä öüäöüäöü"),
        # Parted at blanks by an agent.
        (["/usr/lib/p/Plex", "Media", "Server"], "/usr/lib/p/Plex Media Server", "", "Plex Media Server"),
        (["/usr/lib/p/Plex", "Media", "Server"], "", "Plex Media Serv", "Plex Media Server"),
        (["/opt/my", "app/bin/server", "--port", "1"], "/opt/my app/bin/server", "server", "server"),
        (["./We", "Chat", "--type=renderer"], "/opt/We Chat", "nodejs main", "We Chat"),
        (["/opt/My"], "/opt/My App", "", "My App"),
        # Blanks elsewhere change nothing.
        (["tmux", "new", "-s", "x"], "/usr/bin/tmux", "tmux: server", "tmux"),
        (["/usr/lib/firefox/firefox", "-contentproc"], "", "Isolated Web Co", "firefox"),
        (["python3", "x.py"], "/opt/my app/bin/python3.11", "python3", "python3"),
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
        (["", "-x", "y"], "/opt/pauser", "pauser", "pauser"),
        (["", "-x", "y"], "", "pauser", "pauser"),
        # The same where an agent has left the empty one out.
        (["-x", "y"], "/opt/pauser", "pauser", "pauser"),
        (["-x", "y"], "", "pauser", "pauser"),
        (["."], "/opt/tool", "tool", "tool"),
        (["/usr/bin/cat (deleted)", "x"], "/usr/bin/cat (deleted)", "cat", "cat"),
        (["/usr/bin/cat/"], "", "x", "cat"),
        (["/proc/self/fd/7", "init"], "/usr/sbin/runc (deleted)", "7", "runc"),
        (["/dev/fd/3"], "/memfd:payload (deleted)", "3", "memfd:payload"),
        ([], "/memfd:runc_cloned:/proc/self/exe (deleted)", "runc:[2:INIT]", "memfd:runc_cloned"),
        (["[kworker/0:1-ev]"], "", "kworker/0:1-ev", "kworker/0:1-ev"),
        (["[kworker/0:1-ev]"], "/opt/miner", "miner", "miner"),
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
    for line in (
        "C:\\" + "a.exe" * 200_000,
        "a" * 1_000_000 + " ",
        ":" * 1_000_000,
        '"C:\\' + " " * 1_000_000,
        "a " * 500_000,
        "C:\\" + "a " * 500_000,
    ):
        assert len(command_name([line], "", "x" * 15)) <= 255
        assert len(command_name([line, "x"], "/opt/a b", "a b", is_windows=True)) <= 255
