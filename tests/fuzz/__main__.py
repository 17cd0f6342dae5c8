"""`make fuzz`: every target for a while, one after the other.

    make fuzz                                      each for a minute
    make fuzz ARGS="--seconds 600 search tags"     these two for ten minutes

What makes a check fail is added to the corpus, and so is what reaches code that nothing in it reaches: from then on
`make test` tries both. All else that was worth a look stays in `.fuzz`, where the next run goes on.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.fuzz.running import fuzz, keep
from tests.fuzz.targets import TARGETS

WORK = Path(".fuzz")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make fuzz", description="Fuzz what strangers send.")
    parser.add_argument("--seconds", type=int, default=60, help="for each target (%(default)s)")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"some, else all: {' '.join(TARGETS)}")
    arguments = parser.parse_args()
    if unknown := set(arguments.targets) - set(TARGETS):
        parser.error(f"there is no target {' or '.join(sorted(unknown))}; there are {' '.join(TARGETS)}")
    code = 0
    for name in arguments.targets or TARGETS:
        target = TARGETS[name]
        report = fuzz([target], arguments.seconds, WORK / name)
        added = keep(target, report, WORK / name)
        print(f"{name:14} {report.runs:9} runs, {report.branches:5} branches, {added} added", flush=True)
        if report.output:
            code = 1
            print(report.output[-4000:])
            print("\n".join(f"kept as {target.corpus / path.name}" for path in report.failures), flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
