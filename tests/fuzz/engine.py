"""Targets under a fuzzer that is guided by coverage, in a process of its own.

    python -m tests.fuzz.engine fuzz TARGET[+TARGET...] SECONDS WORK
    python -m tests.fuzz.engine merge TARGET OPTION... INTO FROM

`fuzz` begins with the files in WORK/seeds, and ends with its time, or with code 1 when a check fails: then it has
written the bytes to WORK/failed-TARGET-... `merge`, with options of libFuzzer, copies files that reach something new.
"""

from __future__ import annotations

import atexit
import ctypes
import hashlib
import os
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import atheris

from tests.fuzz.targets import TARGETS, Check

_SECONDS_OF_ONE = 60
"""Then it hangs, and libFuzzer ends it."""
_LEAST_RUNS = 100
"""On a machine however busy."""
_MOST_MEGABYTES = 3000


def fuzz(names: str, seconds: int, work: Path) -> None:
    targets, checks = _loaded(names)
    runs = 0
    until = 0.0

    def check(data: bytes) -> None:
        nonlocal runs, until
        until = until or time.monotonic() + seconds
        if time.monotonic() > until and runs >= _LEAST_RUNS:
            _end(0, runs)
        place = data[0] % len(targets) if len(targets) > 1 and data else 0
        data = data[1:] if len(targets) > 1 else data
        runs += 1
        try:
            checks[place](data)
        except BaseException:
            traceback.print_exc()
            name = f"failed-{targets[place]}-{hashlib.sha256(data).hexdigest()[:16]}"
            (work / name).write_bytes(data)
            _end(1, runs)

    longest = max(TARGETS[name].max_bytes for name in targets) + 1
    bounds = (f"-max_len={longest}", f"-timeout={_SECONDS_OF_ONE}", f"-rss_limit_mb={_MOST_MEGABYTES}")
    _run([sys.argv[0], *bounds, f"-artifact_prefix={work}/failed-", str(work / "finds"), str(work / "seeds")], check)


def merge(name: str, arguments: Sequence[str]) -> None:
    _, (check,) = _loaded(name)
    is_first = True

    def check_and_note(data: bytes) -> None:
        nonlocal is_first
        check(data)
        if is_first:
            # After what the target loads has said what is to be done at the end, and so before that.
            ctypes.CDLL(None).on_exit(_END_AT_ONCE, None)
            is_first = False

    # libFuzzer starts itself anew for this, by a shell and by the first of its arguments.
    _run([f"{sys.executable} -m tests.fuzz.engine merge {name}", *arguments], check_and_note)


def _loaded(names: str) -> tuple[list[str], list[Check]]:
    targets = names.split("+")
    with atheris.instrument_imports(include=["procession"]):
        return targets, [TARGETS[name].load() for name in targets]


def _run(arguments: Sequence[str], check: Check) -> None:
    atheris.Setup(list(arguments), check)
    atheris.Fuzz()


def _end(code: int, runs: int) -> NoReturn:
    """By ourselves: libFuzzer ends by `exit`, in which the engine of a store that is open crashes, or hangs."""
    atexit._run_exitfuncs()
    print(f"{runs} runs", file=sys.stderr, flush=True)
    os._exit(code)


_END_AT_ONCE = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_void_p)(lambda code, _: os._exit(code))


def main(chore: str, names: str, *arguments: str) -> None:
    if chore == "fuzz":
        fuzz(names, int(arguments[0]), Path(arguments[1]))
    else:
        merge(names, arguments)


if __name__ == "__main__":
    main(*sys.argv[1:])
