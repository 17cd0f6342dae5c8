"""Programs that take a password in an option whose name does not say so. Part of `scrub`.

A program counts wherever its name stands as a word, with or without a path: behind `sudo`, `timeout` or `docker exec`,
and inside the text of `sh -c`. From there on its options are looked at, until another program of the table or a `;`,
`|` or `&`. Now and then that hides too much, such as the port in `ssh mongo -p 22`; that is accepted. An option without
a value (`mysql -p db` asks for the password) is left alone. psql is not in the table: it takes a password only from
places that `scrub_forms` covers.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable
from dataclasses import dataclass

from procession.scrub_forms import SEPARATOR, Span


class _Next(enum.Enum):
    """What the next word of a command is."""

    ANYTHING = enum.auto()
    PASSWORD = enum.auto()
    USER_AND_PASSWORD = enum.auto()
    NOTHING_BUT_SECRETS = enum.auto()
    """It and all that follow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Client:
    """How a program is given its password."""

    attached: str = r"(?!)"
    """The front of a word whose rest is the password: `-psecret`."""
    following: frozenset[str] = frozenset()
    """Options whose next word is the password: `-a secret`."""
    user: str = r"(?!)"
    """The front of a word whose rest, or next word, is a user and a password: `-u user:password`."""
    mark: str = ":"
    """Between that user and password."""
    commands: frozenset[str] = frozenset()
    """Words that nothing but secrets follow."""
    needs: str = ""
    """The word that must have come before: `docker login -p secret`, but not `docker run -p 80:80`."""
    login: str = r"(?!)"
    """A word with a user and a password in it, the password being group 1."""
    wraps: bool = False
    """Whether another program begins behind the password."""

    def look_at(self, word: str) -> tuple[Span | None, _Next]:
        """Where the password is in this word, and what the next one is."""
        if word in self.following:
            return None, _Next.PASSWORD
        if word in self.commands:
            return None, _Next.NOTHING_BUT_SECRETS
        if front := re.match(self.attached, word):
            return (front.end(), len(word)), _Next.ANYTHING
        if front := re.match(self.user, word):
            if front.end() == len(word):
                return None, _Next.USER_AND_PASSWORD
            return self.password_of_user(word, front.end()), _Next.ANYTHING
        if login := re.match(self.login, word, re.DOTALL):
            return login.span(1), _Next.ANYTHING
        return None, _Next.ANYTHING

    def password_of_user(self, word: str, start: int = 0) -> Span | None:
        mark = word.find(self.mark, start)
        return None if mark < 0 else (mark + 1, len(word))


_DASH_P = _Client(following=frozenset({"-p"}), attached="-p")
_LOGIN = _Client(following=frozenset({"-p"}), attached="-p", needs="login")

_TABLE = (
    (
        """mysql mysqladmin mysqlbinlog mysqlcheck mysqldump mysqlimport mysqlpump mysqlshow mysqlslap mysql_upgrade
        mariadb mariadb-admin mariadb-backup mariadb-binlog mariadb-check mariadb-dump mariadb-import mariadb-show
        mariadb-slap mariadb-upgrade mariabackup mysqlsh mytop xtrabackup""",
        # Options without a value may stand before the p: -Bpsecret. A user with a p in it is something else: -uphil.
        _Client(attached="-[ABCEFGHLNQRVXbcfgilmnoqrstvxy]*p"),
    ),
    ("mongo mongosh mongodump mongoexport mongofiles mongoimport mongorestore mongostat mongotop", _DASH_P),
    ("cqlsh mycli mydumper myloader ncftp ncftpget ncftpls ncftpput rdesktop useradd usermod", _DASH_P),
    ("sshpass", _Client(following=frozenset({"-p"}), attached="-p", wraps=True)),
    ("redis-cli valkey-cli keydb-cli", _Client(following=frozenset({"-a"}), commands=frozenset({"auth", "AUTH"}))),
    ("sqlcmd bcp osql tsql ipmitool zip unzip", _Client(following=frozenset({"-P"}), attached="-P")),
    # scott/tiger@db; neither /nolog nor @/path/of/a/script
    ("sqlplus sqlldr expdp impdp", _Client(login=r"(?:userid=)?[^\s/@=-][^\s/@=]*/([^/].*?)(?=@[^@]*\Z|\Z)")),
    (
        "ldapadd ldapcompare ldapdelete ldapmodify ldapmodrdn ldappasswd ldapsearch ldapwhoami",
        _Client(following=frozenset({"-w", "-a", "-s"}), attached="-w"),
    ),
    ("influx", _Client(following=frozenset({"-t"}))),
    ("curl wget", _Client(user="-[#0-9a-zA-Z]*[uU]|--(?:proxy-)?user(?:=|$)")),
    ("http https xh", _Client(user="-a|--auth(?:=|$)")),
    ("skopeo", _Client(user="--(?:src-|dest-)?creds(?:=|$)")),
    ("lftp", _Client(user="-u", mark=",")),
    ("smbclient smbget smbcacls smbtree rpcclient net", _Client(user="-U|--user(?:=|$)", mark="%")),
    ("docker podman buildah nerdctl helm oras crane oc az cf", _LOGIN),
    (
        "snmpget snmpwalk snmpset snmpbulkget snmpbulkwalk snmptable snmptrap",
        _Client(following=frozenset({"-A", "-X", "-c"}), attached="-[AXc]"),
    ),
    ("7z 7za 7zr 7zz rar unrar", _Client(attached="-h?p")),
    ("openssl", _Client(following=frozenset({"-k", "-K"}))),
    ("ssh-keygen", _Client(following=frozenset({"-N", "-P"}), attached="-[NP]")),
    ("xfreerdp xfreerdp3 wlfreerdp", _Client(attached="/g?p:")),
)
_CLIENTS = {name: client for names, client in _TABLE for name in names.split()}

# A word of a shell's text: quoted parts and others, side by side. A quote that nothing closes is a letter.
_SHELL_WORD = re.compile(
    r"""(?:[^\s"'\\;|&()]++|\\.|"(?:[^"\\]++|\\.)*+"|'[^']*+'|["'\\])++|(?P<end>[;|&()])""", re.DOTALL
)
_BETWEEN_NAMES = re.compile(r"""[\s/"';|&()]""")
_QUOTES = "\"'"
_SPACE = re.compile(r"\s")

_Word = tuple[int, str]
"""Where it begins in the line, and its text. An empty text ends a command."""


def client_passwords(line: str) -> list[Span]:
    """The passwords in options of known programs."""
    spans: list[Span] = []
    words: list[_Word] = []
    start = 0
    for argument in line.split(SEPARATOR):
        if _SPACE.search(argument) and not _CLIENTS.keys().isdisjoint(_BETWEEN_NAMES.split(argument)):
            spans += _in_words(
                (start + match.start(), "" if match["end"] else match[0]) for match in _SHELL_WORD.finditer(argument)
            )
        words.append((start, argument or " "))
        start += len(argument) + 1
    if any(_name(argument) in _CLIENTS for _, argument in words):
        spans += _in_words(words)
    return spans


def _in_words(words: Iterable[_Word]) -> list[Span]:
    spans: list[Span] = []
    client: _Client | None = None
    seen: set[str] = set()
    expected = _Next.ANYTHING
    for start, word in words:
        found: Span | None = None
        if not word:
            client, expected = None, _Next.ANYTHING
        elif client is None or expected is _Next.ANYTHING:
            if (name := _name(word)) in _CLIENTS:
                client, seen = _CLIENTS[name], set()
            elif client is not None and (not client.needs or client.needs in seen):
                quoted = len(word) > 1 and word[0] in _QUOTES and word[0] == word[-1]
                found, expected = client.look_at(word[1:-1] if quoted else word)
                start += quoted
            seen.add(word)
        elif expected is _Next.USER_AND_PASSWORD:
            found, expected = client.password_of_user(word), _Next.ANYTHING
        else:
            found = (0, len(word))
            if expected is _Next.PASSWORD:
                expected = _Next.ANYTHING
        if found is not None:
            spans.append((start + found[0], start + found[1]))
            if client is not None and client.wraps:
                client = None
    return spans


def _name(word: str) -> str:
    return word.strip(_QUOTES).rpartition("/")[2]
