from __future__ import annotations

import pytest

from procession.cli.terminal.command_text import CommandText, parts_of


@pytest.mark.parametrize(
    ("cmdline", "name", "parts"),
    [
        ("/usr/lib/jvm/bin/java -jar x", "java", ("java", " -jar x", "/usr/lib/jvm/bin/")),
        ("/usr/lib/java/bin/java", "java", ("java", "", "/usr/lib/java/bin/")),
        ("/opt/Plex Media Server/Plex Media Server -x", "Plex Media Server", None),
        ("./run.sh a", "run.sh", ("run.sh", " a", "./")),
        ('"C:\\Program Files\\App\\app.exe" --x "y"', "app.exe", ("app.exe", ' --x "y"', "C:\\Program Files\\App\\")),
        ("C:\\Windows\\system32\\svchost.exe -k", "svchost.exe", ("svchost.exe", " -k", "C:\\Windows\\system32\\")),
        ("\\\\server\\share\\tool.exe /x", "tool.exe", ("tool.exe", " /x", "\\\\server\\share\\")),
        # As they are: no path, another name, or a name within an argument.
        ("java -jar /srv/java", "java", ("java", " -jar /srv/java", "")),
        ("nginx: worker process", "nginx", ("nginx", ": worker process", "")),
        ("/usr/bin/python3.11 x", "python3", ("/usr/bin/python3.11", " x", "")),
        ("/usr/bin/x", "", ("/usr/bin/x", "", "")),
        ("", "x", ("", "", "")),
    ],
)
def test_a_program_comes_before_its_arguments_and_its_folder(
    cmdline: str, name: str, parts: tuple[str, str, str] | None
) -> None:
    assert parts_of(cmdline, name) == (parts or (name, " -x", "/opt/Plex Media Server/"))


def test_a_command_is_drawn_with_its_folder_at_the_end_and_printed_as_it_was_started() -> None:
    command = CommandText("/usr/bin/perl -e 1", "perl", "└─ ")

    assert str(command) == "└─ /usr/bin/perl -e 1"
    assert "".join(text for text, _ in command.spans(80)) == "└─ perl -e 1  (/usr/bin/)"


def test_of_a_command_line_of_a_megabyte_little_is_looked_at() -> None:
    spans = CommandText("/usr/bin/perl " + "x" * 2**20, "perl").spans(100)

    assert sum(len(text) for text, _ in spans) < 200
