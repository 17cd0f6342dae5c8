"""The command lines that scrubbing is measured on: marked ones that hold secrets, and many that hold none."""

from __future__ import annotations

import random
import re
import shlex
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"
SECRET = re.compile("«([^»]*)»")
KEPT = re.compile("‹([^›]*)›")
MARKS = re.compile("[«»‹›]")
FIRST_WORD = re.compile(r"[-+/]{0,2}[A-Za-z][\w.-]*")

ALNUM = string.ascii_letters + string.digits
HEX = "0123456789abcdef"

# Shapes by which a token is known, whatever stands around it.  Put together here from their parts: written out they
# would be taken for leaks by the scanners that read repositories.
TOKENS: dict[str, tuple[str, tuple[int, ...], str]] = {
    "aiza": ("AI" + "za", (35,), ALNUM),
    "aws": ("", (40,), ALNUM + "/+"),
    "b64": ("", (43,), ALNUM),
    "dop": ("dop" + "_v1_", (64,), HEX),
    "ghp": ("gh" + "p_", (36,), ALNUM),
    "ghpat": ("github" + "_pat_", (82,), ALNUM),
    "glpat": ("gl" + "pat-", (20,), ALNUM),
    "hex32": ("", (32,), HEX),
    "hex40": ("", (40,), HEX),
    "hex64": ("", (64,), HEX),
    "hvs": ("hv" + "s.", (24,), ALNUM),
    "jwt": ("ey" + "J", (33, 60, 43), ALNUM),
    "npm": ("np" + "m_", (36,), ALNUM),
    "ntlm": ("", (32,), HEX),
    "pypi": ("py" + "pi-", (150,), ALNUM),
    "sg": ("S" + "G.", (22, 43), ALNUM),
    "sklive": ("sk" + "_live_", (24,), ALNUM),
    "xoxb": ("xo" + "xb-", (44,), string.digits + string.ascii_letters),
}


@dataclass(frozen=True)
class Argument:
    """One argument of a marked command line."""

    text: str
    secrets: tuple[str, ...]
    kept: tuple[str, ...]
    """What must still be in it afterwards; the whole text where it holds no secret."""

    @classmethod
    def parse(cls, marked: str) -> Argument:
        secrets = tuple(SECRET.findall(marked))
        text = MARKS.sub("", marked)
        if not secrets:
            return cls(text, (), (text,))
        named = tuple(KEPT.findall(marked))
        before = MARKS.sub("", marked[: marked.index("«")])
        # In "pass:X" the word only says how the rest is meant: hiding it with X loses nothing.
        first = None if before in ("pass:", "password:") else FIRST_WORD.match(before)
        return cls(text, secrets, (first.group(), *named) if first else named)

    def shows(self, secret: str, scrubbed: str) -> bool:
        """Whether `secret` is in `scrubbed` more often than the text around the secrets accounts for."""
        around = self.text
        for each in sorted(self.secrets, key=len, reverse=True):
            around = around.replace(each, "\0", 1)
        return scrubbed.count(secret) > around.count(secret)


@dataclass(frozen=True)
class MarkedLine:
    """A command line of which is known what is secret and what is not."""

    written: str
    arguments: tuple[Argument, ...]

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(argument.text for argument in self.arguments)

    @classmethod
    def parse(cls, written: str) -> MarkedLine:
        line = cls(written, tuple(Argument.parse(each) for each in shlex.split(with_tokens(written))))
        secrets = [secret for argument in line.arguments for secret in argument.secrets]
        if not secrets or not all(secrets):
            raise ValueError(f"a line marks no secret, or an empty one: {written}")
        return line


def with_tokens(written: str) -> str:
    """`written` with each «:name» made a token of that shape, the same at every run."""

    def token(match: re.Match[str]) -> str:
        prefix, lengths, alphabet = TOKENS[match.group(1)]
        draw = random.Random(written)
        return "«" + prefix + ".".join("".join(draw.choices(alphabet, k=length)) for length in lengths) + "»"

    return re.sub("«:([a-z0-9]+)»", token, written)


def marked_lines() -> list[MarkedLine]:
    return [MarkedLine.parse(line) for line in written_lines("secrets.txt")]


def written_lines(name: str) -> Iterator[str]:
    for line in (CORPUS / name).read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("# "):
            yield line


def harmless_lines(per_template: int = 6) -> list[tuple[str, ...]]:
    """Distinct argument lists without a secret: every template as it is, with its blanks filled several times."""
    found: dict[tuple[str, ...], None] = {}
    for template in written_lines("harmless.txt"):
        draw = random.Random(template)
        for _ in range(per_template):
            found[tuple(fill(word, draw) for word in shlex.split(template))] = None
    return list(found)


def fill(word: str, draw: random.Random) -> str:
    return BLANK.sub(lambda match: BLANKS[match.group(1)](draw), word)


def of(*choices: str) -> Callable[[random.Random], str]:
    return lambda draw: draw.choice(choices)


def some(alphabet: str, *lengths: int) -> Callable[[random.Random], str]:
    return lambda draw: "-".join("".join(draw.choices(alphabet, k=length)) for length in lengths)


def number(low: int, high: int) -> Callable[[random.Random], str]:
    return lambda draw: str(draw.randint(low, high))


ROOTS = ("srv", "opt", "var/lib", "home/kim", "run")
FOLDERS = ("app", "token-service", "secrets", "passwords", "keys", "auth", "data")
BLANKS: dict[str, Callable[[random.Random], str]] = {
    "port": number(1024, 65535),
    "n": number(2, 999),
    "pid": number(2, 4194304),
    "uuid": some(HEX, 8, 4, 4, 4, 12),
    "sha1": some(HEX, 40),
    "sha256": some(HEX, 64),
    "id12": some(HEX, 12),
    "rand": some(ALNUM, 10),
    "pod": lambda draw: some("bcdfghjklmnpqrstvwxz2456789", 10, 5)(draw),
    "ip": lambda draw: draw.choice(("192.0.2.", "198.51.100.", "203.0.113.")) + str(draw.randint(1, 254)),
    "ip6": lambda draw: f"2001:db8::{draw.randint(1, 65535):x}",
    "user": of("kim", "lee", "app", "deploy", "www-data", "postgres", "backup", "svc_web", "root", "alex.doe"),
    "host": lambda draw: f"{draw.choice(('web', 'db', 'mail', 'fs', 'build'))}{draw.randint(1, 40)}.example.com",
    "db": of("shop", "orders", "wiki", "metrics", "passport", "tokens_db", "secretsanta", "auth", "keys", "users"),
    "mail": lambda draw: f"{draw.choice(('kim', 'lee', 'no-reply', 'alex.doe'))}@{draw.choice('ab')}.example.com",
    "path": lambda draw: f"/{draw.choice(ROOTS)}/{draw.choice(FOLDERS)}/f{draw.randint(1, 99)}",
    "name": lambda draw: (
        draw.choice(("web", "auth", "token", "secret", "key", "pass", "login", "job")) + f"-{draw.randint(1, 99)}"
    ),
    "date": lambda draw: f"2024-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}",
    "time": lambda draw: f"{draw.randint(0, 23):02}:{draw.randint(0, 59):02}:{draw.randint(0, 59):02}",
    "dur": lambda draw: f"{draw.randint(1, 90)}{draw.choice(('s', 'm', 'h'))}",
    "ver": lambda draw: f"{draw.randint(0, 20)}.{draw.randint(0, 30)}.{draw.randint(0, 9)}",
}
BLANK = re.compile("<(" + "|".join(BLANKS) + ")>")
