"""Finds the programs in a command line: behind `sudo` and `docker exec`, within the text of `sh -c`, under any name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from procession.scrubbing.programs import CLIENTS, LAUNCHERS, SHOWN, STARTS_NOTHING, Word

_QUOTES = "\"'`"
_LONGEST_PATH = 200
_DEPTH = 4
_SHORTEST_TEXT = 6
_PATH_PIECES = 8

_EXTENSION = re.compile(r"\.(?:exe|com|bat|cmd|ps1|py|pl|rb|sh|js|php|jar|phar|real|orig|bin|distrib|appimage)\Z")
_VERSION = re.compile(r"[-_.]?v?\d[\d.]*(?:[-_.]?(?:alpha|beta|rc|lts)\d*)?\Z")
_FLAVOUR = re.compile(r"[-_.](?:static|bin|real|wrapped|wrapper|gnutls|openssl|linux|amd64|arm64|x86_64|linux-amd64)\Z")
_DRIVE = re.compile(r"""["']?(?:[A-Za-z]:|\\\\|%\w+%)\\""")
_ENDS_A_PATH = re.compile(r"""\.(?:exe|com|bat|cmd)["']?\Z""", re.IGNORECASE)
_STARTS_A_TEXT = re.compile(r"(?:-[a-z]*c|/[ck]|--?command|-e|--?exec|-execdir|--|-encodedcommand)\Z", re.IGNORECASE)

# A word of a shell's text: quoted parts and others, side by side. A quote that nothing closes is a letter.
_SHELL_WORD = re.compile(
    r"""(?P<aside>\d?[<>]{1,3}(?:&\d)?)|(?P<end>[;|&()`\n])|(?:[^\s"'\\;|&()`<>]++|\\.|"(?:[^"\\]++|\\.)*+"|'[^']*+'|["'\\])++""",
    re.DOTALL,
)
_BLANK = re.compile(r"\s")
_ASSIGNMENT = re.compile(r"\w+\+?=")
_OPTION_WITH_A_TEXT = re.compile(r"--[\w\-]+=(?=\S+\s)")
_SHELL_MARKS = frozenset({"|", "||", "&&", ";", "&", "("})
_SHELL_KEYWORDS = frozenset({"if", "then", "elif", "else", "do", "while", "until", "!", "{", "time", "&"})


@lru_cache(maxsize=8192)
def _known_name(word: str) -> str:
    """The name in the tables, of clients or of launchers, for a word that may be a program's path; or ""."""
    name = _base(word)
    for _ in range(4):
        if name in CLIENTS or name in LAUNCHERS or name in STARTS_NOTHING or name in SHOWN:
            return name
        shorter = _EXTENSION.sub("", name)
        if shorter == name:
            shorter = _VERSION.sub("", name)
        if shorter == name:
            shorter = _FLAVOUR.sub("", name)
        if shorter == name:
            break
        name = shorter
    if name.startswith("impacket-") and name.removeprefix("impacket-") in CLIENTS:
        return name.removeprefix("impacket-")
    return ""


def program_name(word: str) -> str:
    """The name by which the tables know a program, without folder, quotes, capitals, extension and version; or "".

    >>> program_name('"C:\\\\Program Files\\\\SQL\\\\SQLCMD.EXE"')
    'sqlcmd'
    """
    if len(word) > _LONGEST_PATH or (word[:1] == "-" and word[1:2] in ("-", "")):
        return ""
    return _known_name(word)


def _base(word: str) -> str:
    name = word.strip(_QUOTES)
    cut = max(name.rfind("/"), name.rfind("\\")) + 1
    return name[cut:].strip(_QUOTES).lstrip("-@&$(`").rstrip(",").casefold()


def clients(arguments: Sequence[Word]) -> Iterator[tuple[str, Sequence[Word]]]:
    """The known programs that a process's arguments hold, each with the words that are its own."""
    for command in _joined_commands(arguments):
        yield from _clients(command, 0, anywhere=True)


def _clients(words: Sequence[Word], depth: int, *, anywhere: bool) -> Iterator[tuple[str, Sequence[Word]]]:
    """`anywhere`: whether the program of a command may be one that nobody knows, which starts a known one."""
    index = 0
    while index < len(words):
        word = words[index][1]
        name = program_name(word)
        if not name and (end := _path_end(words, index)):
            index, name = end, program_name(words[end][1])
        launcher = LAUNCHERS.get(name)
        known = name in CLIENTS or name in SHOWN
        if launcher is not None:
            following = min(launcher.program_at(words, index + 1), len(words))
            if launcher.image and following > index + 1 and _is_image(words, following):
                following -= 1
            if known:
                yield name, words[index + 1 : following]
            anywhere = True
            index = following
        elif known:
            yield name, words[index + 1 :]
            break
        elif name in STARTS_NOTHING:
            return
        elif _ASSIGNMENT.match(word) or word in _SHELL_KEYWORDS:
            index += 1
        elif anywhere:
            index = _next_program(words, index + 1)
        else:
            break
    if depth < _DEPTH:
        for place in range(len(words)):
            yield from _within(words, place, depth)


def _within(words: Sequence[Word], place: int, depth: int) -> Iterator[tuple[str, Sequence[Word]]]:
    """The clients in a word that is the text of a command."""
    start, word = words[place]
    if (option := _OPTION_WITH_A_TEXT.match(word)) is not None:  # --rsh='ssh -l kim'
        start, word = start + option.end(), word[option.end() :]
    if len(word) < _SHORTEST_TEXT or not _BLANK.search(word):
        return
    if len(word) > 1 and word[0] in "\"'" and word[0] == word[-1] and word.find(word[0], 1) == len(word) - 1:
        start, word = start + 1, word[1:-1]
    elif depth and word[:2] in ('\\"', "\\'"):
        start, word = start + 2, word[2:]
    anywhere = place > 0 and bool(_STARTS_A_TEXT.match(words[place - 1][1]))
    for command in _shell_commands(word, start):
        yield from _clients(command, depth + 1, anywhere=anywhere)


def _joined_commands(words: Sequence[Word]) -> Iterator[Sequence[Word]]:
    """The commands of a shell's text whose words have become arguments, as where a line was parted at its blanks."""
    begin = 0
    for index, (_, word) in enumerate(words):
        if word in _SHELL_MARKS or word[:2] == "$(" or word[:1] == "`" or word[-1:] == ";":
            opens = word[:1] in "$`"
            yield words[begin : index + (not opens)]
            begin = index + (not opens)
    yield words[begin:]


def _shell_commands(text: str, start: int) -> Iterator[list[Word]]:
    command: list[Word] = []
    file_follows = False
    for match in _SHELL_WORD.finditer(text):
        if match["end"]:
            if command:
                yield command
            command = []
        elif not file_follows and not match["aside"]:
            command.append((start + match.start(), match[0]))
        file_follows = bool(match["aside"]) and "&" not in match[0]
    if command:
        yield command


def _next_program(words: Sequence[Word], start: int) -> int:
    """Where a client or launcher stands that an unknown program may start: not as the value of an option."""
    for index in range(start, len(words)):
        word = words[index][1]
        name = program_name(word) if word[:1] != "-" else ""
        if (name in CLIENTS or name in LAUNCHERS) and _may_come_after(words[index - 1][1]):
            return index
    return len(words)


def _may_come_after(before: str) -> bool:
    return before[:1] != "-" or before == "--" or bool(_STARTS_A_TEXT.match(before))


def _path_end(words: Sequence[Word], index: int) -> int:
    """The last piece of a Windows path that was parted at its blanks; 0 for what is none."""
    if not _DRIVE.match(words[index][1]):
        return 0
    for end in range(index, min(index + _PATH_PIECES, len(words))):
        if _ENDS_A_PATH.search(words[end][1]):
            return end
    return 0


def _is_image(words: Sequence[Word], following: int) -> bool:
    """Whether the program is that of an image: `docker run image -p x`."""
    if following < len(words) and program_name(words[following][1]):
        return False
    image = words[following - 1][1].partition("@")[0]
    return image.rpartition("/")[2].partition(":")[0] in CLIENTS
