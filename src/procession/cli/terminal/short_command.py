"""A command line in little room: the program first, then as much of what follows it as there is room for."""

from __future__ import annotations

_ENDS = ("", " ", "\t", '"')
_BEGINNINGS = ("/", "\\", '"', "~", ".", "%")


def program_first(cmdline: str, name: str) -> str:
    """`/usr/lib/jvm/bin/java -jar x` -> `java -jar x`: without the folder of the program, whose `name` is known.

    The same text where it does not begin with a path that ends so.
    """
    is_path = cmdline.startswith(_BEGINNINGS) or cmdline[1:3] in (":\\", ":/")
    if not name or not is_path:
        return cmdline
    for sign in "/\\":
        place = cmdline.find(sign + name)
        while place >= 0:
            end = place + 1 + len(name)
            if cmdline[end : end + 1] in _ENDS:
                rest = cmdline[end:]
                # The quote that closes the path.
                return name + (rest.removeprefix('"') if cmdline.startswith('"') else rest)
            place = cmdline.find(sign + name, place + 1)
    return cmdline
