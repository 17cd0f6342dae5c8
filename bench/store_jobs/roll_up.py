"""`python -m bench.store_jobs.roll_up FOLDER`: roll up the hours that are over, as a server does within minutes."""

from __future__ import annotations

import sys
from pathlib import Path

from procession.storage.embedded_store import open_embedded


def main(folder: Path) -> None:
    store = open_embedded(folder)
    try:
        store.rollup.roll_up([org.id for org in store.keys.orgs()])
    finally:
        store.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
