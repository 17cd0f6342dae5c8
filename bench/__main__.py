"""`python -m bench`: see `docs/performance.md`."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
import traceback
from pathlib import Path

from bench import machine, quick, report
from bench.stages import LONG, STAGES, Run

QUIET_LOAD = 0.5
ATTEMPTS = 3
"""Once may be a neighbour, or twice; three times the same row is not."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure Procession beside others.")
    parser.add_argument("--quick", action="store_true", help="two minutes; compares ratios with the kept results")
    parser.add_argument("--long", action="store_true", help="what takes an hour")
    parser.add_argument("--only", metavar="STAGE", action="append", help="some stages; writes no file without --keep")
    parser.add_argument("--hosts", type=int, default=3400, help="of 300 processes each, in the window")
    parser.add_argument("--folder", type=Path, help="where to put the data, which is removed afterwards")
    parser.add_argument(
        "--keep",
        action="store_true",
        help="write what --quick or --only measures, too",
    )
    options = parser.parse_args()
    load = machine.load()
    if load > QUIET_LOAD:
        print(f"Others are at work here (load {load}): these figures are worth little.", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="procession-bench-", dir=options.folder))
    folder.chmod(0o755)  # a database that refuses to run as root has to get in
    try:
        if options.quick:
            return _quick(folder, load, keep=options.keep)
        return _all("long" if options.long else "bench", folder, load, options.only, options.hosts, keep=options.keep)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _all(kind: str, folder: Path, load: float, only: list[str] | None, hosts: int, *, keep: bool) -> int:
    begin = time.monotonic()
    run = Run.begin(hosts)
    failed = []
    for name, stage in (LONG if kind == "long" else STAGES).items():
        if only and name not in only:
            continue
        started = time.monotonic()
        print(f"{name} …", flush=True)
        place = folder / name
        place.mkdir()
        try:
            stage(run, place)
        except Exception:  # what the others found is worth having
            failed.append(name)
            traceback.print_exc()
        print(f"{name}: {time.monotonic() - started:,.0f} s", flush=True)
        shutil.rmtree(place, ignore_errors=True)
    document = report.document(run.found, kind=kind, seconds=time.monotonic() - begin, load_before=load)
    report.show(document)
    if keep or not only:
        print(f"Written: {report.write(document, is_partial=bool(only))}")
        if kind == "bench" and not only:
            _quick(folder, load, keep=True)
        report.into_docs([found for kind in ("bench", "long") if (found := report.newest(kind))])
    if failed:
        print(f"Failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _quick(folder: Path, load: float, *, keep: bool) -> int:
    before: dict[str, float] = {}
    for attempt in range(1, ATTEMPTS + 1):
        begin = time.monotonic()
        found = quick.measure(folder / f"quick-{attempt}")
        document = report.document(found, kind="quick", seconds=time.monotonic() - begin, load_before=load)
        if keep:
            print(f"Written: {report.write(document)}")
            return 0
        worse = {key: factor for key, factor in quick.compare(document).items() if attempt == 1 or key in before}
        if not worse:
            return 0
        before = worse
        said = ", ".join(f"{key} by {factor:.2f}" for key, factor in worse.items())
        print(f"Worse than the kept results: {said}" + ("; once more" if attempt < ATTEMPTS else ""), flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main())
