"""How a program is given its password, written as its manual page writes it.

A template names the place of the secret with SECRET, other values with words in capitals:

    -p SECRET              -p x, -px, -p=x, and behind the letters of `flags`: -vpx, -vp x
    -p[SECRET]             only attached: -px. A word after -p is something else.
    -p, SECRET             only the next word: -p x
    -pass SECRET           -pass x, -pass=x, --pass x, --pass=x (of two or more letters)
    --pass SECRET          the same
    /p:SECRET              /p:x, -p:x, /P:x
    /p, SECRET             /p x, /P x
    -u USER:SECRET         the part behind the first colon; likewise with `%`, `,`, `/`, `=`. `SECRET@HOST` ends at the
                           last `@`, and is none without it.
    login -p SECRET        only where the word `login` came before
    add_user NAME SECRET   words without a dash, one after the other: the second one behind `add_user`. A `*` stands for
                           any letters, `!a|b` for any word but these, `...` for any words up to the last of the
                           command. `SECRET...`: that word and all that follow. `SECRET!`: unless it is a plain name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from procession.scrubbing.spans import Span

Word = tuple[int, str]
"""Where a word begins in the line, and its text."""

_NAME = r"[A-Z][A-Z0-9_]*"
_OPTION = re.compile(r"(?P<option>[-/]{1,2}[^\s=:\[,*]+)(?P<mark>, | |=|:|\[)(?P<value>\S*SECRET[^\s\]]*)\]?")
_LOOKS_LIKE_AN_OPTION = re.compile(r"-.|/[A-Za-z?]+(?::.*)?\Z", re.DOTALL)
_NAMED = re.compile(
    r"(?:(?:token|password|secret|key|pass)=|(?:s|aes\d*|bf|blowfish|camellia\d*|serpent\d*|twofish\d*):)(?=.)"
)
_REDIRECTS = re.compile(r"\d?[<>]")
_REST = "..."
# What is no value but the next option; and what leads to one that stands elsewhere, or asks for none: `key off`.
_NO_VALUE = re.compile(r"--[A-Za-z][\w-]*(?:=.*)?|-[A-Za-z]?", re.DOTALL)
_REFERENCE = re.compile(r"(?:file|env|fd|session|pcr):.*|stdin|prompt|on|off|open|restricted|-|\*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Value:
    """A value with a secret in it: what stands in front of the secret and behind it is not hidden."""

    front: re.Pattern[str]
    back: str
    """The letter at which the secret ends, if it is there; an `@` has to be. "" where it goes to the end."""

    @classmethod
    def parse(cls, text: str) -> Value:
        """`SECRET`, `USER:SECRET`, `pass:SECRET`, `SECRET@HOST`."""
        front, _, back = text.partition("SECRET")
        pattern = ""
        for name, mark in re.findall(rf"({_NAME})?([^A-Z]+)", front):
            pattern += f"[^{re.escape(mark[0])}]*+" if name else ""
            pattern += re.escape(mark).replace(r"\*", ".*?")
        return cls(re.compile(pattern, re.DOTALL), back[:1])

    def secret(self, word: str, start: int = 0) -> Span | None:
        """Where the secret is in a word whose value begins at `start`."""
        front = self.front.match(word, start)
        if front is None or (front.end() > start and word.startswith("//", front.end())):  # of a URL
            return None
        end = len(word)
        if self.back == "@":
            end = word.rfind("@", front.end())
        elif self.back and (mark := word.find(self.back, front.end())) >= 0:
            end = mark
        return (front.end(), end) if front.end() < end else None


@dataclass(frozen=True, slots=True)
class _Login(Value):
    """Oracle's `user/password@database`; neither `/nolog` nor `@/path/of/a/script`."""

    def secret(self, word: str, start: int = 0) -> Span | None:
        found = _LOGIN.match(word, start)
        return found.span(1) if found else None


@dataclass(frozen=True, slots=True)
class _NoName(Value):
    """What may be a user or a password, where other words follow: a plain word is taken for a user."""

    def secret(self, word: str, start: int = 0) -> Span | None:
        return None if _PLAIN_NAME.fullmatch(word, start) else (start, len(word))


_PLAIN_NAME = re.compile(r"[a-z][a-z_.-]*")
_LOGIN = re.compile(r"(?:userid=)?[^\s/@=-][^\s/@=]*/([^/].*?)(?=@[^@]*\Z|\Z)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Option:
    needs: str
    value: Value
    words: frozenset[str]
    """The whole word, in small letters for those with a slash, where the value is the next word."""
    attached: re.Pattern[str] | None
    """The front of a word whose rest is the value."""

    @classmethod
    def parse(cls, template: str, needs: str, flags: str) -> _Option:
        match = _OPTION.fullmatch(template)
        if match is None:
            raise ValueError(f"{template!r} is no option with a secret")
        option, mark, value = match["option"], match["mark"].strip(), Value.parse(match["value"])
        bare = option.lstrip("-/")
        quoted = re.escape(bare)
        words = frozenset({option}) if mark != "[" else frozenset()
        if option.startswith("/"):
            attached = re.compile(rf"(?:/|--?){quoted}[:=]", re.IGNORECASE)
            return cls(needs, value, words | {f"-{bare}"} if mark != ":" else frozenset(), attached)
        if mark == ":":
            return cls(needs, value, frozenset(), re.compile(rf"(?:/|--?){quoted}:", re.IGNORECASE))
        if len(bare) > 1:
            sign = "-" if mark == "[" else "--?"
            words = words and frozenset({f"-{bare}", f"--{bare}"})
            attached = re.compile(f"{sign}{quoted}{'' if mark == '[' else '='}")
            return cls(needs, value, words, None if mark == "," else attached)
        cluster = f"[{re.escape(flags)}]*" if flags else ""
        return cls(needs, value, words, None if mark == "," else re.compile(f"-{cluster}{quoted}=?|/{quoted}:"))


@dataclass(frozen=True, slots=True)
class _Operands:
    """Words without a dash, one after the other, the last one the secret."""

    steps: tuple[re.Pattern[str] | None, ...]
    """None: any word."""
    value: Value
    last: bool
    """The secret is the last operand of the command."""
    all: bool
    """What follows is secret as well."""

    @classmethod
    def parse(cls, template: str) -> _Operands:
        *steps, value = template.split(" ")
        text = value.removesuffix(_REST)
        return cls(
            steps=tuple(map(_step, (step for step in steps if step != _REST))),
            value=_value(text),
            last=_REST in steps,
            all=value.endswith(_REST),
        )


def _value(text: str) -> Value:
    if "USER/SECRET@" in text:
        return _Login(re.compile(""), "")
    return _NoName(re.compile(""), "") if text == "SECRET!" else Value.parse(text)


def _step(text: str) -> re.Pattern[str] | None:
    if re.fullmatch(_NAME, text):
        return None
    if text.startswith("!"):
        return re.compile(f"(?![-/]|(?:{text[1:]})\\Z).*", re.IGNORECASE | re.DOTALL)
    return re.compile(re.escape(text).replace(r"\*", ".*"), re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Client:
    """Programs that take a secret in the same options."""

    names: str
    """As in the folders of programs, in small letters, without a version; several parted by blanks."""
    manual: str
    """The pages that say so, such as `mysql(1)`. What Debian does not ship has its vendor's reference."""
    takes: tuple[str, ...]
    """Templates."""
    valued: str = ""
    """Options with a value that is no secret, where words without a dash count."""
    flags: str = ""
    """Letters of options without a value, which may stand before another one in the same word."""

    @cached_property
    def _rules(self) -> tuple[tuple[_Option, ...], tuple[_Operands, ...]]:
        options: list[_Option] = []
        operands: list[_Operands] = []
        for template in self.takes:
            needs, _, rest = template.partition(" ")
            if _OPTION.fullmatch(template):
                options.append(_Option.parse(template, "", self.flags))
            elif _OPTION.fullmatch(rest):
                options.append(_Option.parse(rest, needs, self.flags))
            else:
                operands.append(_Operands.parse(template))
        return tuple(options), tuple(operands)

    def secrets(self, words: Sequence[Word]) -> Iterator[Span]:
        """Where the secrets are among the words behind the program's name."""
        options, operands = self._rules
        following = [_Following(rule) for rule in operands]
        seen: set[str] = set()
        expected: list[Value] = []
        skipped = False
        valued = self.valued.split()
        for start, quoted in words:
            if skipped:
                skipped = False
                continue
            skipped = quoted in valued
            word, shift = _unquoted(quoted)
            found: Span | None = None
            if expected and not _NO_VALUE.fullmatch(word):
                found = next(filter(None, (value.secret(word) for value in expected)), None)
                expected = []
            else:
                found, expected = _in_option(options, word, seen)
                seen.add(word)
            for one in following:
                secret = one.take(start + shift, word)
                found = found or secret
            if found and (named := _NAMED.match(word, found[0])):
                found = (named.end(), found[1])
            if found and not _REFERENCE.fullmatch(word, found[0]):
                yield start + shift + found[0], start + shift + found[1]
        for one in following:
            if (place := one.last_place()) is not None:
                yield place


def _in_option(options: Sequence[_Option], word: str, seen: set[str]) -> tuple[Span | None, list[Value]]:
    """The secret in this word, or what the next word may be."""
    if word[:1] not in ("-", "/") or len(word) < 2:
        return None, []
    whole = word.lower() if word[0] == "/" else word
    options = [option for option in options if not option.needs or option.needs in seen]
    if expected := [option.value for option in options if whole in option.words]:
        return None, expected
    for option in options:
        if option.attached and (front := option.attached.match(word)):
            if front.end() < len(word):
                if found := option.value.secret(word, front.end()):
                    return found, []
            elif option.words:
                expected.append(option.value)
    return None, expected


class _Following:
    """How far the words of a command have come in the steps of a template."""

    def __init__(self, rule: _Operands) -> None:
        self._rule = rule
        self._step = 0
        self._done = False
        self._last: Word | None = None

    def take(self, start: int, word: str) -> Span | None:
        """The secret, if this word is it."""
        rule, steps = self._rule, self._rule.steps
        if rule.last and self._step == len(steps) and _REDIRECTS.match(word):
            self._done = True
        if self._done:
            return None
        if self._step == len(steps):
            if rule.all:
                return rule.value.secret(word)
            if not _LOOKS_LIKE_AN_OPTION.match(word):
                if rule.last:
                    self._last = (start, word)
                    return None
                found = rule.value.secret(word)
                self._step = 0
                self._done = bool(found) and (not steps or steps[0] is None)
                return found
        wanted = steps[self._step] if self._step < len(steps) else None
        if wanted is not None and wanted.fullmatch(word):
            self._step += 1
        elif _LOOKS_LIKE_AN_OPTION.match(word):
            self._step = self._step if rule.last and self._step == len(steps) else 0
        elif wanted is None:
            self._step += 1
        else:
            self._step = int(steps[0] is not None and bool(steps[0].fullmatch(word)))
        return None

    def last_place(self) -> Span | None:
        """The secret, if it is the last word of the command."""
        if self._last is None:
            return None
        start, word = self._last
        found = self._rule.value.secret(word)
        return (start + found[0], start + found[1]) if found else None


def _unquoted(word: str) -> tuple[str, int]:
    """Without the quotes around all of it, and by how much that moves where it begins."""
    if len(word) > 1 and word[0] in "\"'" and word[0] == word[-1]:
        return word[1:-1], 1
    return word, 0
