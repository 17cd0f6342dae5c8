"""A command line with its program first, its arguments, and the folder of the program at the end."""

from __future__ import annotations

from dataclasses import dataclass

from procession.cli.terminal.colors import Style
from procession.cli.terminal.spans import Span

_ENDS = ("", " ", "\t", '"')
_BEGINNINGS = ("/", "\\", '"', "~", ".", "%")


@dataclass(frozen=True)
class CommandText:
    """`before` is what a tree draws in front of it. As a `str` it is the command line as it was started."""

    cmdline: str
    name: str
    before: str = ""

    def __str__(self) -> str:
        return self.before + self.cmdline

    def spans(self, most: int) -> list[Span]:
        """Of each part no more than `most` characters: a command line may have a megabyte."""
        if self.cmdline.startswith(("[", "(")):
            # A thread of the kernel, or a process that nobody could read.
            return [(self.before, Style.BRANCH), (self.cmdline[:most], Style.FAINT)]
        program, rest, folder = parts_of(self.cmdline, self.name)
        spans = [(self.before, Style.BRANCH), (program[:most], Style.PROGRAM), (rest[:most], Style.PLAIN)]
        return [*spans, (f"  ({folder[:most]})", Style.FAINT)] if folder else spans


def parts_of(cmdline: str, name: str) -> tuple[str, str, str]:
    """`/usr/lib/jvm/bin/java -jar x` -> `java`, ` -jar x`, `/usr/lib/jvm/bin/`: the program, whose `name` is known,
    what follows it, and its folder, which is empty where the text does not begin with a path that ends so."""
    is_path = cmdline.startswith(_BEGINNINGS) or cmdline[1:3] in (":\\", ":/")
    for sign in "/\\" if name and is_path else "":
        place = cmdline.find(sign + name)
        while place >= 0:
            end = place + 1 + len(name)
            if cmdline[end : end + 1] in _ENDS:
                is_quoted = cmdline.startswith('"')
                rest = cmdline[end:]
                # The quote that closes the path.
                rest = rest.removeprefix('"') if is_quoted else rest
                return name, rest, cmdline[1 if is_quoted else 0 : place + 1]
            place = cmdline.find(sign + name, place + 1)
    if name and cmdline.startswith(name):
        return name, cmdline[len(name) :], ""
    program, blank, rest = cmdline.partition(" ")
    return program, blank + rest, ""
