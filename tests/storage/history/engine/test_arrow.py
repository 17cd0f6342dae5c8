from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

from procession.storage.history.engine.arrow import keep_pandas_out

FIRST_ARRAY = """
import sys
from procession.storage.history.engine.arrow import keep_pandas_out
import pyarrow as pa
keep_pandas_out()
pa.array([1])
print("pandas" in sys.modules)
"""


def test_the_first_array_does_not_load_pandas() -> None:
    run = subprocess.run([sys.executable, "-c", FIRST_ARRAY], check=True, stdout=subprocess.PIPE, text=True)

    assert run.stdout == "False\n"


def test_whoever_wants_pandas_still_finds_it() -> None:
    before = [*sys.meta_path]

    keep_pandas_out()

    assert sys.meta_path == before
    assert find_spec("pandas") is not None
