"""A process can have one data folder open, so each of these opens its own in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

OPEN = """
import sys
from pathlib import Path
from procession.errors import UsageError
from procession.storage.embedded_store import open_embedded
try:
    store = open_embedded(Path(sys.argv[1]))
except UsageError as error:
    print(error)
    sys.exit(1)
print("open", flush=True)
if len(sys.argv) > 2:
    with store.history._engine.connection() as connection:
        connection.command(sys.argv[2])
else:
    sys.stdin.read()
store.close()
"""


ASK = """
import sys
from pathlib import Path
from procession.errors import Unavailable
from procession.storage.history.engine import embedded as engine, errors
engine._memory_of = lambda _: int(sys.argv[2])
lender = engine.EmbeddedEngine(Path(sys.argv[1]))
for megabytes in (10, 300):
    try:
        with errors.unavailable_on_failure(), lender.connection() as connection:
            text = f"SELECT length(groupArray(repeat('x', 1000000))) FROM numbers({megabytes})"
            print(connection.query(text).result_rows)
    except Unavailable as error:
        print(error)
lender.close()
"""
"""For so much memory."""


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", OPEN, str(folder), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def refusal(folder: Path) -> str:
    process = start(folder)
    output, _ = process.communicate("", timeout=60)
    assert process.returncode == 1, output
    assert output.count("\n") == 1, output
    return output


def test_a_folder_in_use_is_refused_and_names_who_has_it(tmp_path: Path) -> None:
    with start(tmp_path) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "open\n"

        message = refusal(tmp_path)

        assert f"in use by process {first.pid}" in message
        assert "--data-dir" in message
        first.communicate("", timeout=60)


def test_a_folder_is_free_again_after_its_process_was_killed(tmp_path: Path) -> None:
    with start(tmp_path) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "open\n"
        first.kill()

    second = start(tmp_path)
    output, _ = second.communicate("", timeout=60)

    assert (second.returncode, output) == (0, "open\n")


def test_tables_of_a_newer_version_are_refused(tmp_path: Path) -> None:
    process = start(tmp_path, "INSERT INTO migrations VALUES (999, 'from the future', 1)")
    assert process.communicate("", timeout=60)[0] == "open\n"

    message = refusal(tmp_path)

    assert "newer Procession" in message
    assert "999" in message


def test_a_path_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")

    assert f"cannot write to the data folder {tmp_path / 'data'}" in refusal(tmp_path / "data")


def test_a_full_disk_is_refused(tmp_path: Path) -> None:
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", tmp_path], capture_output=True)
    if mounted.returncode:
        pytest.skip("needs the right to mount a small tmpfs")
    try:
        assert "no space left on device" in refusal(tmp_path / "data")
    finally:
        subprocess.run(["umount", tmp_path], check=True)


@pytest.mark.may_skip
@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)

    assert "permission denied" in refusal(tmp_path / "data")


def test_a_read_only_file_system_is_refused(tmp_path: Path) -> None:
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", tmp_path], capture_output=True)
    if mounted.returncode:
        pytest.skip("needs the right to mount a tmpfs")
    try:
        assert "read-only file system" in refusal(tmp_path / "data")
    finally:
        subprocess.run(["umount", tmp_path], check=True)


def test_all_statements_at_once_get_half_of_the_memory(tmp_path: Path) -> None:
    command = [sys.executable, "-c", ASK, str(tmp_path), str(400 * 10**6)]
    output = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout

    small, large = output.splitlines()
    assert small == "[(10,)]"
    assert large.startswith("The store cannot do this now: it takes more memory than there is for it")


REST = """
import sys, time
from pathlib import Path
from procession.storage.embedded_store import open_embedded

def wakes():
    found = 0
    for status in Path("/proc/self/task").glob("*/status"):
        lines = status.read_text().splitlines()
        if not lines[0].endswith(("python", "python3")):
            found += sum(int(line.split()[1]) for line in lines if line.startswith("voluntary"))
    return found

store = open_embedded(Path(sys.argv[1]))
before = wakes()
time.sleep(2)
print(wakes() - before)
store.close()
"""


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="counts threads as Linux has them")
def test_an_engine_without_work_rests_from_its_start_on(tmp_path: Path) -> None:
    found = subprocess.run([sys.executable, "-c", REST, str(tmp_path)], capture_output=True, text=True, check=True)

    # Each of its thirty tables looks around a few times; before it was told to rest, it woke up 450 times in that time.
    assert int(found.stdout) < 100


COMPILED = """
import sys
from pathlib import Path
from procession.storage.history.engine.embedded import EmbeddedEngine
lender = EmbeddedEngine(Path(sys.argv[1]))
with lender.connection() as connection:
    for after in (" ", " SETTINGS min_count_to_compile_expression = 3"):
        for _ in range(20):
            connection.query("SELECT sum(number * 3 + number % 5) FROM numbers(1000) WHERE number % 7 > 2" + after)
        rows = connection.query("SELECT value FROM system.events WHERE event = 'CompileFunction'").result_rows
        print(bool(rows))
lender.close()
"""
"""Whether anything was compiled: as it is set, and where three uses are enough."""


def test_nothing_is_compiled_for_a_few_questions(tmp_path: Path) -> None:
    """It would take longer than the answers."""
    found = subprocess.run([sys.executable, "-c", COMPILED, str(tmp_path)], capture_output=True, text=True, check=True)

    assert found.stdout.split() == ["False", "True"]
