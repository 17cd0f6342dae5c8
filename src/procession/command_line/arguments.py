"""Where the arguments of a process end, beside its command line, which is their text joined by single blanks.

Most arguments hold no blank, so that the line alone nearly tells. What it does not tell is kept as a few numbers: how
many words of the line each argument has, 0 for an empty one, which the line leaves out. Arguments after the last number
have one word each, and no numbers at all mean that nobody knows.
"""

from __future__ import annotations

from collections.abc import Sequence

MOST_EMPTY = 100
"""With more of them than that, it is padding or made up, and not known."""

PLAIN = (1,)
"""Each argument is a word of the line."""


def line_of(arguments: Sequence[str]) -> str:
    return " ".join(filter(None, arguments))


def words_of(arguments: Sequence[str]) -> tuple[int, ...]:
    """How many words of `line_of` each of them has; () where there is nothing to tell, or too much."""
    words = [argument.count(" ") + 1 if argument else 0 for argument in arguments]
    empty = words.count(0)
    if empty == len(words) or empty > MOST_EMPTY:
        return ()
    while len(words) > 1 and words[-1] == 1:
        del words[-1]
    return PLAIN if words == [1] else tuple(words)


def arguments_of(line: str, words: Sequence[int]) -> list[str] | None:
    """The arguments again; None where it is not known where they end. Of no line there are none."""
    if not line:
        return []
    if not words:
        return None
    pieces = line.split(" ")
    if words == PLAIN:
        return pieces
    arguments: list[str] = []
    begin = 0
    for count in words:
        arguments.append(" ".join(pieces[begin : begin + count]))
        begin += count
    return None if begin > len(pieces) else arguments + pieces[begin:]
