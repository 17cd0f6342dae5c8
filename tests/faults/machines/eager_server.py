"""The command that follows, with a store that always does what others do once in minutes: flushes, checkpoints and
new segments. So whatever happens to it happens in the midst of them.

python -m tests.faults.machines.eager_server python -P -m procession.cli serve ...

It ends itself as `kill -9` does at the moment that the file at $EAGER_ENDING names: see `Ending`.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable
from functools import partial, wraps
from pathlib import Path
from typing import Any

from procession.cli import main
from procession.storage.embedded import checkpoints, store
from procession.storage.embedded.progress import FlushProgress
from procession.storage.live import checkpoint
from procession.storage.wal import LogLimits, WriteAheadLog, log

COMMAND = (sys.executable, "-m", "tests.faults.machines.eager_server")
VARIABLE = "EAGER_ENDING"

LOGGED = "between log and live table"
FLUSHED = "between flush and the removal of a segment"
CHECKPOINTED = "in a checkpoint"
MOMENTS = (LOGGED, FLUSHED, CHECKPOINTED)


class Ending:
    """When a server is to end itself: a file has a moment and the how manieth of them since it was written, if any."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._reached = Counter[str]()

    def set(self, moment: str, number: int) -> None:
        new = self._path.with_name(f"{self._path.name}.new")
        new.write_text(f"{number} {moment}")
        new.replace(self._path)

    def forget(self) -> None:
        self._path.unlink(missing_ok=True)

    def before(self, moment: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, which ends the process where that was wanted."""

        @wraps(function)
        def ending(*values: Any, **options: Any) -> Any:
            self._reach(moment)
            return function(*values, **options)

        return ending

    def _reach(self, moment: str) -> None:
        try:
            number, _, wanted = self._path.read_text().partition(" ")
        except FileNotFoundError:
            return
        if moment == wanted:
            with self._lock:
                self._reached[moment] += 1
                if self._reached[moment] == int(number):
                    os.kill(os.getpid(), signal.SIGKILL)


def end_at(ending: Ending) -> None:
    owners: tuple[tuple[Any, str, str], ...] = (
        (store.EmbeddedStore, "_take", LOGGED),
        (FlushProgress, "note", FLUSHED),
        (WriteAheadLog, "_remove", FLUSHED),
        (checkpoint, "_write", CHECKPOINTED),
    )
    for owner, name, moment in owners:
        setattr(owner, name, ending.before(moment, getattr(owner, name)))


if __name__ == "__main__":
    store.FLUSH_SECONDS = 0.2
    checkpoints._SECONDS = 0
    log.LogLimits = partial(LogLimits, segment_bytes=32 * 2**10)  # type: ignore[assignment, attr-defined]
    if VARIABLE in os.environ:
        end_at(Ending(Path(os.environ[VARIABLE])))
    sys.argv = sys.argv[sys.argv.index("procession.cli") :]
    main()
