"""How pyarrow is used here: without pandas."""

from __future__ import annotations

import sys
import threading
from importlib.abc import MetaPathFinder
from typing import Any

import pyarrow as pa


def keep_pandas_out() -> None:
    """For its first array, pyarrow loads pandas if that is installed, and the embedded engine brings it along. That
    takes a second, or many on a busy machine, and 60 MB; nothing of ours needs it. So pyarrow is made to look for it
    now, while it is not to be found. Whoever imports pandas still gets it."""
    hidden = _PandasHidden(threading.get_ident())
    sys.meta_path.insert(0, hidden)
    try:
        pa.array([None])
    finally:
        sys.meta_path.remove(hidden)


class _PandasHidden(MetaPathFinder):
    """From one thread."""

    def __init__(self, thread: int) -> None:
        self._thread = thread

    def find_spec(self, fullname: str, *_: Any) -> None:
        if fullname == "pandas" and threading.get_ident() == self._thread:
            raise ModuleNotFoundError("pandas is kept out", name=fullname)
