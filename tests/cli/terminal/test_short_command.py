from __future__ import annotations

import pytest

from procession.cli.terminal.short_command import program_first


@pytest.mark.parametrize(
    ("cmdline", "name", "short"),
    [
        ("/usr/lib/jvm/bin/java -jar x", "java", "java -jar x"),
        ("/usr/lib/java/bin/java", "java", "java"),
        ("/opt/Plex Media Server/Plex Media Server -x", "Plex Media Server", "Plex Media Server -x"),
        ("./run.sh a", "run.sh", "run.sh a"),
        ('"C:\\Program Files\\App\\app.exe" --x "y"', "app.exe", 'app.exe --x "y"'),
        ("C:\\Windows\\system32\\svchost.exe -k", "svchost.exe", "svchost.exe -k"),
        ("\\\\server\\share\\tool.exe /x", "tool.exe", "tool.exe /x"),
        # As they are: no path, another name, or a name within an argument.
        ("java -jar /srv/java", "java", "java -jar /srv/java"),
        ("/usr/bin/python3.11 x", "python3", "/usr/bin/python3.11 x"),
        ("/usr/bin/x", "", "/usr/bin/x"),
        ("", "x", ""),
        ("[kworker]", "kworker", "[kworker]"),
    ],
)
def test_a_program_comes_before_its_folder(cmdline: str, name: str, short: str) -> None:
    assert program_first(cmdline, name) == short
