"""Programs are known by any of their names, wherever they are started."""

from __future__ import annotations

import shlex
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procession.scrubbing import Scrubber
from procession.scrubbing.commands import program_name

SCRUBBER = Scrubber()
SECRET = "hunter2"  # noqa: S105


def arguments_of(command: str) -> list[str]:
    """Of a command as typed into a shell, with backslashes as they are."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars=False)
    lexer.whitespace_split = True
    lexer.escape = ""
    lexer.commenters = ""
    return list(lexer)


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("mysql", "mysql"),
        ("/usr/bin/mysql", "mysql"),
        ("MYSQL.EXE", "mysql"),
        (r"C:\xampp\mysql\bin\mysql.exe", "mysql"),
        (r'"C:\Program Files\SQL\SQLCMD.EXE"', "sqlcmd"),
        (r"\\server\share\sqlcmd.com", "sqlcmd"),
        (r"%ProgramFiles%\MySQL\mysqldump.exe", "mysqldump"),
        ("'redis-cli'", "redis-cli"),
        ("mysql8.0", "mysql"),
        ("mysqldump-8.4", "mysqldump"),
        ("mongosh_2.1.5", "mongosh"),
        ("7z", "7z"),
        ("impacket-secretsdump", "secretsdump"),
        ("secretsdump.py", "secretsdump"),
        ("xfreerdp3", "xfreerdp3"),
        ("python3.11", "python"),
        ("-bash", "bash"),
        ("mysqld", ""),
        ("mysql_history", ""),
        ("--mysql", ""),
        ("", ""),
        ("8.0", ""),
    ],
)
def test_a_program_is_known_by_any_of_its_names(word: str, name: str) -> None:
    assert program_name(word) == name


@pytest.mark.parametrize(
    "command",
    [
        r"C:\xampp\mysql\bin\mysql.exe -uroot -phunter2",
        "sqlcmd.exe -S db -U sa -P hunter2",
        r"""'"C:\Program Files\sql\SQLCMD.EXE" -S db -U sa -P hunter2'""",
        r"'C:\Program Files\MySQL\bin\mysql.exe -uroot -phunter2'",
        r"'C:\Program Files\MySQL\bin\mysql.exe' -uroot -phunter2",
        r"""'"C:\Program' 'Files\sql\SQLCMD.EXE"' -S db -P hunter2""",
        "cmd.exe /c mysql -phunter2",
        "cmd /c 'mysql -u root -phunter2'",
        r"""powershell -Command "& 'C:\x\mysql.exe' -phunter2" """,
        "/usr/bin/python3.11 /usr/bin/mycli -p hunter2",
        "python3 -m mycli -p hunter2",
        "perl /usr/bin/mytop -p hunter2",
        "sudo -u postgres mysql -phunter2",
        "sudo -n -- mysql -phunter2",
        "env X=1 mysql -phunter2",
        "nice -n 10 ionice -c2 -n7 mysqldump -phunter2",
        "timeout -k 5 30 mysqldump -phunter2 db",
        "nohup mysql -phunter2",
        "ssh -p 22 host mysql -phunter2",
        "ssh host 'cd /x && mysql -phunter2'",
        "sshpass -p hunter2 ssh -p 22 h",
        "docker exec -it -e A=b db mysql -phunter2",
        "docker run --rm --name x mysql:8 mysql -phunter2",
        "docker run --rm curlimages/curl -u u:hunter2 http://x",
        "docker compose -f a.yml exec -T db mysql -phunter2",
        "kubectl exec -it pod -c db -- mysql -phunter2",
        "xargs -n1 -I{} mysql -phunter2",
        "find . -name x -exec mysql -phunter2 {} ;",
        "bash -lc 'FOO=1 nohup mysql -phunter2 > /dev/null 2>&1 &'",
        "sh -c 'if true; then mysql -phunter2; fi'",
        "sh -c 'echo $(mysql -phunter2)'",
        """bash -c 'ssh host "mysql -phunter2 db"'""",
        "su - u -c 'mysql -phunter2'",
        "watch -n1 mysqladmin -phunter2 status",
        "screen -dmS x mysql -phunter2",
        "busybox wget --user=u:hunter2 h",
        "my-own-launcher mysql -phunter2",
        "mysql -u http -phunter2",
    ],
)
def test_a_program_is_found_wherever_it_is_started(command: str) -> None:
    arguments = arguments_of(command)

    assert SECRET in " ".join(arguments)
    assert SECRET not in " ".join(SCRUBBER.scrub(arguments))
    assert SECRET not in SCRUBBER.scrub_line(" ".join(arguments))


@pytest.mark.parametrize(
    "command",
    [
        "docker run -d --name mongo -p 27017:27017 mongo",
        "docker run --name mysql -p3306:3306 mysql:8",
        "ssh mongo -p 22",
        "ssh -p 22 mongo",
        "git commit -m 'zip -P is broken'",
        "apt-get install -y zip -p x",
        "grep -r zip -P foo",
        "nodetool -p 7199 status",
        "mosquitto_pub -p 1883 -h h",
        "psql -p 5432 -h h -W",
        "mysql -u root -p db",
        "mysql -P 3306 -h h",
        "zip -r x.zip y -P",
        "htpasswd -c /etc/f user",
        "curl -u user http://x",
        "smbclient //h/s -c 'ls'",
        "sqlplus /nolog @/x/y.sql",
        "iwconfig wlan0 key off",
        "etcdctl --user root get",
        "openssl s_client -connect h:443 -pass file:/x",
        "openssl req -passin env:PW -passout file:/y",
        "net user /domain",
        "wget -U 'Mozilla/5.0 (X11; rv:109.0) Gecko' http://x",
        "ffmpeg -i a -pass 1 -f null x",
        "ipmitool -p 623 -H h",
    ],
)
def test_an_option_counts_for_its_own_program_only(command: str) -> None:
    arguments = arguments_of(command)

    assert list(SCRUBBER.scrub(arguments)) == arguments
    assert SCRUBBER.scrub_line(" ".join(arguments)) == " ".join(arguments)


SHELL_WORDS = r"""sudo mysql docker exec run -- -p -c sh ssh find -exec xargs kubectl ' " ; && ( C:\ .exe htpasswd -b"""
words = st.sampled_from(SHELL_WORDS.split(" "))


@given(st.lists(st.one_of(words, st.text(string.printable, max_size=6)), max_size=12), st.booleans())
def test_any_words_keep_their_number_and_grow_little(given_words: list[str], as_text: bool) -> None:
    arguments = ["sh", "-c", " ".join(given_words)] if as_text else given_words

    hidden = Scrubber(words=False, url_passwords=False, more_forms=False).scrub(arguments)

    assert len(hidden) == len(arguments)
    assert len("".join(hidden)) <= len("".join(arguments)) + 8 * (1 + sum(map(len, arguments)))
