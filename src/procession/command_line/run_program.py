"""What a process runs: its program, and for an interpreter the script, module or archive that it was given.

Two processes of `java` have nothing in common, two of `java -jar shop.jar` do, whatever else stands in their command
lines. Which options take a value is known of the interpreters listed here; any other program is what its name says.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple


class _Interpreter(NamedTuple):
    valued: frozenset[str]
    """Options with a value of their own behind a blank."""
    runs: frozenset[str]
    """Options whose value is what is run."""
    is_shell: bool = False
    """Whether letters stand behind one dash: `-lc` is `-l -c`."""


def _interpreter(valued: str, runs: str, *, is_shell: bool = False) -> _Interpreter:
    return _Interpreter(frozenset(valued.split()), frozenset(runs.split()), is_shell)


_JAVA = _interpreter(
    "-cp -classpath --class-path -p --module-path --upgrade-module-path --add-modules --add-exports --add-opens"
    " --add-reads --patch-module --limit-modules --source",
    "-jar -m --module",
)
_PYTHON = _interpreter("-W -X --check-hash-based-pycs", "-m -c")
_NODE = _interpreter(
    "-r --require --import --loader --experimental-loader -C --conditions --env-file", "-e --eval -p --print"
)
_SHELL = _interpreter("-o +o -O +O --rcfile --init-file", "-c", is_shell=True)
_INTERPRETERS = {
    "java": _JAVA,
    "python": _PYTHON,
    "pypy": _PYTHON,
    "node": _NODE,
    "nodejs": _NODE,
    "bun": _NODE,
    "ruby": _interpreter("-I -r -E -C", "-e"),
    "perl": _interpreter("-I", "-e -E"),
    "php": _interpreter("-d -c -z", "-r -f"),
    "lua": _interpreter("-l", "-e"),
    "dotnet": _interpreter("--depsfile --runtimeconfig --fx-version --additionalprobingpath", ""),
    **dict.fromkeys(("sh", "bash", "dash", "ash", "zsh", "ksh"), _SHELL),
}
_VERSION = re.compile(r"[\d.]+$")
_LONGEST = 4096
"""Characters of what is run that are told apart."""
_MOST_ARGUMENTS = 1000


def run_program(command: str, arguments: Sequence[str]) -> tuple[str, str]:
    """The short name of a process, and what its interpreter was given; "" for programs that are none, and where nothing
    was given. `arguments` begin with the program itself."""
    interpreter = _INTERPRETERS.get(_VERSION.sub("", command.lower().removesuffix(".exe")))
    return command, "" if interpreter is None else _given(interpreter, arguments[1:_MOST_ARGUMENTS])[:_LONGEST]


def _given(interpreter: _Interpreter, arguments: Sequence[str]) -> str:
    left = iter(arguments)
    for argument in left:
        if argument == "--":
            return next(left, "")
        if argument in interpreter.runs or (interpreter.is_shell and re.fullmatch(r"-[a-zA-Z]*c[a-zA-Z]*", argument)):
            return next(left, "")
        if argument in interpreter.valued:
            next(left, "")
        elif argument and not argument.startswith(("-", "+")):
            return argument
    return ""
