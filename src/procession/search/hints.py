"""Hints for a search that found nothing: what its author may have meant.

Operators of other search languages are plain characters here. A hint is a sentence that goes with an answer and does
not change it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator

from procession.search.fields import NAMES, SHORT_NAMES
from procession.search.parser import Language

MOST_HINTS = 5
MOST_TEXT = 1000
"""How many characters of a search are looked at."""
MOST_SHOWN = 60
"""How many characters a hint quotes at the most."""

_SECONDS_END = 10**11
"""In the year 5138: a greater number is not in seconds but in a smaller unit."""
_UNITS = (("milliseconds", 10**3, 10**14), ("microseconds", 10**6, 10**17), ("nanoseconds", 10**9, 10**20))

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_OPERATORS = {"and": "AND", "&&": "AND", "&": "AND", "or": "OR", "||": "OR", "|": "OR", "not": "NOT"}
_OTHER_NAMES = {
    "hostname": "host",
    "host.name": "host",
    "username": "user",
    "user.name": "user",
    "cmd": "command",
    "comm": "command",
    "name": "command",
    "process": "command",
    "process_name": "command",
    "process.name": "command",
    "proc": "command",
}
_SYNTAX = frozenset(':()!"*,=-')
_QUOTES = "'`\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb\u2039\u203a"


def moment_hint(name: str, moment: int) -> str | None:
    """A hint for a moment that is too far away to be in seconds, or None. `name` is that of its parameter."""
    size = abs(moment)
    for unit, in_a_second, end in _UNITS:
        if _SECONDS_END <= size < end:
            return f"{name} is in Unix seconds; {moment} looks like {unit}, which would be {moment // in_a_second}"
    return None


def host_tag_hint(tag: str) -> str | None:
    """A hint for a tag that is given to a host and has no value, or an odd one. None where the tag is as usual."""
    tag = tag.strip()
    shown = _shown(tag)
    key, mark, value = tag.partition("=")
    if mark and ":" not in key:
        meant = f"{key.strip().strip(_QUOTES)}:{value.lstrip('=:').strip().strip(_QUOTES)}"
        return f"a tag is written key:value, and {shown} has no value: is {_shown(meant)} meant?"
    key, colon, value = tag.partition(":")
    if colon and not (key and value):
        return f"a tag is written key:value without blanks, and {shown} has no {'value' if key else 'key'}"
    if len(re.findall(r"[^\s:;|]+:[^\s:]", tag)) > 1 and re.search(r"[\s;|]", tag):
        return f"{shown} is one tag; are several meant? Give each by itself"
    if tag and tag[0] in _QUOTES + '"[{(':
        return f"{shown} begins with a {tag[0]}, which is part of the tag"
    return None


def search_hints(text: str, name: str = "search", language: Language = Language.DATADOG) -> list[str]:
    """Up to MOST_HINTS hints for a search: what in it means something in other languages, and how to write it here."""
    text = text[:MOST_TEXT]
    hints = [*_of_characters(text), *_of_phrases(_QUOTED.sub('""', text))]
    words = [word.lstrip("!") for word in _QUOTED.sub('""', text).replace("(", " ").replace(")", " ").split()]
    if language is Language.PROCESSION:
        words = [word for word in words if re.split("[:<>]", word)[0].lower() not in NAMES]
    return _distinct([*hints, *(_first(word, _WORD_RULES) for word in words)], name)


def tags_hints(text: str, name: str = "tags") -> list[str]:
    """Up to MOST_HINTS hints for a tag filter."""
    text = text[:MOST_TEXT]
    tags = (tag for item in text.split(",") for tag in re.split(r"\s+OR\s+", item))
    items = (_first(tag.strip().lstrip("! "), _ITEM_RULES) for tag in tags)
    return _distinct([*_of_characters(text), *items], name)


def _distinct(hints: Iterable[str | None], name: str) -> list[str]:
    return [f"{name}: {hint}" for hint in dict.fromkeys(filter(None, hints))][:MOST_HINTS]


def _first(text: str, rules: tuple[Callable[[str], str | None], ...]) -> str | None:
    return next(filter(None, (rule(text) for rule in rules)), None) if text else None


def _shown(text: str) -> str:
    return repr(text if len(text) <= MOST_SHOWN else text[: MOST_SHOWN - 1] + "…")


def _of_characters(text: str) -> Iterator[str]:
    """Wide forms of the signs of the language, as keyboards of East Asia have them, and other quotes."""
    for character in dict.fromkeys(text):
        plain = unicodedata.normalize("NFKC", character)
        if plain != character and plain in _SYNTAX:
            yield f"{character!r} is a character to look for; is {plain!r} meant?"
    if quote := re.search(rf"(?<!\w)[{_QUOTES}](?=\S)", text):
        yield f'only " quotes, as in "java -jar"; {quote[0]} is a character to look for'


def _of_phrases(text: str) -> Iterator[str]:
    """`text` has each quoted part as `""`."""
    for key, inside in re.findall(r"([^\s():\"!+-][^\s():\"!]*):\s*\(([^()]*)\)?", text):
        values = [word for word in inside.split() if word not in ("OR", "AND", "NOT")]
        joined = f" {'AND' if ' AND ' in inside else 'OR'} ".join(f"{key}:{value}" for value in values[:3])
        yield f"{_shown(key + ':')} ends before the parenthesis; is {_shown(f'({joined})')} meant?"
    for key, value in re.findall(r"(?<!\S)[!(]*([^\s():\"!]+):\s+(?!AND\b|OR\b|NOT\b)([^\s()]+)", text):
        if value == '""' or ":" in value:
            yield f"{_shown(key + ':')} has nothing after its colon; a value follows it without a blank"
        else:
            yield (
                f"a value follows its key without a blank; is {_shown(f'{key}:{value}')} meant, "
                f"or the text {_shown(f'{key}: {value}')} in double quotes?"
            )
    for key in re.findall(r"(?<!\S)(\S+)\s+(?:NOT\s+)?(?:IN|LIKE|in|like)\s+[('\"%]", text):
        yield f"there is no IN and no LIKE; write {_shown(f'{key}:value')}, and OR between several"


def _operator(word: str) -> str | None:
    if (meant := _OPERATORS.get(word.lower())) and word not in ("AND", "OR", "NOT"):
        return f"{_shown(word)} is a text to look for; is {meant} meant?"
    if re.search(r"\S(&&|\|\|)\S", word):
        return f"{_shown(word)} is one text; the operators are AND and OR, with blanks around them"
    return None


def _sign_before(word: str) -> str | None:
    if found := re.fullmatch(r"-([^-\s].*)", word):
        return f"{_shown(word)} is looked for with its -; to leave out what has it, write {_shown('!' + found[1])}"
    if found := re.fullmatch(r"([+@#$])(\w.*)", word):
        return f"{_shown(word)} is looked for with its {found[1]}; is {_shown(found[2])} meant?"
    return None


def _equals(word: str) -> str | None:
    if word.startswith("-") or not (found := re.fullmatch(r"([A-Za-z_][\w./]*)(!=|<>|==|=~|!~|=|~)(.*)", word)):
        return None
    key, sign, value = found.groups()
    sign_before = "!" if sign in ("!=", "<>", "!~") else ""
    return f"a tag is asked for as key:value; is {_shown(f'{sign_before}{key}:{value}')} meant?"


def _number(word: str) -> str | None:
    if re.fullmatch(r"[\w.]+:?(>=|<=|>|<)[0-9].*", word) or re.fullmatch(r"[\w.]+:\[.*", word):
        if re.split("[:<>]", word)[0].lower() in NAMES:
            return (
                f"{_shown(word)}: numbers cannot be compared in Datadog's language; with language=procession they are"
            )
        return f"{_shown(word)}: numbers cannot be compared by this name; there are {', '.join(SHORT_NAMES)}"
    return None


def _key(word: str) -> str | None:
    key, colon, value = word.partition(":")
    if not colon or not value:
        return None
    if meant := _OTHER_NAMES.get(key.lower()):
        return f"processes have no tag {_shown(key + ':')} of themselves; is {_shown(f'{meant}:{value}')} meant?"
    if key.lower() in ("pid", "ppid"):
        return (
            f"processes are not found by their {key.lower()} in Datadog's language; with language=procession they are"
        )
    return None


def _several_values(word: str) -> str | None:
    key, colon, value = word.partition(":")
    values = [one for one in re.split(r"[,|]", value.strip("{}[]")) if one]
    if colon and key and (len(values) > 1 or value.startswith(("{", "["))):
        joined = " OR ".join(f"{key}:{one}" for one in values[:3])
        return f"{_shown(word)} is one value; is {_shown(f'({joined})')} meant?"
    if not colon and "=" not in word and (found := re.search(r"(?<=\w)[,|;]", word)):
        return f"{_shown(word)} is looked for with its {found[0]}; a blank between words means all, OR means any"
    return None


def _wildcard(word: str) -> str | None:
    key, colon, value = word.partition(":")
    of_tag = bool(colon and key)
    looked_at = value if of_tag else word
    if re.fullmatch(r"/[^/]+/[gimsux]{0,5}", looked_at) or re.search(
        r"\.[*+]|^\^|\$$|\\[dswb](?!\w)|\[[^\]\[-]*-[^\]\[-]*\]", looked_at
    ):
        return f"{_shown(word)}: there are no regular expressions; * in the value of a tag stands for any characters"
    if "%" in looked_at and not re.search(r"%[0-9A-Fa-f]{2}", looked_at):
        bare = looked_at.replace("%", "*" if of_tag else "")
        return f"% is a character to look for; is {_shown(f'{key}:{bare}' if of_tag else bare)} meant?"
    if "?" in looked_at:
        return f"{_shown(word)} is looked for with its ?; * is the only wildcard, in the value of a tag"
    if not of_tag and "*" in word:
        bare = _shown(word.replace("*", ""))
        return f"* is a wildcard in tags alone; a text is found wherever it is, so is {bare} meant?"
    return None


def _item_in_other_form(item: str) -> str | None:
    if found := re.fullmatch(r"-\s*(\S.*)|NOT\s+(\S.*)", item):
        meant = "!" + (found[1] or found[2])
        return f"{_shown(item)}: what must not be there has ! before it; is {_shown(meant)} meant?"
    if re.search(r"(^|\s)(OR|or)(\s|$)", item) or "|" in item:
        return "OR stands between tags of which one is enough, in capitals: env:prod OR env:test"
    sign = next((sign for sign in (item[0], item[-1]) if sign in '"[](){}'), None)
    if sign is not None:
        return f"{_shown(item)} is looked for with its {sign}; tags have commas between them and nothing around them"
    return None


def _item_of_several(item: str) -> str | None:
    pieces = [piece for piece in re.split(r"[\s;&]+", item) if piece not in ("AND", "and", "")]
    if len(pieces) > 1 and all(re.fullmatch(r"!?[^:=]+[:=].+", piece) for piece in pieces):
        meant = ",".join(piece.replace("=", ":", 1) if ":" not in piece else piece for piece in pieces)
        return f"tags have commas between them; is {_shown(meant)} meant?"
    return None


def _item_with_blank(item: str) -> str | None:
    if found := re.fullmatch(r"([^\s:=]+)\s*([:=])\s+(\S.*)|([^\s:=]+)\s+([:=])\s*(\S.*)", item):
        key, value = found[1] or found[4], found[3] or found[6]
        return f"a tag is written key:value without blanks; is {_shown(f'{key}:{value}')} meant?"
    return None


def _item_wildcard(item: str) -> str | None:
    return _wildcard(item) if ":" in item else None


_WORD_RULES = (_operator, _sign_before, _equals, _number, _wildcard, _several_values, _key)
_ITEM_RULES = (
    _item_in_other_form,
    _item_of_several,
    _item_with_blank,
    _sign_before,
    _equals,
    _number,
    _item_wildcard,
    _key,
)
