"""The command that follows, with a store that always does what others do once in minutes: flushes, checkpoints and
new segments. So whatever happens to it happens in the midst of them.

python -m tests.faults.machines.eager_server python -P -m procession.cli serve ...
"""

from __future__ import annotations

import sys
from functools import partial

from procession.cli import main
from procession.storage.embedded import checkpoints, store
from procession.storage.wal import LogLimits, log

COMMAND = (sys.executable, "-m", "tests.faults.machines.eager_server")

if __name__ == "__main__":
    store.FLUSH_SECONDS = 0.2
    checkpoints._SECONDS = 0
    log.LogLimits = partial(LogLimits, segment_bytes=32 * 2**10)  # type: ignore[assignment, attr-defined]
    sys.argv = sys.argv[sys.argv.index("procession.cli") :]
    main()
